/*
 * Samples of one cell, read back from samples.csv: what conclude functions compute with.
 */
#ifndef EXPERIMENTS_SERIES_H
#define EXPERIMENTS_SERIES_H
#include "harness/meter.h"
#include "harness/stats.h"
#include "harness/table.h"

/**
 * The values of `column` in the rows whose cell is `cell`, in order of repetition, NAN where missing, into values[max].
 * Returns how many, or JRX_EFORMAT.
 */
int ex_series(const struct jrx_csv *samples, const char *cell, const char *column, double *values, int max);

/** Median of that series with its 95 % bootstrap interval; all NAN if there is nothing. 0 or JRX_EFORMAT, JRX_ENOMEM.
 */
int ex_median(const struct jrx_csv *samples, const char *cell, const char *column, struct jrx_estimate *estimate);

/** The text that all rows have in `column`; JRX_EFORMAT if they differ: sources are never mixed. */
int ex_only_text(const struct jrx_csv *samples, const char *column, const char **text);

/** The source of that name; JRX_SOURCE_NONE for any other text. Pure. */
enum jrx_source ex_source(const char *name);

/** Puts <name>_<unit>, <name>_ci_lo_<unit> and <name>_ci_hi_<unit>. */
void ex_put_estimate(struct jrx_table *table, const char *name, const char *unit, const struct jrx_estimate *estimate,
                     double scale);

/* The columns that ex_put_estimate() fills: what "floor", unit "ratio". */
#define EX_ESTIMATE_COLUMNS(what, unit, doc)                                                                           \
    {what "_" unit, JRX_REAL, doc}, {what "_ci_lo_" unit, JRX_REAL, "lower end of its 95 % interval"},                 \
    {                                                                                                                  \
        what "_ci_hi_" unit, JRX_REAL, "upper end"                                                                     \
    }

/** Median of `column` in cell a over that in cell b, repetitions drawn as pairs. 0 or JRX_EFORMAT, JRX_ENOMEM. */
int ex_ratio(const struct jrx_csv *samples, const char *a, const char *b, const char *column,
             struct jrx_estimate *estimate);

/**
 * Writes <dir>/<file>, whole or not at all. `put` fills row number 0..rows-1 and returns 0 or why not.
 */
int ex_rows(const char *dir, const char *file, const struct jrx_schema *schema, int rows,
            int (*put)(void *context, int row, struct jrx_table *table), void *context);
/** The same for <dir>/summary.csv. */
int ex_summary(const char *dir, const struct jrx_schema *schema, int rows,
               int (*put)(void *context, int row, struct jrx_table *table), void *context);

/** The last row whose `key` is `name`, of a table that has `column`; JRX_EFORMAT. And the number it holds there. */
int ex_last(const struct jrx_csv *csv, const char *key, const char *name, const char *column);
int ex_last_real(const struct jrx_csv *csv, const char *key, const char *name, const char *column, double *value);

enum { EX_MAX_REPS = 1024 };

#endif
