/*
 * Which measurement to make next: D-optimal design. The information of a set of rows x is M = sum of x x'; its
 * determinant is the squared inverse volume of the confidence region of the coefficients. Adding a row multiplies it by
 * 1 + x' M^-1 x, so the row to measure next is the one where that is largest.
 * Pure. Source: Fedorov, Theory of Optimal Experiments, 1972; Wynn, Ann. Math. Stat. 41, 1970; the update of the
 * inverse is Sherman and Morrison's.
 */
#ifndef MODELS_ENERGY_DESIGN_H
#define MODELS_ENERGY_DESIGN_H
#include "models/energy/solve.h"

struct em_design {
    int cols;
    double log_det;                          /* natural logarithm of det M */
    double inverse[EM_COLUMNS * EM_COLUMNS]; /* of M, [cols][cols] */
};

/** Starts from M = prior * I, prior > 0 small against what rows add: without it no first row could be compared. */
void em_design_init(struct em_design *design, int cols, double prior);

/** By what the determinant is multiplied when row x[cols] is added: 1 + x' M^-1 x. */
double em_design_gain(const struct em_design *design, const double *x);

/** Adds the row. */
void em_design_add(struct em_design *design, const double *x);

/**
 * The row with the largest gain among rows[count][cols] that are not `taken`; the first of equals. -1: all are taken.
 */
int em_design_next(const struct em_design *design, const double *rows, const unsigned char *taken, int count);

#endif
