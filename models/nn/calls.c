#include "models/nn/calls.h"
#include "harness/base/error.h"
#include "kernels/sums.h"
#include <string.h>

/* Whether a walk of this mode makes that call: within a stage the pointwise forward is the separable kernel's, and
 * what only backward wants is made on the way back. */
static int makes_call(const struct nn_context *context, const struct nn_unit *unit, int layer, int dir)
{
    if (dir == KN_BWD_DATA && !context->net->layer[layer].in[0])
        return 0;
    if (dir != KN_FWD)
        return 1;
    return !unit->fused || layer == unit->shortcut || (layer == unit->dw && nn_trains(context->mode));
}

/* A layer's own tile, or the one that is known for the call. */
static struct kn_tile tile_of(const struct nn_context *context, const struct kn_kernel *kernel,
                              const struct kn_shape *shape, int threads, const struct kn_tile *own)
{
    const struct kn_tile none = {0};
    const struct nn_tilings *known = context->net->tilings;
    if (!known || memcmp(own, &none, sizeof none) != 0)
        return *own;
    const struct kn_tile tile = known->get(known->self, kernel, shape, threads);
    return kernel->supports(shape, &tile) || !kn_same_sums(kernel, shape, &tile, &none) ? none : tile;
}

/* What runs an operator when the layer does not say. */
static const struct kn_kernel *usual_kernel(const struct nn_context *context, enum kn_op op, enum kn_dir dir)
{
    const int rounded = context->net->precision == NN_BF16 && nn_trains(context->mode);
    const struct kn_kernel *bf16 = rounded ? kn_best_bf16(op, dir) : NULL;
    return bf16 ? bf16 : kn_best(op, dir);
}

int nn_precision_check(enum nn_precision precision)
{
    if (precision == NN_BF16 && !kn_best_bf16(KN_POINTWISE, KN_FWD))
        return jrx_fail(JRX_EINVAL, "training: precision bf16 needs AVX512_BF16, which this CPU has not or %s",
                        "JOULERX_ISA masks; give fp32");
    return 0;
}

/* Kernel and tiling of one direction of a layer. */
static int plan_call(struct nn_context *context, const struct nn_unit *unit, int layer, enum kn_dir dir)
{
    const struct nn_layer *l = &context->net->layer[layer];
    const struct kn_kernel *kernel = l->kernel[dir] ? l->kernel[dir] : usual_kernel(context, l->op, dir);
    /* a stage makes the calls of its layers slot by slot */
    const struct kn_shape shape = nn_layer_shape(l, unit->fused ? 1 : context->n, context->f, context->t);
    if (kernel->op != l->op || kernel->dir != dir)
        return jrx_fail(JRX_EINVAL, "layer %s: %s is no %s_%s kernel", l->name, kernel->name, kn_op_name(l->op),
                        kn_dir_name(dir));
    if (kernel->supports(&shape, &l->tile[dir]))
        return jrx_fail(JRX_EINVAL, "layer %s: %s", l->name, jrx_last_error());
    context->kernel[layer][dir] = kernel;
    context->tile[layer][dir] = l->tile[dir];
    if (makes_call(context, unit, layer, dir))
        context->tile[layer][dir] =
            tile_of(context, kernel, &shape, unit->fused ? context->inner : context->threads, &l->tile[dir]);
    return 0;
}

/* How threads share a fused backward: over groups of slots if there are enough, else within the kernels. */
static void plan_threads(struct nn_context *context)
{
    context->groups = context->n < NN_GROUPS ? context->n : NN_GROUPS;
    context->workers = context->threads <= context->groups ? context->threads : 1;
    context->inner = context->workers > 1 ? 1 : context->threads;
}

int nn_plan_calls(struct nn_context *context, const int unit_of[NN_MAX_LAYERS])
{
    const struct nn_net *net = context->net;
    const struct kn_tile none = {0};
    int status = nn_trains(context->mode) ? nn_precision_check(net->precision) : 0;
    if (status)
        return status;
    plan_threads(context);
    context->separable = usual_kernel(context, KN_SEPARABLE, KN_FWD);
    for (int dir = 0; dir < KN_DIRS; dir++) {
        context->norm[dir] = kn_best(KN_BATCH_NORM, (enum kn_dir)dir);
        context->add[dir] = kn_best(KN_ADD, (enum kn_dir)dir);
    }
    context->relu = kn_best(KN_RELU, KN_FWD);
    for (int i = 0; i < net->layers; i++) {
        const struct kn_shape shape = nn_layer_shape(&net->layer[i], context->n, context->f, context->t);
        if (net->layer[i].kind != NN_CONV)
            continue;
        if (kn_shape_check(net->layer[i].op, &shape))
            return jrx_fail(JRX_EINVAL, "layer %s: %s", net->layer[i].name, jrx_last_error());
        for (int dir = 0; dir < (nn_trains(context->mode) ? KN_DIRS : 1); dir++) {
            status = plan_call(context, &context->unit[unit_of[i]], i, (enum kn_dir)dir);
            if (status)
                return status;
        }
    }
    for (int u = 0; u < context->units; u++)
        if (context->unit[u].fused) {
            const struct kn_shape shape = nn_stage_shape(net, &context->unit[u], context->n, context->f, context->t);
            context->stage_tile[u] = tile_of(context, context->separable, &shape, context->threads, &none);
        }
    return 0;
}
