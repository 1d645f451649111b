/*
 * The zones of the kernel's powercap tree, as they name themselves. Nothing is inferred from an index: ids are
 * hexadecimal and sparse, and psys may stand between two packages.
 * Source: Linux Documentation/power/powercap/powercap.rst; drivers/powercap/intel_rapl_common.c.
 */
#ifndef HARNESS_METERS_ZONES_H
#define HARNESS_METERS_ZONES_H
#include "harness/meter.h"

struct jrx_zone {
    char dir[64]; /* entry of class/powercap: "intel-rapl:a:1" */
    enum jrx_domain_kind kind;
    int package;    /* of the zone or its parent, as named; -1: whole machine */
    int die;        /* likewise; -1: not named */
    uint64_t range; /* in uJ; JRX_RANGE_UNKNOWN if max_energy_range_uj cannot be read */
};

/**
 * Lists the zones under sysfs/class/powercap, each counter once: what a second control type (intel-rapl-mmio) repeats
 * is left out with warning `duplicate_zone`. Sorted by control type and id.
 * Returns 0; JRX_EUNAVAILABLE no tree, empty tree, links to nothing, no package: with the remedy.
 */
int jrx_zones_find(const char *sysfs, struct jrx_zone *zones, size_t max, size_t *count, struct jrx_warnings *warnings);

/** The domain name of a zone: "package-0", "package-0-die-1", "dram-0", "psys". Pure. */
void jrx_zone_name(const struct jrx_zone *zone, char name[JRX_DOMAIN_NAME]);

/**
 * Counts after which energy_uj starts again, from max_energy_range_uj. The kernel translates a 32-bit register with an
 * integer unit in nJ: max = (2^32 - 1) * unit / 1000. Where max is of that form the modulus is 2^32 * unit / 1000,
 * exact to a microjoule; else max + 1. Pure.
 */
uint64_t jrx_zone_range(uint64_t max_energy_range_uj);

#endif
