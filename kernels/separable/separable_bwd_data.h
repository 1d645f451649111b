/*
 * dx = w' * (v' * dy): backward-data of the pointwise half, then of the depthwise one; see separable_halves.h.
 */
#ifndef KERNELS_SEPARABLE_SEPARABLE_BWD_DATA_H
#define KERNELS_SEPARABLE_SEPARABLE_BWD_DATA_H
#include "kernels/separable/separable_halves.h"

enum { HALVES = 2 };
static const struct kn_kernel *const halves[HALVES] = {&HALF(pointwise_bwd_data), &HALF(depthwise_bwd_data)};

static int supports(const struct kn_shape *s, const struct kn_tile *tile)
{
    return halves_support(halves, HALVES, s, tile);
}

static struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return halves_resolve(halves[0], s, tile);
}

/* What lies between the halves, then their own. */
static size_t workspace_bytes(const struct kn_shape *s, const struct kn_tile *tile, int threads)
{
    return (between_floats(s) + halves_floats(halves, HALVES, s, tile, threads)) * sizeof(float);
}

static void run(const struct kn_args *a)
{
    float *between = a->workspace, *rest = between + between_floats(a->shape);
    for (int n = 0; n < a->shape->n; n++) {
        const struct slot slot = slot_of(a, n);
        half_run(halves[0], a, (struct kn_args){.dy = slot.dy, .w = slot.w2, .dx = between, .workspace = rest});
        half_run(halves[1], a, (struct kn_args){.dy = between, .w = slot.w1, .dx = slot.dx, .workspace = rest});
    }
}

static void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *work)
{
    halves_work(halves, HALVES, KN_BWD_DATA, s, tile, work);
}

#define SEPARABLE_BWD_DATA                                                                                             \
    .op = KN_SEPARABLE, .dir = KN_BWD_DATA, .supports = supports, .workspace_bytes = workspace_bytes, .run = run,      \
    .resolve = resolve, .work = work

#endif
