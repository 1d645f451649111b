/*
 * The end of a run: the table of claims on a terminal, and report.html, one file that shows every figure.
 */
#ifndef EXPERIMENTS_REPORT_H
#define EXPERIMENTS_REPORT_H
#include "experiments/runner.h"
#include <stdio.h>

/** Prints the claims of the listed experiments (those that have any in `dir`), one block each. 0 or a read error. */
int ex_report_claims(FILE *to, const char *dir, const struct ex_experiment *const *list, size_t count);

/**
 * Writes <dir>/report.html from what lies in <dir> and nothing else: claims, figures (embedded, so that the file can be
 * sent alone), summaries as sortable tables, what is measured and what is not, machine, warnings. Only experiments that
 * have left a folder are shown. path receives its name. 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT.
 */
int ex_report_html(const char *dir, const struct ex_experiment *const *list, size_t count, char *path, size_t size);

/**
 * Draws the figures of a run again from its CSV files. Those of an experiment whose summary lacks columns, as an
 * earlier version wrote it, stay as they are; `old` receives their names, "" for none. 0; JRX_EINVAL if there is no
 * summary; what ex_figure() returns.
 */
int ex_report_figures(const char *dir, const struct ex_experiment *const *list, size_t count, char *old, size_t size);

#endif
