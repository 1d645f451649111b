/*
 * What the depthwise kernels share: how the work is cut, and what it amounts to.
 *
 * A unit is 16 output channels of one slot. With multiplier 1 they face 16 input channels; with multiplier 2 they face
 * the 8 lanes of half an input block, and backward-data has two units a block of dx, the last of which may lie beyond
 * the outputs. Any other multiplier goes through plain loops (depthwise_scalar.h), where a unit is a block of y or dx.
 *
 * A task is a group of units (tile oc) in a band of rows (tile f) of one slot, walked strip by strip (tile t). Rows of
 * 14 symbols with the dilations of DeepRx, taken whole, have code of their own, `fast`; the rest is the general path.
 */
#ifndef KERNELS_DEPTHWISE_DEPTHWISE_H
#define KERNELS_DEPTHWISE_DEPTHWISE_H
#include "kernels/simd.h"
#include "kernels/tile.h"

enum { DW_T = 14, DW_DILATIONS = 4, DW_CHUNKS = 4, DW_FIELDS = KN_TILE_OC | KN_TILE_F | KN_TILE_T };

static inline int dw_multiplier(const struct kn_shape *s)
{
    return s->oc / s->ic;
}

/* Which row of the chunk tables: dilations 1, 2, 3, 6; -1 for any other. */
static inline int dw_dilation_index(int dil_t)
{
    return dil_t == 6 ? 3 : dil_t <= 3 ? dil_t - 1 : -1;
}

static inline int dw_fast(const struct kn_shape *s, const struct kn_tile *tile)
{
    return s->t == DW_T && tile->t >= DW_T && dw_dilation_index(s->dil_t) >= 0 && dw_multiplier(s) <= 2;
}

static inline int dw_units(enum kn_dir dir, const struct kn_shape *s)
{
    if (dir != KN_BWD_DATA)
        return kn_blocks(s->oc);
    return kn_blocks(s->ic) * (dw_multiplier(s) == 2 ? 2 : 1);
}

static inline int dw_supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_DEPTHWISE, DW_FIELDS, shape, tile);
}

/* By default a task is one unit and at most DW_BAND rows, so that a single slot keeps many threads busy. */
enum { DW_BAND = 64 };
static inline struct kn_tile dw_resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct kn_tile){.oc = kn_tile_round(tile->oc, KN_LANES, KN_LANES, s->oc),
                            .f = kn_tile_round(tile->f, kn_tile_even(s->f, DW_BAND), 1, s->f),
                            .t = kn_tile_round(tile->t, s->t, 1, s->t)};
}

static inline int dw_ceil(int a, int b)
{
    return (a - 1) / b + 1;
}

/* Pairs (row, row tap) or (column, column tap) that lie in the grid. */
static inline double dw_taps(int length, int dilation)
{
    return 3.0 * length - 2.0 * (dilation < length ? dilation : length);
}

/*
 * Asks for a line that rows to come will read; past the end of a plane it is merely useless. Spread over the loads of a
 * row, early enough, this is worth 5 to 10 % where the layer lies in the third-level cache, and half where it lies in
 * memory. Narrower vectors need it more where columns are taken a dilation apart: the processor's own prefetching does
 * not follow such steps, and without this AVX2 lost 2 to 3 times (README.md).
 */
KN_INLINE void dw_fetch(const float *at)
{
    __builtin_prefetch(at);
}

/* Columns of a row of DW_T that the outputs in mask `cols` read. */
static inline double dw_columns_read(unsigned cols, int dil_t)
{
    return __builtin_popcount((cols | cols << dil_t | cols >> dil_t) & ((1u << DW_T) - 1));
}

#endif
