/*
 * A network's blocks as named tensors of a safetensors file, and back: real shapes, axes [oc][ic / groups][f][t].
 */
#ifndef MODELS_NN_CHECKPOINT_H
#define MODELS_NN_CHECKPOINT_H
#include "models/nn/net.h"
#include "models/nn/safetensors.h"

/* One block of floats laid out as the net's parameters, or as its statistics. */
struct nn_block {
    const char *prefix; /* before the tensors' names: "", "adamw.m." */
    int statistic;
    float *floats;
};

/** Writes all blocks and the text pairs; atomic. As nn_st_write(). */
int nn_checkpoint_write(const char *path, const struct nn_st_pair *pair, int pairs, const struct nn_net *net,
                        const struct nn_block *block, int blocks);

/**
 * Fills the blocks from an open file. 0; JRX_EFORMAT naming a tensor that is missing, has another shape than the
 * network's, or holds a number that is not finite (the blocks are then half filled).
 */
int nn_checkpoint_read(const struct nn_st_file *file, const struct nn_net *net, const struct nn_block *block,
                       int blocks);

#endif
