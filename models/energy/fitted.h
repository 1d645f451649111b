/*
 * A machine's own coefficients with their covariance: what a fit of its measured energy gives and em_estimate_fitted()
 * uses. In memory in SI units (W, J/FLOP, J/byte), in the file, an INI, in W and pJ.
 *
 *     [profile] name, cpu, source (measured or replayed), about
 *     [package] blocks, freedom, confidence_percent, left_out_mape_percent;  [dram] likewise, or missing
 *     [package.flop] value, unit, low, high, verdict, covariance_TERM with each term before it and with itself
 */
#ifndef MODELS_ENERGY_FITTED_H
#define MODELS_ENERGY_FITTED_H
#include "models/energy/fit.h"
#include <stdio.h>

enum em_term {
    EM_TERM_TIME,  /* [s] power that always flows: the machine idle */
    EM_TERM_AWAKE, /* [s] more while anything runs, however many threads */
    EM_TERM_CPU,   /* [s] more for each busy thread: CPU time */
    EM_TERM_FLOP,
    EM_TERM_L1, /* [byte], as the next three; levels as in enum em_level */
    EM_TERM_L2,
    EM_TERM_L3,
    EM_TERM_DRAM,
    EM_TERMS
};

enum em_response { EM_PACKAGE, EM_MEMORY, EM_RESPONSES };

/* One response: y = sum of value[k] * x[k] over the terms used. */
struct em_fitted {
    int fitted; /* 0: this machine has no such meter, and the rest means nothing */
    unsigned char used[EM_TERMS];
    double value[EM_TERMS]; /* [W, J/FLOP, J/byte]; 0 where not used */
    struct em_interval interval[EM_TERMS];
    enum em_verdict verdict[EM_TERMS];
    double covariance[EM_TERMS][EM_TERMS]; /* of the values */
    int blocks;
    double freedom; /* blocks - 1: of Student's t */
    double confidence_ratio;
    double left_out_mape_ratio; /* each block predicted from the others; NAN: unknown */
};

struct em_profile {
    char name[96], cpu[96], source[16], about[256];
    struct em_fitted of[EM_RESPONSES];
};

/** "time", "awake", "cpu", "flop", "l1", "l2", "l3", "dram"; and "W", "pJ/FLOP", "pJ/byte". */
const char *em_term_name(enum em_term term);
const char *em_term_unit(enum em_term term);
/** The term of a name, or -1. */
int em_term_find(const char *name);
/** "package", "dram". */
const char *em_response_name(enum em_response response);

/**
 * Takes what `fit` found, its column j being term[j], each at most once. The covariance is the jackknife's
 * (em_jackknife_covariance()). 0; JRX_EINVAL: fewer than EM_BLOCKS_LEAST blocks, or a term that rests on one of them.
 */
int em_fitted_set(struct em_fitted *fitted, const struct em_fit *fit, const enum em_term *term);

/** Adds an error that scales all energies alike, as a meter's does: no block differs by it, so no fit shows it. Widens
 * covariance and intervals by that half-width, relative, of the same confidence. */
void em_fitted_scale_error(struct em_fitted *fitted, double half_width_ratio);

/** Value, and half-width of its interval, of a row x[EM_TERMS] in s, FLOP and bytes. A term that is not used does not
 * look at x. NAN if x is missing for a term whose value is not 0. Pure. */
double em_fitted_value_j(const struct em_fitted *fitted, const double *x, double *half_width_j);

/** Reads and writes the file. 0; JRX_EINVAL: no such file; JRX_EIO, JRX_EPERMISSION; JRX_EFORMAT naming file, section
 * and key. */
int em_profile_load(const char *path, struct em_profile *profile);
int em_profile_print(const struct em_profile *profile, FILE *to);

#endif
