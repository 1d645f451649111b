/*
 * The passes of kernels/norm.h against their formulas in double precision, as kernels/check.h does it for kernels.
 */
#ifndef KERNELS_CHECK_NORM_H
#define KERNELS_CHECK_NORM_H
#include "kernels/check.h"
#include "kernels/norm.h"

/* Statistics; forward of training; forward with folded statistics; backward, with a residual's gradient and without;
 * the residual add. */
enum kn_norm_pass {
    KN_NORM_STATS,
    KN_NORM_FWD,
    KN_NORM_APPLY,
    KN_NORM_BWD,
    KN_NORM_BWD_SKIP,
    KN_NORM_ADD,
    KN_NORM_PASSES
};

/** "norm_stats", "norm_fwd", "norm_apply", "norm_bwd", "norm_bwd_skip", "norm_add". */
const char *kn_norm_pass_name(enum kn_norm_pass pass);

/**
 * Runs a pass on operands drawn from `seed`, each between guard pages as in kn_check(): all channel blocks at once, and
 * block by block as threads share them out, which must give the same bits. Bounds are those of kn_check(), with the
 * products and sums that lead to an element as its terms.
 *
 * shape  n, f, t and ic count; whether ops can run on this CPU is the caller's concern
 * Returns 0 with the outcome, or JRX_ENOMEM.
 */
int kn_check_norm(enum kn_norm_pass pass, const struct kn_norm_ops *ops, const struct kn_shape *shape, uint64_t seed,
                  struct kn_outcome *outcome);

#endif
