/*
 * What `joulerx fit` says about a fit: to people, as JSON, as CSV and in figures.
 */
#ifndef EXPERIMENTS_FIT_REPORT_H
#define EXPERIMENTS_FIT_REPORT_H
#include "experiments/fit_input.h"
#include <stdio.h>

struct ex_fit_report {
    const struct ex_fit_request *request;
    const struct ex_fit_input *input;
    const struct em_fit *fit;
};

enum { EX_ADVICE = 512, EX_FIT_WARNINGS = EM_COLUMNS + 8 };

/**
 * Why term j is not identifiable, with the term it goes together with, and which further kernels would separate them;
 * "" if it is identified. Returns text. Pure.
 */
const char *ex_fit_advice(const struct ex_fit_report *report, int j, char text[EX_ADVICE]);
/** The kernel that makes a term vary alone, as a sentence's end: "loads that stay in L2". Pure. */
const char *ex_separating_kernel(const char *term);
/** All that a reader must know before using the coefficients. Returns how many lines. */
int ex_fit_warnings(const struct ex_fit_report *report, char (*text)[EX_ADVICE]);
/** "1/y" or "1". */
const char *ex_fit_weights(const struct ex_fit_request *request);
/** Name of the group of row i; `run` holds it where rows have no groups. */
const char *ex_fit_group(const struct ex_fit_report *report, size_t row, char run[16]);

void ex_fit_print(const struct ex_fit_report *report, FILE *to);
/** 0, JRX_ENOMEM. */
int ex_fit_json(const struct ex_fit_report *report, FILE *to);
/** A row for each row of the fit: group, observed, fitted, left out, residuals. "-": standard output. 0 or as ex_sheet.
 */
int ex_fit_rows(const struct ex_fit_report *report, const char *path);
/**
 * Into folder `dir`, made if need be: rows.csv, breakdown.csv, and the figures fit_predicted, fit_residuals,
 * fit_breakdown. 0, JRX_EIO, JRX_EPERMISSION, what ex_figure() returns.
 */
int ex_fit_figures(const struct ex_fit_report *report, const char *dir);
/**
 * The coefficients with their jackknife covariance as the profile `path` (models/energy/fitted.h), for `joulerx
 * estimate --profile`; the fit must have been made with em_fit_options.jackknife. `as`: what each term is there,
 * "time,flop,l2". `dram`: the response is the memory's energy. A file that is there keeps its other response.
 * 0; JRX_EINVAL: names that do not fit the terms or their units, energy that is neither measured nor replayed, a file
 * of another source; what em_fitted_set(), em_profile_load(), jrx_file_replace() return.
 */
int ex_fit_profile(const struct ex_fit_report *report, const char *as, int dram, const char *path);

#endif
