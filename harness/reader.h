/*
 * A thread that reads the counters of a long window often enough that no wrap can hide, each from a CPU of its own
 * package. It sleeps otherwise: at most one look every 16 s at 1000 W.
 */
#ifndef HARNESS_READER_H
#define HARNESS_READER_H
#include "harness/counter.h"
#include "harness/meter.h"

struct jrx_reader;

/** Starts the thread for an open meter; *reader stays NULL if its counters cannot hide a wrap. 0 or JRX_ENOMEM. */
int jrx_reader_open(struct jrx_reader **reader, struct jrx_meter *meter);
void jrx_reader_close(struct jrx_reader *reader); /* NULL is fine */

/**
 * From here on tally[0..domains-1], already started, are kept up to date; the meter must not be read meanwhile. Neither
 * call wakes the thread, so nothing of it is felt in a short window.
 */
void jrx_reader_follow(struct jrx_reader *reader, struct jrx_tally *tally);
/** The tallies and the meter are the caller's again. Waits for a look that is under way. */
void jrx_reader_release(struct jrx_reader *reader);

#endif
