/*
 * Two runs side by side: for each cell that both have, how the second stands to the first.
 */
#ifndef EXPERIMENTS_COMPARE_H
#define EXPERIMENTS_COMPARE_H
#include <stddef.h>

enum ex_change { EX_LESS, EX_MORE, EX_NO_DIFFERENCE, EX_ONE_REPETITION, EX_CHANGES };

/** "less", "more", "no difference shown", "too few repetitions". */
const char *ex_change_name(enum ex_change change);

struct ex_ratio {
    double a, b;             /* geometric means of what is not missing, in the unit of the data; NAN if nothing is */
    double value, low, high; /* b / a with its 95 % interval; the ends are NAN below two repetitions on a side */
    enum ex_change change;   /* less or more if the interval leaves out 1 */
};

/**
 * The ratio of two independent series of positive values; NAN is missing, and so is what is not above 0. Pure.
 * Source: Welch's t interval for the difference of the mean logarithms, so the ratio is one of geometric means.
 */
void ex_compare(const double *a, size_t na, const double *b, size_t nb, struct ex_ratio *out);

#endif
