/*
 * Regions whose FLOPs or bytes are known exactly: counted first, so that each counter is judged before it is believed.
 */
#ifndef EXPERIMENTS_KNOWN_H
#define EXPERIMENTS_KNOWN_H
#include "harness/cachesim.h"
#include "harness/counters/counting.h"
#include "harness/counters/sde.h"
#include "harness/counters/truth.h"

enum { EX_TRUTHS = 8 };

/**
 * Counts them and compares: multiply-adds in registers, a pointwise kernel, and reads of arrays that each level of
 * `caches` cannot hold. sde: publishes the same work, for events that the program declares itself; NULL: does not.
 * A ratio further than 5 % from 1 is a warning `counter_truth`.
 * Returns 0, *count entries filled; JRX_ENOMEM; what jrx_truth_check() returned.
 */
int ex_known_check(const struct jrx_counting *counting, const struct jrx_cache_geometry *caches, struct jrx_sde *sde,
                   struct jrx_truth truth[EX_TRUTHS], size_t *count, struct jrx_warnings *warnings);

#endif
