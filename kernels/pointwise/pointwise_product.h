/*
 * The loop nest of pointwise forward and backward-data: tiles of the grid, within one tiles of output channels, within
 * one tiles of input channels, whose partial sums go through y.
 */
#ifndef KERNELS_POINTWISE_PRODUCT_H
#define KERNELS_POINTWISE_PRODUCT_H
#include "kernels/part.h"
#include "kernels/product.h"
#include "kernels/tile.h"

enum {
    KN_POINTWISE_FIELDS = KN_TILE_OC | KN_TILE_IC | KN_TILE_F | KN_TILE_T,
    /* pixels of a tile: enough to reuse the weights from the first-level cache, few enough to share out */
    KN_POINTWISE_PIXELS = 168
};

/* The shape and resolved tile as the product sees them: ic is summed over, oc are the results. */
struct pointwise_nest {
    struct kn_shape shape;
    struct kn_tile tile;
};

static inline struct kn_tile pointwise_resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct kn_tile r = {.oc = kn_tile_round(tile->oc, KN_VC * KN_LANES, KN_LANES, s->oc),
                        .ic = kn_tile_round(tile->ic, s->ic, 1, s->ic),
                        .t = kn_tile_round(tile->t, s->t, 1, s->t)};
    r.f = kn_tile_round(tile->f, kn_tile_even(s->f, KN_POINTWISE_PIXELS / r.t), 1, s->f);
    return r;
}

static inline int pointwise_supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_POINTWISE, KN_POINTWISE_FIELDS, shape, tile);
}

static inline struct kn_part pointwise_part(const struct pointwise_nest *nest, int index)
{
    struct kn_part part = kn_part(&nest->shape, &nest->tile, index);
    if (part.run == nest->shape.t) { /* whole rows are neighbours in memory */
        part.run *= part.rows;
        part.rows = 1;
    }
    return part;
}

/* The part of the sum that begins with input channel `from`. */
static inline void pointwise_sum(const struct pointwise_nest *nest, int from, struct kn_product *p)
{
    static const struct kn_tap only;
    p->tap = &only;
    p->taps = 1;
    p->from = from;
    p->to = nest->shape.ic - from < nest->tile.ic ? nest->shape.ic : from + nest->tile.ic;
    p->resume = from > 0;
}

/* One tile of the grid; `p` holds the tensors' beginnings, w_block, operands and trace. */
static inline void pointwise_part_run(const struct pointwise_nest *nest, int index, const struct kn_product *p)
{
    const struct kn_shape *s = &nest->shape;
    struct kn_part part = pointwise_part(nest, index);
    int blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    ptrdiff_t plane = kn_plane(s), offset = kn_part_offset(s, &part), row = (ptrdiff_t)s->t * KN_LANES;
    const float *x = p->x + part.n * kn_blocks(s->ic) * plane + offset;
    float *y = p->y + part.n * blocks * plane + offset;
    for (int b = 0; b < blocks; b += step)
        for (int i = 0; i < s->ic; i += nest->tile.ic) {
            struct kn_product q = *p;
            q.x_plane = q.y_plane = plane;
            pointwise_sum(nest, i, &q);
            q.w += b * q.w_block;
            q.bias = p->bias ? p->bias + b * KN_LANES : NULL;
            for (int r = 0; r < part.rows; r++) {
                q.x = x + r * row;
                q.y = y + b * plane + r * row;
                kn_product_run(&q, part.run, blocks - b < step ? blocks - b : step);
            }
        }
}

static inline void pointwise_count(const struct pointwise_nest *nest, int bias, struct kn_work *work)
{
    const struct kn_shape *s = &nest->shape;
    int blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    work->executed_flop = 0;
    for (int index = 0; index < kn_parts(s, &nest->tile); index++) {
        struct kn_part part = pointwise_part(nest, index);
        for (int b = 0; b < blocks; b += step)
            for (int i = 0; i < s->ic; i += nest->tile.ic) {
                struct kn_product p = {0};
                pointwise_sum(nest, i, &p);
                kn_product_count(work, (double)s->n * part.rows, &p, part.run, blocks - b < step ? blocks - b : step,
                                 bias);
            }
    }
}

#endif
