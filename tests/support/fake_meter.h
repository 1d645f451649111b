/*
 * A meter whose truth is known: counters that move at jittered instants, on the real clock. Power is what the test sets
 * it to, from the moment it does; the exact energy between any two instants can be asked for.
 */
#ifndef TESTS_SUPPORT_FAKE_METER_H
#define TESTS_SUPPORT_FAKE_METER_H
#include "harness/base/rng.h"
#include "harness/meter.h"

enum { FAKE_STEPS = 4096, FAKE_DOMAINS = 4 };

struct fake_domain {
    double share;        /* of the power set */
    uint64_t start;      /* raw count at time 0 */
    bool dead;           /* never moves */
    uint64_t next_ns;    /* of its next update */
    double updated_unit; /* exact units since start at the last update */
    struct jrx_rng rng;  /* of its update intervals */
};

struct fake {
    struct jrx_meter meter;           /* ready to use */
    double tick_ns, jitter_ns, tails; /* update interval: normal around tick_ns; share of intervals in the tails */
    double unit_j;
    double read_ns; /* a read takes at least so long */
    int fail_after; /* reads until JRX_EIO; negative: never */
    size_t steps;   /* power over time: power_w[i] holds from at_ns[i] on */
    uint64_t at_ns[FAKE_STEPS];
    double power_w[FAKE_STEPS];
    struct fake_domain domain[FAKE_DOMAINS];
};

/** `domains` like a RAPL package and drams of a 61 uJ unit, 1 ms updates with the measured jitter, at `power_w`. */
void fake_init(struct fake *fake, size_t domains, double power_w, uint64_t seed);
/** From now on. */
void fake_power(struct fake *fake, double power_w);
/** Exact energy of a domain between two instants of jrx_clock_ns(), up to now. */
double fake_energy_j(const struct fake *fake, size_t domain, uint64_t from_ns, uint64_t to_ns);

#endif
