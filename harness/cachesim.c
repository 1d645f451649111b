/*
 * The simulator but for its inner loop (cachesim_template.h) and its geometries (cachesim_geometry.c).
 */
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/cachesim_sets.h"
#include <stdlib.h>
#include <string.h>

/* ---- counts -------------------------------------------------------------------------------------- */

void jrx_cachesim_count(struct jrx_cachesim *sim, unsigned k, const struct moves *moves)
{
    for (unsigned tag = 0; tag < TAGS; tag++) {
        const unsigned clean = tag << TAG_SHIFT | FULL, dirty = clean | DIRTY;
        const uint64_t reads = moves->missed[clean];
        const uint64_t writes = moves->missed[dirty];
        const uint64_t fetches = reads + (k ? 0 : writes); /* stores fetch, write-backs do not */
        const uint64_t writebacks = moves->dropped[dirty];
        struct jrx_cache_counts *c = &sim->level[k].counts[tag];
        c->read_misses += reads;
        c->write_misses += writes;
        c->fetches += fetches;
        c->writebacks += writebacks;
        if (k + 1 < sim->geometry.levels) {
            sim->level[k + 1].counts[tag].reads += fetches;
            sim->level[k + 1].counts[tag].writes += writebacks;
        }
    }
}

enum { SEEN_BYTES = 1 << (LINE_BITS - 3) };
_Static_assert(LANES == 16, "sixteen bits of seen[] are a row");

void jrx_cachesim_memory(struct jrx_cachesim *sim, const struct lines *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t first = lines[i].word >> LINE_SHIFT;
        uint16_t *seen = &sim->seen[first / LANES];
        const unsigned fresh = lines[i].lanes << first % LANES & ~(unsigned)*seen;
        if (lines[i].word & DIRTY)
            continue;
        *seen |= (uint16_t)fresh;
        sim->compulsory[tag_of(lines[i].word)] += (unsigned)__builtin_popcount(fresh);
    }
}

int jrx_cachesim_run(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count)
{
    const size_t taken = sim->ops->run(sim, access, count);
    if (taken == count)
        return 0;
    return jrx_fail(JRX_EINVAL,
                    "cachesim: an access of %u bytes at %#llx; addresses end at %#llx, lay tensors out below",
                    access[taken].bytes, (unsigned long long)access[taken].address,
                    (unsigned long long)sim->geometry.line_bytes << LINE_BITS);
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

static uint32_t sets_of(const struct jrx_cache_geometry *g, unsigned k)
{
    return (uint32_t)(g->level[k].bytes / g->line_bytes / g->level[k].ways);
}

static size_t lines_of(const struct jrx_cachesim *sim, unsigned k)
{
    return sim->geometry.level[k].bytes / sim->geometry.line_bytes;
}

int jrx_cachesim_new(struct jrx_cachesim **out, const struct jrx_cache_geometry *geometry)
{
    static const struct jrx_cachesim_ops *const ops[JRX_ISA_LEVELS] = {
        [JRX_ISA_BASELINE] = &jrx_cachesim_baseline,
        [JRX_ISA_AVX2] = &jrx_cachesim_avx2,
        [JRX_ISA_AVX512] = &jrx_cachesim_avx512,
    };
    *out = NULL;
    int rc = jrx_cache_geometry_check(geometry);
    if (rc)
        return rc;
    struct jrx_cachesim *sim = jrx_alloc(sizeof *sim);
    if (!sim)
        return JRX_ENOMEM;
    sim->geometry = *geometry;
    sim->ops = ops[jrx_cpu_isa()];
    sim->line_shift = (unsigned)__builtin_ctz(geometry->line_bytes);
    sim->lane_shift = LANE_SHIFT;
    for (unsigned k = 0; k < geometry->levels; k++)
        if (sets_of(geometry, k) % LANES)
            sim->lane_shift = 0;
    sim->slots = SLOTS;
    for (unsigned k = 0; k < geometry->levels; k++)
        while ((sets_of(geometry, k) >> sim->lane_shift) % sim->slots)
            sim->slots /= 2;
    sim->seen = calloc(SEEN_BYTES, 1); /* pages that nobody touches are none */
    rc = sim->seen ? 0 : JRX_ENOMEM;
    for (unsigned k = 0; !rc && k < geometry->levels; k++) {
        struct sets *l = &sim->level[k].sets;
        l->ways = geometry->level[k].ways;
        l->rows = sets_of(geometry, k) >> sim->lane_shift;
        l->mask = l->rows & (l->rows - 1) ? 0 : l->rows - 1;
        l->way = jrx_alloc(lines_of(sim, k) * sizeof *l->way);
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
        free(sim->level[k].sets.way);
    free(sim->seen);
    free(sim);
}

void jrx_cachesim_flush(struct jrx_cachesim *sim)
{
    const uint32_t lanes = (uint32_t)1 << sim->lane_shift;
    for (unsigned k = 0; k < sim->geometry.levels; k++) {
        uint32_t *way = sim->level[k].sets.way;
        for (size_t i = 0; i < lines_of(sim, k); i++)
            if (way[i] & DIRTY) {
                const uint32_t lane = way[i] >> LINE_SHIFT & (lanes - 1);
                const struct lines one = {way[i] - (lane << LINE_SHIFT), 1u << lane};
                struct moves moves = {.dropped = {0}};
                moves.dropped[way[i] & LOW] = 1;
                way[i] &= ~(uint32_t)DIRTY;
                jrx_cachesim_count(sim, k, &moves);
                sim->ops->descend(sim, k + 1, &one, 1);
            }
    }
}

void jrx_cachesim_reset_counts(struct jrx_cachesim *sim)
{
    for (unsigned k = 0; k < JRX_CACHE_LEVELS; k++)
        memset(sim->level[k].counts, 0, sizeof sim->level[k].counts);
    memset(sim->asked, 0, sizeof sim->asked);
    memset(sim->bytes, 0, sizeof sim->bytes);
    memset(sim->compulsory, 0, sizeof sim->compulsory);
}

void jrx_cachesim_clear(struct jrx_cachesim *sim)
{
    for (unsigned k = 0; k < sim->geometry.levels; k++)
        memset(sim->level[k].sets.way, 0, lines_of(sim, k) * sizeof(uint32_t));
    memset(sim->seen, 0, SEEN_BYTES);
    jrx_cachesim_reset_counts(sim);
}

/* ---- results ------------------------------------------------------------------------------------- */

static int is_of(unsigned its, unsigned tag)
{
    return tag == TAGS || tag == its;
}

struct jrx_cache_counts jrx_cachesim_get(const struct jrx_cachesim *sim, unsigned level, unsigned tag)
{
    struct jrx_cache_counts sum = {0};
    for (unsigned t = 0; t < TAGS && level < sim->geometry.levels; t++) {
        const struct jrx_cache_counts *c = &sim->level[level].counts[t];
        if (!is_of(t, tag))
            continue;
        sum.reads += level ? c->reads : sim->asked[t << TAG_SHIFT | FULL];
        sum.writes += level ? c->writes : sim->asked[t << TAG_SHIFT | FULL | DIRTY];
        sum.read_misses += c->read_misses;
        sum.write_misses += c->write_misses;
        sum.fetches += c->fetches;
        sum.writebacks += c->writebacks;
    }
    return sum;
}

static uint64_t bytes_of(const struct jrx_cachesim *sim, unsigned tag, unsigned direction)
{
    uint64_t sum = 0;
    for (unsigned t = 0; t < TAGS; t++)
        sum += is_of(t, tag) ? sim->bytes[t << TAG_SHIFT | FULL | direction] : 0;
    return sum;
}

uint64_t jrx_cachesim_read_bytes(const struct jrx_cachesim *sim, unsigned tag)
{
    return bytes_of(sim, tag, 0);
}

uint64_t jrx_cachesim_write_bytes(const struct jrx_cachesim *sim, unsigned tag)
{
    return bytes_of(sim, tag, DIRTY);
}

uint64_t jrx_cachesim_compulsory(const struct jrx_cachesim *sim, unsigned tag)
{
    uint64_t sum = 0;
    for (unsigned t = 0; t < TAGS; t++)
        sum += is_of(t, tag) ? sim->compulsory[t] : 0;
    return sum;
}

const struct jrx_cache_geometry *jrx_cachesim_geometry(const struct jrx_cachesim *sim)
{
    return &sim->geometry;
}
