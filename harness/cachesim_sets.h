/*
 * What the parts of the cache simulator share: how sets and lines lie in memory, and its inner loop, built once an
 * instruction set.
 *
 * A set is an array of ways, most recently used first; a way is one word: line number, tag, dirty bit and a bit that
 * says it holds anything.
 */
#ifndef HARNESS_CACHESIM_SETS_H
#define HARNESS_CACHESIM_SETS_H
#include "harness/cachesim.h"

enum { LINE_SHIFT = 5, TAG_SHIFT = 2, DIRTY = 2, FULL = 1, TAGS = JRX_ACCESS_TAGS };
_Static_assert(TAGS == 1 << (LINE_SHIFT - TAG_SHIFT), "a way holds a tag in three bits");

struct level {
    uint64_t *way;       /* [sets][stride] */
    uint64_t sets, mask; /* mask = sets - 1 if that is a power of two, else 0 */
    unsigned ways, stride;
    struct jrx_cache_counts counts[TAGS];
};

/* Lines ever fetched from memory: open addressing, 0 = free, kept below half full. */
struct seen {
    uint64_t *slot;    /* line + 1 */
    size_t size, used; /* size: a power of two */
};

struct jrx_cachesim {
    struct jrx_cache_geometry geometry;
    unsigned line_shift;
    struct level level[JRX_CACHE_LEVELS];
    uint64_t read_bytes[TAGS], write_bytes[TAGS], compulsory[TAGS];
    struct seen seen;
    int out_of_memory;
    const struct jrx_cachesim_ops *ops;
};

struct jrx_cachesim_ops {
    void (*run)(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count);
    /* a dirty line leaves level k: the next level takes it whole, and does not fetch it */
    void (*write_back)(struct jrx_cachesim *sim, unsigned k, uint64_t word);
};
extern const struct jrx_cachesim_ops jrx_cachesim_baseline, jrx_cachesim_avx512;

/** Counts a line that comes from memory for the first time. */
void jrx_cachesim_first_touch(struct jrx_cachesim *sim, uint64_t line, unsigned tag);

#endif
