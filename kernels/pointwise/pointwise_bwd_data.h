/*
 * dx[n,i,f,t] = sum over o of w[o,i] * dy[n,o,f,t]: the forward product with the weights turned, for every instruction
 * set; see kernels/product.h for what a file defines before it. Tiles name the layer's axes: ic blocks the results, oc
 * the sum.
 */
#ifndef KERNELS_POINTWISE_BWD_DATA_H
#define KERNELS_POINTWISE_BWD_DATA_H
#include "kernels/pointwise/pointwise_product.h"
#include "kernels/transpose.h"

static inline struct pointwise_nest nest_of(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct kn_shape shape = kn_swap_shape(s);
    struct kn_tile asked = kn_swap_tile(tile);
    return (struct pointwise_nest){shape, pointwise_resolve(&shape, &asked)};
}

static inline struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct pointwise_nest nest = nest_of(s, tile);
    return kn_swap_tile(&nest.tile);
}

static inline int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return pointwise_check(shape, tile, KN_POINTWISE_SWAPPED_ORDERS);
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
    struct kn_product p = {.x = a->dy,
                           .w = a->workspace,
                           .y = a->dx,
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
        for (int i = 0; i < pointwise_units(&nest); i++)
            pointwise_unit_run(&nest, i, &p);
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
