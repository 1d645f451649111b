/*
 * What the functions beside run() have in common: refusing tiles, rounding them, declaring work.
 */
#ifndef KERNELS_TILE_H
#define KERNELS_TILE_H
#include "kernels/kernel.h"

/**
 * What supports() begins with: kn_shape_check(), then JRX_EINVAL for a tile field below 0, or set though it is not in
 * `fields`, or half a register block. A field larger than its axis means the whole axis.
 */
int kn_tile_check(enum kn_op op, unsigned fields, const struct kn_shape *shape, const struct kn_tile *tile);

/** 0, or JRX_EINVAL with the orders there are: `orders` has bit o set for each enum kn_order o. */
int kn_tile_order_check(const struct kn_tile *tile, unsigned orders);

/**
 * One field resolved: `asked`, or `usual` if that is 0, rounded up to a multiple of `step`, at most `axis` rounded up
 * likewise. Pure.
 */
int kn_tile_round(int asked, int usual, int step, int axis);

/** The largest block size at most `limit` (but at least 1) that cuts an axis into blocks as even as can be. Pure. */
int kn_tile_even(int axis, int limit);

/** Sets flop, executed_flop = flop and compulsory_bytes; the byte counts to 0. */
void kn_work_init(struct kn_work *work, enum kn_op op, enum kn_dir dir, const struct kn_shape *shape);

#endif
