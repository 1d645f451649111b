/*
 * The inner loop of the cache simulator for one instruction set; a file cachesim_<isa>.c includes this and names the
 * table. A line goes in front of its set, and the ways before where it was move by one; with vectors, for lines side
 * by side at once, as each has a lane of its own. Rows of a tensor are such lines, so accesses first wait to be put
 * together (struct queue).
 *
 * Levels know of one another only by the lines that move between them, so they are simulated one after the other: the
 * first over some accesses, then the second over what left the first meanwhile, and so on. That is exact, as each
 * lane sees the same in the same order as if every line went all the way down at once: first the line it is asked
 * for, then what that drove out above.
 */
#ifndef HARNESS_CACHESIM_TEMPLATE_H
#define HARNESS_CACHESIM_TEMPLATE_H
#include "harness/cachesim_sets.h"
#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

static const uint32_t WHICH = ~(uint32_t)((TAGS - 1) << TAG_SHIFT | DIRTY); /* bits that tell lines apart, and FULL */
static const uint32_t LANE_BITS = (LANES - 1) << LINE_SHIFT;

#if defined __AVX512F__
enum { WIDTH = 16 };
#elif defined __AVX2__
enum { WIDTH = 8 };
#else
enum { WIDTH = 4 };
#endif
enum { PARTS = LANES / WIDTH };

/* A word of each of some lanes; what a comparison says is 0 or all ones in each. */
typedef uint32_t vec __attribute__((vector_size(WIDTH * sizeof(uint32_t))));
union row {
    vec part[PARTS];
    uint32_t lane[LANES];
};

#define EACH_LANE(X)                                                                                                   \
    {                                                                                                                  \
        X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14), X(15)           \
    }
#define ITS_BIT(i) 1u << (i)
#define ITS_LINE(i) (i) << LINE_SHIFT
static const union row BIT = {.lane = EACH_LANE(ITS_BIT)}, LINE = {.lane = EACH_LANE(ITS_LINE)};

/* Which lanes of a comparison are true, a bit each. */
INLINE unsigned bits_of(const vec *is, unsigned part)
{
#if defined __AVX512F__
    return (unsigned)_mm512_movepi32_mask((__m512i)*is) << part * WIDTH;
#elif defined __AVX2__
    return (unsigned)_mm256_movemask_ps((__m256)*is) << part * WIDTH;
#else
    return (unsigned)_mm_movemask_ps((__m128)*is) << part * WIDTH;
#endif
}

/* The first way of the sets that lines are asked of. */
INLINE uint32_t *ways_of(const struct sets *sets, uint32_t word, const unsigned lane_shift)
{
    const uint32_t row = word >> LINE_SHIFT >> lane_shift;
    return sets->way + ((size_t)(sets->mask ? row & sets->mask : row % sets->rows) * sets->ways << lane_shift);
}

/* Puts lines in front of their sets, dirty if they were or are asked to be; returns which lanes missed, and in `fell`
 * what fell out of those. Of one part of the lanes. */
INLINE unsigned promote_part(union row *way, unsigned ways, const struct lines *lines, unsigned part, vec *fell)
{
    const vec word = lines->word + LINE.part[part];
    vec open = (vec)((BIT.part[part] & lines->lanes) != 0), carried = word, found = word & 0;
    unsigned missed = 1;
    for (unsigned i = 0; i < ways && missed; i++) {
        const vec old = way[i].part[part], here = open & (vec)(((old ^ word) & WHICH) == 0);
        way[i].part[part] = (carried & open) | (old & ~open);
        carried = old;
        found |= old & here;
        open &= ~here;
        missed = bits_of(&open, part);
    }
    way[0].part[part] |= found & DIRTY;
    *fell = carried;
    return missed;
}

INLINE unsigned promote_lanes(union row *way, unsigned ways, const struct lines *lines, union row *fell)
{
    const unsigned all = (1u << WIDTH) - 1;
    unsigned missed = 0;
    for (unsigned part = 0; part < PARTS; part++)
        if (lines->lanes >> part * WIDTH & all)
            missed |= promote_part(way, ways, lines, part, &fell->part[part]);
    return missed;
}

INLINE unsigned promote_one(uint32_t *way, unsigned ways, uint32_t word, uint32_t *fell)
{
    uint32_t carried = word;
    for (unsigned i = 0; i < ways; i++) {
        const uint32_t old = way[i];
        way[i] = carried;
        carried = old;
        if (((old ^ word) & WHICH) == 0) {
            way[0] |= old & DIRTY;
            return 0;
        }
    }
    *fell = carried;
    return 1;
}

/* What leaves a level goes to left[0..count). */
struct left {
    struct lines *lines;
    size_t count;
    struct moves moves;
};

/* Those of `lines` that missed are fetched, but not if they were written back from above, into `written`. */
INLINE void fetch(struct left *left, const struct lines *lines, unsigned missed, uint32_t written)
{
    left->moves.missed[lines->word & LOW] += (unsigned)__builtin_popcount(missed);
    left->lines[left->count] = (struct lines){lines->word & ~(uint32_t)DIRTY, missed};
    left->count += !(lines->word & written);
}

INLINE void write_back(struct left *left, uint32_t word, unsigned lanes)
{
    left->moves.dropped[word & LOW] += (unsigned)__builtin_popcount(lanes);
    left->lines[left->count++] = (struct lines){word, lanes};
}

INLINE void write_back_lanes(struct left *left, union row *fell, unsigned missed)
{
    unsigned dirty = 0;
    for (unsigned part = 0; part < PARTS; part++) {
        const vec is = (vec)((fell->part[part] & DIRTY) != 0);
        dirty |= bits_of(&is, part);
        fell->part[part] &= ~LANE_BITS;
    }
    for (unsigned lost = missed & dirty, same; lost; lost &= ~same) {
        const uint32_t word = fell->lane[__builtin_ctz(lost)];
        same = 0;
        for (unsigned part = 0; part < PARTS; part++) {
            const vec is = (vec)(fell->part[part] == word);
            same |= bits_of(&is, part);
        }
        same &= lost;
        write_back(left, word, same);
    }
}

/* Lines asked of a level, one after the other. `written`: DIRTY but for the first level, where a store fetches. */
static void ask_lanes(const struct sets *sets, const struct lines *lines, size_t count, uint32_t written,
                      struct left *left)
{
    for (size_t i = 0; i < count; i++) {
        union row *const way = (union row *)ways_of(sets, lines[i].word, LANE_SHIFT);
        union row fell = {.part = {{0}}};
        const unsigned missed = promote_lanes(way, sets->ways, &lines[i], &fell);
        if (missed) {
            fetch(left, &lines[i], missed, written);
            write_back_lanes(left, &fell, missed);
        }
    }
}

static void ask_one(const struct sets *sets, const struct lines *lines, size_t count, uint32_t written,
                    struct left *left)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t fell;
        if (!promote_one(ways_of(sets, lines[i].word, 0), sets->ways, lines[i].word, &fell))
            continue;
        fetch(left, &lines[i], 1, written);
        if (fell & DIRTY)
            write_back(left, fell, 1);
    }
}

/* Lines asked of level k, and what leaves it of those behind it, to memory. */
static void descend(struct jrx_cachesim *sim, unsigned k, const struct lines *lines, size_t count)
{
    struct lines space[2][MOVES];
    for (; count && k < sim->geometry.levels; k++) {
        struct left left = {.lines = space[k & 1]};
        (sim->lane_shift ? ask_lanes : ask_one)(&sim->level[k].sets, lines, count, k ? DIRTY : 0, &left);
        jrx_cachesim_count(sim, k, &left.moves);
        lines = left.lines;
        count = left.count;
    }
    if (count)
        jrx_cachesim_memory(sim, lines, count);
}

/* All of an access but its address, and but what pads it. */
static inline uint32_t what_of(const struct jrx_access *a)
{
    return (uint32_t)a->bytes | (uint32_t)a->tag << 16 | (uint32_t)a->write << 24;
}

static inline void count_alike(struct jrx_cachesim *sim, const struct jrx_access *from, const struct jrx_access *to)
{
    sim->asked[low_of(from)] += (uint64_t)(to - from);
    sim->bytes[low_of(from)] += (uint64_t)(to - from) * from->bytes;
}

/*
 * Lines that wait to be asked of the first level. An access joins lines that wait already if it is alike and of the
 * same row, and nothing that came since is of the same set: of one slot and lane. So the rows of a few tensors that a
 * loop goes through side by side are each asked for at once.
 */
struct queue {
    size_t count;
    struct lines lines[1 + ASKED]; /* the first is nobody's */
    unsigned before[1 + ASKED];    /* index of what came before in the same slot, or 0 */
    unsigned last[SLOTS];
};

INLINE void join(struct queue *queue, uint32_t word, unsigned slot, unsigned lane)
{
    enum { FAR = 4 }; /* tensors of a loop */
    unsigned at = queue->last[slot], since = 0;
    for (int i = 0; i < FAR && !(since & lane); i++, at = queue->before[at]) {
        if (queue->lines[at].word == word) {
            queue->lines[at].lanes |= lane;
            return;
        }
        since |= queue->lines[at].lanes;
    }
    queue->before[queue->count] = queue->last[slot];
    queue->last[slot] = (unsigned)queue->count;
    queue->lines[queue->count++] = (struct lines){word, lane};
}

/* Accesses of one line each, up to `end` or the first that is not. */
static const struct jrx_access *gather(struct jrx_cachesim *sim, const struct jrx_access *a,
                                       const struct jrx_access *end, struct queue *queue)
{
    const unsigned line_shift = sim->line_shift, lane_shift = sim->lane_shift;
    const uint32_t lane = (1u << lane_shift) - 1, slot = sim->slots - 1;
    const struct jrx_access *from = a; /* since when all are alike */
    queue->count = 1;
    queue->lines[0] = (struct lines){0, 0};
    queue->before[0] = 0;
    memset(queue->last, 0, sizeof queue->last);
    for (; a < end; a++) {
        const uint64_t line = a->address >> line_shift;
        if (line >> LINE_BITS || !a->bytes || (a->address + a->bytes - 1) >> line_shift != line)
            break;
        if (what_of(a) != what_of(from)) {
            count_alike(sim, from, a);
            from = a;
        }
        join(queue, ((uint32_t)line & ~lane) << LINE_SHIFT | low_of(a), (uint32_t)line >> lane_shift & slot,
             1u << (line & lane));
    }
    if (from < a)
        count_alike(sim, from, a);
    return a;
}

/* Lines of an access, one by one; 0 if it is too far. */
static int several(struct jrx_cachesim *sim, const struct jrx_access *a)
{
    const uint64_t first = a->address >> sim->line_shift, last = (a->address + a->bytes - 1) >> sim->line_shift;
    const uint32_t lane = (1u << sim->lane_shift) - 1;
    if (a->bytes == 0)
        return 1;
    if ((first | last) >> LINE_BITS)
        return 0;
    for (uint32_t line = (uint32_t)first; line <= last; line++) {
        const struct lines one = {(line & ~lane) << LINE_SHIFT | low_of(a), 1u << (line & lane)};
        descend(sim, 0, &one, 1);
    }
    sim->asked[low_of(a)] += last - first + 1;
    sim->bytes[low_of(a)] += a->bytes;
    return 1;
}

static size_t run(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count)
{
    const struct jrx_access *const end = access + count, *a = access;
    for (int near = 1; a < end && near;) {
        const struct jrx_access *stop = end - a > ASKED ? a + ASKED : end;
        struct queue queue;
        a = gather(sim, a, stop, &queue);
        descend(sim, 0, queue.lines + 1, queue.count - 1);
        if (a < stop) {
            near = several(sim, a);
            a += near;
        }
    }
    return (size_t)(a - access);
}

#define CACHESIM_OPS                                                                                                   \
    {                                                                                                                  \
        .run = run, .descend = descend                                                                                 \
    }

#endif
