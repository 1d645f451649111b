/*
 * What the parts of the cache simulator share: how sets and lines lie in memory, and its inner loop, built once an
 * instruction set.
 *
 * A way is one word: line number, tag, dirty bit and a bit that says it holds anything. If every level has a multiple
 * of LANES sets, lines of different number modulo LANES never share a set, at no level: the caches are LANES caches
 * side by side, their lanes, and a vector of words is one way of each. Otherwise there is one lane. A row is one set of
 * each lane. Rows of different number modulo the slots, of which every level has a multiple, do not meet either.
 */
#ifndef HARNESS_CACHESIM_SETS_H
#define HARNESS_CACHESIM_SETS_H
#include "harness/cachesim.h"

enum {
    LINE_SHIFT = 5,
    LOW = (1 << LINE_SHIFT) - 1,
    TAG_SHIFT = 2,
    DIRTY = 2,
    FULL = 1,
    TAGS = JRX_ACCESS_TAGS,
    LINE_BITS = 32 - LINE_SHIFT,
    LANE_SHIFT = 4,
    LANES = 1 << LANE_SHIFT,
    SLOTS = 8
};
_Static_assert(TAGS == 1 << (LINE_SHIFT - TAG_SHIFT), "a way holds a tag in three bits");

static inline unsigned tag_of(uint32_t word)
{
    return (unsigned)(word >> TAG_SHIFT) & (TAGS - 1);
}

/* The low bits of the words of an access. */
static inline unsigned low_of(const struct jrx_access *a)
{
    return (a->tag & (TAGS - 1u)) << TAG_SHIFT | (a->write ? DIRTY : 0) | FULL;
}

/* Lines side by side that are asked of a level for one reason: the word of the one in lane 0, and which lanes. What
 * moves from one level to the next is fetched if it is clean, and written back if it is dirty. */
struct lines {
    uint32_t word, lanes;
};

struct sets {
    uint32_t *way;       /* [rows][ways][lanes], most recently used way first */
    uint32_t rows, mask; /* sets / lanes; mask = rows - 1 if that is a power of two, else 0 */
    unsigned ways;
};

struct level {
    struct sets sets;
    struct jrx_cache_counts counts[TAGS];
};

/* Accesses of the first level before the others look at what left it. From level to level each of their lines can
 * become two, one fetched and one written back; and what is written back only one. */
enum { ASKED = 1024, MOVES = (JRX_CACHE_LEVELS + 1) * ASKED };

struct jrx_cachesim {
    struct jrx_cache_geometry geometry;
    unsigned line_shift, lane_shift; /* 2^lane_shift lanes: LANES or 1 */
    unsigned slots;                  /* a power of two up to SLOTS */
    struct level level[JRX_CACHE_LEVELS];
    uint64_t asked[LOW + 1], bytes[LOW + 1]; /* of the first level, by the low bits of a word: lines and bytes */
    uint64_t compulsory[TAGS];
    uint16_t *seen; /* a bit a line: fetched from memory before */
    const struct jrx_cachesim_ops *ops;
};

struct jrx_cachesim_ops {
    /* returns how many were taken: less than count if one is too far */
    size_t (*run)(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count);
    /* lines asked of level k, at most ASKED of them, and so on down; with k the number of levels, of memory */
    void (*descend)(struct jrx_cachesim *sim, unsigned k, const struct lines *lines, size_t count);
};
extern const struct jrx_cachesim_ops jrx_cachesim_baseline, jrx_cachesim_avx2, jrx_cachesim_avx512;

/* Of some lines asked of a level, by the low bits. */
struct moves {
    uint32_t missed[LOW + 1];  /* of what was asked and not there */
    uint32_t dropped[LOW + 1]; /* of what fell out for it and is dirty */
};

/** Counts what level k was asked for and moved, for it and the level behind it. */
void jrx_cachesim_count(struct jrx_cachesim *sim, unsigned k, const struct moves *moves);
/** Counts lines that come from memory for the first time. */
void jrx_cachesim_memory(struct jrx_cachesim *sim, const struct lines *lines, size_t count);

#endif
