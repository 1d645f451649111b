/* The walks forward and backward over the units of a table: single layers here, fused stages in stage.c. */
#include "models/nn/stage.h"
#include <math.h>
#include <string.h>

static void forward_conv(struct nn_context *c, int i, const float *parameters)
{
    const struct nn_layer *l = &c->net->layer[i];
    struct kn_shape shape = nn_layer_shape(l, c->n, c->f, c->t);
    c->kernel[i][KN_FWD]->run(&(struct kn_args){.shape = &shape,
                                                .tile = &c->tile[i][KN_FWD],
                                                .x = c->value[l->in[0]],
                                                .w = parameters + l->weight,
                                                .bias = parameters + l->bias,
                                                .y = c->value[i + 1],
                                                .workspace = c->workspace,
                                                .threads = c->threads});
}

/* The call of a norm, ReLU or add layer, which computes value `value` or its gradient, without operands. */
static struct kn_shape value_shape(const struct nn_context *c, int value, int n)
{
    const int channels = nn_channels(c->net, value);
    return (struct kn_shape){n, channels, channels, c->f, c->t, 1, 1, 0};
}

static void run_layer(const struct nn_context *c, const struct kn_kernel *kernel, int value, int n, struct kn_args args)
{
    const struct kn_shape shape = value_shape(c, value, n);
    args.shape = &shape;
    args.tile = &(struct kn_tile){0};
    args.threads = args.threads ? args.threads : c->threads;
    kernel->run(&args);
}

void nn_norm_moments(struct nn_context *c, int i, const float *parameters, float *statistics, float *y)
{
    const struct nn_layer *l = &c->net->layer[i];
    if (nn_trains(c->mode))
        run_layer(c, c->norm[KN_FWD], i + 1, c->n,
                  (struct kn_args){.x = c->value[l->in[0]],
                                   .w = parameters + l->weight,
                                   .bias = parameters + l->bias,
                                   .moments = statistics + l->mean, /* the variance lies right behind */
                                   .y = y});
    memcpy(c->saved + l->mean, statistics + l->mean, 2 * (size_t)kn_blocks(l->oc) * KN_LANES * sizeof(float));
}

static void norm_in_inference(struct nn_context *c, int i, const float *parameters, const float *statistics)
{
    const struct nn_layer *l = &c->net->layer[i];
    float *scale = c->saved + l->mean, *shift = c->saved + l->variance;
    for (size_t k = 0; k < (size_t)kn_blocks(l->oc) * KN_LANES; k++) {
        double s = parameters[l->weight + k] / sqrt(statistics[l->variance + k] + KN_NORM_EPSILON);
        scale[k] = (float)s;
        shift[k] = (float)(parameters[l->bias + k] - s * statistics[l->mean + k]);
    }
    run_layer(c, c->relu, i + 1, c->n,
              (struct kn_args){.x = c->value[l->in[0]], .w = scale, .bias = shift, .y = c->value[i + 1]});
}

static void forward_norm(struct nn_context *c, int i, const float *parameters, float *statistics)
{
    if (nn_trains(c->mode))
        nn_norm_moments(c, i, parameters, statistics, c->value[i + 1]);
    else
        norm_in_inference(c, i, parameters, statistics);
}

void nn_add_tensors(const struct nn_context *c, int value, int n, int threads, const float *a, const float *b,
                    float *to)
{
    run_layer(c, c->add[KN_FWD], value, n, (struct kn_args){.x = a, .w = b, .y = to, .threads = threads});
}

static void forward_add(struct nn_context *c, int i)
{
    const struct nn_layer *l = &c->net->layer[i];
    nn_add_tensors(c, i + 1, c->n, c->threads, c->value[l->in[0]], c->value[l->in[1]], c->value[i + 1]);
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
                           .tile = &c->tile[i][KN_BWD_WEIGHTS],
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
    args.tile = &c->tile[i][KN_BWD_DATA];
    args.dx = first ? c->gradient[in] : c->scratch;
    c->kernel[i][KN_BWD_DATA]->run(&args);
    if (!first)
        nn_add_tensors(c, in, c->n, c->threads, c->scratch, c->gradient[in], c->gradient[in]);
}

void nn_backward_norm(struct nn_context *c, int i, const float *parameters, float *gradient)
{
    const struct nn_layer *l = &c->net->layer[i];
    const int in = l->in[0], wanted = c->gradient[in] != NULL; /* that of the input is not, yet it is written */
    run_layer(c, c->norm[KN_BWD_DATA], i + 1, c->n,
              (struct kn_args){.x = c->value[in],
                               .dy = c->gradient[i + 1],
                               .w = parameters + l->weight,
                               .bias = parameters + l->bias,
                               .moments = c->saved + l->mean,
                               .dx = wanted ? c->gradient[in] : c->scratch,
                               .accumulate = wanted && c->last_reader[in] != i,
                               .dw = gradient + l->weight,
                               .db = gradient + l->bias});
}

/* The gradient of a sum is that of both parts. Where the plan found it safe they share one buffer: nothing to do. */
void nn_backward_add(struct nn_context *c, int i)
{
    const struct nn_layer *l = &c->net->layer[i];
    const float *dy = c->gradient[i + 1];
    for (int k = 0; k < 2; k++) {
        float *dx = c->gradient[l->in[k]];
        const int first = c->last_reader[l->in[k]] == i && (k == 0 || l->in[0] != l->in[1]);
        if (dx && (dx != dy || !first))
            run_layer(c, c->add[KN_BWD_DATA], i + 1, c->n, (struct kn_args){.dy = dy, .dx = dx, .accumulate = !first});
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
