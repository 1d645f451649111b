/*
 * The inner loop of the cache simulator for one instruction set; a file cachesim_<isa>.c includes this and names the
 * table. A hit in the first way (most of them) is one comparison; others shift the ways before it by one.
 */
#ifndef HARNESS_CACHESIM_TEMPLATE_H
#define HARNESS_CACHESIM_TEMPLATE_H
#include "harness/cachesim_sets.h"
#include <immintrin.h>
#include <string.h>

static inline uint64_t *set_of(const struct level *l, uint64_t line)
{
    return l->way + (l->mask ? line & l->mask : line % l->sets) * l->stride;
}

static inline uint64_t word_of(uint64_t line, unsigned tag, unsigned flags)
{
    return line << LINE_SHIFT | (uint64_t)tag << TAG_SHIFT | flags;
}

/* The way that holds a line; `ways` if the set lacks it. Then: ways 0 to `at` move by one, that at `at` falls out. */
#ifdef __AVX512F__

enum { WIDE = 16, HALF = 8 }; /* sets of so many ways are looked at as a whole */

static inline unsigned wide_find(const uint64_t *set, unsigned ways, uint64_t line)
{
    const __m512i key = _mm512_set1_epi64((long long)(line << LINE_SHIFT | FULL));
    const __m512i which = _mm512_set1_epi64(~(long long)((TAGS - 1) << TAG_SHIFT | DIRTY));
    unsigned found = _mm512_cmpeq_epi64_mask(_mm512_and_epi64(_mm512_loadu_si512(set), which), key);
    if (ways > HALF)
        found |= (unsigned)_mm512_cmpeq_epi64_mask(_mm512_and_epi64(_mm512_loadu_si512(set + HALF), which), key)
                 << HALF;
    return (unsigned)__builtin_ctz((found & ((1u << ways) - 1)) | 1u << ways);
}

static inline void wide_shift(uint64_t *set, unsigned ways, unsigned at, uint64_t word)
{
    const unsigned moved = (2u << at) - 1;
    const __m512i near = _mm512_loadu_si512(set);
    const __m512i front = _mm512_alignr_epi64(near, _mm512_set1_epi64((long long)word), HALF - 1);
    if (ways > HALF) {
        const __m512i far = _mm512_loadu_si512(set + HALF);
        _mm512_storeu_si512(set + HALF, _mm512_mask_mov_epi64(far, (__mmask8)(moved >> HALF),
                                                              _mm512_alignr_epi64(far, near, HALF - 1)));
    }
    _mm512_storeu_si512(set, _mm512_mask_mov_epi64(near, (__mmask8)moved, front));
}
#else
enum { WIDE = 0 };
static inline unsigned wide_find(const uint64_t *set, unsigned ways, uint64_t line)
{
    (void)set, (void)line;
    return ways;
}
static inline void wide_shift(uint64_t *set, unsigned ways, unsigned at, uint64_t word)
{
    (void)set, (void)ways, (void)at, (void)word;
}
#endif

static inline unsigned find(const uint64_t *set, unsigned ways, uint64_t line)
{
    if (ways <= WIDE)
        return wide_find(set, ways, line);
    unsigned at = 0;
    while (at < ways && !(set[at] >> LINE_SHIFT == line && set[at]))
        at++;
    return at;
}

/* The usual numbers of ways as constants, for which the compiler has a few instructions. */
static inline void shift(uint64_t *set, unsigned ways, unsigned at, uint64_t word)
{
    if (ways <= WIDE) {
        wide_shift(set, ways, at, word);
        return;
    }
    if (at == 15)
        memmove(set + 1, set, 15 * sizeof *set);
    else if (at == 11)
        memmove(set + 1, set, 11 * sizeof *set);
    else if (at == 7)
        memmove(set + 1, set, 7 * sizeof *set);
    else
        for (unsigned i = at; i; i--)
            set[i] = set[i - 1];
    set[0] = word;
}

/* Puts a line in front of its set, dirty if it was or `dirty` says so. Returns whether it was there; if not, *out is
 * what fell out. */
static inline __attribute__((always_inline)) int promote(const struct level *l, uint64_t line, unsigned tag,
                                                         unsigned dirty, uint64_t *out)
{
    uint64_t *set = set_of(l, line);
    const unsigned found = find(set, l->ways, line), hit = found < l->ways, at = hit ? found : l->ways - 1;
    *out = set[at];
    shift(set, l->ways, at, word_of(line, tag, (hit ? (unsigned)*out & DIRTY : 0) | dirty | FULL));
    return hit;
}

/* Writes a word that fell out of level k back if it is dirty, and so on with what that drives out. */
static inline void write_back(struct jrx_cachesim *sim, unsigned k, uint64_t word)
{
    while (word & DIRTY) {
        const unsigned tag = (unsigned)(word >> TAG_SHIFT) & (TAGS - 1);
        sim->level[k].counts[tag].writebacks++;
        if (++k == sim->geometry.levels)
            return;
        struct jrx_cache_counts *counts = &sim->level[k].counts[tag];
        counts->writes++;
        if (promote(&sim->level[k], word >> LINE_SHIFT, tag, DIRTY, &word))
            return;
        counts->write_misses++;
    }
}

/* The line comes from the next level that has it, or from memory, into all levels on the way; then what fell out of
 * them is written back, the furthest first. */
static inline void touch(struct jrx_cachesim *sim, uint64_t line, unsigned tag, unsigned write)
{
    const unsigned levels = sim->geometry.levels;
    uint64_t out[JRX_CACHE_LEVELS];
    struct jrx_cache_counts *counts = &sim->level[0].counts[tag];
    counts->reads += !write;
    counts->writes += write;
    if (promote(&sim->level[0], line, tag, write ? DIRTY : 0, &out[0]))
        return;
    counts->read_misses += !write;
    counts->write_misses += write;
    counts->fetches++;
    for (unsigned k = 1; k < levels; k++) /* the sets that come next are not in a cache of this machine */
        __builtin_prefetch(set_of(&sim->level[k], line));
    unsigned k = 1;
    for (; k < levels; k++) {
        counts = &sim->level[k].counts[tag];
        counts->reads++;
        if (promote(&sim->level[k], line, tag, 0, &out[k]))
            break;
        counts->read_misses++;
        counts->fetches++;
    }
    if (k == levels)
        jrx_cachesim_first_touch(sim, line, tag);
    while (k--)
        write_back(sim, k, out[k]);
}

/* Accesses of one tensor in one direction that come one after the other, added up outside memory. */
struct streak {
    unsigned tag, write;
    uint64_t bytes, hits; /* hits: of the line that its set saw last */
};

static inline void end_streak(struct jrx_cachesim *sim, const struct streak *s)
{
    struct jrx_cache_counts *counts = &sim->level[0].counts[s->tag];
    *(s->write ? &sim->write_bytes[s->tag] : &sim->read_bytes[s->tag]) += s->bytes;
    *(s->write ? &counts->writes : &counts->reads) += s->hits;
}

static void run(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count)
{
    const unsigned shift = sim->line_shift;
    struct streak streak = {0};
    for (size_t i = 0; i < count; i++) {
        const struct jrx_access *a = &access[i];
        unsigned tag = a->tag & (TAGS - 1), write = a->write != 0;
        if (a->bytes == 0)
            continue;
        uint64_t line = a->address >> shift, last = (a->address + a->bytes - 1) >> shift;
        if (tag != streak.tag || write != streak.write) {
            end_streak(sim, &streak);
            streak = (struct streak){.tag = tag, .write = write};
        }
        streak.bytes += a->bytes;
        /* most accesses: the line that its set saw last, by the same tensor */
        uint64_t *front = set_of(&sim->level[0], line);
        if (line == last && *front >> TAG_SHIFT == (line << (LINE_SHIFT - TAG_SHIFT) | tag) && *front) {
            if (write && !(*front & DIRTY)) /* a narrow store would hold up the next wide load */
                *front |= DIRTY;
            streak.hits++;
            continue;
        }
        for (;; line++) { /* mostly once; ends by equality, so that the last byte of the address space is no trap */
            touch(sim, line, tag, write);
            if (line == last)
                break;
        }
    }
    end_streak(sim, &streak);
}

#define CACHESIM_OPS                                                                                                   \
    {                                                                                                                  \
        .run = run, .write_back = write_back                                                                           \
    }

#endif
