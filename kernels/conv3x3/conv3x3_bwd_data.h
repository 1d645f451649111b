/*
 * dx[n,i,f,t] = sum over o and taps k of w[o,i,k] * dy[n,o,f - df(k),t - dt(k)]: the forward product with the weights
 * turned, for every instruction set; see kernels/product.h for what a file defines before it. Tiles name the layer's
 * axes: ic blocks the results, oc the sum.
 */
#ifndef KERNELS_CONV3X3_BWD_DATA_H
#define KERNELS_CONV3X3_BWD_DATA_H
#include "kernels/conv3x3/conv3x3_product.h"
#include "kernels/transpose.h"
#include <omp.h>

static inline struct conv3x3_nest nest_of(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct kn_shape shape = kn_swap_shape(s);
    struct kn_tile asked = kn_swap_tile(tile);
    return (struct conv3x3_nest){shape, conv3x3_resolve(&shape, &asked)};
}

static inline struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct conv3x3_nest nest = nest_of(s, tile);
    return kn_swap_tile(&nest.tile);
}

/* The turned weights, then a copy for each thread. */
static inline size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    struct conv3x3_nest nest = nest_of(shape, tile);
    return (kn_w_floats(KN_CONV3X3, shape) + (size_t)threads * conv3x3_copy_floats(&nest)) * sizeof(float);
}

static inline void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    struct conv3x3_nest nest = nest_of(s, a->tile);
    float *copies = a->workspace + kn_w_floats(KN_CONV3X3, s);
    struct kn_product p = {.x = a->dy,
                           .w = a->workspace,
                           .y = a->dx,
                           .w_block = (ptrdiff_t)KN_TAPS * kn_blocks(s->oc) * KN_LANES * KN_LANES,
                           .x_is = KN_OUT,
                           .w_is = KN_WORKSPACE,
                           .y_is = KN_IN,
                           .trace = a->trace};
#pragma omp parallel num_threads(a->threads)
    {
#pragma omp for
        for (int i = 0; i < kn_turn_blocks(s, KN_TAPS); i++)
            kn_turn_block(s, KN_TAPS, i, a->w, a->workspace, a->trace);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < s->n * kn_parts(s, &nest.tile); i++)
            conv3x3_part_run(&nest, i, &p, copies + (size_t)omp_get_thread_num() * conv3x3_copy_floats(&nest));
    }
}

static inline void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    struct conv3x3_nest nest = nest_of(s, tile);
    kn_work_init(w, KN_CONV3X3, KN_BWD_DATA, s);
    conv3x3_count(&nest, 0, w);
    kn_turn_count(s, KN_TAPS, w);
}

#endif
