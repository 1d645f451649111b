/*
 * A network for inference as an ONNX model (operator set 13), which other runtimes load. Its nodes are Conv, Relu, Add
 * and BatchNormalization; a norm that is alone in reading a convolution is folded into its weights instead. Input
 * "input" [slots, channels, subcarriers, symbols], output "logits" likewise; slots, subcarriers and symbols are free.
 * Source: https://github.com/onnx/onnx, onnx/onnx.proto3 (fields), docs/Operators.md (attributes).
 */
#ifndef MODELS_NN_ONNX_H
#define MODELS_NN_ONNX_H
#include "models/nn/net.h"
#include "models/nn/safetensors.h"

struct nn_onnx_about {
    const char *name, *text;       /* of the graph; what its input and output mean */
    const struct nn_st_pair *pair; /* becomes metadata_props */
    int pairs;
};

/** The side result, which training alone has, is left out. Atomic. 0, JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM. */
int nn_onnx_write(const char *path, const struct nn_onnx_about *about, const struct nn_net *net,
                  const float *parameters, const float *statistics);

#endif
