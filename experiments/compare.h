/*
 * Two runs side by side: for each cell that both have, how the second stands to the first.
 */
#ifndef EXPERIMENTS_COMPARE_H
#define EXPERIMENTS_COMPARE_H
#include <stddef.h>

enum ex_change { EX_LESS, EX_MORE, EX_NO_DIFFERENCE, EX_ONE_REPETITION, EX_TOO_FEW_ERRORS, EX_CHANGES };

/** "less", "more", "no difference shown", "too few repetitions", "too few errors". */
const char *ex_change_name(enum ex_change change);

struct ex_ratio {
    double a, b;             /* geometric means of what is not missing, in the unit of the data, NAN if nothing is; or
                                error rates */
    double value, low, high; /* b / a with its 95 % interval; the ends are NAN below two repetitions on a side */
    enum ex_change change;   /* less or more if the interval leaves out 1 */
};

/**
 * The ratio of two independent series of positive values; NAN is missing, and so is what is not above 0. Pure.
 * Source: Welch's t interval for the difference of the mean logarithms, so the ratio is one of geometric means.
 */
void ex_compare(const double *a, size_t na, const double *b, size_t nb, struct ex_ratio *out);

struct ex_errors {
    const double *errors, *bits; /* of each block of slots */
};

/**
 * The ratio of two bit error rates, n blocks of each taken as pairs: right whether or not a pair is of the same slots,
 * and sharp if it is. NAN where a side made no error; ends NAN below two blocks, or where all errors of a side are in
 * one. Pure.
 * Source: jackknife over pairs on the logarithm of the ratio, t with n - 1 degrees of freedom.
 */
void ex_compare_errors(struct ex_errors a, struct ex_errors b, size_t n, struct ex_ratio *out);

#endif
