/*
 * What a sweep came to: summary.csv (a row a cell), traffic.csv (a row a cell, level and tensor), and both for people.
 */
#ifndef EXPERIMENTS_MEASURED_SUMMARY_H
#define EXPERIMENTS_MEASURED_SUMMARY_H
#include "experiments/call.h"
#include "experiments/sweep.h"
#include <stdio.h>

/** Writes both files into `dir`; traffic[] of each cell. 0, JRX_EFORMAT, JRX_EIO, JRX_ENOMEM. */
int ex_summarise(const char *dir, const struct jrx_csv *samples, const struct ex_sweep *sweep,
                 const struct ex_traffic *traffic, const struct jrx_cache_geometry *geometry);

/** <dir>/summary.csv as a table for people, or as it is. 0, JRX_EIO, JRX_EFORMAT. */
int ex_summary_print(FILE *to, const char *dir);
int ex_summary_copy(FILE *to, const char *dir);

/** Heading and line of a cell that was simulated only. */
void ex_traffic_head(FILE *to);
void ex_traffic_print(FILE *to, const char *label, const struct ex_traffic *traffic, const double *model);

#endif
