/*
 * The caches of harness/cachesim.h once more, as one would write them first: time stamps, a search of the whole set,
 * one access at a time, no line shared with the fast one. What the fast one is held against, in counts and in speed.
 */
#ifndef TESTS_SUPPORT_SLOW_CACHE_H
#define TESTS_SUPPORT_SLOW_CACHE_H
#include "harness/cachesim.h"

struct slow_cache;

enum { SLOW_CACHE_MEMORY = 1 << 28 }; /* addresses lie below this */

/** NULL: no memory. */
struct slow_cache *slow_cache_new(const struct jrx_cache_geometry *geometry);
void slow_cache_free(struct slow_cache *slow);
void slow_cache_run(struct slow_cache *slow, const struct jrx_access *access, size_t count);
const struct jrx_cache_counts *slow_cache_get(const struct slow_cache *slow, unsigned level, unsigned tag);
uint64_t slow_cache_compulsory(const struct slow_cache *slow, unsigned tag);

#endif
