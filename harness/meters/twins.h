/*
 * Whether two domains of a meter are one register shown twice. Linux 6.10 and 6.11 show a zone (powercap) or a CPU of
 * the mask (perf) for each chiplet of an AMD package, each reading the whole package: their sum is the energy times the
 * number of chiplets. Source: Linux 6.12, fix of commit 63edbaa48a57.
 */
#ifndef HARNESS_METERS_TWINS_H
#define HARNESS_METERS_TWINS_H
#include "harness/meter.h"

enum jrx_twins {
    JRX_TWINS_NO,    /* two counters */
    JRX_TWINS_EQUAL, /* the same number at all times */
    JRX_TWINS_STEPS  /* started apart, and moved by the same amounts */
};

/** Looks at both three times, an update or more apart; about 8 ms. A read error gives JRX_TWINS_NO. */
enum jrx_twins jrx_twins(struct jrx_meter *meter, size_t a, size_t b);

#endif
