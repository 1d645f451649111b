/*
 * What the parts of the cache simulator share: how sets and lines lie in memory, and its inner loop, built once an
 * instruction set.
 *
 * A set is an array of ways, most recently used first; a way is one word: line number, tag, dirty bit and a bit that
 * says it holds anything. A line that moves from one level to the next is such a word too: fetched if it is clean,
 * written back if it is dirty.
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
    LINE_BITS = 32 - LINE_SHIFT
};
static const uint32_t LAST_LINE = ~(uint32_t)LOW; /* a word of it or above */
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

struct sets {
    uint32_t *way;        /* [count][stride] */
    uint32_t count, mask; /* mask = count - 1 if that is a power of two, else 0 */
    unsigned ways, stride;
};

struct level {
    struct sets sets;
    struct jrx_cache_counts counts[TAGS];
};

/* Lines asked of the first level before the others look at what left it, at most MOVES words; how many lines ahead a
 * set is fetched, in levels of so many words. */
enum { ASKED = 256, MOVES = 2 * ASKED, AHEAD = 12, FAR_WORDS = 1 << 16 };

/* The first level over some accesses; [.] is the low bits of a word: tag and direction. */
struct tally {
    uint64_t asked[LOW + 1];           /* lines times ONE_LINE, plus bytes */
    size_t count;                      /* lines asked for, but for those that their set saw last */
    uint32_t word[ASKED], fell[ASKED]; /* and what fell out for them */
};
static const uint64_t ONE_LINE = (uint64_t)1 << 40; /* more than all bytes of a tally */

struct jrx_cachesim {
    struct jrx_cache_geometry geometry;
    unsigned line_shift;
    struct level level[JRX_CACHE_LEVELS];
    uint64_t read_bytes[TAGS], write_bytes[TAGS], compulsory[TAGS];
    unsigned char *seen; /* a bit a line: fetched from memory before */
    struct tally tally;  /* clear between runs */
    const struct jrx_cachesim_ops *ops;
};

struct jrx_cachesim_ops {
    /* returns how many were taken: less than count if one is too far */
    size_t (*run)(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count);
    /* lines asked of level k > 0, at most MOVES of them, and so on down; with k the number of levels, of memory */
    void (*descend)(struct jrx_cachesim *sim, unsigned k, const uint32_t *word, size_t count);
};
extern const struct jrx_cachesim_ops jrx_cachesim_baseline, jrx_cachesim_avx512;

/* Of some lines asked of a level, by the low bits. */
struct moves {
    uint32_t missed[LOW + 1];  /* of what was asked and not there */
    uint32_t dropped[LOW + 1]; /* of what fell out for it */
};

/** Adds the tally to the counts of the first level and clears it. */
void jrx_cachesim_take(struct jrx_cachesim *sim);
/** Counts what level k was asked for and moved, for it and the level behind it. */
void jrx_cachesim_count(struct jrx_cachesim *sim, unsigned k, const struct moves *moves);
/** Counts lines that come from memory for the first time. */
void jrx_cachesim_memory(struct jrx_cachesim *sim, const uint32_t *word, size_t count);

#endif
