/*
 * What the parts of a fit share: the rows as the solver sees them. Not for callers outside of models/energy/.
 */
#ifndef MODELS_ENERGY_FIT_PARTS_H
#define MODELS_ENERGY_FIT_PARTS_H
#include "models/energy/fit.h"

struct em_system {
    const struct em_data *data;
    const struct em_fit_options *options;
    double *weight;            /* [rows] what a row is multiplied with: 1, or 1 / y */
    double *ab;                /* [cols + 1][rows] scratch */
    struct em_triangle whole;  /* of all weighted rows */
    struct em_triangle *parts; /* [blocks] of each block's */
    size_t *pick;              /* [blocks] scratch */
    int constant;              /* the column whose value is the same in all rows, or -1 */
    double ridge;              /* of EM_RIDGE */
};

/** By the method of the options. 0 or as em_least_squares(). */
int em_solve(const struct em_system *system, const struct em_triangle *triangle, double *x, unsigned char *used);
/** The triangle of the rows with block[i] == part (any, if part < 0), each times weight[i] * extra[i] (NULL: 1). */
int em_reduce(const struct em_system *system, const int *block, int part, const double *extra,
              struct em_triangle *triangle);
/** sum of x[j] * column j of data row i */
double em_row_value(const struct em_data *data, const double *x, size_t row);

/* quality.c: standard errors, variance inflation, condition, correlation; then R2, MAPE, line, noise. */
int em_diagnose(const struct em_system *system, const unsigned char *used, struct em_fit *fit);
void em_judge_residuals(const struct em_system *system, const unsigned char *used, struct em_fit *fit);

/* resample.c */
int em_bootstrap(struct em_system *system, struct em_fit *fit);
int em_leave_out(struct em_system *system, struct em_fit *fit);
/** After em_leave_out(): jackknife errors, and the intervals if they are asked of it. */
void em_jackknife(struct em_fit *fit);
void em_sort(double *values, size_t count);
/** Of sorted values, between the two neighbours of share * (count - 1), so that it does not jump by a whole one. */
double em_quantile(const double *sorted, size_t count, double share);
/** Sorts values[count] and returns the interval that leaves out the share `tail` at either end; NAN if count is 0. */
struct em_interval em_central(double *values, size_t count, double tail);
/**
 * The share of resamples to leave out at either end of an interval of `confidence_ratio` over `blocks` blocks. With few
 * blocks resamples spread too little, by sqrt((blocks - cols) / blocks), and normally where a t distribution is due:
 * this makes up for both. Source: Hesterberg, The American Statistician 69(4), 2015, "expanded percentile interval".
 */
double em_tail(double confidence_ratio, int blocks, int cols);
/**
 * t with P(T > t) = tail of Student's distribution. Expansion from the normal one: Abramowitz and Stegun, 26.7.5; at
 * tail 0.025 good to 3e-3 from 5 degrees of freedom on, below that too small.
 */
double em_student_deviate(double tail, double freedom);

/* robust.c: coefficient[].huber and huber_share_ratio, from where the coefficients are; weight (NULL: left alone)
 * [rows] is multiplied with the weights that were found. */
int em_huber(const struct em_system *system, struct em_fit *fit, double *weight);

#endif
