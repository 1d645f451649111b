/*
 * What `joulerx stat` measured, and its three forms: table, CSV, JSON.
 */
#ifndef EXPERIMENTS_STAT_H
#define EXPERIMENTS_STAT_H
#include "harness/baseline.h"
#include "harness/table.h"
#include <stdio.h>

struct ex_stat_run {
    double at_s; /* of an interval: its end since the command began; NAN: a whole run */
    struct jrx_window_result result;
    struct jrx_baseline idle, active; /* of the machine just before; NAN: not measured */
};

struct ex_stat {
    const char *meter, *command;
    enum jrx_source source;
    size_t domains;
    const struct jrx_domain *domain;
    size_t runs;
    struct ex_stat_run *run;
    const struct jrx_warnings *warnings;
};

enum ex_stat_form { EX_STAT_TABLE, EX_STAT_CSV, EX_STAT_JSON };

/** Columns of EX_STAT_CSV. */
extern const struct jrx_schema ex_stat_schema;

/** Writes it. 0, JRX_EIO, JRX_ENOMEM. Every line with an energy carries its source. */
int ex_stat_print(const struct ex_stat *stat, enum ex_stat_form form, FILE *to);

#endif
