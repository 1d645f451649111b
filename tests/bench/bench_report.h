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
    int calls;         /* in a sample */
    int wanted, taken; /* samples */
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
    struct jrx_arena *memory; /* of the operands */
    unsigned
        hopeless[BENCH_ROLES]; /* a bit a format of oneDNN's that was, in an earlier case of this layer and direction */
    int disturbed;             /* somebody else was felt, each time it was tried */
};

/* Geometric means over the cases of a group. */
struct bench_group {
    char name[64];
    double log_ratio, log_least, log_peak; /* sums of logarithms: ratio of medians, of minima, share of the peak */
    double worst;
    char worst_case[48];
    int count, peaks, below; /* below: cases more than a tenth short of the bar */
};

/* AVX2 beside AVX-512 in one operator and direction: sums of logarithms. */
struct bench_widths {
    double log_narrow, log_wide, log_speed; /* share of their own peak; how much faster AVX2 is */
    int count;
};

struct bench_report {
    FILE *csv, *groups_csv;
    struct bench_group group[BENCH_MAX_GROUPS];
    int groups, disturbed;
    struct bench_widths widths[KN_OPS][KN_DIRS];
};

/** The group of a case: operator, direction and kind, which the bars of the issue are set for. Returns text. */
char *bench_group_name(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, char *text, size_t size);

/** The role that a row's `role` and `who` name. */
enum bench_role bench_role_find(const char *role, const char *who);

/** The runner of a role with the least median; NULL if there is none. */
const struct bench_runner *bench_best(const struct bench_case *c, enum bench_role role);

/** Writes the header of the cases. */
void bench_report_begin(struct bench_report *report);
/** Prints a case, adds it to its groups and writes its rows. */
void bench_report_case(struct bench_report *report, const struct bench_case *c);
/** Prints the groups beside their bars and writes them. */
void bench_report_end(const struct bench_report *report);

#endif
