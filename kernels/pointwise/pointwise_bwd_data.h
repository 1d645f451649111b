/*
 * dx[n,i,f,t] = sum over o of w[o,i] * dy[n,o,f,t]: the forward product with the weights turned, for every instruction
 * set; see kernels/product.h for what a file defines before it. Tiles name the layer's axes: ic blocks the results, oc
 * the sum.
 */
#ifndef KERNELS_POINTWISE_BWD_DATA_H
#define KERNELS_POINTWISE_BWD_DATA_H
#include "kernels/pointwise/pointwise_product.h"
#include "kernels/transpose.h"

/* What the layer calls ic the product calls oc, and the other way round. */
static inline struct kn_tile swapped(struct kn_tile tile)
{
    return (struct kn_tile){.oc = tile.ic, .ic = tile.oc, .f = tile.f, .t = tile.t};
}

static inline struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct kn_tile asked = swapped(*tile);
    return swapped(pointwise_resolve(s->oc, s->ic, s, &asked));
}

static inline struct pointwise_nest nest_of(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct pointwise_nest){s->n, s->f, s->t, s->oc, s->ic, swapped(resolve(s, tile))};
}

static inline size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)tile, (void)threads;
    return kn_w_floats(KN_POINTWISE, shape) * sizeof(float);
}

static inline void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    struct pointwise_nest nest = nest_of(s, a->tile);
    ptrdiff_t plane = (ptrdiff_t)s->f * s->t * KN_LANES;
    struct kn_product p = {.x = a->dy,
                           .w = a->workspace,
                           .y = a->dx,
                           .x_plane = plane,
                           .y_plane = plane,
                           .w_block = (ptrdiff_t)kn_blocks(s->oc) * KN_LANES * KN_LANES,
                           .x_is = KN_OUT,
                           .w_is = KN_WORKSPACE,
                           .y_is = KN_IN,
                           .trace = a->trace};
#pragma omp parallel num_threads(a->threads)
    {
#pragma omp for
        for (int i = 0; i < kn_turn_blocks(s, 1); i++)
            kn_turn_block(s, 1, i, a->w, a->workspace, a->trace);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < pointwise_parts(&nest); i++)
            pointwise_part_run(&nest, i, &p);
    }
}

static inline void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    struct pointwise_nest nest = nest_of(s, tile);
    kn_work_init(w, KN_POINTWISE, KN_BWD_DATA, s);
    pointwise_count(&nest, 0, w);
    kn_turn_count(s, 1, w);
}

#endif
