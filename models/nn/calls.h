/*
 * Which calls of kernels a context makes, and with which tilings. For models/nn only.
 */
#ifndef MODELS_NN_CALLS_H
#define MODELS_NN_CALLS_H
#include "models/nn/run.h"

/**
 * Sets kernels, tilings and how threads share a stage, of a context whose units are cut; unit_of: layer to unit. Each
 * call that the context will make is asked for once in net->tilings (nn/net.h). 0; JRX_EINVAL naming the layer: a
 * kernel of another operator or direction, one that refuses shape or tile, a precision that this CPU has not.
 */
int nn_plan_calls(struct nn_context *context, const int unit_of[NN_MAX_LAYERS]);

#endif
