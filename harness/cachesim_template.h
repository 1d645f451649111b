/*
 * The inner loop of the cache simulator for one instruction set; a file cachesim_<isa>.c includes this and names the
 * table. A hit in the first way (most of them) is one comparison; others shift the ways before it by one.
 *
 * Levels know of one another only by the lines that move between them, so they are simulated one after the other: the
 * first over some accesses, then the second over what left the first meanwhile, and so on. That is exact, as each
 * sees the same in the same order as if every line went all the way down at once: first the line it is asked for, then
 * what that drove out above.
 */
#ifndef HARNESS_CACHESIM_TEMPLATE_H
#define HARNESS_CACHESIM_TEMPLATE_H
#include "harness/cachesim_sets.h"
#include <immintrin.h>
#include <string.h>

/* By the number of ways: a set as one vector, as two, or as a loop. A constant wherever it is an argument. */
enum kind { ONE_VECTOR, TWO_VECTORS, LOOP, KINDS };
enum { VECTOR = 16 };

static inline unsigned kind_of(const struct sets *sets)
{
#ifdef __AVX512F__
    return sets->ways <= VECTOR ? ONE_VECTOR : sets->ways <= 2 * VECTOR ? TWO_VECTORS : LOOP;
#else
    (void)sets;
    return LOOP;
#endif
}

#define INLINE static inline __attribute__((always_inline))

INLINE uint32_t *set_of(const struct sets *sets, uint32_t line, const enum kind kind)
{
    const size_t stride = kind == LOOP ? sets->stride : kind == ONE_VECTOR ? VECTOR : 2 * VECTOR;
    return sets->way + (sets->mask ? line & sets->mask : line % sets->count) * stride;
}

/* Puts the line of `word` in front of its set, dirty if it was or the word says so; ways in front of where it was move
 * by one. Returns 0 if it was there, or else what fell out, the last, and FULL even if that was nothing. */
#ifdef __AVX512F__
INLINE uint32_t promote_vectors(uint32_t *set, unsigned ways, uint32_t word, const enum kind kind)
{
    const __m512i key = _mm512_set1_epi32((int)word);
    const __m512i which = _mm512_set1_epi32(~((TAGS - 1) << TAG_SHIFT | DIRTY));
    const __m512i near = _mm512_loadu_si512(set);
    const __m512i far = kind == TWO_VECTORS ? _mm512_loadu_si512(set + VECTOR) : near;
    unsigned found = _mm512_testn_epi32_mask(_mm512_xor_epi32(near, key), which);
    if (kind == TWO_VECTORS)
        found |= (unsigned)_mm512_testn_epi32_mask(_mm512_xor_epi32(far, key), which) << VECTOR;
    const unsigned last = 1u << (ways - 1), here = (found | last) & -(found | last), moved = 2 * here - 1;
    const uint32_t out = set[__builtin_ctz(here)], missed = (uint32_t)(found != 0) - 1;
    word |= out & ~missed & DIRTY;
    if (kind == TWO_VECTORS)
        _mm512_storeu_si512(set + VECTOR,
                            _mm512_mask_alignr_epi32(far, (__mmask16)(moved >> VECTOR), far, near, VECTOR - 1));
    const __m512i front = _mm512_alignr_epi32(near, _mm512_set1_epi32((int)word), VECTOR - 1);
    _mm512_storeu_si512(set, _mm512_mask_mov_epi32(near, (__mmask16)moved, front));
    return (out | FULL) & missed;
}
#else
INLINE uint32_t promote_vectors(uint32_t *set, unsigned ways, uint32_t word, const enum kind kind)
{
    (void)set, (void)ways, (void)word, (void)kind;
    return 0;
}
#endif

static uint32_t promote_loop(uint32_t *set, unsigned ways, uint32_t word)
{
    unsigned at = 0;
    while (at < ways && !(set[at] >> LINE_SHIFT == word >> LINE_SHIFT && set[at]))
        at++;
    const int hit = at < ways;
    at -= !hit;
    const uint32_t out = set[at];
    memmove(set + 1, set, at * sizeof *set);
    set[0] = word | (hit ? out & DIRTY : 0);
    return hit ? 0 : out | FULL;
}

INLINE uint32_t promote(const struct sets *sets, uint32_t word, const enum kind kind)
{
    uint32_t *set = set_of(sets, word >> LINE_SHIFT, kind);
    return kind == LOOP ? promote_loop(set, sets->ways, word) : promote_vectors(set, sets->ways, word, kind);
}

/*
 * Lines asked of a level, one after the other; fell[] is what promote() says. What comes next is known, so its set is
 * fetched early: sets of the larger levels are not in a near cache of this machine. Here and in single() there is no
 * branch on hit or miss, which is hard to foresee where many miss, and no store to where that decides: the loads
 * after it would have to wait for it.
 */
INLINE void ask(const struct sets *sets, const uint32_t *word, size_t count, uint32_t *fell, const enum kind kind)
{
    const struct sets own = *sets; /* a copy: the stores below cannot be to it */
    const size_t ahead = (size_t)own.count * own.stride > FAR_WORDS ? AHEAD : count;
    for (size_t i = 0; i < count; i++) {
        if (i + ahead < count) {
            const uint32_t *set = set_of(&own, word[i + ahead] >> LINE_SHIFT, kind);
            __builtin_prefetch(set, 1);
            if (kind != ONE_VECTOR)
                __builtin_prefetch(set + own.ways - 1, 1);
        }
        fell[i] = promote(&own, word[i], kind);
    }
}

/* All of an access but its address, and but what pads it. */
static inline uint32_t what_of(const struct jrx_access *a)
{
    return (uint32_t)a->bytes | (uint32_t)a->tag << 16 | (uint32_t)a->write << 24;
}

/* Accesses of one line each, up to `end` or the first that is not. Mostly one is like that before it, a line on. */
INLINE const struct jrx_access *single(const struct jrx_cachesim *sim, const struct jrx_access *a,
                                       const struct jrx_access *end, struct tally *tally, const enum kind kind)
{
    const struct sets sets = sim->level[0].sets;
    const unsigned line_shift = sim->line_shift;
    const uint64_t line_bytes = (uint64_t)1 << line_shift;
    struct jrx_access last = {.bytes = 0};
    const struct jrx_access *since = a;
    uint32_t what = 0; /* of `last` */
    uint32_t word = 0;
    size_t count = 0;
    for (; a < end; a++) {
        const uint32_t its = what_of(a);
        if (a->address - last.address == line_bytes && its == what && word < LAST_LINE) {
            word += 1 << LINE_SHIFT;
        } else {
            tally->asked[word & LOW] += (uint64_t)(a - since) * (ONE_LINE + last.bytes);
            since = a;
            last.bytes = 0;
            const uint64_t line = a->address >> line_shift;
            if ((a->address + a->bytes - 1) >> line_shift != line || line >> LINE_BITS || !a->bytes)
                break;
            word = (uint32_t)line << LINE_SHIFT | low_of(a);
            last.bytes = a->bytes;
            what = its;
        }
        last.address = a->address;
        uint32_t *front = set_of(&sets, word >> LINE_SHIFT, kind);
        if ((*front | DIRTY) != (word | DIRTY)) { /* most: the line that its set saw last, by the same tensor */
            tally->word[count] = word;
            tally->fell[count++] = promote(&sets, word, kind);
        } else if (word > *front) /* a narrow store would hold up the next wide load */
            *front = word;
    }
    tally->asked[word & LOW] += (uint64_t)(a - since) * (ONE_LINE + last.bytes);
    tally->count = count;
    return a;
}

/* The two loops for each kind. */
#define CACHESIM_LOOPS(NAME, KIND)                                                                                     \
    static __attribute__((noinline)) void ask_##NAME(const struct sets *sets, const uint32_t *word, size_t count,      \
                                                     uint32_t *fell)                                                   \
    {                                                                                                                  \
        ask(sets, word, count, fell, KIND);                                                                            \
    }                                                                                                                  \
    static __attribute__((noinline)) const struct jrx_access *single_##NAME(                                           \
        const struct jrx_cachesim *sim, const struct jrx_access *a, const struct jrx_access *end, struct tally *tally) \
    {                                                                                                                  \
        return single(sim, a, end, tally, KIND);                                                                       \
    }
CACHESIM_LOOPS(one, ONE_VECTOR)
CACHESIM_LOOPS(two, TWO_VECTORS)
CACHESIM_LOOPS(loop, LOOP)

static const struct {
    void (*ask)(const struct sets *sets, const uint32_t *word, size_t count, uint32_t *fell);
    const struct jrx_access *(*single)(const struct jrx_cachesim *sim, const struct jrx_access *a,
                                       const struct jrx_access *end, struct tally *tally);
} loops[KINDS] = {{ask_one, single_one}, {ask_two, single_two}, {ask_loop, single_loop}};

/*
 * What leaves a level that was asked for `word` and dropped `fell`; returns how much. A word that misses is fetched,
 * but not if it was written back from above, into `written`: DIRTY but for the first level, where a store fetches.
 */
#ifdef __AVX512F__
/* Eight counters of eight bits, by tag, in each of eight lanes. */
_Static_assert(JRX_CACHE_LEVELS *ASKED / 8 <= 255, "a lane's share of what a level is asked fits eight bits");
INLINE __m512i count_tags(__m512i sum, __mmask8 which, __m512i shift)
{
    return _mm512_mask_add_epi64(sum, which, sum, _mm512_sllv_epi64(_mm512_set1_epi64(1), shift));
}

static void spread_tags(__m512i sum, unsigned low, uint32_t *counts)
{
    uint64_t lane[8];
    _mm512_storeu_si512(lane, sum);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned tag = 0; tag < TAGS; tag++)
            counts[tag << TAG_SHIFT | low] += lane[i] >> 8 * tag & 255;
}

static size_t leave(const uint32_t *word, const uint32_t *fell, size_t count, uint32_t written, uint32_t *left,
                    struct moves *moves)
{
    const __m512i dirty = _mm512_set1_epi32(DIRTY), full = _mm512_set1_epi32(FULL),
                  tags = _mm512_set1_epi32((TAGS - 1) << TAG_SHIFT);
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    __m512i reads = _mm512_setzero_si512(), writes = reads, writebacks = reads;
    size_t leaving = 0;
    for (size_t i = 0; i < count; i += 16) {
        const __mmask16 there = (__mmask16)(count - i < 16 ? (1u << (count - i)) - 1 : 0xffff);
        const __m512i w = _mm512_maskz_loadu_epi32(there, word + i), f = _mm512_maskz_loadu_epi32(there, fell + i);
        const __mmask16 missed = _mm512_test_epi32_mask(f, full), dropped = _mm512_test_epi32_mask(f, dirty);
        const __mmask16 missed_dirty = _mm512_mask_test_epi32_mask(missed, w, dirty);
        const __mmask16 fetched = written ? missed & ~missed_dirty : missed;
        const __m512i w_shift = _mm512_slli_epi32(_mm512_and_epi32(w, tags), 1),
                      f_shift = _mm512_slli_epi32(_mm512_and_epi32(f, tags), 1);
        for (int half = 0; half < 2; half++) {
            const __m512i w_half =
                _mm512_cvtepu32_epi64(half ? _mm512_extracti64x4_epi64(w_shift, 1) : _mm512_castsi512_si256(w_shift));
            const __m512i f_half =
                _mm512_cvtepu32_epi64(half ? _mm512_extracti64x4_epi64(f_shift, 1) : _mm512_castsi512_si256(f_shift));
            reads = count_tags(reads, (__mmask8)((missed & ~missed_dirty) >> 8 * half), w_half);
            writes = count_tags(writes, (__mmask8)(missed_dirty >> 8 * half), w_half);
            writebacks = count_tags(writebacks, (__mmask8)(dropped >> 8 * half), f_half);
        }
        const __m512i down = _mm512_maskz_andnot_epi32(fetched, dirty, w), back = _mm512_maskz_mov_epi32(dropped, f);
        const __m512i first = _mm512_permutex2var_epi32(down, low, back),
                      second = _mm512_permutex2var_epi32(down, high, back);
        const __mmask16 has_first = _mm512_test_epi32_mask(first, full),
                        has_second = _mm512_test_epi32_mask(second, full);
        _mm512_storeu_si512(left + leaving, _mm512_maskz_compress_epi32(has_first, first));
        leaving += (size_t)__builtin_popcount(has_first);
        _mm512_storeu_si512(left + leaving, _mm512_maskz_compress_epi32(has_second, second));
        leaving += (size_t)__builtin_popcount(has_second);
    }
    spread_tags(reads, FULL, moves->missed);
    spread_tags(writes, FULL | DIRTY, moves->missed);
    spread_tags(writebacks, FULL | DIRTY, moves->dropped);
    return leaving;
}
#else
static size_t leave(const uint32_t *word, const uint32_t *fell, size_t count, uint32_t written, uint32_t *left,
                    struct moves *moves)
{
    size_t leaving = 0;
    for (size_t i = 0; i < count; i++) {
        moves->missed[word[i] & LOW] += fell[i] & FULL;
        moves->dropped[fell[i] & LOW]++;
        left[leaving] = word[i] & ~(uint32_t)DIRTY;
        leaving += fell[i] & FULL & ~(word[i] & written) / DIRTY;
        left[leaving] = fell[i];
        leaving += fell[i] / DIRTY & 1;
    }
    return leaving;
}
#endif

/* Lines asked of level k, and what leaves it of those behind it, to memory. */
static void descend(struct jrx_cachesim *sim, unsigned k, const uint32_t *word, size_t count)
{
    enum { MOST = (JRX_CACHE_LEVELS + 1) * MOVES + 2 * VECTOR };
    uint32_t fell[MOST], left[2][MOST];
    for (; count && k < sim->geometry.levels; k++) {
        const struct sets *sets = &sim->level[k].sets;
        loops[kind_of(sets)].ask(sets, word, count, fell);
        struct moves moves = {.missed = {0}};
        count = leave(word, fell, count, DIRTY, left[k & 1], &moves);
        jrx_cachesim_count(sim, k, &moves);
        word = left[k & 1];
    }
    if (count)
        jrx_cachesim_memory(sim, word, count);
}

/* What the first level was asked for goes down. */
static void descend_first(struct jrx_cachesim *sim, struct tally *tally)
{
    uint32_t left[MOVES + 2 * VECTOR];
    struct moves moves = {.missed = {0}};
    const size_t count = leave(tally->word, tally->fell, tally->count, 0, left, &moves);
    jrx_cachesim_count(sim, 0, &moves);
    tally->count = 0;
    descend(sim, 1, left, count);
}

/* An access of several lines, or of none; 0 if it is too far. */
static int several(struct jrx_cachesim *sim, const struct jrx_access *a, struct tally *tally)
{
    const uint64_t first = a->address >> sim->line_shift, last = (a->address + a->bytes - 1) >> sim->line_shift;
    if (a->bytes == 0)
        return 1;
    if ((first | last) >> LINE_BITS)
        return 0;
    tally->asked[low_of(a)] += a->bytes;
    for (uint32_t line = (uint32_t)first; line <= last; line++) {
        if (tally->count == ASKED)
            descend_first(sim, tally);
        tally->asked[low_of(a)] += ONE_LINE;
        tally->word[tally->count] = line << LINE_SHIFT | low_of(a);
        tally->fell[tally->count] = promote(&sim->level[0].sets, tally->word[tally->count], LOOP);
        tally->count++;
    }
    return 1;
}

static size_t run(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count)
{
    const struct jrx_access *const end = access + count, *a = access;
    const enum kind kind = kind_of(&sim->level[0].sets);
    for (int near = 1; a < end && near;) {
        const struct jrx_access *stop = end - a > ASKED ? a + ASKED : end;
        a = loops[kind].single(sim, a, stop, &sim->tally);
        near = a == stop || several(sim, a, &sim->tally);
        a += a < stop && near;
        descend_first(sim, &sim->tally);
        jrx_cachesim_take(sim);
    }
    return (size_t)(a - access);
}

#define CACHESIM_OPS                                                                                                   \
    {                                                                                                                  \
        .run = run, .descend = descend                                                                                 \
    }

#endif
