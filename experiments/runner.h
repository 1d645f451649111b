/*
 * Runs experiments: order, resuming, progress, provenance, figures, claims. What all experiments share is here, what
 * one of them is about is in its own file.
 */
#ifndef EXPERIMENTS_RUNNER_H
#define EXPERIMENTS_RUNNER_H
#include "experiments/experiment.h"
#include "experiments/tiles.h"

/* A run: a folder, an open meter, and the experiments that are put into it. */
struct ex_session {
    char base[PATH_MAX]; /* of the whole run */
    char dir[PATH_MAX];  /* where this session writes: the same, or <base>/<experiment>/shards/<index> */
    struct ex_settings settings;
    struct ex_preset preset;   /* what settings.preset points to */
    struct ex_zoo *zoo;        /* what settings.zoo points to */
    struct ex_tiles tiles;     /* this machine's, */
    struct nn_tilings tilings; /* and as settings.tilings */
    struct jrx_meter meter;
    struct jrx_window window;
    struct jrx_progress progress;
    struct jrx_warnings warnings;
    struct jrx_provenance *provenance;
    struct jrx_sde *sde; /* the work of every window, for other PAPI-based tools to read */
    struct ex_observer observer;
    int strict;
};

enum { EX_SBATCH = 16 };

struct ex_session_options {
    const char *preset;                    /* ex_preset_read(); NULL: "quick" */
    const char *changed[EX_PRESET_VALUES]; /* values that stand in for the preset's; NULL: as it says */
    const char *out;                       /* folder of the run; NULL: results/<kind>/<run id>, made */
    const char *kind;                      /* "reproduce" or an experiment's name: first part of that folder */
    const char *resume;    /* folder to go on with, "" for the newest unfinished one of this kind, NULL: start anew */
    const char *meter;     /* NULL: auto */
    const char *recording; /* of joulerx record, for --meter=replay */
    const char *counters;  /* jrx_counting_open(); NULL: auto */
    const char *caches;    /* geometry of the cache simulator, jrx_cache_geometry_parse(); NULL: this machine's */
    int strict;            /* refuse a machine that disturbs, and counters that fail the truth check */
    const char *sysfs;     /* NULL: /sys */
    const char *profile;
    uint64_t seed;
    int seed_given;
    int threads;                   /* 0: all processors this process may use */
    struct ex_shard shard;         /* count > 0: only this share, of the run in `resume` */
    int slurm;                     /* 1: as batch jobs, experiments/slurm.h */
    int shards;                    /* tasks of a batch job; 0: 4 */
    const char *sbatch[EX_SBATCH]; /* options for sbatch */
    int sbatches;
    int unpublished; /* 1: no events for PAPI tools; libsde does not outlive being opened time and again in a process */
    int quiet, dry;  /* dry: only list what would be run, 2: cell by cell */
    int argc;        /* of the program, for meta.json */
    char **argv;
};

struct argp;
/** The options of every command that runs experiments, as an argp child; its input is a struct ex_session_options. */
extern const struct argp ex_session_argp;

/**
 * Makes or finds the folder, opens meter and counters, counts regions of known work, catches signals. A resumed run
 * keeps the preset, seed, meter, counters and caches it was started with.
 * 0, JRX_EINVAL, JRX_EIO, JRX_EUNAVAILABLE (a meter or counter asked for by name), JRX_EPERMISSION; JRX_EQUALITY under
 * strict, see jrx_quality_strict().
 */
int ex_session_open(struct ex_session *session, const struct ex_session_options *options);
/** The folder and session.json of a run whose parts others will do; no meter is opened. dir receives its name. */
int ex_session_prepare(const struct ex_session_options *options, char dir[PATH_MAX]);
/** The settings of the run in `dir`, to conclude what others have run; no meter is opened. ex_session_close() after. */
int ex_session_read(struct ex_session *session, const char *dir);
/** Writes meta.json, which marks the run as finished. 0, JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM. */
int ex_session_finish(struct ex_session *session);
void ex_session_close(struct ex_session *session); /* also on a zeroed struct */

/** A run of this session, not yet in a folder of its own. experiment: may be NULL for a command that measures itself.
 */
void ex_run_init(struct ex_run *run, struct ex_session *session, const struct ex_experiment *experiment);

enum { EX_COLUMNS = 64 + EX_EXTRA_COLUMNS };
/**
 * All columns of a samples.csv: the runner's (experiment, cell, rep, seq), the experiment's own, and where those hold
 * EX_MEASURE_COLUMNS the observer's. observer: NULL = none. Returns how many. Pure.
 */
size_t ex_columns(const struct ex_observer *observer, const struct jrx_column *own, size_t owns,
                  struct jrx_column column[EX_COLUMNS]);

/** The preset that the options ask for, with their changes. 0; what ex_preset_read() and ex_preset_set() return. */
int ex_options_preset(const struct ex_session_options *options, struct ex_preset *preset);

/** Fills flop_per_s and slot_s of settings that have threads and a zoo, from a look at the machine of a few hundredths
 * of a second. 0, JRX_ENOMEM. */
int ex_guess_speed(struct ex_settings *settings);

/**
 * Prints what would be run: a line an experiment, in their order, with its cells, the time it would take and an
 * estimate of the energy from the profile's static and busy power; a line for each network it trains; the total. With
 * dry = 2 every cell as well. Runs nothing. 0; what plan() and reading preset and profile return.
 */
int ex_session_list(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count,
                    FILE *to);

/** Prints one line before a run: what each experiment is expected to take, and energy and time of all, with where that
 * energy is from (a profile). 0; what plan() and reading the profile return. */
int ex_session_expect(const struct ex_settings *settings, const char *profile, const struct ex_experiment *const *list,
                      size_t count, FILE *to);

/** Announces the experiments to the progress display, so that one time left covers them all but those that are
 * finished. */
int ex_session_plan(struct ex_session *session, const struct ex_experiment *const *list, size_t count);

/**
 * Runs what of the experiment is not yet done, then summary, claims and figure. group: its place in ex_session_plan().
 * 0; JRX_EINTERRUPTED with everything finished on disk; what the experiment returned.
 */
int ex_session_run(struct ex_session *session, const struct ex_experiment *experiment, unsigned group);

/** Draws the figures of an experiment over the tables in `dir`. What ex_figure() returns. */
int ex_draw(const struct ex_experiment *experiment, const char *dir, const char *energy_source);

/** Summary, claims and figure of finished samples. Opens no meter. 0 or what the experiment and gnuplot return. */
int ex_session_conclude(struct ex_session *session, const struct ex_experiment *experiment);

/**
 * Opens a session, runs the listed experiments in order, prints the claims table on stdout, writes report.html and
 * meta.json, closes. What `joulerx run` and `joulerx reproduce` do. 0 or the first failure; after an interruption it
 * says how to go on.
 */
int ex_session_do(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count);

#endif
