/*
 * Simulations kept by content: a file each in $JOULERX_CACHE (set and empty: nothing is kept), or else
 * $XDG_CACHE_HOME/joulerx, or else ~/.cache/joulerx. The key says all that the numbers depend on, the sources of
 * kernels and simulator included, so an entry is never wrong, only unused; the folder may be deleted at any time.
 */
#ifndef EXPERIMENTS_SIMULATIONS_H
#define EXPERIMENTS_SIMULATIONS_H
#include "experiments/call.h"

enum { EX_SIMULATION_KEY = 512 };

/** All that the result of a simulation depends on, as text. Pure but for the build. */
void ex_simulation_key(const struct ex_question *question, char key[EX_SIMULATION_KEY]);

/** 1 if number[count] was filled from an earlier run, else 0: never an error. */
int ex_simulation_load(const char *key, double *number, size_t count);
/** Keeps number[count], all finite; a folder that cannot be written keeps nothing. */
void ex_simulation_store(const char *key, const double *number, size_t count);

#endif
