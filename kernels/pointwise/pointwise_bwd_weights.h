/*
 * dw[o,i] += sum over n, f, t of x[n,i,f,t] * dy[n,o,f,t]; db[o] += sum of dy[n,o,f,t],
 * for every instruction set; see kernels/gradient.h for what a file defines before it.
 */
#ifndef KERNELS_POINTWISE_BWD_WEIGHTS_H
#define KERNELS_POINTWISE_BWD_WEIGHTS_H
#define KN_FAR 1
#include "kernels/gradient.h"

static inline int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_POINTWISE, KN_GRADIENT_FIELDS, shape, tile);
}

static inline size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)shape, (void)tile, (void)threads;
    return 0;
}

static inline struct kn_gradient_nest nest_of(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct kn_gradient_nest){*s, kn_gradient_resolve(s, tile), 1};
}

static inline void run(const struct kn_args *a)
{
    struct kn_gradient_nest nest = nest_of(a->shape, a->tile);
    kn_gradient_run(&nest, a);
}

static inline void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    struct kn_gradient_nest nest = nest_of(s, tile);
    kn_work_init(w, KN_POINTWISE, KN_BWD_WEIGHTS, s);
    kn_gradient_work(&nest, w);
}

#endif
