/*
 * Statistics of repeated measurements. NAN is a missing value: every function leaves missing values out, and gives NAN
 * where too few are left. Nothing here modifies its input.
 */
#ifndef HARNESS_STATS_H
#define HARNESS_STATS_H
#include <stddef.h>
#include <stdint.h>

struct jrx_summary {
    size_t n;                /* values that are not missing */
    double mean, sd, sem;    /* sd with n - 1; sd and sem are NAN for n < 2 */
    double min, max;         /* NAN for n = 0, as all below */
    double median, q25, q75; /* quantiles of type 7, see jrx_quantile() */
    double mad;              /* median of |x - median|, unscaled; 1.4826 of it estimates a normal sd */
};

/** All of the above. x[n] in any order. 0 or JRX_ENOMEM. Thread-safe. */
int jrx_summarize(const double *x, size_t n, struct jrx_summary *out);

/**
 * Quantile q in [0, 1] of sorted values without NAN: linear between order statistics at position q (n - 1).
 * NAN for n = 0. Pure. Source: Hyndman and Fan, "Sample quantiles in statistical packages", 1996, type 7.
 */
double jrx_quantile(const double *sorted, size_t n, double q);

/** Copies the values that are not NAN to out[n], ascending; returns how many. Pure. */
size_t jrx_sorted(const double *x, size_t n, double *out);

enum jrx_statistic {
    JRX_MEDIAN,
    JRX_MEAN,
    JRX_MEDIAN_RATIO,      /* median(a) / median(b) of paired data */
    JRX_PAIR_RATIO,        /* median of a / b, pair by pair: sharper where pairs drift together */
    JRX_MEDIAN_DIFFERENCE, /* median of a - b, pair by pair */
    JRX_MEAN_DIFFERENCE,   /* mean of a - b, pair by pair */
    JRX_STATISTICS
};

struct jrx_sample {
    const double *a;
    const double *b;       /* the pair's other half, for the last four statistics; else NULL */
    const uint32_t *group; /* values of one group (block, run) are drawn together; NULL: each stands alone */
    size_t n;
};

struct jrx_bootstrap {
    double level;   /* of the interval, in (0, 1); 0.95 */
    uint32_t draws; /* resamples; 2000 */
    uint64_t seed;
};

struct jrx_estimate {
    double value;     /* the statistic of the sample */
    double low, high; /* ends of the interval; NAN if there are fewer than 2 units */
    size_t units;     /* groups, or values (pairs) if not grouped, that had no missing part */
};

/* Below this many units no interval from the data alone can hold 95 % for a median: min..max of n holds 1 - 2^(1-n). */
enum { JRX_ENOUGH_UNITS = 6 };

/**
 * A statistic with its bootstrap percentile interval. Whole units are drawn with replacement: groups if given, else
 * values or pairs. The percentiles are moved outwards for few units, so that the interval of a mean of normal values
 * keeps about its level (those of medians hold more than asked): alpha/2 becomes Phi(-sqrt(n/(n-1)) t(1 - alpha/2,
 * n-1)).
 *
 * Returns 0; JRX_EINVAL if the level or draws are out of range or `b` does not fit the statistic; JRX_ENOMEM.
 * Depends on sample and seed alone; thread-safe.
 * Source: Efron 1979; Hesterberg, "What teachers should know about the bootstrap", 2015, section 4 (expanded
 * percentile interval).
 */
int jrx_bootstrap(const struct jrx_sample *sample, enum jrx_statistic statistic, const struct jrx_bootstrap *how,
                  struct jrx_estimate *out);

struct jrx_test {
    double effect;    /* Welch: mean(a) - mean(b); Mann-Whitney: P(a > b) + P(a = b)/2; Spearman: rho */
    double statistic; /* t, U of a, rho */
    double df;        /* degrees of freedom of t; NAN where there are none */
    double p;         /* two-sided */
    double low, high; /* 95 % interval of the effect, Welch only; else NAN */
};

/** Welch's t test. All NAN but `effect` if either side has fewer than 2 values or both have no spread. Pure. */
void jrx_welch(const double *a, size_t na, const double *b, size_t nb, struct jrx_test *out);

/**
 * Mann-Whitney U test: exact p without ties up to 20 values a side, else the normal approximation with tie and
 * continuity correction. 0 or JRX_ENOMEM.
 */
int jrx_mann_whitney(const double *a, size_t na, const double *b, size_t nb, struct jrx_test *out);

/**
 * Spearman's rank correlation of pairs, ties by mean rank; p from t with n - 2 degrees of freedom (rough below n = 10).
 * rho is NAN if a side is constant or fewer than 3 pairs are whole. 0 or JRX_ENOMEM.
 */
int jrx_spearman(const double *a, const double *b, size_t n, struct jrx_test *out);

/** Student's t: P(T <= t), and the t of a probability p in (0, 1). df > 0. Pure, to about 1e-10. */
double jrx_t_cdf(double t, double df);
double jrx_t_quantile(double p, double df);
/** The standard normal distribution, and its inverse. Pure. */
double jrx_normal_cdf(double z);
double jrx_normal_quantile(double p);

#endif
