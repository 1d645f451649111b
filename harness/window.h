/*
 * The energy of a region. Where the meter's counters tick, both ends are tied to update edges: before the region every
 * counter is watched until it has just moved, after it until it moves again, and the known power of that watching is
 * taken off. So energy_j and time_ns belong to the same two instants, the first and the last of the region itself.
 */
#ifndef HARNESS_WINDOW_H
#define HARNESS_WINDOW_H
#include "harness/meter.h"

struct jrx_window_result;

struct jrx_region {
    void (*fn)(void *); /* the workload, nothing else */
    void *ctx;
    struct jrx_work work; /* of one call */
    bool once;            /* calling it again would do something else (training goes on): no counting passes */
    /* Told what was done (iters, time_ns, cpu_ns) when the region is over and before the meter is read again, so that
     * whoever looks on sees the work by the end of its window. NULL: nobody is. */
    void (*told)(void *context, const struct jrx_window_result *result);
    void *told_context;
};

/* Energy of one domain over the region. */
struct jrx_energy {
    double energy_j;      /* NAN unless status is 0 */
    double uncertainty_j; /* half-width of the 95 % interval: edges, unit, power of watching; NAN for an
                           estimate: nobody knows how far off a profile is */
    double window_j;      /* as read between the two edges, nothing taken off */
    double window_s;      /* between the two edges */
    uint32_t wraps;       /* seen and accounted for */
    int status;           /* 0 or JRX_E: missed wrap, implausible, unreadable, dead */
    char reason[160];     /* "" if status is 0 */
};

struct jrx_window_result {
    uint64_t iters;
    uint64_t start_ns; /* jrx_clock_ns() when the region began */
    uint64_t time_ns;  /* the region: all iterations */
    uint64_t cpu_ns;   /* CPU time of this process meanwhile, all threads */
    double ticks;      /* counter updates in it; NAN for a meter that does not tick */
    enum jrx_source source;
    size_t domains; /* as in meter->domain[] */
    struct jrx_energy domain[JRX_DOMAINS];
    double total_j; /* sum over domains with in_total; NAN if one of them failed or there is none */
    double total_uncertainty_j;
    int status; /* 0, or the first failure of a domain in the total */
    char reason[160];
};

/* A meter made ready for windows: how often it really moves, what a look at it costs, what watching it draws. */
struct jrx_window {
    struct jrx_meter *meter;
    double tick_s;                  /* mean update interval, measured; 0 if it does not tick */
    double read_s;                  /* median time of one read */
    double watch_w[JRX_DOMAINS];    /* power while watching; NAN: not seen moving */
    double watch_sd_w[JRX_DOMAINS]; /* by which it varies from tick to tick */
    bool moved[JRX_DOMAINS];        /* seen moving since the window was opened */
    struct jrx_reader *reader;      /* follows the counters through long windows (harness/reader.h) */
};

/**
 * Prepares an open meter: watches its counters for about `ticks` updates (0 = 32), on the calling thread, which should
 * be the one that will measure. Costs nothing for a meter without ticks. A domain of the total that never moves is
 * taken out of it, with warning `dead_domain` in meter->warnings.
 * Returns 0; a read error; JRX_EUNAVAILABLE if no counter in the total moves. `meter` must outlive `window`.
 */
int jrx_window_open(struct jrx_window *window, struct jrx_meter *meter, unsigned ticks);
void jrx_window_close(struct jrx_window *window); /* also on a zeroed struct */

/**
 * Runs region->fn(region->ctx) `iters` times and fills `result`. Returns 0 when the region was run: whether a domain
 * has a number says its status. JRX_EINVAL if iters is 0; the meter's error if it cannot be read at the start: then the
 * region was not run, and every status in `result` says so.
 */
int jrx_window_measure(struct jrx_window *window, const struct jrx_region *region, uint64_t iters,
                       struct jrx_window_result *result);

/** The same around a sleep of `ns`: the idle machine. */
int jrx_window_idle(struct jrx_window *window, uint64_t ns, struct jrx_window_result *result);

#endif
