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
    KN_POINTWISE_FIELDS = KN_TILE_OC | KN_TILE_IC | KN_TILE_F | KN_TILE_T | KN_TILE_REG | KN_TILE_ORDER,
    /* as the product sees them; a sum is never split between threads, so the summed axis is not outermost */
    KN_POINTWISE_ORDERS = 1 << KN_ORDER_GOI | 1 << KN_ORDER_GIO | 1 << KN_ORDER_OGI,
    KN_POINTWISE_SWAPPED_ORDERS = 1 << KN_ORDER_GOI | 1 << KN_ORDER_GIO | 1 << KN_ORDER_IGO,
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
                        .t = kn_tile_round(tile->t, s->t, 1, s->t),
                        .order = tile->order ? tile->order : KN_ORDER_GOI};
    kn_product_resolve_reg(tile, &r);
    r.f = kn_tile_round(tile->f, kn_tile_even(s->f, KN_POINTWISE_PIXELS / r.t), 1, s->f);
    return r;
}

static inline int pointwise_check(const struct kn_shape *shape, const struct kn_tile *tile, unsigned orders)
{
    int status = kn_tile_check(KN_POINTWISE, KN_POINTWISE_FIELDS, shape, tile);
    status = status ? status : kn_product_reg_check(tile);
    return status ? status : kn_tile_order_check(tile, orders);
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
    kn_product_set_reg(&nest->tile, p);
}

/* Output channels from block `b`, input channels from `i`, of one tile of the grid. */
static inline void pointwise_block_run(const struct pointwise_nest *nest, const struct kn_part *part, int b, int i,
                                       const struct kn_product *p)
{
    const struct kn_shape *s = &nest->shape;
    int blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    ptrdiff_t plane = kn_plane(s), offset = kn_part_offset(s, part), row = (ptrdiff_t)s->t * KN_LANES;
    const float *x = p->x + part->n * kn_blocks(s->ic) * plane + offset;
    float *y = p->y + (part->n * blocks + b) * plane + offset;
    struct kn_product q = *p;
    q.x_plane = q.y_plane = plane;
    pointwise_sum(nest, i, &q);
    q.w += b * q.w_block;
    q.bias = p->bias && !q.resume ? p->bias + b * KN_LANES : NULL;
    for (int r = 0; r < part->rows; r++) {
        q.x = x + r * row;
        if (b == 0) { /* these pixels were not read lately, nor were those two pieces on */
            q.far = q.x + (ptrdiff_t)2 * KN_PX * KN_LANES;
            q.far_plane = plane;
        }
        q.y = y + r * row;
        kn_product_run(&q, part->run, blocks - b < step ? blocks - b : step);
    }
}

/* What threads share out: tiles of the grid, or, output channels outermost, each of their tiles with each of those. */
static inline int pointwise_units(const struct pointwise_nest *nest)
{
    const struct kn_shape *s = &nest->shape;
    int parts = s->n * kn_parts(s, &nest->tile);
    return nest->tile.order == KN_ORDER_OGI ? parts * kn_tiles_of(kn_blocks(s->oc), nest->tile.oc / KN_LANES) : parts;
}

/* One of them; `p` holds the tensors' beginnings, w_block, operands and trace. */
static inline void pointwise_unit_run(const struct pointwise_nest *nest, int index, const struct kn_product *p)
{
    const struct kn_shape *s = &nest->shape;
    int parts = s->n * kn_parts(s, &nest->tile), step = nest->tile.oc / KN_LANES;
    int from = index / parts * step, to = nest->tile.order == KN_ORDER_OGI ? from + 1 : kn_blocks(s->oc);
    struct kn_part part = pointwise_part(nest, index % parts);
    if (nest->tile.order == KN_ORDER_GIO) {
        for (int i = 0; i < s->ic; i += nest->tile.ic)
            for (int b = from; b < to; b += step)
                pointwise_block_run(nest, &part, b, i, p);
        return;
    }
    for (int b = from; b < to; b += step)
        for (int i = 0; i < s->ic; i += nest->tile.ic)
            pointwise_block_run(nest, &part, b, i, p);
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
