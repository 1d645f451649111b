/*
 * The cells of a sweep, measured: the experiment behind `joulerx measure`, which other commands use as well.
 */
#ifndef EXPERIMENTS_MEASURED_H
#define EXPERIMENTS_MEASURED_H
#include "experiments/call.h"
#include "experiments/runner.h"
#include "experiments/sweep.h"

struct ex_measure_options {
    int reps;             /* 0: the preset's */
    double window_s;      /* 0: the preset's */
    int sample;           /* one cache set in so many is simulated; 1: all */
    int csv;              /* print summary.csv instead of a table */
    int fresh;            /* 1: buffers anew for each repetition, so that no cell is lucky with its pages all along */
    uint64_t deadline_ns; /* on jrx_clock_ns(): no repetition starts after it; 0: none */
};

/**
 * Opens a session, measures the cells into dir[EX_MEASURE_DIR] = <session's folder>/measure, closes; prints nothing but
 * progress; dir is "" if there was no session. 0; JRX_EINTERRUPTED after Ctrl-C or past the deadline: what was finished
 * is in samples.csv.part; whatever else failed.
 */
int ex_measure_cells(const struct ex_sweep *sweep, const struct ex_session_options *session,
                     const struct ex_measure_options *options, char *dir);
enum { EX_MEASURE_DIR = PATH_MAX + 16 };

/**
 * Opens a session, measures the cells into <dir>/measure/ (samples.csv, summary.csv, traffic.csv, figure), prints the
 * summary on stdout and the folder on stderr, closes. 0 or what failed; after an interruption it says how to go on.
 */
int ex_measure_sweep(const struct ex_sweep *sweep, const struct ex_session_options *session,
                     const struct ex_measure_options *options);

/** Prints each cell with its modelled and simulated traffic and how fast the simulation was; measures nothing. */
int ex_measure_dry(const struct ex_sweep *sweep, const struct ex_session_options *session,
                   const struct ex_measure_options *options);

/** Modelled bytes of a warm call of the cell in the machine's caches, per level as in struct ex_traffic; NAN where the
 * model has nothing to say. 0 or JRX_EINVAL. */
int ex_cell_model(const struct ex_cell *cell, const struct jrx_cache_geometry *geometry, double bytes[EX_CACHES + 1]);

#endif
