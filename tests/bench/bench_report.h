/*
 * The figures of bench_kernels: a line a case, groups with their bars, CSV.
 */
#ifndef TESTS_BENCH_REPORT_H
#define TESTS_BENCH_REPORT_H
#include "harness/stats.h"
#include "tests/bench/peer.h"
#include <stdio.h>

enum { BENCH_MAX_ROUNDS = 101, BENCH_MAX_GROUPS = 64 };

/* One runner of a case with its samples, seconds a call. */
struct bench_runner {
    struct bench_peer peer;
    int calls; /* in a sample */
    double s[BENCH_MAX_ROUNDS];
    struct jrx_summary summary;
};

struct bench_case {
    enum kn_op op;
    enum kn_dir dir;
    struct kn_shape shape;
    const char *layer;
    int threads, rounds;
    struct bench_runner *runner;
    int count;
};

/* Geometric means over the cases of a group. */
struct bench_group {
    char name[64];
    double log_ratio, log_least, log_peak; /* sums of logarithms: ratio of medians, of minima, share of the peak */
    double worst;
    int count, peaks;
};

struct bench_report {
    FILE *csv;
    struct bench_group group[BENCH_MAX_GROUPS];
    int groups;
};

/** The group of a case: operator, direction and kind, which the bars of the issue are set for. Returns text. */
char *bench_group_name(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, char *text, size_t size);

/** Writes the CSV's header. */
void bench_report_begin(struct bench_report *report);
/** Summarises the runners' samples, prints the case, adds it to its groups and writes its rows. */
void bench_report_case(struct bench_report *report, struct bench_case *c);
/** The groups beside their bars. */
void bench_report_end(const struct bench_report *report);

#endif
