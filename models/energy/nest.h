/*
 * Bytes that a loop nest moves into and out of a cache, without running it.
 *
 * The nest is a list of loops, outermost first, each cutting an axis into blocks. From the innermost body outwards,
 * each loop either shows another part of a tensor, whose bytes add up (a halo shared by neighbours is one), or shows
 * the same part again. What is seen again is still there if no more than fits was touched in between: one turn of the
 * loop, all tensors. In a cache of sets that is asked set by set, with tensors on page boundaries one after the other,
 * as the cache simulator has them: a set that holds more lines than it has ways loses them all (LRU). Written tensors
 * cross twice, fetched and written back.
 *
 * How near that is: on the layers that the kernels are judged by, default tilings, within a tenth of the simulator at
 * every level; elsewhere mostly (tests/test_traffic.c has the numbers and names the worst). Its limit is a working set
 * within a few lines of a cache's size: there it may be off by half, in very small dense layers by two.
 */
#ifndef MODELS_ENERGY_NEST_H
#define MODELS_ENERGY_NEST_H
#include "kernels/kernel.h"

enum em_axis { EM_N, EM_F, EM_T, EM_OC, EM_IC, EM_TAP, EM_AXES };
enum em_tensor { EM_X, EM_W, EM_Y, EM_TENSORS }; /* x or dx, w or dw, y or dy */
enum { EM_LOOPS = 12 };

struct em_nest {
    enum kn_op op;
    enum kn_dir dir;
    struct kn_shape shape;
    struct kn_tile tile;
    int loops;
    struct em_loop {
        enum em_axis axis;
        int step; /* elements of the axis in one turn, at most those that the loop around it leaves */
    } loop[EM_LOOPS];
};

/**
 * The nest of the vector kernels for a resolved tile (no field 0), as kernels/product.h, kernels/gradient.h and
 * kernels/depthwise/ have it; the instruction set decides what stays in registers.
 *   dense forward, backward-data   n, f, t, results, summed; in the tile rows, pixels, results, taps, summed
 *   dense backward-weights         n, f, t, oc, ic; in the tile oc, taps, ic, a few ic, rows
 *   depthwise                      n, oc, f, t; in the tile oc, rows; backward-weights a vector of oc, rows
 * Results are the output channels forward and the input channels in backward-data. KN_SEPARABLE has no nest here. Pure.
 */
void em_nest_init(struct em_nest *nest, enum kn_op op, enum kn_dir dir, enum kn_isa isa, const struct kn_shape *shape,
                  const struct kn_tile *tile);

/**
 * Bytes of each tensor that the loops from `loop` inwards touch in one turn of those around them, whole 64-byte lines,
 * halo included; bias and copies left out. loop = 0: the whole tensor; nest->loops: the innermost body. Pure.
 */
void em_nest_footprint(const struct em_nest *nest, int loop, double bytes[EM_TENSORS]);

struct em_cache {
    double bytes;
    int ways; /* 0: fully associative */
    int warm; /* 1: one call after the other on the same operands, as in a measuring window; 0: starts empty */
};

/**
 * Bytes of each tensor that cross between a cache and what lies behind it, reads and writes. Cold, never below the
 * footprint of the whole; equal to it (twice for the written one) if all fits and nothing is copied. Warm, nothing if
 * all fits. A kernel's copies in its workspace (dense 3x3 and dense backward-data make some) are counted with the
 * tensor that they copy. Pure.
 */
void em_nest_traffic(const struct em_nest *nest, const struct em_cache *cache, double bytes[EM_TENSORS]);

/**
 * The same of a separable call for a resolved tile, where a band of rows (with keep=no a slot) goes through both halves
 * before the next: bytes[EM_W] are both halves' weights, `between` what lies between the halves, written by one and
 * read by the other. Here a cache keeps all or nothing of a band; only the pointwise half looks at sets. Pure.
 */
void em_band_traffic(enum kn_isa isa, const struct kn_shape *shape, const struct kn_tile *tile,
                     const struct em_cache *cache, double bytes[EM_TENSORS], double *between);

#endif
