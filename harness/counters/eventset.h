/*
 * Event sets: one readable INI file a microarchitecture (harness/counters/events/), that says which processors it is
 * for, how many counters those have, and how FLOPs and bytes follow from events. Formulas are sums of factors times
 * events.
 */
#ifndef HARNESS_COUNTERS_EVENTSET_H
#define HARNESS_COUNTERS_EVENTSET_H
#include "harness/counters.h"
#include "harness/machine.h"
#include <stddef.h>
#include <stdio.h>

enum { JRX_SET_EVENTS = 48, JRX_SET_METRICS = 12, JRX_SET_TERMS = 16, JRX_SET_MODELS = 16, JRX_METRIC_NAME = 64 };

struct jrx_metric {
    char name[JRX_METRIC_NAME]; /* "flop", "l2_read_bytes": ends in its unit; CSV column */
    struct {
        double factor;
        unsigned event; /* index in the set */
    } term[JRX_SET_TERMS];
    unsigned terms;
    char source[200]; /* where the formula comes from */
    char note[240];   /* what it leaves out or counts too much; "" if nothing */
};

struct jrx_event_set {
    char name[16];   /* "skx": file name */
    char about[100]; /* "Intel Xeon Skylake-SP" */
    char vendor[16]; /* "GenuineIntel" */
    unsigned family;
    unsigned model[JRX_SET_MODELS], models;
    unsigned stepping_low, stepping_high; /* both ends belong to it */
    char pmu[32];                         /* libpfm4's name, so that events can be looked up anywhere */
    unsigned slots; /* programmable counters of a hardware thread, its sibling being idle or not */
    unsigned events, metrics;
    char event[JRX_SET_EVENTS][JRX_EVENT_NAME];
    struct jrx_metric metric[JRX_SET_METRICS];
};

/** From a file; `name` for messages. 0, JRX_EFORMAT with the line, JRX_ENOMEM. */
int jrx_event_set_parse(struct jrx_event_set *set, FILE *from, const char *name);
/**
 * By name ("skx": $JOULERX_EVENTS, else beside the program) or by a path with a slash. 0, JRX_EINVAL if there is none,
 * JRX_EIO, JRX_EFORMAT.
 */
int jrx_event_set_read(struct jrx_event_set *set, const char *name);
/** The set for this machine. 0, or JRX_EUNAVAILABLE naming vendor, family, model and what sets there are. */
int jrx_event_set_find(struct jrx_event_set *set, const struct jrx_machine *machine);
/** 1 if it is for that processor. Pure. */
int jrx_event_set_fits(const struct jrx_event_set *set, const struct jrx_machine *machine);
/** Names of all sets. Static storage, ended by NULL. */
const char *const *jrx_event_set_names(void);
/** One line a metric: set, metric, unit, formula, source, note. 0 or JRX_EIO. */
int jrx_event_set_print(const struct jrx_event_set *set, FILE *to);
/** Index of a metric, or JRX_EINVAL listing what there is. */
int jrx_event_set_metric(const struct jrx_event_set *set, const char *metric);
/** Value of a metric from the counts of all events; NAN if one of its events is. Pure. */
double jrx_metric_value(const struct jrx_metric *metric, const double *count);

/* ---- passes: the same region is run again and again, each time with events that fit at once ---- */

struct jrx_passes {
    unsigned passes;
    unsigned of_event[JRX_SET_EVENTS]; /* pass of each event from 0; `passes` if it is not wanted */
};

/**
 * Plans passes of at most `slots` events (0: as the set says) for the metrics named (none: all). Events of a metric are
 * kept together where they fit. 0 or JRX_EINVAL. Pure.
 */
int jrx_passes_plan(const struct jrx_event_set *set, const char *const *metrics, size_t count, unsigned slots,
                    struct jrx_passes *out);

struct jrx_counted {
    double metric[JRX_SET_METRICS];          /* NAN if not wanted or not counted */
    enum jrx_source source[JRX_SET_METRICS]; /* the least direct among its events */
    double event[JRX_SET_EVENTS];            /* median over repetitions */
    double time_s[JRX_SET_EVENTS];           /* median time of a region in each pass */
    double spread_ratio;                     /* slowest pass over fastest, minus 1 */
};

/**
 * Runs region(context) `reps` times in each pass, after once uncounted, and joins the passes. A pass that the hardware
 * refuses is halved and tried again.
 * tolerance_ratio: passes whose median times differ by more than this are not joined.
 * Returns 0; JRX_EIMPLAUSIBLE if passes disagree (spread_ratio and time_s stay, metrics are NAN); what jrx_counters_*
 * returned.
 */
int jrx_passes_run(const struct jrx_event_set *set, const struct jrx_passes *plan, const char *source,
                   const struct jrx_counter_config *config, void (*region)(void *context), void *context, unsigned reps,
                   double tolerance_ratio, struct jrx_counted *out);

#endif
