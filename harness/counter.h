/*
 * Counter arithmetic: the only place where two readings of a counter are subtracted. Pure functions, thread-safe.
 * Never a negative energy, never a guess: where a wrap may have gone unseen there is an error instead of a number.
 * Source: Linux powercap sysfs ABI (max_energy_range_uj); Intel SDM vol. 3B, "RAPL domains": 32-bit counters that wrap.
 */
#ifndef HARNESS_COUNTER_H
#define HARNESS_COUNTER_H
#include <stdint.h>

enum {
    JRX_RANGE_UNKNOWN = 0 /* it wraps somewhere, but the device does not say where */
};
#define JRX_RANGE_NONE UINT64_MAX /* it does not wrap */

/* What is known about a counter before it is read. */
struct jrx_counter {
    uint64_t range;     /* counts go 0 .. range-1, then 0 again; or JRX_RANGE_UNKNOWN, JRX_RANGE_NONE [counts] */
    double j_per_count; /* scale [J/count] */
    double provable_j;  /* two reads further apart than this may hide a wrap; INFINITY: nothing can be hidden [J] */
    double p_max_w;     /* more than this it cannot draw; INFINITY: no gate [W] */
};

/**
 * Counts between two readings, allowing one wrap.
 * before, after  raw counts, after read later     [counts]
 * delta          set only on success              [counts]
 * Returns 0; JRX_EINVAL if a count is not below the range; JRX_EIMPLAUSIBLE if it went back and the range is unknown
 * or there is none.
 */
int jrx_counter_delta(uint64_t before, uint64_t after, uint64_t range, uint64_t *delta);

/** Longest gap between two reads that cannot hide a wrap: provable_j / p_max_w [s]; INFINITY if nothing can be. */
double jrx_counter_gap_s(const struct jrx_counter *counter);

/** How often to read so that nothing is missed: the smaller of 30 s and a quarter of jrx_counter_gap_s() [s]. */
double jrx_counter_period_s(const struct jrx_counter *counter);

/**
 * The gate every energy passes: 0 <= energy_j <= p_max_w * time_s + slack_j. slack_j is what one update may bring at
 * once. Returns 0 or JRX_EIMPLAUSIBLE with both numbers in the message.
 */
int jrx_counter_plausible(double energy_j, double time_s, double p_max_w, double slack_j);

/* A counter followed over many reads: wraps are added up, so a window may hold any number of them. */
struct jrx_tally {
    uint64_t last;    /* newest raw count */
    uint64_t time_ns; /* when it was read */
    uint64_t counts;  /* since jrx_tally_start() */
    uint32_t wraps;   /* how many were seen */
    int status;       /* 0, or the error that ended it: it stays, a tally does not recover */
};

void jrx_tally_start(struct jrx_tally *tally, uint64_t count, uint64_t time_ns);

/**
 * Takes the next reading. Returns 0; JRX_EMISSED if more than jrx_counter_gap_s() passed since the last one; the codes
 * of jrx_counter_delta(). After an error every later call returns that error again.
 */
int jrx_tally_add(struct jrx_tally *tally, const struct jrx_counter *counter, uint64_t count, uint64_t time_ns);

/** Energy since the start [J]; NAN after an error. */
double jrx_tally_j(const struct jrx_tally *tally, const struct jrx_counter *counter);

#endif
