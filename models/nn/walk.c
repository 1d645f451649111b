/* The walks forward and backward over the table of layers: the whole of training and inference is in these functions.
 */
#include "kernels/norm.h"
#include "models/nn/run.h"
#include <math.h>
#include <string.h>

static const double NORM_EPSILON = 1e-5; /* added to the variance, as everybody does */

static size_t value_floats(const struct nn_context *c, int value)
{
    return (size_t)c->n * (size_t)kn_blocks(nn_channels(c->net, value)) * KN_LANES * (size_t)c->f * (size_t)c->t;
}

static void forward_conv(struct nn_context *c, int i, const float *parameters)
{
    const struct nn_layer *l = &c->net->layer[i];
    struct kn_shape shape = nn_layer_shape(l, c->n, c->f, c->t);
    c->kernel[i][KN_FWD]->run(&(struct kn_args){.shape = &shape,
                                                .tile = &l->tile[KN_FWD],
                                                .x = c->value[l->in[0]],
                                                .w = parameters + l->weight,
                                                .bias = parameters + l->bias,
                                                .y = c->value[i + 1],
                                                .workspace = c->workspace,
                                                .threads = c->threads});
}

/* Statistics of this batch, kept as mean and 1 / deviation for the way back. */
static void norm_in_training(struct nn_context *c, int i, const struct kn_norm_part *part, const float *parameters,
                             float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    float *mean = statistics + l->mean, *variance = statistics + l->variance;
    float *inverse = c->saved + l->variance;
    kn_norm_stats(part, c->value[l->in[0]], mean, variance);
    size_t first = (size_t)part->first * KN_LANES, end = first + (size_t)part->count * KN_LANES;
    for (size_t k = first; k < end; k++) {
        c->saved[l->mean + k] = mean[k];
        inverse[k] = (float)(1 / sqrt(variance[k] + NORM_EPSILON));
    }
    kn_norm_fwd(part, c->value[l->in[0]], mean, inverse, parameters + l->weight, parameters + l->bias, c->value[i + 1]);
}

static void norm_in_inference(struct nn_context *c, int i, const struct kn_norm_part *part, const float *parameters,
                              const float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    float *scale = c->saved + l->mean, *shift = c->saved + l->variance;
    size_t first = (size_t)part->first * KN_LANES, end = first + (size_t)part->count * KN_LANES;
    for (size_t k = first; k < end; k++) {
        double s = parameters[l->weight + k] / sqrt(statistics[l->variance + k] + NORM_EPSILON);
        scale[k] = (float)s;
        shift[k] = (float)(parameters[l->bias + k] - s * statistics[l->mean + k]);
    }
    kn_norm_apply(part, c->value[l->in[0]], scale, shift, c->value[i + 1]);
}

static void forward_norm(struct nn_context *c, int i, const float *parameters, float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    int blocks = kn_blocks(l->oc);
#pragma omp parallel for num_threads(c->threads) if (c->threads > 1)
    for (int b = 0; b < blocks; b++) {
        struct kn_norm_part part = {c->n, l->oc, (size_t)c->f * (size_t)c->t, b, 1};
        if (c->mode == NN_TRAINING)
            norm_in_training(c, i, &part, parameters, statistics);
        else
            norm_in_inference(c, i, &part, parameters, statistics);
    }
}

void nn_forward_layer(struct nn_context *c, int i, const float *parameters, float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    switch (l->kind) {
    case NN_CONV: forward_conv(c, i, parameters); break;
    case NN_NORM_RELU: forward_norm(c, i, parameters, statistics); break;
    case NN_ADD: kn_tensor_add(value_floats(c, i + 1), c->value[l->in[0]], c->value[l->in[1]], c->value[i + 1]); break;
    }
}

void nn_forward(struct nn_context *c, const float *parameters, float *statistics)
{
    for (int i = 0; i < c->net->layers; i++)
        nn_forward_layer(c, i, parameters, statistics);
}

/* Kernels overwrite their dx: a contribution that is not the first goes by way of the scratch. */
static void backward_conv(struct nn_context *c, int i, const float *parameters, float *gradient)
{
    const struct nn_layer *l = &c->net->layer[i];
    struct kn_shape shape = nn_layer_shape(l, c->n, c->f, c->t);
    int in = l->in[0], first = c->last_reader[in] == i;
    struct kn_args args = {.shape = &shape,
                           .tile = &l->tile[KN_BWD_WEIGHTS],
                           .x = c->value[in],
                           .w = parameters + l->weight,
                           .dy = c->gradient[i + 1],
                           .dw = gradient + l->weight,
                           .db = gradient + l->bias,
                           .workspace = c->workspace,
                           .threads = c->threads};
    c->kernel[i][KN_BWD_WEIGHTS]->run(&args);
    if (!c->gradient[in])
        return;
    args.tile = &l->tile[KN_BWD_DATA];
    args.dx = first ? c->gradient[in] : c->scratch;
    c->kernel[i][KN_BWD_DATA]->run(&args);
    if (!first)
        kn_tensor_accumulate(value_floats(c, in), c->scratch, c->gradient[in]);
}

static void backward_norm(struct nn_context *c, int i, const float *parameters, float *gradient)
{
    const struct nn_layer *l = &c->net->layer[i];
    int in = l->in[0], blocks = kn_blocks(l->oc);
    float *dx = c->gradient[in] ? c->gradient[in] : c->scratch; /* of the input nobody wants it, yet it is written */
#pragma omp parallel for num_threads(c->threads) if (c->threads > 1)
    for (int b = 0; b < blocks; b++) {
        struct kn_norm_part part = {c->n, l->oc, (size_t)c->f * (size_t)c->t, b, 1};
        kn_norm_bwd(&part, &(struct kn_norm_bwd_args){.x = c->value[in],
                                                      .dy = c->gradient[i + 1],
                                                      .mean = c->saved + l->mean,
                                                      .invstd = c->saved + l->variance,
                                                      .gamma = parameters + l->weight,
                                                      .beta = parameters + l->bias,
                                                      .skip = c->last_reader[in] == i || !c->gradient[in] ? NULL : dx,
                                                      .dx = dx,
                                                      .dgamma = gradient + l->weight,
                                                      .dbeta = gradient + l->bias});
    }
}

/* The gradient of a sum is that of both parts. Where the plan found it safe they share one buffer: nothing to do. */
static void backward_add(struct nn_context *c, int i)
{
    const struct nn_layer *l = &c->net->layer[i];
    const float *dy = c->gradient[i + 1];
    for (int k = 0; k < 2; k++) {
        float *dx = c->gradient[l->in[k]];
        int first = c->last_reader[l->in[k]] == i && (k == 0 || l->in[0] != l->in[1]);
        if (dx && !first)
            kn_tensor_add(value_floats(c, i + 1), dx, dy, dx);
        else if (dx && dx != dy)
            memcpy(dx, dy, value_floats(c, i + 1) * sizeof *dx);
    }
}

void nn_backward_layer(struct nn_context *c, int i, const float *parameters, float *gradient)
{
    switch (c->net->layer[i].kind) {
    case NN_CONV: backward_conv(c, i, parameters, gradient); break;
    case NN_NORM_RELU: backward_norm(c, i, parameters, gradient); break;
    case NN_ADD: backward_add(c, i); break;
    }
}

void nn_backward(struct nn_context *c, const float *parameters, float *gradient)
{
    for (int i = c->net->layers - 1; i >= 0; i--)
        nn_backward_layer(c, i, parameters, gradient);
}
