/*
 * What every kernel is: an operator, a direction, an instruction set, and a run() that only computes.
 * run() has no allocation, no I/O, no clock and no failure path; supports() and workspace_bytes() come before it.
 *
 * Layout of activations, nChw16c with the OFDM symbols innermost ("blocked"):
 *     a[n][c/16][f][t][16]       n slot, c channel, f subcarrier, t OFDM symbol
 * A channel count that is not a multiple of 16 is padded; the padding lanes of every tensor hold zeros, before and
 * after every kernel. 64-byte aligned, no overlap between arguments.
 *
 * Layout of weights, output channels innermost in blocks of 16, input channels padded to 16 too:
 *     pointwise  w[oc/16][ic16][16]       conv3x3  w[oc/16][9][ic16][16]       depthwise  w[oc/16][9][16]
 *     separable  the depthwise w[mid/16][9][16] and right after it the pointwise w[oc/16][mid16][16]
 *     bias       b[oc/16][16]        scale of norm and relu  w[ic/16][16]        add  w, the other tensor, like x
 * Tap k = 3 * (f offset + 1) + (t offset + 1), so the offsets of tap k are dil_f * (k / 3 - 1), dil_t * (k % 3 - 1).
 */
#ifndef KERNELS_KERNEL_H
#define KERNELS_KERNEL_H
#include "kernels/shape.h"
#include <stddef.h>

struct kn_trace;

#define KN_NORM_EPSILON 1e-5 /* added to the variance, as everybody does */

/* AVX512BF16 rounds what is multiplied to bf16 (kernels/bf16.h): another result, so it runs only where it is asked for.
 */
enum kn_isa { KN_ISA_REF, KN_ISA_BASELINE, KN_ISA_AVX2, KN_ISA_AVX512, KN_ISA_BLAS, KN_ISA_AVX512BF16, KN_ISAS };

/** "ref", "baseline", "avx2", "avx512", "blas", "avx512bf16": the last part of a kernel's name. */
const char *kn_isa_name(enum kn_isa isa);

struct kn_args {
    const struct kn_shape *shape;
    const struct kn_tile *tile; /* never NULL; a field of 0 means the kernel's default */
    /* forward:          y  = bias + w * x      (overwrites y; bias may be NULL; that of separable is the pointwise one)
     * backward-data:    dx = w' * dy           (overwrites dx)
     * backward-weights: dw += dy * x', db += sum of dy  (accumulates, as branches and micro-batches need; db may be
     * NULL). That of separable reads w, too: each half's gradient wants what the other makes of its operand.
     * norm, relu and add: see kernels/<op>/README.md; kernels/operand.h says for all what they read and write. */
    const float *x, *w, *bias, *dy;
    float *y, *dx, *dw, *db;
    float *moments; /* norm only, [2][ic/16][16]: mean and variance over n, f, t; forward writes, backward reads them */
    /* For whole networks; elsewhere NULL and 0. kn_work speaks of a call without them. */
    const float *scale, *shift; /* [ic/16][16]: separable forward reads max(0, scale * x + shift) for x, a norm */
    const float *inner_bias;    /* [mid/16][16]: separable forward adds it to what lies between its halves */
    int accumulate;         /* separable forward adds to y: a residual connection; norm and add backward-data to dx */
    float *workspace;       /* workspace_bytes(), 64-byte aligned; content is undefined before and after */
    int threads;            /* 1 or more; the result is the same at any number */
    struct kn_trace *trace; /* the sink of a traced build (which runs on one thread); ignored by the others */
};

/* What a call does, exactly, when bias and db are given: counted in the loop nest, not in the cache. Tested against the
 * traced build. */
struct kn_work {
    double flop; /* useful, kn_flop(): 2 a multiply-add on real channels and in-grid taps; bias adds are not counted */
    double
        executed_flop;       /* the same with the padding channels that the vector unit also computes, and with what
                                separable backward-weights computes anew: x through the first half, dy through the second */
    double load_bytes;       /* register loads  */
    double store_bytes;      /* register stores */
    double compulsory_bytes; /* each operand touched once, bias and db included; dw and db are read and written */
};

struct kn_kernel {
    const char *name; /* == file name: <op>_<direction>_<isa> */
    enum kn_op op;
    enum kn_dir dir;
    enum kn_isa isa;
    unsigned tile_fields; /* KN_TILE_*: which fields of struct kn_tile it honours */
    int max_px, max_vc;   /* its largest register block; 0 unless KN_TILE_REG */
    unsigned orders;      /* bit o for each enum kn_order o it honours; 0 unless KN_TILE_ORDER */

    /** 0, or JRX_EINVAL with the reason: a shape that is no shape, a tile out of range. Does not ask the CPU. */
    int (*supports)(const struct kn_shape *shape, const struct kn_tile *tile);
    /** Bytes of workspace for run() with at most `threads` threads. */
    size_t (*workspace_bytes)(const struct kn_shape *shape, const struct kn_tile *tile, int threads);
    void (*run)(const struct kn_args *args);
    /** The tile with every 0 replaced by what the kernel will use. */
    struct kn_tile (*resolve)(const struct kn_shape *shape, const struct kn_tile *tile);
    /** What run() will do with that tile. load_bytes and store_bytes are NAN where the code is not ours (blas). */
    void (*work)(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *work);
};

/** All kernels that were built, sorted by name; `*count` of them. The traced twin of one, or NULL (blas has none). */
const struct kn_kernel *const *kn_kernels(size_t *count);
const struct kn_kernel *kn_traced(const struct kn_kernel *kernel);
/** By name; NULL with a jrx_fail() message that lists near names. */
const struct kn_kernel *kn_find(const char *name);
/**
 * Whether this CPU, as masked by JOULERX_ISA, runs it. If not, call none of its functions: the whole file is compiled
 * for its instruction set, resolve() and work() too.
 */
int kn_runnable(const struct kn_kernel *kernel);
/** The variant to use when nobody asks for one: the highest runnable instruction set. Never NULL, blas or avx512bf16.
 */
const struct kn_kernel *kn_best(enum kn_op op, enum kn_dir dir);
/** The avx512bf16 variant; NULL if there is none, or this CPU does not run it. */
const struct kn_kernel *kn_best_bf16(enum kn_op op, enum kn_dir dir);

#endif
