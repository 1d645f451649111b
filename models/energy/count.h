/*
 * What a layer costs before anything is run: FLOPs, register accesses, and modelled bytes between the cache levels.
 * FLOPs and accesses are exact (kernels/kernel.h); the bytes are an analytic *estimate* of the loop nest.
 */
#ifndef MODELS_ENERGY_COUNT_H
#define MODELS_ENERGY_COUNT_H
#include "kernels/kernel.h"
#include <stddef.h>

/* bytes[EM_L1] go between registers and L1, bytes[EM_L2] between L1 and L2, ... bytes[EM_DRAM] between L3 and DRAM */
enum em_level { EM_L1, EM_L2, EM_L3, EM_DRAM, EM_LEVELS };

struct em_caches {
    double l1_bytes, l2_bytes, l3_bytes; /* what one thread has of each; 0: the machine has no such level */
};

struct em_count {
    double flop, executed_flop;
    double load_bytes, store_bytes; /* registers; NAN where the kernel's code is not ours */
    double compulsory_bytes;        /* each operand once */
    double bytes[EM_LEVELS];
};

struct em_layer {
    enum kn_op op;
    enum kn_dir dir;
    struct kn_shape shape;
    struct kn_tile tile;            /* a field of 0: the kernel's default */
    const struct kn_kernel *kernel; /* NULL: kn_best(op, dir) */
};

/** "l1", "l2", "l3", "dram". */
const char *em_level_name(enum em_level level);

/** Counts of one call. 0, or JRX_EINVAL: not a shape, or the kernel does not support it. Pure. */
int em_count_layer(const struct em_layer *layer, const struct em_caches *caches, struct em_count *count);

/** Sum over `layers` calls, one after the other with nothing kept between them. 0 or JRX_EINVAL naming the layer. */
int em_count_layers(const struct em_layer *layer, size_t layers, const struct em_caches *caches, struct em_count *sum);

#endif
