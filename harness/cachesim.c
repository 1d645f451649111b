/*
 * The simulator itself; geometries are in cachesim_geometry.c.
 *
 * A set is an array of ways, most recently used first; a way is one word: line number, tag, dirty bit and a bit that
 * says it holds anything. A hit in the first way (most of them) is one comparison; others shift the ways before it by
 * one.
 */
#include "harness/cachesim.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <stdlib.h>
#include <string.h>

enum { LINE_SHIFT = 5, TAG_SHIFT = 2, DIRTY = 2, FULL = 1, TAGS = JRX_ACCESS_TAGS };
_Static_assert(TAGS == 1 << (LINE_SHIFT - TAG_SHIFT), "a way holds a tag in three bits");

struct level {
    uint64_t *way;       /* [sets][ways] */
    uint64_t sets, mask; /* mask = sets - 1 if that is a power of two, else 0 */
    unsigned ways;
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
};

/* ---- lines seen ---------------------------------------------------------------------------------- */

static size_t slot_of(const struct seen *seen, uint64_t line)
{
    size_t at = (size_t)((line * 0x9E3779B97F4A7C15u) >> 20) & (seen->size - 1); /* Fibonacci hashing */
    while (seen->slot[at] && seen->slot[at] != line + 1)
        at = (at + 1) & (seen->size - 1);
    return at;
}

static int seen_grow(struct seen *seen)
{
    struct seen bigger = {.size = seen->size ? 2 * seen->size : 1 << 12};
    bigger.slot = jrx_alloc(bigger.size * sizeof *bigger.slot);
    if (!bigger.slot)
        return JRX_ENOMEM;
    for (size_t i = 0; i < seen->size; i++)
        if (seen->slot[i])
            bigger.slot[slot_of(&bigger, seen->slot[i] - 1)] = seen->slot[i];
    bigger.used = seen->used;
    free(seen->slot);
    *seen = bigger;
    return 0;
}

/* Out of line: it is on the path of memory fetches only. */
static void first_touch(struct jrx_cachesim *sim, uint64_t line, unsigned tag)
{
    if (2 * sim->seen.used >= sim->seen.size && seen_grow(&sim->seen)) {
        sim->out_of_memory = 1;
        return;
    }
    size_t at = slot_of(&sim->seen, line);
    if (sim->seen.slot[at])
        return;
    sim->seen.slot[at] = line + 1;
    sim->seen.used++;
    sim->compulsory[tag]++;
}

/* ---- levels -------------------------------------------------------------------------------------- */

static inline uint64_t *set_of(const struct level *l, uint64_t line)
{
    return l->way + (l->mask ? line & l->mask : line % l->sets) * l->ways;
}

/* Brings the line to the front of its set if it is there: the word it was stored as, else 0. */
static inline uint64_t lookup(uint64_t *set, unsigned ways, uint64_t line)
{
    if ((set[0] >> LINE_SHIFT) == line && set[0])
        return set[0];
    for (unsigned i = 1; i < ways; i++) {
        uint64_t word = set[i];
        if ((word >> LINE_SHIFT) == line && word) {
            for (; i; i--)
                set[i] = set[i - 1];
            set[0] = word;
            return word;
        }
    }
    return 0;
}

static void write_back(struct jrx_cachesim *sim, unsigned k, uint64_t word);

/* Makes room in front; the usual numbers of ways as constants, for which the compiler has a few instructions. */
static inline void shift(uint64_t *set, unsigned ways)
{
    if (ways == 16)
        memmove(set + 1, set, 15 * sizeof *set);
    else if (ways == 12)
        memmove(set + 1, set, 11 * sizeof *set);
    else if (ways == 8)
        memmove(set + 1, set, 7 * sizeof *set);
    else
        memmove(set + 1, set, (ways - 1) * sizeof *set);
}

/* Puts a line in front of its set; what falls out at the other end is written back if it must be. */
static void insert(struct jrx_cachesim *sim, unsigned k, uint64_t *set, uint64_t word)
{
    struct level *l = &sim->level[k];
    uint64_t last = set[l->ways - 1];
    shift(set, l->ways);
    set[0] = word;
    if (last & DIRTY)
        write_back(sim, k, last);
}

static uint64_t word_of(uint64_t line, unsigned tag, unsigned flags)
{
    return line << LINE_SHIFT | (uint64_t)tag << TAG_SHIFT | flags;
}

/* A dirty line leaves level k: the next level takes it whole, and does not fetch it. */
static void write_back(struct jrx_cachesim *sim, unsigned k, uint64_t word)
{
    unsigned tag = (unsigned)(word >> TAG_SHIFT) & (TAGS - 1);
    sim->level[k].counts[tag].writebacks++;
    if (++k == sim->geometry.levels)
        return;
    struct level *l = &sim->level[k];
    uint64_t line = word >> LINE_SHIFT, *set = set_of(l, line);
    l->counts[tag].writes++;
    if (lookup(set, l->ways, line)) {
        set[0] = word_of(line, tag, FULL | DIRTY);
        return;
    }
    l->counts[tag].write_misses++;
    insert(sim, k, set, word_of(line, tag, FULL | DIRTY));
}

/* Level k lacks the line: it comes from the next level that has it, or from memory, into all levels on the way. */
static void fetch(struct jrx_cachesim *sim, unsigned k, uint64_t line, unsigned tag, unsigned flags)
{
    struct level *l = &sim->level[k];
    l->counts[tag].fetches++;
    if (k + 1 == sim->geometry.levels)
        first_touch(sim, line, tag);
    else {
        struct level *next = &sim->level[k + 1];
        uint64_t *set = set_of(next, line), word = lookup(set, next->ways, line);
        next->counts[tag].reads++;
        if (word)
            set[0] = word_of(line, tag, (unsigned)word & (FULL | DIRTY));
        else {
            next->counts[tag].read_misses++;
            fetch(sim, k + 1, line, tag, FULL);
        }
    }
    insert(sim, k, set_of(l, line), word_of(line, tag, flags));
}

static inline void touch(struct jrx_cachesim *sim, uint64_t line, unsigned tag, unsigned write)
{
    struct level *l = &sim->level[0];
    struct jrx_cache_counts *counts = &l->counts[tag];
    uint64_t *set = set_of(l, line), word = lookup(set, l->ways, line);
    unsigned dirty = write ? DIRTY : 0;
    counts->reads += !write;
    counts->writes += write;
    if (word) {
        set[0] = word_of(line, tag, ((unsigned)word & DIRTY) | dirty | FULL);
        return;
    }
    counts->read_misses += !write;
    counts->write_misses += write;
    for (unsigned k = 1; k < sim->geometry.levels; k++) /* the sets that come next are not in a cache of this machine */
        __builtin_prefetch(set_of(&sim->level[k], line));
    fetch(sim, 0, line, tag, FULL | dirty);
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

int jrx_cachesim_run(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count)
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
            *front |= write ? DIRTY : 0;
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
    if (sim->out_of_memory)
        return jrx_fail(JRX_ENOMEM, "cachesim: no memory for the table of %zu lines seen; simulate a smaller layer",
                        sim->seen.used);
    return 0;
}

/* ---- life ---------------------------------------------------------------------------------------- */

int jrx_cache_geometry_check(const struct jrx_cache_geometry *g)
{
    if (g->levels < 1 || g->levels > JRX_CACHE_LEVELS)
        return jrx_fail(JRX_EINVAL, "cachesim: %u levels; use 1 to %d", g->levels, JRX_CACHE_LEVELS);
    if (g->line_bytes < 32 || g->line_bytes > 4096 || (g->line_bytes & (g->line_bytes - 1)))
        return jrx_fail(JRX_EINVAL, "cachesim: lines of %u bytes; use a power of two from 32 to 4096", g->line_bytes);
    for (unsigned k = 0; k < g->levels; k++) {
        uint64_t bytes = g->level[k].bytes, ways = g->level[k].ways;
        if (ways < 1 || ways > 1 << 20 || bytes == 0 || bytes >> 36 || bytes % (ways * g->line_bytes))
            return jrx_fail(
                JRX_EINVAL,
                "cachesim: L%u of %llu bytes with %llu ways of %u-byte lines; use a size that is a multiple of "
                "ways times line",
                k + 1, (unsigned long long)bytes, (unsigned long long)ways, g->line_bytes);
    }
    return 0;
}

int jrx_cachesim_new(struct jrx_cachesim **out, const struct jrx_cache_geometry *geometry)
{
    *out = NULL;
    int rc = jrx_cache_geometry_check(geometry);
    if (rc)
        return rc;
    struct jrx_cachesim *sim = jrx_alloc(sizeof *sim);
    if (!sim)
        return JRX_ENOMEM;
    sim->geometry = *geometry;
    sim->line_shift = (unsigned)__builtin_ctz(geometry->line_bytes);
    rc = seen_grow(&sim->seen);
    for (unsigned k = 0; !rc && k < geometry->levels; k++) {
        struct level *l = &sim->level[k];
        l->ways = geometry->level[k].ways;
        l->sets = geometry->level[k].bytes / geometry->line_bytes / l->ways;
        l->mask = l->sets & (l->sets - 1) ? 0 : l->sets - 1;
        l->way = jrx_alloc(l->sets * l->ways * sizeof *l->way);
        rc = l->way ? 0 : JRX_ENOMEM;
    }
    if (rc)
        jrx_cachesim_free(sim);
    else
        *out = sim;
    return rc;
}

void jrx_cachesim_free(struct jrx_cachesim *sim)
{
    if (!sim)
        return;
    for (unsigned k = 0; k < sim->geometry.levels; k++)
        free(sim->level[k].way);
    free(sim->seen.slot);
    free(sim);
}

void jrx_cachesim_flush(struct jrx_cachesim *sim)
{
    for (unsigned k = 0; k < sim->geometry.levels; k++) {
        struct level *l = &sim->level[k];
        for (uint64_t i = 0; i < l->sets * l->ways; i++)
            if (l->way[i] & DIRTY) {
                l->way[i] &= ~(uint64_t)DIRTY;
                write_back(sim, k, l->way[i]);
            }
    }
}

void jrx_cachesim_reset_counts(struct jrx_cachesim *sim)
{
    for (unsigned k = 0; k < JRX_CACHE_LEVELS; k++)
        memset(sim->level[k].counts, 0, sizeof sim->level[k].counts);
    memset(sim->read_bytes, 0, sizeof sim->read_bytes);
    memset(sim->write_bytes, 0, sizeof sim->write_bytes);
    memset(sim->compulsory, 0, sizeof sim->compulsory);
}

void jrx_cachesim_clear(struct jrx_cachesim *sim)
{
    for (unsigned k = 0; k < sim->geometry.levels; k++)
        memset(sim->level[k].way, 0, sim->level[k].sets * sim->level[k].ways * sizeof *sim->level[k].way);
    memset(sim->seen.slot, 0, sim->seen.size * sizeof *sim->seen.slot);
    sim->seen.used = 0;
    sim->out_of_memory = 0;
    jrx_cachesim_reset_counts(sim);
}

/* ---- results ------------------------------------------------------------------------------------- */

static uint64_t of_tag(const uint64_t *by_tag, unsigned tag)
{
    uint64_t sum = 0;
    for (unsigned t = 0; t < TAGS; t++)
        sum += tag == TAGS || tag == t ? by_tag[t] : 0;
    return sum;
}

struct jrx_cache_counts jrx_cachesim_get(const struct jrx_cachesim *sim, unsigned level, unsigned tag)
{
    struct jrx_cache_counts sum = {0};
    for (unsigned t = 0; t < TAGS && level < sim->geometry.levels; t++) {
        const struct jrx_cache_counts *c = &sim->level[level].counts[t];
        if (tag != TAGS && tag != t)
            continue;
        sum.reads += c->reads;
        sum.writes += c->writes;
        sum.read_misses += c->read_misses;
        sum.write_misses += c->write_misses;
        sum.fetches += c->fetches;
        sum.writebacks += c->writebacks;
    }
    return sum;
}

uint64_t jrx_cachesim_read_bytes(const struct jrx_cachesim *sim, unsigned tag)
{
    return of_tag(sim->read_bytes, tag);
}

uint64_t jrx_cachesim_write_bytes(const struct jrx_cachesim *sim, unsigned tag)
{
    return of_tag(sim->write_bytes, tag);
}

uint64_t jrx_cachesim_compulsory(const struct jrx_cachesim *sim, unsigned tag)
{
    return of_tag(sim->compulsory, tag);
}

const struct jrx_cache_geometry *jrx_cachesim_geometry(const struct jrx_cachesim *sim)
{
    return &sim->geometry;
}
