/*
 * A cache simulator: set-associative, true LRU, write-back, write-allocate, up to four levels, fed with the accesses of
 * a traced kernel (harness/base/access.h). Everything it counts is exact for its geometry; it knows no prefetcher and
 * no other core. Source of all its numbers: JRX_SIMULATED.
 *
 * How it works. An access touches each line it overlaps once. A level that misses fetches the line from the next one,
 * for a store too, and drops its least recently used line; a dropped line that was written is written back to the
 * next level, which takes it without fetching it (the whole line is written). Levels do not invalidate one another.
 */
#ifndef HARNESS_CACHESIM_H
#define HARNESS_CACHESIM_H
#include "harness/base/access.h"
#include <stddef.h>
#include <stdint.h>

enum { JRX_CACHE_LEVELS = 4 };

struct jrx_cache_geometry {
    unsigned levels;     /* 1..4, nearest first */
    unsigned line_bytes; /* one for all levels: a power of two, 32..4096 */
    struct {
        uint64_t bytes; /* a multiple of ways * line_bytes; the number of sets need not be a power of two */
        unsigned ways;
    } level[JRX_CACHE_LEVELS];
};

/* Of one level and one tag. A write-back belongs to the tag that last touched the line. */
struct jrx_cache_counts {
    uint64_t reads, writes; /* lines asked for; writes of level k > 0 are the write-backs of k - 1 */
    uint64_t read_misses, write_misses;
    uint64_t fetches;    /* lines read from the next level or memory = reads of the next level */
    uint64_t writebacks; /* lines written to the next level or memory = writes of the next level */
};

/** 0, or JRX_EINVAL for an impossible geometry, or one beyond 64 GiB a level. Pure. */
int jrx_cache_geometry_check(const struct jrx_cache_geometry *geometry);

struct jrx_cachesim;

/** 0; JRX_EINVAL for an impossible geometry; JRX_ENOMEM. Starts empty. */
int jrx_cachesim_new(struct jrx_cachesim **out, const struct jrx_cache_geometry *geometry);
void jrx_cachesim_free(struct jrx_cachesim *sim); /* NULL is fine */

/** Geometry of this machine's data caches as the first core sees them (hwloc). 0 or JRX_EUNAVAILABLE. */
int jrx_cache_geometry_read(struct jrx_cache_geometry *out);
/** "32K/8,1M/16,32M/16": size and ways a level, lines of 64 bytes unless ":128" follows. 0 or JRX_EINVAL. */
int jrx_cache_geometry_parse(const char *text, struct jrx_cache_geometry *out);

/** Feeds accesses in order. 0, or JRX_EINVAL (one beyond 2^27 lines, 8 GiB with lines of 64 bytes; counts up to there
 * stay). An access of 0 bytes touches nothing. One thread a simulator. */
int jrx_cachesim_run(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count);

/** Writes all dirty lines back, level by level down to memory, and counts them; lines stay cached, clean. Without it
 * what a kernel wrote last is not yet in the write-backs. */
void jrx_cachesim_flush(struct jrx_cachesim *sim);
/** Zeroes the counts and keeps the lines, to look at a warm pass alone. */
void jrx_cachesim_reset_counts(struct jrx_cachesim *sim);
/** Empties the caches and zeroes the counts. */
void jrx_cachesim_clear(struct jrx_cachesim *sim);

/** Counts of one tag, or of all with tag = JRX_ACCESS_TAGS. level from 0. Pure. */
struct jrx_cache_counts jrx_cachesim_get(const struct jrx_cachesim *sim, unsigned level, unsigned tag);
/** Bytes the accesses asked for (register traffic), and lines touched for the first time ever: misses of any cache. */
uint64_t jrx_cachesim_read_bytes(const struct jrx_cachesim *sim, unsigned tag);
uint64_t jrx_cachesim_write_bytes(const struct jrx_cachesim *sim, unsigned tag);
uint64_t jrx_cachesim_compulsory(const struct jrx_cachesim *sim, unsigned tag);
const struct jrx_cache_geometry *jrx_cachesim_geometry(const struct jrx_cachesim *sim);

#endif
