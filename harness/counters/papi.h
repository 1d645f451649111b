/*
 * PAPI's low-level API, as the counter source and the lister share it: names become codes, codes become numbers, and
 * PAPI's claims are believed only after add, start, stop and a sane value.
 */
#ifndef HARNESS_COUNTERS_PAPI_H
#define HARNESS_COUNTERS_PAPI_H
#include "harness/base/source.h"
#include <stddef.h>

struct jrx_papi_event {
    int code;
    int component;
    int per_thread;         /* counted for each thread (CPU events), or once for the process or machine (SDE, uncore) */
    enum jrx_source source; /* measured; an SDE is what software says of itself: simulated if its name says so, else
                               estimated */
};

/** Starts PAPI once in the process. 0 or JRX_EUNAVAILABLE. */
int jrx_papi_init(void);

/** What an error number of PAPI means: its text may be NULL. Static storage. */
const char *jrx_papi_error(int code);

/** Why hardware events cannot be counted here, with the remedy, into note; "" if they can. Touches the kernel. */
void jrx_papi_hardware_note(char *note, size_t size);

/** Looks a name up. 0; JRX_EINVAL if PAPI does not know it; JRX_EUNAVAILABLE if it does and its component is off. */
int jrx_papi_find(const char *name, struct jrx_papi_event *out);

/** Counts it for a moment, alone, in the calling thread. 0, or PAPI's error (negative). */
int jrx_papi_try(const struct jrx_papi_event *event);

#endif
