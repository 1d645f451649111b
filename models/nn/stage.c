/*
 * Forward, a stage is one call of the separable kernel, which normalises what its stencil loads. Backward makes the
 * inner values again, a slot at a time, while they are in the cache; each group of slots gathers weight gradients of
 * its own, which are added in the order of the groups. Groups depend on the batch alone, so threads change no bit.
 */
#include "models/nn/stage.h"
#include <math.h>
#include <omp.h>
#include <string.h>

/* A norm as max(0, scale x + shift), into context->scale and shift, from context->saved. */
static void fold_norm(struct nn_context *c, const struct nn_layer *norm, const float *parameters)
{
    const float *mean = c->saved + norm->mean, *variance = c->saved + norm->variance;
    for (size_t k = 0; k < (size_t)kn_blocks(norm->oc) * KN_LANES; k++) {
        const float inverse = (float)(1 / sqrt(variance[k] + KN_NORM_EPSILON));
        const double scale = (double)parameters[norm->weight + k] * (double)inverse;
        c->scale[k] = (float)scale;
        c->shift[k] = (float)(parameters[norm->bias + k] - scale * mean[k]);
    }
}

/* ---- a slot at a time ---- */

/* A lone worker may be a thread of somebody else's team. */
static int worker_number(const struct nn_context *c)
{
    return c->workers == 1 ? 0 : omp_get_thread_num();
}

/* Normalises slot n of the stage's input; both walks use this one form, so that their masks agree. */
static void normalise(struct nn_context *c, const struct nn_unit *unit, int n, float *a)
{
    const struct nn_layer *norm = &c->net->layer[unit->first];
    const struct kn_shape shape = nn_layer_shape(norm, 1, c->f, c->t);
    c->relu->run(&(struct kn_args){.shape = &shape,
                                   .tile = &(struct kn_tile){0},
                                   .x = c->value[norm->in[0]] + (size_t)n * nn_slot_floats(c, norm->in[0]),
                                   .w = c->scale,
                                   .bias = c->shift,
                                   .y = a,
                                   .threads = c->inner});
}

static void run_slot(struct nn_context *c, int layer, enum kn_dir dir, struct kn_args args, const float *parameters,
                     const struct nn_scratch *scratch)
{
    const struct nn_layer *l = &c->net->layer[layer];
    const struct kn_shape shape = nn_layer_shape(l, 1, c->f, c->t);
    args.shape = &shape;
    args.tile = &c->tile[layer][dir];
    args.w = parameters + l->weight;
    args.workspace = scratch->workspace;
    args.threads = c->inner;
    c->kernel[layer][dir]->run(&args);
}

static float *slot_of(const struct nn_context *c, float *const *values, int value, int n)
{
    return values[value] + (size_t)n * nn_slot_floats(c, value);
}

static void shortcut_slot(struct nn_context *c, const struct nn_unit *unit, int n, const float *parameters)
{
    size_t bytes;
    const struct nn_scratch scratch = nn_scratch_of(c, worker_number(c), &bytes);
    normalise(c, unit, n, scratch.a);
    run_slot(c, unit->shortcut, KN_FWD,
             (struct kn_args){.x = scratch.a,
                              .bias = parameters + c->net->layer[unit->shortcut].bias,
                              .y = slot_of(c, c->value, unit->shortcut + 1, n)},
             parameters, &scratch);
}

/* Here and below: kernels that share their work out themselves must not be called from within a parallel region, not
 * even one of a single thread; OpenMP would start threads anew for each call. */
static void forward_shortcut(struct nn_context *c, const struct nn_unit *unit, const float *parameters)
{
    if (c->workers == 1) {
        for (int n = 0; n < c->n; n++)
            shortcut_slot(c, unit, n, parameters);
        return;
    }
#pragma omp parallel for num_threads(c->workers)
    for (int n = 0; n < c->n; n++)
        shortcut_slot(c, unit, n, parameters);
}

/* Depthwise and pointwise of the normalised input, plus what the sum adds. */
static void run_stage(struct nn_context *c, const struct nn_unit *unit, const float *parameters)
{
    const struct nn_layer *norm = &c->net->layer[unit->first], *dw = &c->net->layer[unit->dw];
    const int result = unit->last + 1;
    const struct kn_shape shape = nn_stage_shape(c->net, unit, c->n, c->f, c->t);
    const float *other = NULL;
    if (unit->add >= 0) {
        const int *in = c->net->layer[unit->add].in;
        other = c->value[in[0] == unit->pw + 1 ? in[1] : in[0]];
    }
    float *y = c->value[result];
    c->separable->run(&(struct kn_args){.shape = &shape,
                                        .tile = &c->stage_tile[unit - c->unit],
                                        .x = c->value[norm->in[0]],
                                        .w = parameters + dw->weight, /* the pointwise's weights come right after */
                                        .bias = parameters + c->net->layer[unit->pw].bias,
                                        .y = y,
                                        .scale = c->scale,
                                        .shift = c->shift,
                                        .inner_bias = parameters + dw->bias,
                                        .accumulate = other == y,
                                        .workspace = c->workspace,
                                        .threads = c->threads});
    if (other && other != y)
        nn_add_tensors(c, result, c->n, c->threads, other, y, y);
}

void nn_stage_forward(struct nn_context *c, const struct nn_unit *unit, const float *parameters, float *statistics)
{
    nn_norm_moments(c, unit->first, parameters, statistics, NULL);
    fold_norm(c, &c->net->layer[unit->first], parameters);
    if (unit->shortcut >= 0)
        forward_shortcut(c, unit, parameters);
    run_stage(c, unit, parameters);
}

/* ---- backward ---- */

/* Where a group gathers the gradients of a layer: weights, then bias. */
struct share {
    float *dw, *db;
};

static size_t weight_floats(const struct nn_context *c, int layer)
{
    const struct kn_shape shape = nn_layer_shape(&c->net->layer[layer], 1, 1, 1);
    return kn_w_floats(c->net->layer[layer].op, &shape);
}

static size_t bias_floats(const struct nn_context *c, int layer)
{
    return (size_t)kn_blocks(c->net->layer[layer].oc) * KN_LANES;
}

static struct share share_of(const struct nn_context *c, const struct nn_unit *unit, int group, int layer)
{
    float *at = c->partial + (size_t)group * c->partial_floats;
    for (int i = unit->first + 1; i < layer; i++)
        at += weight_floats(c, i) + bias_floats(c, i);
    return (struct share){at, at + weight_floats(c, layer)};
}

static void backward_slot(struct nn_context *c, const struct nn_unit *unit, int n, int group, const float *parameters,
                          const struct nn_scratch *s)
{
    const struct share pw = share_of(c, unit, group, unit->pw), dw = share_of(c, unit, group, unit->dw);
    const float *dy = slot_of(c, c->gradient, unit->pw + 1, n);
    float *da = slot_of(c, c->gradient, unit->first + 1, n);
    normalise(c, unit, n, s->a);
    run_slot(c, unit->dw, KN_FWD,
             (struct kn_args){.x = s->a, .bias = parameters + c->net->layer[unit->dw].bias, .y = s->d}, parameters, s);
    run_slot(c, unit->pw, KN_BWD_WEIGHTS, (struct kn_args){.x = s->d, .dy = dy, .dw = pw.dw, .db = pw.db}, parameters,
             s);
    run_slot(c, unit->pw, KN_BWD_DATA, (struct kn_args){.dy = dy, .dx = s->d}, parameters, s);
    run_slot(c, unit->dw, KN_BWD_WEIGHTS, (struct kn_args){.x = s->a, .dy = s->d, .dw = dw.dw, .db = dw.db}, parameters,
             s);
    run_slot(c, unit->dw, KN_BWD_DATA, (struct kn_args){.dy = s->d, .dx = da}, parameters, s);
    if (unit->shortcut < 0)
        return;
    const struct share side = share_of(c, unit, group, unit->shortcut);
    dy = slot_of(c, c->gradient, unit->shortcut + 1, n);
    run_slot(c, unit->shortcut, KN_BWD_WEIGHTS, (struct kn_args){.x = s->a, .dy = dy, .dw = side.dw, .db = side.db},
             parameters, s);
    run_slot(c, unit->shortcut, KN_BWD_DATA, (struct kn_args){.dy = dy, .dx = s->second}, parameters, s);
    nn_add_tensors(c, unit->first + 1, 1, c->inner, s->second, da, da);
}

/* gradient += the groups' shares, in their order. */
static void gather(const struct nn_context *c, const struct nn_unit *unit, float *gradient)
{
    for (int i = unit->first + 1; i <= unit->pw; i++) {
        const struct nn_layer *l = &c->net->layer[i];
        const struct share first = share_of(c, unit, 0, i);
        const size_t weights = weight_floats(c, i);
#pragma omp parallel for num_threads(c->threads) if (c->threads > 1) schedule(static)
        for (size_t k = 0; k < weights; k++)
            for (int g = 0; g < c->groups; g++)
                gradient[l->weight + k] += first.dw[(size_t)g * c->partial_floats + k];
        for (size_t k = 0; k < bias_floats(c, i); k++)
            for (int g = 0; g < c->groups; g++)
                gradient[l->bias + k] += first.db[(size_t)g * c->partial_floats + k];
    }
}

static void backward_group(struct nn_context *c, const struct nn_unit *unit, int group, const float *parameters)
{
    size_t bytes;
    const struct nn_scratch scratch = nn_scratch_of(c, worker_number(c), &bytes);
    memset(c->partial + (size_t)group * c->partial_floats, 0, c->partial_floats * sizeof(float));
    for (int n = c->n * group / c->groups; n < c->n * (group + 1) / c->groups; n++)
        backward_slot(c, unit, n, group, parameters, &scratch);
}

/* A value and the place where it is made again take turns. */
static void exchange(struct nn_context *c, int value)
{
    float *kept = c->value[value];
    c->value[value] = c->again[value];
    c->again[value] = kept;
}

/* From the statistics that forward has left: the same numbers, bit by bit. */
static void make_again(struct nn_context *c, int value, const float *parameters)
{
    const struct nn_unit *maker = c->unit;
    while (maker->last + 1 != value)
        maker++;
    exchange(c, value);
    fold_norm(c, &c->net->layer[maker->first], parameters);
    run_stage(c, maker, parameters);
}

void nn_stage_backward(struct nn_context *c, const struct nn_unit *unit, const float *parameters, float *gradient)
{
    const int in = c->net->layer[unit->first].in[0], again = c->again[in] != NULL;
    if (again)
        make_again(c, in, parameters);
    fold_norm(c, &c->net->layer[unit->first], parameters);
    if (unit->add >= 0)
        nn_backward_add(c, unit->add);
    if (c->workers == 1) {
        for (int g = 0; g < c->groups; g++)
            backward_group(c, unit, g, parameters);
    } else {
#pragma omp parallel for num_threads(c->workers) schedule(dynamic)
        for (int g = 0; g < c->groups; g++)
            backward_group(c, unit, g, parameters);
    }
    gather(c, unit, gradient);
    nn_backward_norm(c, unit->first, parameters, gradient);
    if (again)
        exchange(c, in);
}
