/*
 * y[n,o,f,t] = bias[o] + sum over i and taps k of w[o,i,k] * x[n,i,f + df(k),t + dt(k)], for every instruction set; see
 * kernels/product.h for what a file defines before it.
 */
#ifndef KERNELS_CONV3X3_FWD_H
#define KERNELS_CONV3X3_FWD_H
#include "kernels/conv3x3/conv3x3_product.h"
#include <omp.h>

static inline struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return conv3x3_resolve(s, tile);
}

static inline struct conv3x3_nest nest_of(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct conv3x3_nest){*s, resolve(s, tile)};
}

static inline size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    struct conv3x3_nest nest = nest_of(shape, tile);
    return (size_t)threads * conv3x3_copy_floats(&nest) * sizeof(float);
}

static inline void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    struct conv3x3_nest nest = nest_of(s, a->tile);
    struct kn_product p = {.x = a->x,
                           .w = a->w,
                           .bias = a->bias,
                           .y = a->y,
                           .w_block = (ptrdiff_t)KN_TAPS * kn_blocks(s->ic) * KN_LANES * KN_LANES,
                           .x_is = KN_IN,
                           .w_is = KN_WEIGHT,
                           .y_is = KN_OUT,
                           .trace = a->trace};
#pragma omp parallel for schedule(dynamic) num_threads(a->threads)
    for (int i = 0; i < s->n * kn_parts(s, &nest.tile); i++)
        conv3x3_part_run(&nest, i, &p, a->workspace + (size_t)omp_get_thread_num() * conv3x3_copy_floats(&nest));
}

static inline void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    struct conv3x3_nest nest = nest_of(s, tile);
    kn_work_init(w, KN_CONV3X3, KN_FWD, s);
    conv3x3_count(&nest, 1, w);
}

#endif
