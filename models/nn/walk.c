/* The walks forward and backward over the units of a table: single layers here, fused stages in stage.c. */
#include "kernels/norm.h"
#include "models/nn/stage.h"
#include <math.h>
#include <string.h>

static size_t value_floats(const struct nn_context *c, int value)
{
    return (size_t)c->n * nn_slot_floats(c, value);
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

void nn_norm_measure(struct nn_context *c, int i, const struct kn_norm_part *part, float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    float *mean = statistics + l->mean, *variance = statistics + l->variance;
    float *inverse = c->saved + l->variance;
    kn_norm_stats(part, c->value[l->in[0]], mean, variance);
    size_t first = (size_t)part->first * KN_LANES, end = first + (size_t)part->count * KN_LANES;
    for (size_t k = first; k < end; k++) {
        c->saved[l->mean + k] = mean[k];
        inverse[k] = (float)(1 / sqrt(variance[k] + NN_NORM_EPSILON));
    }
}

static void norm_in_training(struct nn_context *c, int i, const struct kn_norm_part *part, const float *parameters,
                             float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    nn_norm_measure(c, i, part, statistics);
    kn_norm_fwd(part, c->value[l->in[0]], c->saved + l->mean, c->saved + l->variance, parameters + l->weight,
                parameters + l->bias, c->value[i + 1]);
}

static void norm_in_inference(struct nn_context *c, int i, const struct kn_norm_part *part, const float *parameters,
                              const float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    float *scale = c->saved + l->mean, *shift = c->saved + l->variance;
    size_t first = (size_t)part->first * KN_LANES, end = first + (size_t)part->count * KN_LANES;
    for (size_t k = first; k < end; k++) {
        double s = parameters[l->weight + k] / sqrt(statistics[l->variance + k] + NN_NORM_EPSILON);
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
        if (nn_trains(c->mode))
            norm_in_training(c, i, &part, parameters, statistics);
        else
            norm_in_inference(c, i, &part, parameters, statistics);
    }
}

static void forward_add(struct nn_context *c, int i)
{
    const struct nn_layer *l = &c->net->layer[i];
    const size_t floats = nn_slot_floats(c, i + 1);
#pragma omp parallel for num_threads(c->threads) if (c->threads > 1)
    for (int n = 0; n < c->n; n++) {
        const size_t at = (size_t)n * floats;
        kn_tensor_add(floats, c->value[l->in[0]] + at, c->value[l->in[1]] + at, c->value[i + 1] + at);
    }
}

void nn_forward_unit(struct nn_context *c, int u, const float *parameters, float *statistics)
{
    const int i = c->unit[u].first;
    if (c->unit[u].fused) {
        nn_stage_forward(c, &c->unit[u], parameters, statistics);
        return;
    }
    switch (c->net->layer[i].kind) {
    case NN_CONV: forward_conv(c, i, parameters); break;
    case NN_NORM_RELU: forward_norm(c, i, parameters, statistics); break;
    case NN_ADD: forward_add(c, i); break;
    }
}

void nn_forward(struct nn_context *c, const float *parameters, float *statistics)
{
    for (int u = 0; u < c->units; u++)
        nn_forward_unit(c, u, parameters, statistics);
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

void nn_backward_norm(struct nn_context *c, int i, const float *parameters, float *gradient)
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
void nn_backward_add(struct nn_context *c, int i)
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

void nn_backward_unit(struct nn_context *c, int u, const float *parameters, float *gradient)
{
    const int i = c->unit[u].first;
    if (c->unit[u].fused) {
        nn_stage_backward(c, &c->unit[u], parameters, gradient);
        return;
    }
    switch (c->net->layer[i].kind) {
    case NN_CONV: backward_conv(c, i, parameters, gradient); break;
    case NN_NORM_RELU: nn_backward_norm(c, i, parameters, gradient); break;
    case NN_ADD: nn_backward_add(c, i); break;
    }
}

void nn_backward(struct nn_context *c, const float *parameters, float *gradient)
{
    for (int u = c->units - 1; u >= 0; u--)
        nn_backward_unit(c, u, parameters, gradient);
}
