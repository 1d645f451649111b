/*
 * Least squares on triangles. The R factor of the QR factorisation of [A b] holds all that a fit needs to know of its
 * rows, and the R of two stacked R's is that of both row sets together: so a bootstrap by block, or a fit that leaves a
 * block out, stacks the blocks' small triangles and never sees the rows again.
 * All are pure but for memory, and thread-safe. Dependent means: to 12 digits, after columns are scaled to unit norm.
 * Source: Golub and Van Loan, Matrix Computations, 5.3; Lawson and Hanson, Solving Least Squares Problems, ch. 23, 27.
 */
#ifndef MODELS_ENERGY_SOLVE_H
#define MODELS_ENERGY_SOLVE_H
#include <stddef.h>

enum { EM_COLUMNS = 24, EM_SIDE = EM_COLUMNS + 1 };

/* (cols + 1) x (cols + 1), column-major, upper triangular; the last column belongs to b. */
struct em_triangle {
    int cols;
    double r[EM_SIDE * EM_SIDE];
};

/**
 * Reduces [A b], `rows` x (cols + 1), column-major without gaps; overwrites it. rows may be 1 or more, below cols too
 * (the rest of the triangle is zero then). 0 or JRX_ENOMEM.
 */
int em_triangle_reduce(double *ab, size_t rows, int cols, struct em_triangle *triangle);

/** The triangle of all rows behind `count` of the triangles; pick[i] says which (repeats allowed). 0, JRX_ENOMEM. */
int em_triangle_stack(const struct em_triangle *triangles, const size_t *pick, size_t count,
                      struct em_triangle *triangle);

/** Euclidean norm of each column of A, into norm[cols]. */
void em_norms(const struct em_triangle *triangle, double *norm);

/**
 * Largest over smallest singular value of A with column j divided by scale[j]; INFINITY if the smallest is 0.
 * `weakest` (may be NULL) receives the unit vector of the smallest: the combination of scaled columns that cancels
 * best. NAN if LAPACK does not converge.
 */
double em_condition(const struct em_triangle *triangle, const double *scale, double *weakest);

/**
 * min |A x - b| over the columns with use[j] != 0 (NULL: all); the other x[j] are 0.
 * 0, or JRX_EINVAL: these columns are dependent, or one is zero.
 */
int em_least_squares(const struct em_triangle *triangle, const unsigned char *use, double *x);

/**
 * min |A x - b|, x >= 0: active set method of Lawson and Hanson. used[j] (may be NULL) tells which are above 0.
 * 0, or JRX_EINVAL as above.
 */
int em_nonnegative(const struct em_triangle *triangle, double *x, unsigned char *used);

/**
 * min |A x - b|^2 + ridge * sum of |column j|^2 x[j]^2, without column `free` (-1: with all). 0, or JRX_EINVAL as
 * above; JRX_ENOMEM.
 */
int em_ridge(const struct em_triangle *triangle, double ridge, int free, double *x);

/** |A x - b|^2. */
double em_residual2(const struct em_triangle *triangle, const double *x);

/** Diagonal of (A'A)^-1 over the used columns (NULL: all), NAN for the others. 0, or JRX_EINVAL as above. */
int em_inverse_diagonal(const struct em_triangle *triangle, const unsigned char *use, double *diagonal);

#endif
