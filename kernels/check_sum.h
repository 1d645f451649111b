/*
 * The definition of every operator in every direction, in double precision, and the comparison with it.
 */
#ifndef KERNELS_CHECK_SUM_H
#define KERNELS_CHECK_SUM_H
#include "kernels/check.h"

/* A tensor that is multiplied: floats, or what an earlier sum gave. */
struct kn_factor {
    const float *exact;
    const struct kn_expected *sum; /* if `exact` is NULL */
};

/** Index of an element in the layouts of kernels/kernel.h. Pure. */
size_t kn_at_activation(const struct kn_shape *s, int channels, int n, int c, int f, int t);
size_t kn_at_weight(enum kn_op op, const struct kn_shape *s, int o, int i, int tap);

/**
 * Adds the products of one operator, not KN_SEPARABLE, to `to`: one loop over all (slot, output channel, input channel,
 * tap, position) whose tap is in the grid, scattered to the direction's result.
 *
 * a  x or dy, the latter in both backward directions;  b  w, or x in backward-weights
 * Returns the FLOP: 2 a product.
 */
double kn_sum_products(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, struct kn_factor a, struct kn_factor b,
                       struct kn_expected *to);

/**
 * The same of KN_SEPARABLE, half after half, on the operands of `problem`. FLOP are those of the products that lead to
 * a result once: backward-weights makes what lies between the halves anew, which is not counted.
 * Returns 0 or JRX_ENOMEM.
 */
int kn_sum_separable(struct kn_problem *problem);

/**
 * norm, relu and add: the result of `problem` by its formulas, and its FLOP counted where they are done. An x of relu
 * or norm backward so near the kink that float arithmetic may be on the other side of it is drawn again, from `seed`.
 */
void kn_sum_elements(struct kn_problem *problem, uint64_t seed);

/** A FAIL for `what`, unless there is a reason for one already. */
void kn_outcome_fail(struct kn_outcome *outcome, const char *what);

/** Holds every element of `got` against the bounds of kn_check(); a lane of scale 0 must be zero. `name`: of the
 * tensor, for the reason. Makes the outcome worse or leaves it. */
void kn_compare(const char *name, const struct kn_expected *expected, const float *got, struct kn_outcome *outcome);

#endif
