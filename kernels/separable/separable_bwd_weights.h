/*
 * With m = w * x between the halves: dv += dy * m', db += sum of dy, dw += (v' * dy) * x'. Four kernels a slot: m, dv,
 * v' * dy in the place of m, dw; see separable_halves.h. Unlike in the other operators w is an operand, too.
 */
#ifndef KERNELS_SEPARABLE_SEPARABLE_BWD_WEIGHTS_H
#define KERNELS_SEPARABLE_SEPARABLE_BWD_WEIGHTS_H
#include "kernels/separable/separable_halves.h"

enum { HALVES = 4 };
static const struct kn_kernel *const halves[HALVES] = {&HALF(depthwise_fwd), &HALF(pointwise_bwd_weights),
                                                       &HALF(pointwise_bwd_data), &HALF(depthwise_bwd_weights)};

static int supports(const struct kn_shape *s, const struct kn_tile *tile)
{
    return halves_support(halves, HALVES, s, tile);
}

static struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return halves_resolve(halves[1], s, tile);
}

/* What lies between the halves, a bias of the depthwise half and its gradient (the layer has none), the halves' own. */
static size_t workspace_bytes(const struct kn_shape *s, const struct kn_tile *tile, int threads)
{
    return (between_floats(s) + 2 * (size_t)kn_lanes(s->mid) + halves_floats(halves, HALVES, s, tile, threads)) *
           sizeof(float);
}

static void run(const struct kn_args *a)
{
    const int lanes = kn_lanes(a->shape->mid);
    float *between = a->workspace, *bias = between + between_floats(a->shape), *unused = bias + lanes,
          *rest = unused + lanes;
    for (int i = 0; i < 2 * lanes; i++)
        kn_put(a->trace, KN_WORKSPACE, &bias[i], 0);
    for (int n = 0; n < a->shape->n; n++) {
        const struct slot slot = slot_of(a, n);
        half_run(halves[0], a,
                 (struct kn_args){.x = slot.x, .w = slot.w1, .bias = bias, .y = between, .workspace = rest});
        half_run(halves[1], a,
                 (struct kn_args){.x = between, .dy = slot.dy, .dw = slot.dw2, .db = a->db, .workspace = rest});
        half_run(halves[2], a, (struct kn_args){.dy = slot.dy, .w = slot.w2, .dx = between, .workspace = rest});
        half_run(halves[3], a,
                 (struct kn_args){.x = slot.x, .dy = between, .dw = slot.dw1, .db = unused, .workspace = rest});
    }
}

static void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *work)
{
    halves_work(halves, HALVES, KN_BWD_WEIGHTS, s, tile, work);
    work->store_bytes += 2 * sizeof(float) * (double)kn_lanes(s->mid);
}

#define SEPARABLE_BWD_WEIGHTS                                                                                          \
    .op = KN_SEPARABLE, .dir = KN_BWD_WEIGHTS, .supports = supports, .workspace_bytes = workspace_bytes, .run = run,   \
    .resolve = resolve, .work = work

#endif
