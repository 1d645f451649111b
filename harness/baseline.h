/*
 * What the machine draws without the workload, and one energy seen against it. Idle is a machine that sleeps (package
 * C-states included); active is one whose threads are awake and do nothing: the power that comes with running at all.
 * They are two quantities (on Haswell-EP 19 and 56 W), and neither is ever taken off in place: three readings stand
 * side by side.
 */
#ifndef HARNESS_BASELINE_H
#define HARNESS_BASELINE_H
#include "harness/window.h"

/* Mean power over one window [W]; uncertainty is the half-width of its 95 % interval. NAN where it is not known. */
struct jrx_power {
    double w, uncertainty_w;
};

struct jrx_baseline {
    struct jrx_power domain[JRX_DOMAINS]; /* as in meter->domain[] */
    struct jrx_power total;
};

/** All NAN. */
void jrx_baseline_unknown(struct jrx_baseline *baseline);

/** The idle machine: this process sleeps for `ns`. 0 or what jrx_window_measure() returned: then all is NAN. */
int jrx_baseline_idle(struct jrx_window *window, uint64_t ns, struct jrx_baseline *baseline);

/** The machine awake: `threads` OpenMP threads count registers up for `ns`, no memory and no FLOP. Returns as above. */
int jrx_baseline_active(struct jrx_window *window, uint64_t ns, int threads, struct jrx_baseline *baseline);

/* The three readings of one energy; each with the half-width of its 95 % interval. */
struct jrx_energy_views {
    double gross_j, gross_uncertainty_j;               /* as measured */
    double above_idle_j, above_idle_uncertainty_j;     /* minus idle power times time; NAN if that is not known */
    double above_active_j, above_active_uncertainty_j; /* minus active-constant power times time; likewise */
};

/** Errors of energy and powers are independent: they are of different windows. Pure. energy [J], time [s]. */
struct jrx_energy_views jrx_energy_views(double energy_j, double uncertainty_j, double time_s,
                                         const struct jrx_power *idle, const struct jrx_power *active);

#endif
