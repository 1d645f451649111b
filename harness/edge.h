/*
 * Update edges: the instants at which a counter that moves once a millisecond has just moved. Between two edges its
 * energy is exact; between two arbitrary reads it is off by up to a tick at each end.
 */
#ifndef HARNESS_EDGE_H
#define HARNESS_EDGE_H
#include "harness/meter.h"

struct jrx_edge {
    uint64_t count;   /* after the edge */
    uint64_t time_ns; /* best estimate of the edge: middle of the interval it fell into */
    double gap_ns;    /* width of that interval */
    uint64_t read_ns; /* when `count` was read */
    bool found;       /* false: nobody watched, or none came; gap_ns is a tick or more */
};

struct jrx_edge_wait {
    double tick_s;    /* update interval to expect */
    double read_s;    /* median time of one read */
    double give_up_s; /* a counter that has not moved by then is taken as it stands */
};

/**
 * Reads the domains which[0..n-1] in turn until each has moved, and gives for each its latest edge. An edge whose
 * interval is much wider than the reads explain (the thread was preempted) is passed over for the next one, up to
 * ten times.
 * Returns 0 or the first read error. Busy: it spins.
 */
int jrx_edges_wait(struct jrx_meter *meter, const size_t *which, size_t n, const struct jrx_edge_wait *how,
                   struct jrx_edge *edges);

/** What is known of the last edge from one read alone: it came within the tick before. Pure. */
struct jrx_edge jrx_edge_unwatched(const struct jrx_reading *reading, double tick_s);

/**
 * Half-width of the interval that holds the sum of two independent errors, uniform over widths a and b, in `level` of
 * all cases. Exact: the density of the sum is a trapezoid. Pure.
 */
double jrx_edge_half_width(double a, double b, double level);

#endif
