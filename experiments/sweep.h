/*
 * The cells of `joulerx measure`: every parameter is a list, and the cells are their product.
 *
 *     kernels   names or patterns, "pointwise_fwd_*,separable_fwd_avx512"; none: the best forward kernel of each layer
 *     layers    "pw:c256:k256,dw:c64:m2:d2x3", or a network for all of its, "deeprx"; a kernel takes those of its
 *               operator
 *     grids     "312x14,72x14"; batches, threads "1,8" or ranges "1-8" (steps of 1), "8-64+8", "8-64*2"
 *     tiles     the grammar of kn_tile_parse() with such lists for values: "oc=32,64,f=4-64*2" is 10 tilings;
 *               more of them after a ";"
 */
#ifndef EXPERIMENTS_SWEEP_H
#define EXPERIMENTS_SWEEP_H
#include "experiments/tiles.h"
#include "kernels/kernel.h"

struct ex_cell {
    const struct kn_kernel *kernel; /* NULL: the machine's peak with so many threads */
    struct kn_shape shape;
    struct kn_tile asked, tile; /* as asked for, 0 for what was left open; and as the kernel resolves it */
    int picked;                 /* 1: nothing was asked for, so the tiling is */
    enum ex_tile_from from;     /* from there */
    int threads;
    int network; /* a call that a network makes: it takes no tiling that changes the order of a sum */
    int times;   /* how often the layers asked for have it: more than once in a network */
};

struct ex_sweep {
    struct ex_cell *cell;
    int cells;
};

struct ex_sweep_lists {
    const char *kernels, *layers, *grids, *batches, *threads, *tiles; /* NULL: best, -, 312x14, 1, 1, default */
    int training; /* 1: a network is the calls of a training step, stages fused, instead of its layers */
    const struct ex_tiles *known; /* tilings where none are asked for; NULL: the kernel's defaults */
};

enum { EX_SWEEP_CELLS = 4096, EX_SWEEP_VALUES = 256, EX_CELL_TEXT = 120 };

/** A list of integers of at least 1 into value[EX_SWEEP_VALUES]; how many, or JRX_EINVAL with the part. Pure. */
int ex_list_parse(const char *text, int *value);

/** A list of tilings into tile[max]; how many, or JRX_EINVAL. Pure. */
int ex_tiles_parse(const char *text, struct kn_tile *tile, int max);

/**
 * Makes the cells: first the peak for each number of threads, then the product; tilings that a kernel resolves alike
 * once. 0; JRX_EINVAL: a part not understood, a tiling that a kernel refuses, a layer that no kernel computes, too many
 * cells; JRX_ENOMEM.
 */
int ex_sweep_init(struct ex_sweep *sweep, const struct ex_sweep_lists *lists);
void ex_sweep_fini(struct ex_sweep *sweep); /* also on a zeroed struct */

/** "pointwise_fwd_avx512 pw:c64:k64 312x14 n1 t1 oc=32,...": into text[EX_CELL_TEXT], which is returned. */
char *ex_cell_label(const struct ex_cell *cell, char *text);

#endif
