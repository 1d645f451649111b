/* Small Hermitian systems, in double precision and the same on every machine and thread. */
#ifndef MODELS_LINK_HERMITIAN_H
#define MODELS_LINK_HERMITIAN_H
#include <complex.h>

/**
 * Solves A X = B by Cholesky. a[n][n], Hermitian and positive definite: the lower triangle is read and overwritten by
 * the factor. b[m][n]: each row is a right-hand side and becomes the solution. A pivot that rounding made less than
 * 1e-12 of the largest diagonal element counts as that: for matrices that are singular but for noise.
 */
void lk_hermitian_solve(int n, double complex *a, int m, double complex *b);

#endif
