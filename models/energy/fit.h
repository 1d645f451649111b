/*
 * Linear energy models: y = sum of coefficient * column, with all that is needed to say whether a coefficient means
 * anything. An R2 near 1 does not: leave-one-group-out error, intervals and variance inflation do.
 */
#ifndef MODELS_ENERGY_FIT_H
#define MODELS_ENERGY_FIT_H
#include "models/energy/solve.h"
#include <stddef.h>
#include <stdint.h>

/* WLS divides row i by y_i (relative errors count, long runs do not own the fit); NNLS is WLS with coefficients >= 0 */
enum em_method { EM_OLS, EM_WLS, EM_NNLS, EM_METHODS };

/* There is no hidden intercept: a column of ones is the constant. */
struct em_data {
    size_t rows;
    int cols;                 /* 1..EM_COLUMNS */
    const double *x;          /* [cols][rows], column-major */
    const double *y;          /* [rows]; above 0 for WLS and NNLS */
    const char *const *names; /* [cols], each column's */
    const int *group; /* [rows], 0..groups-1: the block a row belongs to (kernel, session); NULL: each its own */
    int groups;
};

struct em_fit_options {
    enum em_method method;
    int resamples;           /* of the bootstrap; 0: none, and all intervals are NAN */
    double confidence_ratio; /* of the intervals, e.g. 0.95 */
    uint64_t seed;
};

enum em_verdict {
    EM_IDENTIFIED,
    EM_COLLINEAR,   /* variance inflation above EM_VIF_LIMIT: other columns say the same */
    EM_COVERS_ZERO, /* the interval covers 0, or the non-negative fit put it there */
    EM_NO_INTERVAL  /* fewer than EM_BLOCKS_LEAST blocks, no bootstrap, or resamples without a solution */
};

/* With 4 blocks there are 35 different resamples: too few to cut 2.5 % off either end. */
enum { EM_VIF_LIMIT = 10, EM_BLOCKS_LEAST = 5 };

struct em_interval {
    double low, high;
};

/* Units of all: those of y over those of the column. */
struct em_coefficient {
    double value, standard_error;
    struct em_interval interval; /* percentile bootstrap over blocks */
    double huber;                /* the same coefficient when outliers count linearly only */
    double vif;                  /* variance inflation in the system that was solved, 1 or more; NAN: constant */
    double correlation[EM_SIDE]; /* Pearson with each column, last with y, over raw rows; NAN: constant */
    enum em_verdict verdict;
};

struct em_fit {
    enum em_method method;
    size_t rows;
    int cols, blocks;
    struct em_coefficient coefficient[EM_COLUMNS];
    double condition;           /* 2-norm, of the system solved, each column divided by its maximum */
    double r2;                  /* 1 - SSE / SST about the mean, in units of y whatever the method; may be below 0 */
    double mape_ratio;          /* mean |y - fit| / |y|; NAN if some y is 0 */
    double max_ape_ratio;       /* the largest of them */
    double slope, offset;       /* of the line y = offset + slope * fit: 1 and 0 when unbiased */
    double left_out_mape_ratio; /* mean over all rows, each predicted from the other blocks; NAN: impossible */
    double huber_share_ratio;   /* rows that the Huber loss counts linearly; about 0.18 for a normal distribution */
    double *fitted;             /* [rows] */
    double *left_out;           /* [rows] prediction from the other blocks; NAN where they could not be solved */
    double *resampled;          /* [resamples_solved][cols] bootstrap coefficients */
    double *noise;              /* [rows] residuals, relative to the fit for WLS and NNLS */
    int resamples, resamples_solved;
    struct em_fit_options options;
};

/**
 * Fits `data`; fills `fit`, which em_fit_fini() frees (also after a failure).
 * Returns 0; JRX_EINVAL: fewer rows than columns, a value that is not finite (row and column named), a column of zeros,
 * columns that depend on each other (named), y not above 0 under WLS or NNLS; JRX_ENOMEM.
 * Same data, options: same result, on any machine with the same LAPACK. Thread-safe.
 */
int em_fit_init(struct em_fit *fit, const struct em_data *data, const struct em_fit_options *options);
void em_fit_fini(struct em_fit *fit);

/**
 * Prediction for one row of columns: value; interval of the mean (coefficients uncertain), and of one new measurement
 * (noise too, drawn from the residuals). NAN intervals without a bootstrap. Pointers may be NULL. Pure.
 */
double em_predict(const struct em_fit *fit, const double *row, struct em_interval *mean, struct em_interval *single);

/** Mean left-out |y - prediction| / |y| over the rows of one group; NAN if there are none. Pure. */
double em_left_out_mape_ratio(const struct em_fit *fit, const struct em_data *data, int group);

/**
 * Additivity of a counter or a meter: how far the reading of A;B run in sequence is from A plus B, |ab - (a + b)| /
 * (a + b). A column that is off by more than 0.05 has no place in a linear model (Shahid et al. 2017). Pure.
 */
double em_additivity_ratio(double a, double b, double ab);

/** "ols", "wls", "nnls"; the method of that name or JRX_EINVAL. */
const char *em_method_name(enum em_method method);
int em_method_parse(const char *text, enum em_method *method);
/** "identified", or "not identifiable: " and why. */
const char *em_verdict_text(enum em_verdict verdict);

#endif
