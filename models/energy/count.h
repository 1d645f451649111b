/*
 * What a layer costs before anything is run: FLOPs, register accesses, modelled bytes between the cache levels, and an
 * energy from these. FLOPs and accesses are exact (kernels/kernel.h); bytes and energy are *estimates*, to be labelled
 * so. All pure.
 */
#ifndef MODELS_ENERGY_COUNT_H
#define MODELS_ENERGY_COUNT_H
#include "kernels/kernel.h"
#include <stddef.h>

/* bytes[EM_L1] go between registers and L1, [EM_L2] between L1 and L2, [EM_L3] L2 and L3, [EM_DRAM] L3 and memory */
enum em_level { EM_L1, EM_L2, EM_L3, EM_DRAM, EM_LEVELS };

struct em_caches {
    double l1_bytes, l2_bytes,
        l3_bytes;                  /* what one thread has of each; 0: there is no such level (L2 without L1: no) */
    int l1_ways, l2_ways, l3_ways; /* 0: fully associative */
    int warm;                      /* 1: one call after the other on the same operands; 0: caches start empty */
};

struct em_count {
    double flop, executed_flop;
    double load_bytes, store_bytes; /* of registers; NAN where the kernel's code is not ours (blas) */
    double compulsory_bytes;        /* each operand once */
    double bytes[EM_LEVELS];        /* NAN for a level that is not there, and for L1 as above */
};

struct em_layer {
    enum kn_op op;
    enum kn_dir dir;
    struct kn_shape shape;
    struct kn_tile tile;            /* a field of 0: the kernel's default */
    const struct kn_kernel *kernel; /* of that op and dir; NULL: kn_best(op, dir) */
};

/* Prices, in units of J; one of 0 leaves its count out, missing or not. */
struct em_prices {
    double flop_j;            /* per useful FLOP */
    double byte_j[EM_LEVELS]; /* per byte of bytes[] */
    double constant_w;        /* power that flows whatever is computed */
};

/** "l1", "l2", "l3", "dram". */
const char *em_level_name(enum em_level level);

/** Counts of one call; cache bytes as nest.h has them, those of a separable one backward roughly: its halves one after
 * the other. 0, or JRX_EINVAL: not a shape, a tile the kernel refuses, a kernel of another op or dir. */
int em_count_layer(const struct em_layer *layer, const struct em_caches *caches, struct em_count *count);

/** Sum over the calls of `layers`, nothing kept in caches between them. 0, or JRX_EINVAL naming the layer from 1. */
int em_count_layers(const struct em_layer *layer, size_t layers, const struct em_caches *caches, struct em_count *sum);

/** Energy [J] = flop_j * flop + sum of byte_j * bytes + constant_w * time_s. NAN if a priced count is missing. */
double em_energy_of_count_j(const struct em_count *count, const struct em_prices *prices, double time_s);

#endif
