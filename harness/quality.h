/*
 * Warnings as values: what was seen, against which threshold, and what to do about it. Nothing here prints.
 */
#ifndef HARNESS_QUALITY_H
#define HARNESS_QUALITY_H
#include <stddef.h>

struct jrx_machine_state;

struct jrx_warning {
    char code[24];    /* stable name for CSV and JSON: "noisy", "governor" */
    double value;     /* the measured number; NAN where the finding is not a number */
    double threshold; /* what it was compared with; NAN likewise */
    char text[224];   /* what was seen, with its unit */
    char remedy[224]; /* what to do */
};

enum { JRX_WARNINGS = 32 };

struct jrx_warnings {
    size_t count;
    size_t dropped; /* that no longer fitted: said, not forgotten */
    struct jrx_warning item[JRX_WARNINGS];
};

/** Adds one; the same code with the same text is kept once. `text` and `remedy` are copied (cut to their fields). */
void jrx_warn(struct jrx_warnings *list, const char *code, double value, double threshold, const char *remedy,
              const char *format, ...) __attribute__((format(printf, 6, 7)));

/** Adds each of `more`. */
void jrx_warnings_add(struct jrx_warnings *list, const struct jrx_warnings *more);

/** The first with this code, or NULL. */
const struct jrx_warning *jrx_warning_find(const struct jrx_warnings *list, const char *code);

/* Thresholds of jrx_quality_samples(); jrx_quality_limits() gives the defaults. */
struct jrx_quality_limits {
    size_t reps;           /* few_reps: fewer samples than this */
    double spread_ratio;   /* noisy: half-width of the 95 % t-interval of the mean over the mean */
    double outlier_mads;   /* outliers, slow_first_run: |x - median| / (1.4826 MAD) */
    double outliers_ratio; /* outliers: share of samples beyond it */
};

struct jrx_quality_limits jrx_quality_limits(void);

/**
 * Looks at the repetitions of one cell, in the order they were run.
 * what, unit  for the text: "time", "ns"
 * x[n]        samples; NANs are left out
 * Codes: few_reps, noisy, outliers, slow_first_run. Pure.
 */
void jrx_quality_samples(struct jrx_warnings *list, const char *what, const char *unit, const double *x, size_t n,
                         const struct jrx_quality_limits *limits);

/**
 * Looks at the machine (harness/machine.h). An unknown item gives no warning.
 * Codes: governor, turbo, smt, other_load, nmi_watchdog, power_cap, energy_filtering, hypervisor, powercap_masked,
 * hot (above 85 C), throttled.
 */
void jrx_quality_state(struct jrx_warnings *list, const struct jrx_machine_state *state);

/**
 * What --strict refuses: JRX_EQUALITY with the first warning about the machine's state, disagreeing meters, or counters
 * that are off on known work, and how many there are; 0 if there is none. Pure.
 */
int jrx_quality_strict(const struct jrx_warnings *warnings);

#endif
