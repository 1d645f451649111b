/*
 * A network, its numbers and whatever goes with them as one safetensors file, for an independent program to rebuild:
 * metadata "layers" is the table as JSON, tensors have the names and shapes of the checkpoints.
 * tests/support/torch_net.py reads it.
 */
#ifndef TESTS_SUPPORT_NET_DUMP_H
#define TESTS_SUPPORT_NET_DUMP_H
#include "models/nn/net.h"
#include "models/nn/safetensors.h"

/** 0 or a negative JRX_E code. `extra` are dense tensors beside the net's own. */
int net_dump(const char *path, const struct nn_net *net, const float *parameters, const float *statistics,
             const struct nn_st_tensor *extra, int extras);

/** A tensor of 4 dimensions over `data`, for `extra`. */
struct nn_st_tensor net_dump_tensor(const char *name, int n, int c, int f, int t, const float *data);

#endif
