#include "experiments/series.h"
#include "harness/base/error.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int ex_series(const struct jrx_csv *samples, const char *cell, const char *column, double *values, int max)
{
    int cells = jrx_csv_find(samples, "cell"), reps = jrx_csv_find(samples, "rep"),
        from = jrx_csv_find(samples, column), count = 0;
    if (cells < 0 || reps < 0 || from < 0)
        return JRX_EFORMAT;
    for (int i = 0; i < max; i++)
        values[i] = NAN;
    for (size_t row = 0; row < jrx_csv_rows(samples); row++) {
        int64_t rep;
        if (strcmp(jrx_csv_text(samples, row, (size_t)cells), cell))
            continue;
        int status = jrx_csv_integer(samples, row, (size_t)reps, -1, &rep);
        if (status)
            return status;
        if (rep < 0 || rep >= max)
            return jrx_fail(JRX_EFORMAT, "samples row %zu: repetition %lld is out of range", row + 1, (long long)rep);
        if ((status = jrx_csv_real(samples, row, (size_t)from, &values[rep])))
            return status;
        if (rep >= count)
            count = (int)rep + 1;
    }
    return count;
}

int ex_median(const struct jrx_csv *samples, const char *cell, const char *column, struct jrx_estimate *estimate)
{
    double values[EX_MAX_REPS];
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 2000, .seed = 1};
    *estimate = (struct jrx_estimate){NAN, NAN, NAN, 0};
    int count = ex_series(samples, cell, column, values, EX_MAX_REPS);
    if (count <= 0)
        return count;
    const struct jrx_sample sample = {.a = values, .n = (size_t)count};
    return jrx_bootstrap(&sample, JRX_MEDIAN, &how, estimate);
}

enum jrx_source ex_source(const char *name)
{
    enum jrx_source source;
    return jrx_source_parse(name, &source) ? JRX_SOURCE_NONE : source;
}

int ex_only_text(const struct jrx_csv *samples, const char *column, const char **text)
{
    int at = jrx_csv_find(samples, column);
    *text = "";
    if (at < 0)
        return at;
    for (size_t row = 0; row < jrx_csv_rows(samples); row++) {
        const char *here = jrx_csv_text(samples, row, (size_t)at);
        if (row && strcmp(here, *text))
            return jrx_fail(JRX_EFORMAT,
                            "samples: column %s holds both '%s' and '%s'; run the experiment anew with one meter",
                            column, *text, here);
        *text = here;
    }
    return 0;
}

void ex_put_estimate(struct jrx_table *table, const char *name, const char *unit, const struct jrx_estimate *estimate,
                     double scale)
{
    static const char *const part[] = {"", "_ci_lo", "_ci_hi"};
    const double value[] = {estimate->value, estimate->low, estimate->high};
    for (int i = 0; i < 3; i++) {
        char column[96];
        snprintf(column, sizeof column, "%s%s_%s", name, part[i], unit);
        jrx_put_real(table, column, value[i] * scale);
    }
}

int ex_ratio(const struct jrx_csv *samples, const char *a, const char *b, const char *column,
             struct jrx_estimate *estimate)
{
    double over[EX_MAX_REPS], under[EX_MAX_REPS];
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    int n = ex_series(samples, a, column, over, EX_MAX_REPS), m = ex_series(samples, b, column, under, EX_MAX_REPS);
    if (n < 0 || m < 0)
        return JRX_EFORMAT;
    const struct jrx_sample sample = {.a = over, .b = under, .n = (size_t)(n < m ? n : m)};
    return jrx_bootstrap(&sample, JRX_MEDIAN_RATIO, &how, estimate);
}

int ex_rows(const char *dir, const char *file, const struct jrx_schema *schema, int rows,
            int (*put)(void *context, int row, struct jrx_table *table), void *context)
{
    char path[PATH_MAX + 64];
    struct jrx_table *table;
    snprintf(path, sizeof path, "%s/%s", dir, file);
    int status = jrx_table_open(&table, path, schema, JRX_TABLE_WHOLE);
    if (status)
        return status;
    for (int row = 0; row < rows && !status; row++) {
        status = put(context, row, table);
        if (!status)
            status = jrx_table_row(table);
    }
    if (!status)
        return jrx_table_close(table);
    jrx_table_leave(table);
    return status;
}

int ex_summary(const char *dir, const struct jrx_schema *schema, int rows,
               int (*put)(void *context, int row, struct jrx_table *table), void *context)
{
    return ex_rows(dir, "summary.csv", schema, rows, put, context);
}

int ex_last(const struct jrx_csv *csv, const char *key, const char *name, const char *column)
{
    int at = jrx_csv_find(csv, key), last = -1;
    if (at < 0 || jrx_csv_find(csv, column) < 0)
        return JRX_EFORMAT;
    for (size_t row = 0; row < jrx_csv_rows(csv); row++)
        if (!strcmp(jrx_csv_text(csv, row, (size_t)at), name))
            last = (int)row;
    return last >= 0 ? last : jrx_fail(JRX_EFORMAT, "no row has %s '%s'", key, name);
}

int ex_last_real(const struct jrx_csv *csv, const char *key, const char *name, const char *column, double *value)
{
    int row = ex_last(csv, key, name, column);
    *value = NAN;
    return row < 0 ? row : jrx_csv_real(csv, (size_t)row, (size_t)jrx_csv_find(csv, column), value);
}
