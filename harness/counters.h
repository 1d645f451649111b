/*
 * Counter sources: one file each in harness/counters/, found by the build ("counters.inc"). A source counts named
 * events between start and stop. Values carry where they come from; a simulated count never stands under a measured
 * name.
 */
#ifndef HARNESS_COUNTERS_H
#define HARNESS_COUNTERS_H
#include "harness/base/access.h"
#include "harness/base/source.h"
#include "harness/cachesim.h"
#include <stddef.h>
#include <stdint.h>

enum { JRX_EVENT_NAME = 160 };

struct jrx_counter_value {
    char event[JRX_EVENT_NAME]; /* as it was asked for */
    double count;               /* exact up to 2^53; NAN if missing */
    enum jrx_source source;
};

/* What a source may be given; zeroed = defaults. */
struct jrx_counter_config {
    unsigned threads;                          /* OpenMP threads that are counted together; 0 = 1 */
    const struct jrx_cache_geometry *geometry; /* cachesim; NULL = this machine's */
};

struct jrx_counter_ops {
    const char *name;       /* "papi": file name without counter_, CLI and CSV value */
    const char *about;      /* one line for `joulerx doctor` */
    enum jrx_source source; /* of its events, where source_of is NULL */
    /** 0 if it can count anything here, with what is limited in `note` (why no hardware events, and the remedy); else
     * JRX_EUNAVAILABLE or JRX_EPERMISSION with reason and remedy. */
    int (*probe)(char *note, size_t size);
    /** Calls `found` with each event that can be counted here (tried, not believed) and one line about it. */
    int (*list)(void (*found)(void *context, const char *event, const char *about), void *context);
    int (*open)(void **state, const char *const *events, size_t count, const struct jrx_counter_config *config);
    int (*start)(void *state); /* from zero */
    int (*stop)(void *state);
    int (*read)(void *state, double *count); /* of the last start..stop, count[events] */
    void (*close)(void *state);
    /** Of one event, where a source has several kinds; NULL elsewhere. */
    enum jrx_source (*source_of)(void *state, size_t event);
    /** Simulators only: consumes accesses between start and stop. NULL elsewhere. */
    int (*feed)(void *state, const struct jrx_access *access, size_t count);
};

/** The sources, by name, ended by NULL. Static storage. */
const struct jrx_counter_ops *const *jrx_counter_sources(void);
/** By name; NULL with a message that lists what there is. */
const struct jrx_counter_ops *jrx_counter_find(const char *name);

struct jrx_counters {
    const struct jrx_counter_ops *ops;
    void *state;
    struct jrx_counter_value *value; /* one an event, filled by jrx_counters_stop() */
    size_t count;
    int running;
};

/**
 * Opens events of one source, all counted at the same time.
 * Returns 0; JRX_EINVAL for an unknown source or event; JRX_EUNAVAILABLE, JRX_EPERMISSION with reason and remedy, also
 * when the events do not fit the hardware at once: nothing is ever multiplexed; JRX_ENOMEM.
 */
int jrx_counters_open(struct jrx_counters *counters, const char *source, const char *const *events, size_t count,
                      const struct jrx_counter_config *config);
/** Starts from zero. 0, JRX_EINVAL if running, JRX_EIO. The calling thread (and its OpenMP team) is counted. */
int jrx_counters_start(struct jrx_counters *counters);
/** Stops and fills value[]. 0; JRX_EINVAL if not running; JRX_EIO; JRX_EIMPLAUSIBLE for a negative count: its value is
 * then missing, the others stay. */
int jrx_counters_stop(struct jrx_counters *counters);
/** Hands accesses to a simulating source; JRX_EINVAL for others or when not running. */
int jrx_counters_feed(struct jrx_counters *counters, const struct jrx_access *access, size_t count);
void jrx_counters_close(struct jrx_counters *counters); /* also on a zeroed struct */

#endif
