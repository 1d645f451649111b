#include "models/energy/solve.h"
#include "harness/base/error.h"
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double dependence = 1e-12;

int em_triangle_reduce(double *ab, size_t rows, int cols, struct em_triangle *triangle)
{
    int side = cols + 1, rank = rows < (size_t)side ? (int)rows : side;
    double tau[EM_SIDE];
    memset(triangle, 0, sizeof *triangle);
    triangle->cols = cols;
    if (LAPACKE_dgeqrf(LAPACK_COL_MAJOR, (lapack_int)rows, side, ab, (lapack_int)rows, tau))
        return jrx_fail(JRX_ENOMEM, "least squares: no memory to factor %zu rows of %d columns", rows, side);
    for (int j = 0; j < side; j++)
        for (int i = 0; i <= j && i < rank; i++)
            triangle->r[i + j * side] = ab[(size_t)i + (size_t)j * rows];
    return 0;
}

int em_triangle_stack(const struct em_triangle *triangles, const size_t *pick, size_t count,
                      struct em_triangle *triangle)
{
    int cols = triangles[pick[0]].cols;
    size_t side = (size_t)cols + 1, rows = count * side;
    double *ab = malloc(rows * side * sizeof *ab);
    if (!ab)
        return jrx_fail(JRX_ENOMEM, "least squares: no memory for %zu blocks of %d columns", count, cols);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < side; j++)
            memcpy(ab + i * side + j * rows, triangles[pick[i]].r + j * side, side * sizeof *ab);
    int status = em_triangle_reduce(ab, rows, cols, triangle);
    free(ab);
    return status;
}

void em_norms(const struct em_triangle *triangle, double *norm)
{
    int side = triangle->cols + 1;
    for (int j = 0; j < triangle->cols; j++) {
        double largest = 0, sum = 0; /* counters are near 1e10, joules near 1e-6: squares stay in range when scaled */
        for (int i = 0; i <= j; i++)
            largest = fmax(largest, fabs(triangle->r[i + j * side]));
        for (int i = 0; i <= j && largest > 0; i++) {
            double part = triangle->r[i + j * side] / largest;
            sum += part * part;
        }
        norm[j] = largest * sqrt(sum);
    }
}

/* The used columns of A's triangle over their scale, cols x k; which[] tells where each comes from. Returns k. */
static int gather(const struct em_triangle *triangle, const unsigned char *use, const double *scale, double *a,
                  int *which)
{
    int cols = triangle->cols, k = 0;
    for (int j = 0; j < cols; j++) {
        if (use && !use[j])
            continue;
        for (int i = 0; i < cols; i++)
            a[i + k * cols] = triangle->r[i + j * (cols + 1)] / scale[j];
        which[k++] = j;
    }
    return k;
}

static int dependent(void)
{
    return jrx_fail(JRX_EINVAL, "least squares: columns depend on each other; leave one of them out");
}

/* Unit columns, so that rank decisions do not depend on units of measurement. -1: a column that is used is zero. */
static int unit_columns(const struct em_triangle *triangle, const unsigned char *use, double *a, int *which,
                        double *norm)
{
    em_norms(triangle, norm);
    for (int j = 0; j < triangle->cols; j++) {
        if ((!use || use[j]) && norm[j] <= 0)
            return -1;
    }
    return gather(triangle, use, norm, a, which);
}

double em_condition(const struct em_triangle *triangle, const double *scale, double *weakest)
{
    int cols = triangle->cols, which[EM_COLUMNS];
    double a[EM_COLUMNS * EM_COLUMNS], s[EM_COLUMNS], vt[EM_COLUMNS * EM_COLUMNS], u[1], superb[EM_COLUMNS];
    gather(triangle, NULL, scale, a, which);
    if (LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'A', cols, cols, a, cols, s, u, 1, vt, cols, superb))
        return NAN;
    for (int j = 0; weakest && j < cols; j++)
        weakest[j] = vt[cols - 1 + j * cols];
    return s[cols - 1] > 0 ? s[0] / s[cols - 1] : INFINITY;
}

int em_least_squares(const struct em_triangle *triangle, const unsigned char *use, double *x)
{
    int cols = triangle->cols, which[EM_COLUMNS], rank = 0;
    lapack_int pivot[EM_COLUMNS] = {0};
    double a[EM_COLUMNS * EM_COLUMNS], b[EM_COLUMNS], norm[EM_COLUMNS];
    int k = unit_columns(triangle, use, a, which, norm);
    if (k < 0)
        return dependent();
    memset(x, 0, (size_t)cols * sizeof *x);
    if (k == 0)
        return 0;
    memcpy(b, triangle->r + cols * (cols + 1), (size_t)cols * sizeof *b);
    int status = LAPACKE_dgelsy(LAPACK_COL_MAJOR, cols, k, 1, a, cols, b, cols, pivot, dependence, &rank);
    if (status == LAPACK_WORK_MEMORY_ERROR)
        return jrx_fail(JRX_ENOMEM, "least squares: no memory for %d columns", k);
    if (status || rank < k)
        return dependent();
    for (int j = 0; j < k; j++)
        x[which[j]] = b[j] / norm[which[j]];
    return 0;
}

double em_residual2(const struct em_triangle *triangle, const double *x)
{
    int cols = triangle->cols, side = cols + 1;
    double sum = 0;
    for (int i = 0; i < side; i++) {
        double rest = triangle->r[i + cols * side];
        for (int j = i; j < cols; j++)
            rest -= triangle->r[i + j * side] * x[j];
        sum += rest * rest;
    }
    return sum;
}

/* The column whose increase from 0 lessens the residual fastest; -1 if none does to rounding: the optimum. */
static int steepest(const struct em_triangle *triangle, const double *norm, const unsigned char *out, const double *x)
{
    int cols = triangle->cols, side = cols + 1, best = -1;
    double residual[EM_COLUMNS], length = 0, slope = 0;
    for (int i = 0; i < cols; i++) {
        residual[i] = triangle->r[i + cols * side];
        length = hypot(length, residual[i]);
        for (int j = i; j < cols; j++)
            residual[i] -= triangle->r[i + j * side] * x[j];
    }
    for (int j = 0; j < cols; j++) {
        double w = 0;
        for (int i = 0; i <= j; i++)
            w += triangle->r[i + j * side] / norm[j] * residual[i];
        if (!out[j] && w > slope && w > dependence * length) {
            slope = w;
            best = j;
        }
    }
    return best;
}

/* From x towards s as far as no passive column turns negative; those that reach 0 leave. Returns whether any did. */
static int step(int cols, double *x, const double *s, unsigned char *passive)
{
    double alpha = 1;
    for (int j = 0; j < cols; j++) {
        if (passive[j] && s[j] <= 0)
            alpha = fmin(alpha, x[j] / (x[j] - s[j]));
    }
    int left = 0;
    for (int j = 0; j < cols; j++) {
        int blocks = passive[j] && s[j] <= 0 && x[j] <= alpha * (x[j] - s[j]);
        x[j] = blocks ? 0 : x[j] + alpha * (s[j] - x[j]);
        passive[j] = passive[j] && !blocks;
        left += blocks;
    }
    return left;
}

int em_nonnegative(const struct em_triangle *triangle, double *x, unsigned char *used)
{
    int cols = triangle->cols, status = 0, entering;
    unsigned char passive[EM_COLUMNS] = {0}, out[EM_COLUMNS] = {0}; /* out: not to enter next */
    double norm[EM_COLUMNS], s[EM_COLUMNS];
    em_norms(triangle, norm);
    for (int j = 0; j < cols; j++) {
        if (norm[j] <= 0)
            return dependent();
    }
    memset(x, 0, (size_t)cols * sizeof *x);
    /* Every round lowers the residual, so it ends long before the limit, which is there for rounding. */
    for (int round = 0; !status && (entering = steepest(triangle, norm, out, x)) >= 0; round++) {
        if (round == 100 * EM_COLUMNS)
            return jrx_fail(JRX_EINVAL, "least squares: no non-negative solution after %d rounds", round);
        passive[entering] = 1;
        do
            status = em_least_squares(triangle, passive, s);
        while (!status && step(cols, x, s, passive));
        /* A column that rounding throws out at once must let the others try first. */
        if (passive[entering])
            memcpy(out, passive, sizeof out);
        else
            out[entering] = 1;
    }
    if (used)
        memcpy(used, passive, (size_t)cols);
    return status;
}

int em_ridge(const struct em_triangle *triangle, double ridge, int free, double *x)
{
    int cols = triangle->cols, side = cols + 1, rows = side + cols;
    double ab[(EM_SIDE + EM_COLUMNS) * EM_SIDE] = {0}, norm[EM_COLUMNS];
    struct em_triangle penalised;
    em_norms(triangle, norm);
    for (int j = 0; j < side; j++)
        memcpy(ab + j * rows, triangle->r + j * side, (size_t)side * sizeof *ab);
    for (int j = 0; j < cols; j++)
        ab[side + j + j * rows] = j == free ? 0 : sqrt(ridge) * norm[j];
    int status = em_triangle_reduce(ab, (size_t)rows, cols, &penalised);
    return status ? status : em_least_squares(&penalised, NULL, x);
}

int em_inverse_diagonal(const struct em_triangle *triangle, const unsigned char *use, double *diagonal)
{
    int cols = triangle->cols, which[EM_COLUMNS];
    double a[EM_COLUMNS * EM_COLUMNS], norm[EM_COLUMNS], tau[EM_COLUMNS];
    for (int j = 0; j < cols; j++)
        diagonal[j] = NAN;
    int k = unit_columns(triangle, use, a, which, norm);
    if (k < 0)
        return dependent();
    if (k == 0)
        return 0;
    if (LAPACKE_dgeqrf(LAPACK_COL_MAJOR, cols, k, a, cols, tau))
        return jrx_fail(JRX_ENOMEM, "least squares: no memory for %d columns", k);
    for (int j = 0; j < k; j++) {
        if (fabs(a[j + j * cols]) <= dependence)
            return dependent();
    }
    if (LAPACKE_dtrtri(LAPACK_COL_MAJOR, 'U', 'N', k, a, cols))
        return dependent();
    for (int i = 0; i < k; i++) {
        double sum = 0;
        for (int j = i; j < k; j++)
            sum += a[i + j * cols] * a[i + j * cols];
        diagonal[which[i]] = sum / (norm[which[i]] * norm[which[i]]);
    }
    return 0;
}
