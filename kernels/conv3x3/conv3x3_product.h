/*
 * The loop nest of dense 3x3 forward and backward-data: tiles of the grid, each copied into the thread's workspace with
 * its halo and a border of zeros in time, so that every tap of every pixel has an address; within one, tiles of output
 * channels, tiles of input channels, rows. Nine pointwise products go into one register tile. Taps whose row lies
 * outside the grid are left out.
 */
#ifndef KERNELS_CONV3X3_PRODUCT_H
#define KERNELS_CONV3X3_PRODUCT_H
#include "kernels/part.h"
#include "kernels/product.h"
#include "kernels/tile.h"

enum {
    KN_CONV3X3_FIELDS = KN_TILE_OC | KN_TILE_IC | KN_TILE_F | KN_TILE_T,
    KN_CONV3X3_ROWS = 8 /* subcarriers of a tile: the halo of 2 costs a quarter more copying, 1 % of the time */
};

/* The shape and resolved tile as the product sees them: ic is summed over, oc are the results. */
struct conv3x3_nest {
    struct kn_shape shape;
    struct kn_tile tile;
};

static inline struct kn_tile conv3x3_resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct kn_tile){.oc = kn_tile_round(tile->oc, KN_VC * KN_LANES, KN_LANES, s->oc),
                            .ic = kn_tile_round(tile->ic, s->ic, 1, s->ic),
                            .f = kn_tile_round(tile->f, kn_tile_even(s->f, KN_CONV3X3_ROWS), 1, s->f),
                            .t = kn_tile_round(tile->t, s->t, 1, s->t)};
}

static inline int conv3x3_supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_CONV3X3, KN_CONV3X3_FIELDS, shape, tile);
}

/* Floats of the copy of one block of channels: rows and symbols with their halo. */
static inline ptrdiff_t conv3x3_copy_row(const struct conv3x3_nest *nest)
{
    return (ptrdiff_t)(nest->tile.t + 2 * nest->shape.dil_t) * KN_LANES;
}

static inline ptrdiff_t conv3x3_copy_plane(const struct conv3x3_nest *nest)
{
    return (nest->tile.f + 2 * nest->shape.dil_f) * conv3x3_copy_row(nest);
}

/* Floats of workspace of one thread. */
static inline size_t conv3x3_copy_floats(const struct conv3x3_nest *nest)
{
    return (size_t)(kn_blocks(nest->shape.ic) * conv3x3_copy_plane(nest));
}

/* Rows [*first, *end) of the copy that lie on the grid, counted from f0 - dil_f. */
static inline void conv3x3_rows(const struct kn_shape *s, const struct kn_part *part, int *first, int *end)
{
    *first = part->f0 < s->dil_f ? s->dil_f - part->f0 : 0;
    *end = part->rows + 2 * s->dil_f;
    *end = s->f - part->f0 + s->dil_f < *end ? s->f - part->f0 + s->dil_f : *end;
}

/* x at the slot's beginning. */
static inline void conv3x3_copy(const struct conv3x3_nest *nest, const struct kn_part *part, const float *x,
                                float *copy, enum kn_operand x_is, struct kn_trace *trace)
{
    const struct kn_shape *s = &nest->shape;
    int first, end;
    conv3x3_rows(s, part, &first, &end);
    for (int block = 0; block < kn_blocks(s->ic); block++)
        for (int r = first; r < end; r++) {
            float *to = copy + block * conv3x3_copy_plane(nest) + r * conv3x3_copy_row(nest);
            const float *from = x + block * kn_plane(s) + (ptrdiff_t)(part->f0 + r - s->dil_f) * s->t * KN_LANES;
            for (int c = 0; c < part->run + 2 * s->dil_t; c++) {
                int t = part->t0 + c - s->dil_t, inside = t >= 0 && t < s->t;
                KN_UNROLL(4)
                for (int v = 0; v < KN_LANES; v += KN_WIDTH)
                    kn_st(trace, KN_WORKSPACE, to + (ptrdiff_t)c * KN_LANES + v,
                          inside ? kn_ld(trace, x_is, from + (ptrdiff_t)t * KN_LANES + v) : kn_zero());
            }
        }
}

/* The taps of row `f` of a part that meet the grid; returns how many. */
static inline int conv3x3_taps(const struct conv3x3_nest *nest, const struct kn_part *part, int f,
                               struct kn_tap tap[KN_TAPS])
{
    const struct kn_shape *s = &nest->shape;
    ptrdiff_t weights = (ptrdiff_t)kn_blocks(s->ic) * KN_LANES * KN_LANES;
    int count = 0;
    for (int k = 0; k < KN_TAPS; k++) {
        int at_f = f + s->dil_f * (k / 3 - 1), off_t = s->dil_t * (k % 3 - 1);
        if (at_f < 0 || at_f >= s->f || part->t0 + part->run + off_t <= 0 || part->t0 + off_t >= s->t)
            continue;
        tap[count++] = (struct kn_tap){
            k / 3 * s->dil_f * conv3x3_copy_row(nest) + (ptrdiff_t)(k % 3) * s->dil_t * KN_LANES, k * weights};
    }
    return count;
}

/* One tile of the grid; `p` holds the tensors' beginnings, w_block, operands (x_is that of x itself) and trace. */
static inline void conv3x3_part_run(const struct conv3x3_nest *nest, int index, const struct kn_product *p, float *copy)
{
    const struct kn_shape *s = &nest->shape;
    struct kn_part part = kn_part(s, &nest->tile, index);
    int blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    float *y = p->y + part.n * blocks * kn_plane(s) + kn_part_offset(s, &part);
    conv3x3_copy(nest, &part, p->x + part.n * kn_blocks(s->ic) * kn_plane(s), copy, p->x_is, p->trace);
    for (int b = 0; b < blocks; b += step)
        for (int i = 0; i < s->ic; i += nest->tile.ic)
            for (int r = 0; r < part.rows; r++) {
                struct kn_tap tap[KN_TAPS];
                struct kn_product q = *p;
                q.tap = tap;
                q.taps = conv3x3_taps(nest, &part, part.f0 + r, tap);
                q.x_plane = conv3x3_copy_plane(nest);
                q.y_plane = kn_plane(s);
                q.x_is = KN_WORKSPACE;
                q.from = i;
                q.to = s->ic - i < nest->tile.ic ? s->ic : i + nest->tile.ic;
                q.resume = i > 0;
                q.x = copy + r * conv3x3_copy_row(nest);
                q.w += b * q.w_block;
                q.bias = p->bias ? p->bias + b * KN_LANES : NULL;
                q.y = y + b * kn_plane(s) + (ptrdiff_t)r * s->t * KN_LANES;
                kn_product_run(&q, part.run, blocks - b < step ? blocks - b : step);
            }
}

static inline void conv3x3_count(const struct conv3x3_nest *nest, int bias, struct kn_work *work)
{
    const struct kn_shape *s = &nest->shape;
    int blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    double pixel_bytes = KN_LANES * sizeof(float), copied = (double)s->n * kn_blocks(s->ic) * pixel_bytes;
    work->executed_flop = 0;
    for (int index = 0; index < kn_parts(s, &nest->tile); index++) {
        struct kn_part part = kn_part(s, &nest->tile, index);
        int first, end, from = part.t0 - s->dil_t, to = part.t0 + part.run + s->dil_t;
        conv3x3_rows(s, &part, &first, &end);
        work->store_bytes += copied * (end - first) * (to - from);
        work->load_bytes += copied * (end - first) * ((to < s->t ? to : s->t) - (from > 0 ? from : 0));
        for (int r = 0; r < part.rows; r++) {
            struct kn_tap tap[KN_TAPS];
            int taps = conv3x3_taps(nest, &part, part.f0 + r, tap);
            for (int b = 0; b < blocks; b += step)
                for (int i = 0; i < s->ic; i += nest->tile.ic)
                    kn_product_count(work, s->n, part.run, blocks - b < step ? blocks - b : step,
                                     taps * (s->ic - i < nest->tile.ic ? s->ic - i : nest->tile.ic), bias, i > 0);
        }
    }
}

#endif
