/*
 * Linear energy models: y = sum of coefficient * column, with all that is needed to say whether a coefficient means
 * anything. An R2 near 1 does not: left-out error, intervals and variance inflation do.
 */
#ifndef MODELS_ENERGY_FIT_H
#define MODELS_ENERGY_FIT_H
#include "models/energy/solve.h"
#include <stddef.h>
#include <stdint.h>

/*
 * Least squares; with coefficients >= 0; with outliers counted linearly only (Huber); with coefficients drawn towards
 * 0. Huber's weights are found once, and then belong to the rows: resamples and left-out fits keep them.
 */
enum em_method { EM_OLS, EM_NNLS, EM_HUBER, EM_RIDGE, EM_METHODS };

/* There is no hidden intercept: a column of ones is the constant. */
struct em_data {
    size_t rows;
    int cols;                 /* 1..EM_COLUMNS */
    const double *x;          /* [cols][rows] */
    const double *y;          /* [rows]; above 0 if errors are relative */
    const char *const *names; /* [cols] */
    const int *group;         /* [rows], 0..groups-1: the block of the row (kernel, session, workload); NULL: blocks are
                                 EM_RUNS runs of neighbouring rows, as rows measured one after the other resemble each other */
    int groups;
};
enum { EM_RUNS = 20 };

struct em_fit_options {
    enum em_method method;
    int resamples;           /* of the bootstrap; 0: none, and all intervals are NAN */
    double confidence_ratio; /* of the intervals, between 0 and 1, e.g. 0.95 */
    uint64_t seed;
    int relative;  /* row i is divided by y_i: relative errors count, long runs do not own the fit */
    int jackknife; /* intervals from the fits that leave one block out instead of from the bootstrap: for designs in
                      which a term rests on few blocks, that a draw of blocks would miss */
    double ridge;  /* of EM_RIDGE: squared penalty over the squared norm of the column; 0: chosen by left-out blocks */
};

enum em_verdict {
    EM_IDENTIFIED,
    EM_COLLINEAR,   /* variance inflation above EM_VIF_LIMIT: other columns say the same */
    EM_COVERS_ZERO, /* the interval covers 0 */
    EM_NEGATIVE,    /* the interval is below 0, and nothing gives energy back */
    EM_NO_INTERVAL, /* no bootstrap, fewer than EM_BLOCKS_LEAST blocks, or over a tenth of the resamples unsolvable */
    EM_VERDICTS
};
/* With 4 blocks there are 35 different resamples: too few to cut 2.5 % off either end. */
enum { EM_VIF_LIMIT = 10, EM_BLOCKS_LEAST = 5 };

struct em_interval {
    double low, high;
};

/* value, standard_error, interval, huber: in units of y over units of the column. */
struct em_coefficient {
    double value;
    double standard_error;       /* classical; NAN without degrees of freedom, for a column held at 0, and for ridge */
    struct em_interval interval; /* percentile bootstrap over blocks, widened for few of them (em_tail()), never
                                    narrower than the jackknife's of t; or the jackknife's alone */
    double jackknife_error;      /* of leaving out one block at a time; NAN where that leaves the design unsolvable */
    double huber;                /* the coefficient when outliers count linearly only; NAN if it did not converge */
    double vif;                  /* variance inflation in the system that was solved, 1 or more; NAN: a constant */
    double correlation[EM_SIDE]; /* Pearson, over raw rows, with each column and last with y; NAN: a constant */
    enum em_verdict verdict;
};

struct em_fit {
    struct em_fit_options options;
    size_t rows;
    int cols, blocks;
    struct em_coefficient coefficient[EM_COLUMNS];
    double condition;           /* 2-norm, of the system that was solved, each column divided by its largest value */
    double r2;                  /* 1 - SSE / SST about the mean, in units of y whatever the method; may be below 0 */
    double mape_ratio;          /* mean |y - fit| / |y|; NAN if some y is 0 */
    double max_ape_ratio;       /* the largest of them */
    double slope, offset;       /* of the least-squares line y = offset + slope * fit: 1 and 0 when unbiased */
    double left_out_mape_ratio; /* mean over all rows, each predicted from the other blocks; NAN: impossible */
    double huber_share_ratio;   /* rows that the Huber loss counts linearly; 0.18 of normal noise; NAN as huber */
    double *fitted;             /* [rows] */
    double *left_out;           /* [rows] prediction from the other blocks; NAN where those do not determine one */
    int *block;                 /* [rows] 0..blocks-1: the group, or the run of neighbours */
    double *without;            /* [blocks][cols] coefficients of the fits that leave a block out; NAN: unsolvable */
    double *resampled;          /* [resamples_solved][cols] */
    int resamples_solved;
    double *noise; /* [noises] residuals, y - fit or if relative y / fit - 1, widened by sqrt(rows / freedom) */
    size_t noises;
};

struct em_prediction {
    double value;
    struct em_interval mean;   /* of the expectation: coefficients are uncertain */
    struct em_interval single; /* of one new measurement: and there is noise */
};

/**
 * Fits `data`. Fill of `fit` is undefined before; em_fit_fini() frees it, also after a failure.
 * Returns 0; JRX_EINVAL: fewer rows than columns, a value that is not finite (row and column named), a column of zeros,
 * columns that depend on each other (named), y not above 0 where errors are relative, an option out of range;
 * JRX_ENOMEM. Same data and options: same result. Thread-safe, does no I/O.
 */
int em_fit_init(struct em_fit *fit, const struct em_data *data, const struct em_fit_options *options);
void em_fit_fini(struct em_fit *fit);

/**
 * Covariance of coefficients a and b from the fits that leave one block out: (blocks - 1) / blocks times the sum of
 * products of their deviations. With t of blocks - 1 degrees of freedom its intervals cover what they say with few and
 * unequal blocks (CR3: Cameron and Miller, "A practitioner's guide to cluster-robust inference", J. Human Resources 50,
 * 2015, VI). NAN if a block cannot be left out. Pure.
 */
double em_jackknife_covariance(const struct em_fit *fit, int a, int b);

/** Predicts y for row[cols]. Intervals are NAN without a bootstrap. 0 or JRX_ENOMEM. */
int em_predict(const struct em_fit *fit, const double *row, struct em_prediction *prediction);

/** Mean |y - left_out| / |y| over the rows of a block: the honest error on what was not seen. NAN: unknown. Pure. */
double em_left_out_mape_ratio(const struct em_fit *fit, const struct em_data *data, int block);

/**
 * Additivity of a counter or meter: |ab - (a + b)| / (a + b), where ab is its reading of A and B run in sequence. A
 * column that is off by more than 0.05 has no place in a linear model (Shahid et al. 2017). NAN if a + b is 0. Pure.
 */
double em_additivity_ratio(double a, double b, double ab);

/** "ols", "nnls", "huber", "ridge"; the method of a name, or JRX_EINVAL. */
const char *em_method_name(enum em_method method);
int em_method_parse(const char *text, enum em_method *method);
/** "identified", or "not identifiable: " and why. */
const char *em_verdict_text(enum em_verdict verdict);

#endif
