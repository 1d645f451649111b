/*
 * y[n,o,f,t] = bias[o] + sum over i of w[o,i] * x[n,i,f,t], for every instruction set; see kernels/product.h for what a
 * file defines before it.
 */
#ifndef KERNELS_POINTWISE_FWD_H
#define KERNELS_POINTWISE_FWD_H
#include "kernels/pointwise/pointwise_product.h"

static inline struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return pointwise_resolve(s, tile);
}

static inline struct pointwise_nest nest_of(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct pointwise_nest){*s, resolve(s, tile)};
}

static inline int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return pointwise_check(shape, tile, KN_POINTWISE_ORDERS);
}

static inline size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)shape, (void)tile, (void)threads;
    return 0;
}

static inline void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    struct pointwise_nest nest = nest_of(s, a->tile);
    struct kn_product p = {.x = a->x,
                           .w = a->w,
                           .bias = a->bias,
                           .y = a->y,
                           .w_block = (ptrdiff_t)kn_blocks(s->ic) * KN_LANES * KN_LANES,
                           .x_is = KN_IN,
                           .w_is = KN_WEIGHT,
                           .y_is = KN_OUT,
                           .trace = a->trace};
#pragma omp parallel for schedule(dynamic) num_threads(a->threads)
    for (int i = 0; i < pointwise_units(&nest); i++)
        pointwise_unit_run(&nest, i, &p);
}

static inline void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    struct pointwise_nest nest = nest_of(s, tile);
    kn_work_init(w, KN_POINTWISE, KN_FWD, s);
    pointwise_count(&nest, 1, w);
}

#endif
