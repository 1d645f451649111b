/*
 * Samples of a calibration as rows of a fit, and the fit. For calibration_*.c only.
 */
#ifndef EXPERIMENTS_CALIBRATION_ROWS_H
#define EXPERIMENTS_CALIBRATION_ROWS_H
#include "experiments/calibration.h"

/* One row a sample; energies and terms of one call. */
struct ex_rows {
    size_t count, fitted;           /* samples; those that are fitted come first */
    size_t *sample;                 /* row in samples.csv */
    int *group;                     /* [fitted] */
    int groups, threads;            /* threads: the most that a row has */
    double *energy_j[EM_RESPONSES]; /* [count] */
    double *term[EM_TERMS];         /* [count] */
    int have[EM_RESPONSES];
    double *uncertainty_j[EM_RESPONSES]; /* of energy_j, by the meter alone */
    double *scratch;
    double *predicted_j[EM_RESPONSES], *left_out_j[EM_RESPONSES]; /* [count]; NAN where there is none */
    double *memory;
};

/* Both responses, as far as they were measured. */
struct ex_coefficients {
    struct em_fit fit[EM_RESPONSES];
    enum em_term term[EM_RESPONSES][EM_TERMS]; /* of each column of the fit */
    struct em_profile profile;                 /* head not filled in */
};

/**
 * Takes the samples with an energy, random data first. What additivity.csv (NULL: there is none) keeps of hardware's
 * counts stands for what is known or simulated, if all samples have it. 0 or JRX_ENOMEM.
 */
int ex_rows_init(struct ex_rows *rows, const struct jrx_csv *samples, const struct jrx_csv *additivity);
void ex_rows_fini(struct ex_rows *rows); /* also on a zeroed struct */

/** Fits one response: coefficients of at least 0, relative errors, jackknife over groups, and
 * the meter's own error on top. Fills predicted_j and
 * left_out_j. 0, JRX_ENOMEM, what em_fit_init() and em_fitted_set() return. */
int ex_rows_fit(struct ex_rows *rows, enum em_response response, uint64_t seed, struct ex_coefficients *to);

/** A field of a sample: NAN or "" if it is missing. */
double ex_field_real(const struct jrx_csv *csv, size_t row, const char *column);
const char *ex_field_text(const struct jrx_csv *csv, size_t row, const char *column);

#endif
