/*
 * Every kernel against the definition of its operator, summed in double precision: the residual and a verdict.
 * Used by the unit tests and by `joulerx check`; nothing here is needed to run a kernel.
 */
#ifndef KERNELS_CHECK_H
#define KERNELS_CHECK_H
#include "kernels/kernel.h"
#include <stdint.h>

/* One tensor that a kernel writes: what it should hold, and how far float arithmetic may be from that. */
struct kn_expected {
    size_t floats;
    double *sum;   /* exact to double precision */
    double *scale; /* the same sum over magnitudes */
    float *before; /* what it holds before the call; NULL: poison, as the kernel overwrites it */
    int terms;     /* the most products summed into one element */
    double slack;  /* of `scale`, beside what float arithmetic may do: a factor that is rounded on the way */
};

/* The operands of one call, drawn at random, and the results it should have. */
struct kn_problem {
    enum kn_op op;
    enum kn_dir dir;
    struct kn_shape shape;
    float *x, *w, *bias, *dy, *moments; /* those that the call reads; else NULL */
    struct kn_expected main, bias_grad; /* y, dx or dw; db, floats 0 if there is none */
    struct kn_expected made;            /* norm forward: the moments it writes; else floats 0 */
    double flop; /* two for every product that led to main, as kn_flop() has it for norm, relu and add; see
                    kernels/check_sum.h for separable */
    int rounded; /* for kernels of the avx512bf16 set, and only for them */
};

/**
 * Draws operands uniformly from [-1, 1), zeros in the padding lanes, and sums what they should give: one loop over all
 * (slot, output channel, input channel, tap, position) whose tap is in the grid, in each direction scattered to that
 * direction's result; for separable, half after half; for norm, relu and add the formulas of their READMEs, where an x
 * that float arithmetic may put on the other side of ReLU's kink is drawn again for backward. Every fourth seed has no
 * bias (forward) or no db (backward-weights) where they are optional.
 *
 * shape  one that kn_shape_check() accepts
 * Returns 0 or JRX_EINVAL, JRX_ENOMEM. Free with kn_problem_fini(), which also takes a zeroed struct.
 */
int kn_problem_init(struct kn_problem *problem, enum kn_op op, enum kn_dir dir, const struct kn_shape *shape,
                    uint64_t seed);
void kn_problem_fini(struct kn_problem *problem);

/**
 * Sums anew what kernels of the avx512bf16 set should give on the same operands: each factor of a matrix product is
 * rounded to bf16, to nearest and ties to even, before it is multiplied; what db and the depthwise half add up is not.
 * What lies between the halves of separable is rounded, too: by at most 2^-8 of it, which main.slack allows.
 * Returns 0 or JRX_ENOMEM.
 */
int kn_problem_round(struct kn_problem *problem);
/** `v` in bf16, as vcvtneps2bf16 rounds it: to nearest, ties to even, below 2^-126 to 0. Pure. */
float kn_round_bf16(float v);

enum kn_verdict { KN_PASS, KN_MARGINAL, KN_FAIL };
/** "PASS", "MARGINAL", "FAIL". */
const char *kn_verdict_name(enum kn_verdict verdict);

struct kn_outcome {
    enum kn_verdict verdict;
    double residual;  /* the largest error over its bound: at most 1 is a PASS; NAN if no element was compared */
    char reason[200]; /* why it is not a PASS; "" if it is */
};

/**
 * Runs a kernel on a problem with 1, 2 and 3 threads, each operand in pages of its own that end (odd thread counts) or
 * begin (even) at an inaccessible page, poison on the other side and in the workspace, and compares.
 *
 * An element of K products is summed in some order with unit roundoff u = 2^-24. With S the sum of the magnitudes, no
 * order is further off than (K + 2) u S (Higham, Accuracy and Stability, 2nd ed., eq. 3.5), and rounding errors that
 * do not conspire stay within 6 sqrt(K + 2) u S except with probability 2 exp(-18) (Higham and Mary, SIAM J. Sci.
 * Comput. 41, 2019, theorem 2.4; lambda = 6). The bound of a PASS is the smaller of the two. Beyond it but within the
 * first is MARGINAL: possible, not likely. Anything else is FAIL: an error beyond both, a padding lane that is not
 * zero, a margin or an operand written to, a result that depends on the number of threads (for OpenBLAS, which does
 * not promise that: that is beyond the bound at any of them).
 *
 * Returns 0 with the outcome, or what supports() returned, JRX_ENOMEM, JRX_EINVAL (another operator or direction,
 * rounded or not as the kernel does not do). An access to an inaccessible page ends the process by SIGSEGV. The kernel
 * must be runnable here.
 */
int kn_check(const struct kn_kernel *kernel, const struct kn_problem *problem, const struct kn_tile *tile,
             struct kn_outcome *outcome);

/**
 * Runs the traced twin and holds work() against it: load and store bytes equal to the byte (not for problems without
 * bias or db, which work() assumes), flop equal to the problem's, executed_flop not below flop; every access within the
 * tensor it names (kernels/trace.h); the same result to the bit as the plain build's. PASS or FAIL, residual NAN; PASS
 * for a kernel without a twin. Returns as kn_check().
 */
int kn_check_work(const struct kn_kernel *kernel, const struct kn_problem *problem, const struct kn_tile *tile,
                  struct kn_outcome *outcome);

/**
 * The nasty list of an operator: channels 1, 2, 15, 16, 17, 31, 64, grids from 1x1 to 72x14, dilation per axis, batch 1
 * to 3, multipliers 1 and 2. The quick list pairs every value with every grid, and shortens grids and batches that
 * would cost more than 4 MFLOP; `full` is the product, and 312x14.
 *
 * Returns how many there are; writes the first `max` of them.
 */
size_t kn_case_shapes(enum kn_op op, int full, struct kn_shape *shapes, size_t max);

enum { KN_CASE_TILES = 48 };
/**
 * Tiles to try on a shape: the default; and each honoured field alone at 1, its default -1 and +1, 5 and beyond the
 * axis; register blocks likewise; loop orders, `keep`; and all sizes at 1, 3 and 17. Those that supports() refuses are
 * left out. Returns how many.
 */
size_t kn_case_tiles(const struct kn_kernel *kernel, const struct kn_shape *shape, struct kn_tile tiles[KN_CASE_TILES]);

#endif
