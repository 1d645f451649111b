/*
 * Bytes that a loop nest moves into and out of a cache, without running it.
 *
 * The nest is a list of loops, outermost first, each cutting an axis into blocks. From some loop inwards, all that is
 * touched fits the cache. A tensor then crosses once for every time the loops around show another part of it: the loops
 * next to those that fit cost nothing as long as they do not move the tensor; the first that does brings its parts one
 * after the other (a halo shared by neighbours once); the loops further out repeat all of that, as by then it has been
 * pushed out. Written tensors cross twice: fetched, and written back. The cache is fully associative, LRU. A kernel's
 * copies in its workspace (dense 3x3 and dense backward-data make some) are counted with the tensor that they copy.
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

/**
 * Bytes of each tensor that cross between a cache of `cache_bytes` and what lies behind it, reads and writes. Never
 * below the footprint of the whole; equal to it (twice for the written one) if all fits and nothing is copied. Pure.
 */
void em_nest_traffic(const struct em_nest *nest, double cache_bytes, double bytes[EM_TENSORS]);

#endif
