/*
 * What a kernel is compared with: a call that does the same work on operands of its own, in the format it likes best.
 */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H
#include "kernels/shape.h"

struct bench_peer {
    char name[32];
    void (*call)(void *state);
    void (*release)(void *state);
    void *state; /* NULL: not to be had for this case */
};

enum { BENCH_DNNL_FORMATS = 4 };

/**
 * oneDNN's direct convolution, operands in format `format` (any, nChw16c, NHWC, NCHW), weights as the library wants
 * them, so that no call reorders. state stays NULL if it has no implementation, or if what it computes from ones is
 * wrong. Threads are OpenMP's: those of the caller's omp_set_num_threads().
 */
struct bench_peer bench_dnnl(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int format);

/** OpenBLAS: for pointwise sgemm on row-major matrices, for conv3x3 im2col and sgemm (our blas kernel). */
struct bench_peer bench_openblas(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int threads);

/** One of our kernels, by name. */
struct bench_peer bench_ours(const char *kernel, const struct kn_shape *shape, int threads);

/** Fused multiply-adds in registers: 2 * 16 * BENCH_PEAK_STEPS * 14 flop a call and thread; state NULL without FMA. */
enum { BENCH_PEAK_STEPS = 100000 };
struct bench_peer bench_peak(int threads);
/** Lanes of the vectors that bench_peak() uses. */
int bench_peak_lanes(void);

#endif
