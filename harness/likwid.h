/*
 * liblikwid, loaded at run time and never linked: it is GPL, and most machines lack it. The meter, the counter source
 * and the marker regions each ask for the functions they call. It prints, and where its access daemon does not start it
 * ends the process, so it is tried in a child first.
 */
#ifndef HARNESS_LIKWID_H
#define HARNESS_LIKWID_H
#include <stddef.h>

struct jrx_likwid_symbol {
    const char *name;
    size_t offset; /* of the function pointer in the caller's table */
};

/**
 * Loads $JOULERX_LIKWID if set, else the system's library, and fills the table. who: begins messages, "counters
 * likwid". 0; JRX_EUNAVAILABLE with reason and remedy: then nothing is loaded.
 */
int jrx_likwid_load(void **library, const char *who, const struct jrx_likwid_symbol *wanted, size_t count, void *table);
void jrx_likwid_unload(void *library); /* NULL is fine */

/**
 * Runs start(context) in a child whose output goes nowhere. Returns what it returned, with its message; or
 * JRX_EUNAVAILABLE if it ended or hung the child (3 s).
 */
int jrx_likwid_rehearse(const char *who, int (*start)(void *context), void *context);

#endif
