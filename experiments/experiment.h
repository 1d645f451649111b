/*
 * An experiment is a plan (a list of cells), a cell function (one repetition of one cell gives one row of samples.csv)
 * and a conclusion (summary.csv and the claims, computed from samples.csv alone). experiments/exp_<name>.c defines
 * `const struct ex_experiment exp_<name>`; plots/<name>.gp draws it. The runner (runner.h) does order, resume,
 * progress, provenance and figures.
 */
#ifndef EXPERIMENTS_EXPERIMENT_H
#define EXPERIMENTS_EXPERIMENT_H
#include "experiments/claim.h"
#include "experiments/observer.h"
#include "experiments/zoo.h"
#include "harness/baseline.h"
#include "harness/progress.h"
#include "harness/quality.h"
#include "harness/table.h"
#include "harness/window.h"
#include <limits.h>

/* A share of an experiment that one task of a batch job runs: whole rounds over the cells, so that cells are compared
 * on one machine. An experiment in a fixed order is one share. */
struct ex_shard {
    int index, count; /* 0 .. count-1 of count; count 0: all of it, no share */
};

struct ex_settings {
    const struct ex_preset *preset;
    const struct ex_zoo *zoo;         /* the networks that the preset asks for */
    const struct nn_tilings *tilings; /* this machine's, for networks; NULL: the kernels' defaults */
    uint64_t seed;
    int threads;
    double flop_per_s; /* for guesses of time: the FMA peak of all threads, of which networks reach a share, */
    double slot_s;     /* and drawing a slot of the recipe takes on one (ex_guess_speed()) */
    struct ex_shard shard;
    const char *sysfs;                /* root of /sys and /proc for tests; "" is this machine */
    const void *own;                  /* what a command gives its own experiment; NULL for those of the list */
    struct jrx_cache_geometry caches; /* of the simulator; levels 0: this machine's (ex_geometry()) */
};

/** Caches that the simulator is to have: as given with --caches, else this machine's. 0 or JRX_EUNAVAILABLE. */
int ex_geometry(const struct ex_settings *settings, struct jrx_cache_geometry *out);

struct ex_run {
    const struct ex_experiment *experiment;
    const struct ex_settings *settings;
    char base[PATH_MAX];       /* the folder of the whole run: <base>/<experiment>/samples.csv, <base>/models/ */
    char dir[PATH_MAX];        /* <base>/<experiment> */
    struct jrx_window *window; /* the open meter, ready for windows; shared by all experiments of a run */
    struct jrx_progress *progress;
    struct jrx_warnings *warnings;    /* collected for meta.json and the report */
    struct jrx_sde *sde;              /* what was done, published to PAPI tools; NULL: not published */
    struct ex_observer *observer;     /* counters, markers, columns of this machine's domains; NULL: none of them */
    char label[128];                  /* of the cell that runs: name of its marker region */
    struct jrx_baseline idle, active; /* of the current block: ex_baselines() */
    void *state;                      /* the experiment's own, between begin() and end() */
};

struct ex_plan {
    int cells;    /* numbered 0..cells-1 */
    int reps;     /* of each */
    int shuffled; /* 1: order drawn within blocks (each block holds every cell once); 0: cell by cell, as training needs
                   */
    double item_s; /* expected seconds of one repetition (the mean), for the first guess of the time left */
    int together;  /* so many cells in a row are parts of one thing: --dry-run counts and names those; 0: none */
    const char *things, *parts; /* then: "networks", "stretches" */
    const char *nothing;        /* why there is nothing to do in this preset: "no shares are given"; NULL: there is */
};

struct ex_experiment {
    const char *name;                /* file name without exp_; folder, figure and CLI name */
    const char *title;               /* one line */
    const char *question;            /* what its figure answers, for the report */
    const char *needs;               /* experiments whose results in the same run it reads, "a,b"; "" for none */
    int order;                       /* place in a reproduction */
    const struct jrx_column *column; /* of samples.csv, after the runner's own (ex_columns() of runner.h) */
    size_t columns;
    const struct jrx_schema *summary; /* of summary.csv */
    const char *also;                 /* one more table that conclude() writes: "curves.csv"; NULL: none */
    const struct jrx_schema *also_schema;
    const char *also_figure; /* one more figure over summary.csv: plots/<also_figure>.gp; NULL: none */

    int (*plan)(const struct ex_settings *settings, struct ex_plan *plan);
    /** A short name of the cell: key of resuming, shown as progress. Unique in the experiment. */
    void (*label)(const struct ex_settings *settings, int cell, char *text, size_t size);
    /** Expected seconds of a repetition of this cell, where they differ widely; NULL: item_s of the plan. */
    double (*cell_s)(const struct ex_settings *settings, int cell);
    int (*begin)(struct ex_run *run); /* NULL: nothing to prepare */
    /** One repetition: fills one row of `samples` with jrx_put_*; writes a few words for the progress line. NULL: an
     * experiment without cells, which concludes from those it needs. */
    int (*cell)(struct ex_run *run, int cell, int rep, struct jrx_table *samples, char *words, size_t size);
    void (*end)(struct ex_run *run); /* after begin(), also when that failed */
    /** Reads the finished samples, writes <dir>/summary.csv, fills claims[0..max). Returns how many or a negative code.
     * samples: NULL without cells. */
    int (*conclude)(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max);
};

enum { EX_MAX_CLAIMS = 8 };

/** 1 if the list of names "a,b" holds `name`. Pure. */
int ex_listed(const char *list, const char *name);
/** All experiments in the order of a reproduction; `*count` of them. */
const struct ex_experiment *const *ex_experiments(size_t *count);
/** By name; NULL with a message that lists them. */
const struct ex_experiment *ex_find(const char *name);

/* ---- helpers for cell and conclude functions ---- */

/* The columns that ex_measure() fills: put them first in the experiment's own list. The runner adds those of the
 * observer, a pair for each domain of the meter. Gross energy and what it is above idle and above active stand side by
 * side. */
#define EX_MEASURE_COLUMNS                                                                                             \
    {"iters", JRX_INTEGER, "calls in the window; time and energy are per call"},                                       \
        {"window_s", JRX_REAL, "length of the window"},                                                                \
        {"time_ns", JRX_REAL, "wall time of one call; always measured"},                                               \
        {"cpu_time_ns", JRX_REAL, "CPU time of one call, all threads together; measured"},                             \
        {"energy_j", JRX_REAL, "gross energy of one call: packages and drams together"},                               \
        {"energy_uncertainty_j", JRX_REAL, "half-width of the 95 % interval of energy_j from the meter alone"},        \
        {"above_idle_j", JRX_REAL, "energy_j minus idle_w times time_ns"},                                             \
        {"above_idle_uncertainty_j", JRX_REAL, "half-width of its 95 % interval"},                                     \
        {"above_active_j", JRX_REAL, "energy_j minus active_w times time_ns"},                                         \
        {"above_active_uncertainty_j", JRX_REAL, "half-width of its 95 % interval"},                                   \
        {"idle_w", JRX_REAL, "power of the idle machine in the same block, same meter"},                               \
        {"idle_uncertainty_w", JRX_REAL, "half-width of its 95 % interval"},                                           \
        {"active_w", JRX_REAL, "active-constant power: all threads awake, doing nothing; same block, same meter"},     \
        {"active_uncertainty_w", JRX_REAL, "half-width of its 95 % interval"},                                         \
        {"energy_source", JRX_TEXT, "of all energies and powers: measured, replayed or estimated (energy profile)"},   \
        {"meter", JRX_TEXT, "the meter that gave them"}, {"status", JRX_TEXT, "ok, or why the energy is missing"},     \
        EX_COUNTED_COLUMNS

/**
 * Calibrates (once a label: give the same *iters back), measures one window of the region, within a marker region named
 * run->label, then counts it in passes of its own, and puts EX_MEASURE_COLUMNS. Counts of passes that took another time
 * than the window are left out, with the reason in counted_status.
 */
int ex_measure(struct ex_run *run, const struct jrx_region *region, uint64_t *iters, struct jrx_table *samples,
               double *time_ns);

/** Measures run->idle and run->active, a window each. What cannot be measured is NAN. */
void ex_baselines(struct ex_run *run);

#endif
