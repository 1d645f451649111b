/*
 * Where a number comes from. Every energy and counter value carries one; values of different sources are never mixed in
 * one column, figure or fit without a label.
 */
#ifndef HARNESS_BASE_SOURCE_H
#define HARNESS_BASE_SOURCE_H

enum jrx_source {
    JRX_SOURCE_NONE, /* there is no number */
    JRX_MEASURED,    /* read from a counter of this machine, now */
    JRX_REPLAYED,    /* read from a recording of a measured counter */
    JRX_SIMULATED,   /* counted by a simulator, e.g. of caches */
    JRX_ESTIMATED,   /* computed from a model */
    JRX_SOURCES
};

/** "", "measured", "replayed", "simulated", "estimated": the CSV and JSON value. Static storage, thread-safe. */
static inline const char *jrx_source_name(enum jrx_source source)
{
    static const char *const names[JRX_SOURCES] = {"", "measured", "replayed", "simulated", "estimated"};
    return names[source];
}

#endif
