/*
 * The loop nest of pointwise forward and backward-data: tiles of the grid, within one tiles of output channels, within
 * one tiles of input channels, whose partial sums go through y.
 */
#ifndef KERNELS_POINTWISE_PRODUCT_H
#define KERNELS_POINTWISE_PRODUCT_H
#include "kernels/product.h"
#include "kernels/tile.h"

enum { KN_POINTWISE_FIELDS = KN_TILE_OC | KN_TILE_IC | KN_TILE_F | KN_TILE_T };

/* `in` and `out` channels as the product sees them; `tile` resolved, its ic that of `in`. */
struct pointwise_nest {
    int n, f, t, in, out;
    struct kn_tile tile;
};

/* A tile of the grid: subcarriers from f0, symbols from t0, as runs of neighbouring pixels. */
struct pointwise_part {
    int n, f0, t0, rows, run;
};

static inline int pointwise_parts(const struct pointwise_nest *nest)
{
    return nest->n * ((nest->f - 1) / nest->tile.f + 1) * ((nest->t - 1) / nest->tile.t + 1);
}

static inline struct pointwise_part pointwise_part(const struct pointwise_nest *nest, int index)
{
    int f_tiles = (nest->f - 1) / nest->tile.f + 1, t_tiles = (nest->t - 1) / nest->tile.t + 1;
    struct pointwise_part part = {.n = index / (f_tiles * t_tiles),
                                  .f0 = index / t_tiles % f_tiles * nest->tile.f,
                                  .t0 = index % t_tiles * nest->tile.t};
    part.rows = nest->f - part.f0 < nest->tile.f ? nest->f - part.f0 : nest->tile.f;
    part.run = nest->t - part.t0 < nest->tile.t ? nest->t - part.t0 : nest->tile.t;
    if (part.run == nest->t) { /* whole rows are neighbours in memory */
        part.run *= part.rows;
        part.rows = 1;
    }
    return part;
}

/* `p` holds the tensors' beginnings, planes, operands and trace. */
static inline void pointwise_part_run(const struct pointwise_nest *nest, int index, const struct kn_product *p)
{
    static const struct kn_tap only;
    struct pointwise_part part = pointwise_part(nest, index);
    ptrdiff_t pixel = ((ptrdiff_t)part.f0 * nest->t + part.t0) * KN_LANES, row = (ptrdiff_t)nest->t * KN_LANES;
    const float *x = p->x + part.n * kn_blocks(nest->in) * p->x_plane + pixel;
    float *y = p->y + part.n * kn_blocks(nest->out) * p->y_plane + pixel;
    int blocks = kn_blocks(nest->out), step = nest->tile.oc / KN_LANES;
    for (int b = 0; b < blocks; b += step)
        for (int i = 0; i < nest->in; i += nest->tile.ic) {
            struct kn_product q = *p;
            q.tap = &only;
            q.taps = 1;
            q.from = i;
            q.to = nest->in - i < nest->tile.ic ? nest->in : i + nest->tile.ic;
            q.resume = i > 0;
            q.w += b * q.w_block;
            q.bias = p->bias ? p->bias + b * KN_LANES : NULL;
            for (int r = 0; r < part.rows; r++) {
                q.x = x + r * row;
                q.y = y + b * q.y_plane + r * row;
                kn_product_run(&q, part.run, blocks - b < step ? blocks - b : step);
            }
        }
}

static inline void pointwise_count(const struct pointwise_nest *nest, int bias, struct kn_work *work)
{
    int blocks = kn_blocks(nest->out), step = nest->tile.oc / KN_LANES;
    work->executed_flop = 0;
    for (int index = 0; index < pointwise_parts(nest) / nest->n; index++) {
        struct pointwise_part part = pointwise_part(nest, index);
        for (int b = 0; b < blocks; b += step)
            for (int i = 0; i < nest->in; i += nest->tile.ic)
                kn_product_count(work, (double)nest->n * part.rows, part.run, blocks - b < step ? blocks - b : step,
                                 nest->in - i < nest->tile.ic ? nest->in - i : nest->tile.ic, bias, i > 0);
    }
}

/* ic and oc in the product's sense. A tile of the grid is about 4 register tiles of pixels: enough to reuse the weights
 * from the first-level cache, few enough to share out among threads. */
static inline struct kn_tile pointwise_resolve(int in, int out, const struct kn_shape *s, const struct kn_tile *tile)
{
    struct kn_tile r = {.oc = kn_tile_round(tile->oc, KN_VC * KN_LANES, KN_LANES, out),
                        .ic = kn_tile_round(tile->ic, in, 1, in),
                        .t = kn_tile_round(tile->t, s->t, 1, s->t)};
    r.f = kn_tile_round(tile->f, kn_tile_even(s->f, 4 * KN_PX / r.t), 1, s->f);
    return r;
}

static inline int pointwise_supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_POINTWISE, KN_POINTWISE_FIELDS, shape, tile);
}

#endif
