/*
 * What is counted beside a measurement, as a user says it: the event set of this processor, one by name, or loose
 * events. Every metric is tried before it is promised; what cannot be counted here is left out, with the reason.
 */
#ifndef HARNESS_COUNTERS_COUNTING_H
#define HARNESS_COUNTERS_COUNTING_H
#include "harness/counters/eventset.h"
#include "harness/quality.h"

struct jrx_counting {
    const char *ops;                        /* counter source, "papi" or "likwid"; NULL: nothing is counted */
    enum jrx_source source;                 /* of all its values */
    char reason[400];                       /* why nothing is counted; "" if something is, or was not asked for */
    struct jrx_event_set set;               /* of loose events: one metric each, named after it: "papi_tot_ins_count" */
    struct jrx_passes plan;                 /* for the metrics that can be counted */
    unsigned char counted[JRX_SET_METRICS]; /* 1: this metric is */
    struct jrx_counter_config config;
};

/**
 * choice: "auto" (NULL): the set of this machine; "none"; a set ("skx", or a path with a slash); or events, separated
 * by commas ("PAPI_TOT_INS,perf::TASK-CLOCK"; "likwid:EVENT:COUNTER,..." through liblikwid).
 * machine: for auto. threads: OpenMP threads that are counted together.
 * A metric that cannot be counted is a warning `not_counted`; under auto so is it if none can.
 * Returns 0; JRX_EINVAL for a choice that is none, or events of different sources (a simulated count and a measured one
 * share no column); JRX_EUNAVAILABLE, JRX_EPERMISSION if what was asked for by name cannot be counted.
 */
int jrx_counting_open(struct jrx_counting *counting, const char *choice, const struct jrx_machine *machine,
                      unsigned threads, struct jrx_warnings *warnings);

/** jrx_passes_run() of what is counted. JRX_EUNAVAILABLE if nothing is. */
int jrx_counting_run(const struct jrx_counting *counting, void (*region)(void *context), void *context, unsigned reps,
                     double tolerance_ratio, struct jrx_counted *out);

#endif
