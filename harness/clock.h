/*
 * The two clocks of the harness: one that no daemon steps or slews, and the CPU time of the calling thread.
 */
#ifndef HARNESS_CLOCK_H
#define HARNESS_CLOCK_H
#include <stdint.h>

/** CLOCK_MONOTONIC_RAW [ns since an arbitrary start]. Never goes back, never slewed by NTP. Thread-safe. */
uint64_t jrx_clock_ns(void);

/** CPU time of the calling thread [ns]: unlike the clock above it does not run while the thread is preempted. */
uint64_t jrx_clock_thread_ns(void);

/** CPU time of all threads of this process, and of the children it has waited for [ns]. */
uint64_t jrx_clock_process_ns(void);

/** Sleeps until jrx_clock_ns() reaches `until_ns`; a signal ends it early. */
void jrx_clock_sleep_until(uint64_t until_ns);

struct jrx_clock_cost {
    double read_ns;       /* median time of one jrx_clock_ns() call */
    double resolution_ns; /* smallest step between two different answers */
};

/** Times the clock itself, about 1 ms of work. */
void jrx_clock_calibrate(struct jrx_clock_cost *cost);

#endif
