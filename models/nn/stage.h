/*
 * A fused stage forward and backward, and the pieces of the layer walk that it shares. For models/nn only.
 */
#ifndef MODELS_NN_STAGE_H
#define MODELS_NN_STAGE_H
#include "models/nn/run.h"

void nn_stage_forward(struct nn_context *context, const struct nn_unit *unit, const float *parameters,
                      float *statistics);
void nn_stage_backward(struct nn_context *context, const struct nn_unit *unit, const float *parameters,
                       float *gradient);

/** Mean and variance of a norm for what follows, in context->saved: in training those of this batch, which go to
 * `statistics` as well, and the normalised result to y unless that is NULL; in inference those of `statistics`. */
void nn_norm_moments(struct nn_context *context, int layer, const float *parameters, float *statistics, float *y);
/** to = a + b, a tensor of the value's channels and n slots; `to` may be a or b. */
void nn_add_tensors(const struct nn_context *context, int value, int n, int threads, const float *a, const float *b,
                    float *to);
/** Backward of a norm from gradient[layer + 1], of a sum to both its parts. */
void nn_backward_norm(struct nn_context *context, int layer, const float *parameters, float *gradient);
void nn_backward_add(struct nn_context *context, int layer);

/** Worker's scratch in context->slots; *bytes is what one worker needs. */
struct nn_scratch nn_scratch_of(const struct nn_context *context, int worker, size_t *bytes);

/** Floats of one slot of a value, padding included. */
static inline size_t nn_slot_floats(const struct nn_context *context, int value)
{
    return (size_t)kn_blocks(nn_channels(context->net, value)) * KN_LANES * (size_t)context->f * (size_t)context->t;
}

#endif
