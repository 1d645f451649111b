/*
 * Weights turned for backward-data: in w[oc/16][taps][ic16][16] the output channels lie innermost, and a product over
 * output channels wants the input channels there: v[ic/16][taps][oc16][16], the taps in reverse.
 */
#ifndef KERNELS_TRANSPOSE_H
#define KERNELS_TRANSPOSE_H
#include "kernels/kernel.h"
#include "kernels/scalar.h"
#include "kernels/simd.h"

/** The layer as backward-data's product sees it: what the layer calls ic, it calls oc, and the other way round. */
static inline struct kn_shape kn_swap_shape(const struct kn_shape *s)
{
    struct kn_shape swapped = *s;
    swapped.ic = s->oc;
    swapped.oc = s->ic;
    return swapped;
}

static inline struct kn_tile kn_swap_tile(const struct kn_tile *tile)
{
    static const enum kn_order swapped[KN_ORDERS] = {[KN_ORDER_GOI] = KN_ORDER_GIO,
                                                     [KN_ORDER_GIO] = KN_ORDER_GOI,
                                                     [KN_ORDER_OGI] = KN_ORDER_IGO,
                                                     [KN_ORDER_IGO] = KN_ORDER_OGI};
    struct kn_tile turned = *tile;
    turned.oc = tile->ic;
    turned.ic = tile->oc;
    turned.order = swapped[tile->order];
    return turned;
}

/** Blocks of 16 x 16 weights, the unit of work of kn_turn_block(). */
static inline int kn_turn_blocks(const struct kn_shape *s, int taps)
{
    return kn_blocks(s->oc) * taps * kn_blocks(s->ic);
}

/** Turns block `index` of `w` into `v`. */
static inline void kn_turn_block(const struct kn_shape *s, int taps, int index, const float *w, float *v,
                                 struct kn_trace *trace)
{
    int ins = kn_blocks(s->ic), outs = kn_blocks(s->oc);
    int in = index % ins, tap = index / ins % taps, out = index / ins / taps;
    const float *from = w + (ptrdiff_t)index * KN_LANES * KN_LANES;
    float *to = v + ((ptrdiff_t)(in * taps + taps - 1 - tap) * outs + out) * KN_LANES * KN_LANES;
    for (int o = 0; o < KN_LANES; o++)
        for (int i = 0; i < KN_LANES; i++)
            kn_put(trace, KN_WORKSPACE, &to[o * KN_LANES + i], kn_get(trace, KN_WEIGHT, &from[i * KN_LANES + o]));
}

/** Adds what turning all blocks loads and stores. */
static inline void kn_turn_count(const struct kn_shape *s, int taps, struct kn_work *work)
{
    double bytes = (double)kn_turn_blocks(s, taps) * KN_LANES * KN_LANES * sizeof(float);
    work->load_bytes += bytes;
    work->store_bytes += bytes;
}

#endif
