/*
 * What a kernel is compared with: a call that does the same work on operands of its own, in the format it likes best.
 */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H
#include "harness/base/mem.h"
#include "kernels/kernel.h"

/* What a runner of a case is. Only BENCH_PEER counts for a group's bar; the others are limits, tricks and siblings. */
enum bench_role {
    BENCH_OURS,        /* the kernel that the bars are about */
    BENCH_SIBLING,     /* the AVX2 variant, where that is not ours */
    BENCH_BASELINE,    /* portable C */
    BENCH_REFERENCE,   /* the naive loops */
    BENCH_PEER,        /* another library, direct algorithm, called for this very direction */
    BENCH_TURNED,      /* another library's forward call with turned weights, for backward-data */
    BENCH_BESIDE,      /* another algorithm (Winograd): shown, never counted */
    BENCH_COPY,        /* the input copied to the output with ordinary stores */
    BENCH_STREAM,      /* the same with stores that pass the caches by */
    BENCH_PEAK,        /* multiply-adds in registers, the widest vectors of this CPU */
    BENCH_PEAK_NARROW, /* the same with AVX2, where that is not the widest */
    BENCH_ROLES
};

struct bench_peer {
    char name[32];
    enum bench_role role;
    void (*call)(void *state);
    void (*release)(void *state);
    void *state; /* NULL: not to be had for this case */
};

enum { BENCH_DNNL_FORMATS = 4 };

/**
 * `floats` ones from `memory`, 64-byte aligned, a cache line after the ones before: operands whose sizes are multiples
 * of a page would otherwise all begin at the same place of one, where stores hold up loads.
 */
float *bench_ones(struct jrx_arena *memory, size_t floats);

/**
 * oneDNN's convolution, operands in format `format` (any, nChw16c, NHWC, NCHW), weights as the library wants them, so
 * that no call reorders. state stays NULL if it has no implementation, or if what it computes from ones is wrong.
 * Threads are OpenMP's: those of the caller's omp_set_num_threads(). role: BENCH_PEER, BENCH_BESIDE (Winograd) or
 * BENCH_TURNED (the forward call of the layer whose input channels are this one's outputs).
 * Separable: two calls, what lies between them in memory; backward-weights includes the pointwise backward-data that
 * it needs, and the depthwise result is taken as kept from forward. Operands are taken from `memory`; what the library
 * works in besides is its own.
 */
struct bench_peer bench_dnnl(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int format,
                             enum bench_role role, struct jrx_arena *memory);

/** "2.6.3", into text, returned; NULL if oneDNN is not built in. */
const char *bench_dnnl_version(char *text, size_t size);

/** OpenBLAS: for pointwise sgemm on row-major matrices, for conv3x3 im2col and sgemm (our blas kernel). */
struct bench_peer bench_openblas(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int threads,
                                 struct jrx_arena *memory);

/** One of our kernels with its default tile; NULL where kernel is NULL or does not run here. */
struct bench_peer bench_ours(const struct kn_kernel *kernel, enum bench_role role, const struct kn_shape *shape,
                             int threads, struct jrx_arena *memory);

/** Fused multiply-adds in registers, BENCH_PEAK or BENCH_PEAK_NARROW; state NULL where there is no such vector. */
struct bench_peer bench_peak(enum bench_role role, int threads);
/** FLOP of a call of it. */
double bench_peak_flop(enum bench_role role, int threads);

/** The bytes of the layer's input copied to a tensor of the same size: BENCH_COPY or BENCH_STREAM. */
struct bench_peer bench_copy(enum bench_role role, const struct kn_shape *shape, int threads, struct jrx_arena *memory);

#endif
