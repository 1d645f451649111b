/*
 * A band of rows of separable forward, and its depthwise half; for every instruction set and precision of the other
 * half. The workspace of a call begins with normed_floats() for each thread.
 */
#ifndef KERNELS_SEPARABLE_SEPARABLE_BAND_H
#define KERNELS_SEPARABLE_SEPARABLE_BAND_H
#include "kernels/depthwise/depthwise_stencil.h"
#include "kernels/part.h"
#include "kernels/tile.h"
#include <omp.h>

/* Floats from one thread's normalised rows to the next one's. */
static inline size_t normed_floats(const struct kn_shape *s, const struct kn_tile *tile)
{
    return kn_apart((size_t)(tile->f + 2 * s->dil_f) * (size_t)s->t * KN_LANES * sizeof(float)) / sizeof(float);
}

/* The depthwise half of a call, as the stencil sees it. */
static inline struct kn_tile stencil_tile(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct kn_tile){.oc = KN_LANES, .f = tile->f, .t = s->t};
}

/* How many rows ahead the first-level cache is asked for input: the last rows of a unit ask for the next unit's first.
 */
enum { BAND_AHEAD = 4 };

struct band {
    const struct kn_args *args;
    struct kn_tile tile;
    float *between;           /* its first row */
    int n, f0, rows, planned; /* planned: rows of a plane of `between` */
};

DW_ROWS(rows_once, KN_FWD, 1)
DW_ROWS(rows_twice, KN_FWD, 2)

/* Row f of input block k of the band's slot. */
static inline const float *input_row(const struct band *b, int k, int f)
{
    const struct kn_shape *s = b->args->shape;
    const ptrdiff_t row = s->t * KN_LANES;
    return b->args->x + (((ptrdiff_t)b->n * kn_blocks(s->ic) + k) * s->f + f) * row;
}

static inline float *normed_rows(const struct band *b)
{
    return b->args->workspace + (size_t)omp_get_thread_num() * normed_floats(b->args->shape, &b->tile);
}

static inline int first_row(const struct band *b)
{
    return b->f0 < b->args->shape->dil_f ? 0 : b->f0 - b->args->shape->dil_f;
}

/* The rows of input block k that the band reads, as the norm leaves them. */
static inline void normalise(const struct band *b, int k)
{
    const struct kn_args *a = b->args;
    const struct kn_shape *s = a->shape;
    const int first = first_row(b), last = b->f0 + b->rows + s->dil_f, rows = (last < s->f ? last : s->f) - first;
    const float *in = input_row(b, k, first);
    float *out = normed_rows(b);
    for (int part = 0; part < KN_PARTS; part++) {
        const int lane = part * KN_WIDTH;
        const kn_vec scale = kn_ld(a->trace, KN_NORM, a->scale + k * KN_LANES + lane);
        const kn_vec shift = kn_ld(a->trace, KN_NORM, a->shift + k * KN_LANES + lane);
        for (int i = lane; i < rows * s->t * KN_LANES; i += KN_LANES)
            kn_st(a->trace, KN_WORKSPACE, out + i, kn_relu(kn_fma(kn_ld(a->trace, KN_IN, in + i), scale, shift)));
    }
}

/* Block u of the channels between the halves, to `to`; to be called for each u in turn. */
static inline void stencil_unit(const struct band *b, int u, float *to)
{
    const struct kn_args *a = b->args;
    const int multiplier = a->shape->mid / a->shape->ic;
    const struct kn_shape half = kn_depthwise_half(a->shape);
    const struct kn_tile tile = stencil_tile(&half, &b->tile);
    const struct kn_args depthwise = {
        .shape = &half, .x = a->x, .w = a->w, .bias = a->inner_bias, .y = to, .trace = a->trace};
    const struct dw_span span = {.n = b->n, .u = u, .f0 = b->f0, .f1 = b->f0 + b->rows, .t0 = 0, .t1 = half.t};
    struct dw_plane plane = dw_plane_of(&depthwise, &span, KN_FWD, multiplier);
    plane.out = to;
    plane.out_f = b->f0;
    plane.out_is = KN_WORKSPACE;
    plane.turn = b->f0 + b->rows - BAND_AHEAD;
    plane.early = dw_row(&plane, b->f0 + half.dil_f + BAND_AHEAD);
    plane.later = input_row(b, (u + 1) / multiplier, first_row(b));
    if (a->scale) {
        const int k = u / multiplier, more = k + 1 < kn_blocks(a->shape->ic);
        if (u % multiplier == 0)
            normalise(b, k);
        plane.in = normed_rows(b) + u % multiplier * KN_LANES / 2;
        plane.in_f = first_row(b);
        plane.in_is = KN_WORKSPACE;
        /* what is normalised next */
        plane.turn = half.f;
        plane.early = more ? input_row(b, k + 1, b->f0 + half.dil_f) : input_row(b, 0, b->f0 + half.dil_f + b->rows);
    }
    (multiplier == 1 ? rows_once : rows_twice)(&plane, dw_fast(&half, &tile));
}

static inline struct band band_of(const struct kn_args *a, const struct kn_tile *tile, int n, int f0)
{
    int rows = a->shape->f - f0 < tile->f ? a->shape->f - f0 : tile->f;
    return (struct band){.args = a, .tile = *tile, .n = n, .f0 = f0, .rows = rows, .planned = tile->f};
}

#endif
