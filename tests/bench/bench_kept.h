/*
 * What earlier runs left in the same folder: the list can be run in parts, one call of the program a part.
 */
#ifndef TESTS_BENCH_KEPT_H
#define TESTS_BENCH_KEPT_H
#include "harness/table.h"
#include "tests/bench/bench_report.h"
#include <jansson.h>

struct bench_kept {
    struct jrx_csv *cases; /* NULL: none */
    json_t *parts;         /* of meta.json's bench, one object a run */
};

/** Reads <dir>/cases.csv and <dir>/meta.json, where there are any. 0; what jrx_csv_read() returns. */
int bench_kept_read(struct bench_kept *kept, const char *dir);
void bench_kept_fini(struct bench_kept *kept); /* also on a zeroed struct */

/** Reports the cases of groups whose names do not begin with `filter` as if they had been measured now. How many;
 * JRX_EFORMAT: not a file of bench_kernels. */
int bench_kept_report(const struct bench_kept *kept, const char *filter, struct bench_report *report);

#endif
