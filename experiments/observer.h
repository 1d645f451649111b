/*
 * What is looked at in every measured region besides its time and energy: hardware counters, in passes of their own;
 * LIKWID's marker regions; and the columns that this machine adds to samples.csv, one pair a domain of its meter.
 */
#ifndef EXPERIMENTS_OBSERVER_H
#define EXPERIMENTS_OBSERVER_H
#include "experiments/known.h"
#include "harness/markers.h"
#include "harness/meter.h"
#include "harness/table.h"
#include <jansson.h>

/* Columns of the counters, the same on every machine: empty where a metric is not counted. */
#define EX_COUNTED_COLUMNS                                                                                             \
    {"counted_flop", JRX_REAL, "counted FLOP of one call; empty where there is no such counter"},                      \
        {"counted_l2_read_bytes", JRX_REAL, "counted bytes from L2 to L1 of one call"},                                \
        {"counted_l2_write_bytes", JRX_REAL, "counted bytes from L1 to L2"},                                           \
        {"counted_l3_read_bytes", JRX_REAL, "counted bytes from L3 (or memory) to L2"},                                \
        {"counted_l3_write_bytes", JRX_REAL, "counted bytes from L2 to L3"},                                           \
        {"counted_dram_read_bytes", JRX_REAL, "counted bytes read from memory"},                                       \
        {"counted_dram_write_bytes", JRX_REAL, "counted bytes written to memory"},                                     \
        {"counted_time_ns", JRX_REAL, "wall time of one call while it was counted, apart from the energy's window"},   \
        {"counted_source", JRX_TEXT, "measured, simulated or estimated (what the program declares of itself)"},        \
    {                                                                                                                  \
        "counted_status", JRX_TEXT, "ok, or why the counts are missing"                                                \
    }

enum { EX_EXTRA_COLUMNS = 2 * JRX_DOMAINS + JRX_SET_METRICS, EX_COLUMN_NAME = 80 };

struct ex_observer {
    struct jrx_counting counting;
    struct jrx_truth truth[EX_TRUTHS];
    size_t truths;
    struct jrx_markers markers;
    size_t domains;
    size_t columns; /* energy_<domain>_j and its uncertainty for each domain, then metrics without a fixed column */
    struct jrx_column column[EX_EXTRA_COLUMNS];
    char name[EX_EXTRA_COLUMNS][EX_COLUMN_NAME];
};

struct ex_observer_options {
    const char *counters;                    /* jrx_counting_open(): NULL = "auto" */
    const struct jrx_cache_geometry *caches; /* for the truth check */
    const char *sysfs;
    int threads;
    struct jrx_sde *sde;
};

/**
 * Opens counters and markers for an open meter, and counts regions of known work. 0; what jrx_counting_open() and
 * ex_known_check() return; JRX_EUNAVAILABLE if likwid-perfctr runs us and its library cannot be loaded.
 */
int ex_observer_open(struct ex_observer *observer, const struct jrx_meter *meter,
                     const struct ex_observer_options *options, struct jrx_warnings *warnings);
void ex_observer_close(struct ex_observer *observer); /* also on a zeroed struct */

/** "counted_flop" for the metric flop, into name. Pure. */
const char *ex_counted_column(const struct jrx_metric *metric, char name[EX_COLUMN_NAME]);
/** Whether a schema is that of measured regions: it has EX_COUNTED_COLUMNS. Pure. */
int ex_is_measured(const struct jrx_column *column, size_t columns);

/** Counters and truth ratios for meta.json; new references. */
json_t *ex_observer_counters_json(const struct ex_observer *observer);
json_t *ex_observer_truth_json(const struct ex_observer *observer);
/** The truth ratios, one a line. */
void ex_observer_print(const struct ex_observer *observer, FILE *to);

#endif
