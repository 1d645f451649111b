/*
 * PAPI software-defined events: the harness publishes what it knows of its own work, so that PAPI-based tools see it
 * beside hardware events, as "sde:::joulerx::flop_declared" and so on. Each name says what kind of number it is.
 */
#ifndef HARNESS_COUNTERS_SDE_H
#define HARNESS_COUNTERS_SDE_H
#include <stddef.h>
#include <stdint.h>

enum jrx_sde_event {
    JRX_SDE_FLOP,       /* "flop_declared": FLOPs of the shapes computed, exact by construction */
    JRX_SDE_REGIONS,    /* "regions_done": how many regions they belong to */
    JRX_SDE_L1_BYTES,   /* "l1_bytes_simulated": registers <-> L1, from the cache simulator */
    JRX_SDE_L2_BYTES,   /* "l2_bytes_simulated": L1 <-> L2 */
    JRX_SDE_L3_BYTES,   /* "l3_bytes_simulated": L2 <-> L3 */
    JRX_SDE_DRAM_BYTES, /* "dram_bytes_simulated": last level <-> memory */
    JRX_SDE_CPU_NS,     /* "cpu_ns_measured": CPU time of the process in those regions, all threads */
    JRX_SDE_EVENTS
};

struct jrx_sde;

/**
 * Publishes all events, from zero. Once a process. With $JOULERX_SDE the numbers lie in that file, which is made:
 * 64-bit integers in the order above, in memory shared with whoever maps it, so that a tool without PAPI can follow
 * them. 0, JRX_EUNAVAILABLE, JRX_ENOMEM, JRX_EIO or JRX_EPERMISSION for the file.
 */
int jrx_sde_open(struct jrx_sde **out);
/** Adds to an event. Any thread, about a nanosecond; NULL and negative amounts are ignored. */
void jrx_sde_add(struct jrx_sde *sde, enum jrx_sde_event event, int64_t amount);
/** "sde:::joulerx::flop_declared": for jrx_counters_open() with source "papi". Static storage. */
const char *jrx_sde_name(enum jrx_sde_event event);
void jrx_sde_close(struct jrx_sde *sde); /* NULL is fine */

#endif
