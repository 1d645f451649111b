/*
 * The loop nest of dense 3x3 forward and backward-data: tiles of the grid, within one tiles of output channels, tiles
 * of input channels, rows. Nine pointwise products go into one register tile; taps that no pixel of a row has are left
 * out.
 *
 * Where a tile spans all symbols and the dilation in time is 1, the products read x itself: only a row's first and last
 * pixel lack a tap, and the register tile leaves them out. Otherwise the tile is first copied into the thread's
 * workspace with its halo and a border of zeros in time, so that every tap of every pixel has an address.
 */
#ifndef KERNELS_CONV3X3_PRODUCT_H
#define KERNELS_CONV3X3_PRODUCT_H
#define KN_EDGES 1
#include "kernels/part.h"
#include "kernels/product.h"
#include "kernels/tile.h"

enum {
    KN_CONV3X3_FIELDS = KN_TILE_OC | KN_TILE_IC | KN_TILE_F | KN_TILE_T | KN_TILE_REG,
    KN_CONV3X3_ROWS = 8 /* subcarriers of a tile: a halo of 2 is a quarter more to copy, 1 % of the time */
};

/* The shape and resolved tile as the product sees them: ic is summed over, oc are the results. */
struct conv3x3_nest {
    struct kn_shape shape;
    struct kn_tile tile;
};

static inline struct kn_tile conv3x3_resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct kn_tile r = {.oc = kn_tile_round(tile->oc, KN_VC * KN_LANES, KN_LANES, s->oc),
                        .ic = kn_tile_round(tile->ic, s->ic, 1, s->ic),
                        .f = kn_tile_round(tile->f, kn_tile_even(s->f, KN_CONV3X3_ROWS), 1, s->f),
                        .t = kn_tile_round(tile->t, s->t, 1, s->t)};
    kn_product_resolve_reg(tile, &r);
    return r;
}

static inline int conv3x3_supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    int status = kn_tile_check(KN_CONV3X3, KN_CONV3X3_FIELDS, shape, tile);
    return status ? status : kn_product_reg_check(tile);
}

/* Whether the products read x itself. */
static inline int conv3x3_direct(const struct conv3x3_nest *nest)
{
    return nest->tile.t == nest->shape.t && (nest->shape.dil_t == 1 || nest->shape.dil_t >= nest->shape.t);
}

/* The copy of one block of channels, rows and symbols with their halo: floats of a row, of all of it. */
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
    const ptrdiff_t floats = conv3x3_direct(nest) ? 0 : kn_blocks(nest->shape.ic) * conv3x3_copy_plane(nest);
    return kn_apart((size_t)floats * sizeof(float)) / sizeof(float);
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
    ptrdiff_t corner = ((ptrdiff_t)s->dil_f * s->t + s->dil_t) * KN_LANES; /* from a pixel back to its first tap */
    int count = 0, direct = conv3x3_direct(nest);
    for (int k = 0; k < KN_TAPS; k++) {
        int at_f = f + s->dil_f * (k / 3 - 1), off_t = s->dil_t * (k % 3 - 1);
        if (at_f < 0 || at_f >= s->f || part->t0 + part->run + off_t <= 0 || part->t0 + off_t >= s->t)
            continue;
        ptrdiff_t row = direct ? (ptrdiff_t)s->t * KN_LANES : conv3x3_copy_row(nest);
        ptrdiff_t x = (k / 3 * s->dil_f * row + (ptrdiff_t)(k % 3) * s->dil_t * KN_LANES) - (direct ? corner : 0);
        tap[count++] = (struct kn_tap){x, k * weights, direct ? k % 3 - 1 : 0};
    }
    return count;
}

/* The part of a row's sum that begins with input channel `from`; `f` is the row on the grid. */
static inline void conv3x3_sum(const struct conv3x3_nest *nest, const struct kn_part *part, int f, int from,
                               struct kn_tap tap[KN_TAPS], struct kn_product *p)
{
    p->tap = tap;
    p->taps = conv3x3_taps(nest, part, f, tap);
    p->from = from;
    p->to = nest->shape.ic - from < nest->tile.ic ? nest->shape.ic : from + nest->tile.ic;
    p->resume = from > 0;
    kn_product_set_reg(&nest->tile, p);
}

/* One tile of the grid; `p` holds the tensors' beginnings, w_block, operands and trace. */
static inline void conv3x3_part_run(const struct conv3x3_nest *nest, int index, const struct kn_product *p, float *copy)
{
    const struct kn_shape *s = &nest->shape;
    struct kn_part part = kn_part(s, &nest->tile, index);
    int blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    ptrdiff_t plane = kn_plane(s), offset = kn_part_offset(s, &part), row = (ptrdiff_t)s->t * KN_LANES;
    const float *slot = p->x + part.n * kn_blocks(s->ic) * plane, *x = slot + offset;
    struct kn_product q = *p;
    q.x_plane = q.y_plane = plane;
    ptrdiff_t x_row = row;
    if (!conv3x3_direct(nest)) {
        conv3x3_copy(nest, &part, slot, copy, p->x_is, p->trace);
        x = copy;
        x_row = conv3x3_copy_row(nest);
        q.x_plane = conv3x3_copy_plane(nest);
        q.x_is = KN_WORKSPACE;
    }
    for (int b = 0; b < blocks; b += step)
        for (int i = 0; i < s->ic; i += nest->tile.ic)
            for (int r = 0; r < part.rows; r++) {
                struct kn_tap tap[KN_TAPS];
                conv3x3_sum(nest, &part, part.f0 + r, i, tap, &q);
                q.x = x + r * x_row;
                q.w = p->w + b * p->w_block;
                q.bias = p->bias && !q.resume ? p->bias + b * KN_LANES : NULL;
                q.y = p->y + (part.n * blocks + b) * plane + offset + r * row;
                kn_product_run(&q, part.run, blocks - b < step ? blocks - b : step);
            }
}

/* Adds what copying a part loads and stores. */
static inline void conv3x3_count_copy(const struct conv3x3_nest *nest, const struct kn_part *part, struct kn_work *work)
{
    const struct kn_shape *s = &nest->shape;
    int first, end, from = part->t0 - s->dil_t, to = part->t0 + part->run + s->dil_t;
    conv3x3_rows(s, part, &first, &end);
    double row_bytes = (double)s->n * kn_blocks(s->ic) * KN_LANES * sizeof(float);
    work->store_bytes += row_bytes * (end - first) * (to - from);
    work->load_bytes += row_bytes * (end - first) * ((to < s->t ? to : s->t) - (from > 0 ? from : 0));
}

static inline void conv3x3_count(const struct conv3x3_nest *nest, int bias, struct kn_work *work)
{
    const struct kn_shape *s = &nest->shape;
    int blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    work->executed_flop = 0;
    for (int index = 0; index < kn_parts(s, &nest->tile); index++) {
        struct kn_part part = kn_part(s, &nest->tile, index);
        if (!conv3x3_direct(nest))
            conv3x3_count_copy(nest, &part, work);
        for (int r = 0; r < part.rows; r++)
            for (int b = 0; b < blocks; b += step)
                for (int i = 0; i < s->ic; i += nest->tile.ic) {
                    struct kn_tap tap[KN_TAPS];
                    struct kn_product p = {0};
                    conv3x3_sum(nest, &part, part.f0 + r, i, tap, &p);
                    kn_product_count(work, s->n, &p, part.run, blocks - b < step ? blocks - b : step, bias);
                }
    }
}

#endif
