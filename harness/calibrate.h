/*
 * How many iterations a window needs. Done once a cell, apart from the samples, and used for all its repetitions.
 */
#ifndef HARNESS_CALIBRATE_H
#define HARNESS_CALIBRATE_H
#include "harness/window.h"

struct jrx_calibration {
    uint64_t min_time_ns; /* a window lasts at least this long */
    uint64_t tick_ns;     /* update interval of the meter; 0 = it does not tick */
    double min_ticks;     /* and holds at least so many updates; the default of the program is 100 */
    uint64_t max_time_ns; /* calibration itself stops growing here; 0 = never */
};

/**
 * Runs the region with growing counts until the wanted window is met, timed by the clock alone.
 * iters    result: at least 1
 * iter_ns  time of an iteration in the fastest trial; may be NULL [ns]
 * Returns 0; JRX_EINVAL for a region without a function.
 */
int jrx_calibrate(const struct jrx_region *region, const struct jrx_calibration *want, uint64_t *iters,
                  double *iter_ns);

/** Iterations for a window of `want`, when one takes `iter_ns`: rounded up, with 5 % to spare. Pure. */
uint64_t jrx_calibrate_iters(const struct jrx_calibration *want, double iter_ns);

#endif
