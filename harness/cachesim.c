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

void jrx_cachesim_take(struct jrx_cachesim *sim)
{
    struct tally *tally = &sim->tally;
    for (unsigned tag = 0; tag < TAGS; tag++) {
        const unsigned read = tag << TAG_SHIFT | FULL, write = read | DIRTY;
        struct jrx_cache_counts *c = &sim->level[0].counts[tag];
        c->reads += tally->asked[read] / ONE_LINE;
        c->writes += tally->asked[write] / ONE_LINE;
        sim->read_bytes[tag] += tally->asked[read] % ONE_LINE;
        sim->write_bytes[tag] += tally->asked[write] % ONE_LINE;
    }
    memset(tally->asked, 0, sizeof tally->asked);
}

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

void jrx_cachesim_memory(struct jrx_cachesim *sim, const uint32_t *word, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char *seen = &sim->seen[word[i] >> LINE_SHIFT >> 3];
        const unsigned bit = 1u << (word[i] >> LINE_SHIFT) % 8;
        if (word[i] & DIRTY || *seen & bit)
            continue;
        *seen |= (unsigned char)bit;
        sim->compulsory[tag_of(word[i])]++;
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
    sim->ops = jrx_cpu_isa() >= JRX_ISA_AVX512 ? &jrx_cachesim_avx512 : &jrx_cachesim_baseline;
    sim->line_shift = (unsigned)__builtin_ctz(geometry->line_bytes);
    sim->seen = calloc(SEEN_BYTES, 1); /* pages that nobody touches are none */
    rc = sim->seen ? 0 : JRX_ENOMEM;
    for (unsigned k = 0; !rc && k < geometry->levels; k++) {
        struct sets *l = &sim->level[k].sets;
        l->ways = geometry->level[k].ways;
        l->stride = (l->ways + 15) / 16 * 16; /* so that a set begins a line of the cache that it is in itself */
        l->count = geometry->level[k].bytes / geometry->line_bytes / l->ways;
        l->mask = l->count & (l->count - 1) ? 0 : l->count - 1;
        l->way = jrx_alloc(l->count * l->stride * sizeof *l->way);
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
    for (unsigned k = 0; k < sim->geometry.levels; k++) {
        const struct sets *l = &sim->level[k].sets;
        for (uint64_t i = 0; i < l->count * l->stride; i++)
            if (l->way[i] & DIRTY) {
                const uint32_t word = l->way[i];
                struct moves one = {0};
                one.dropped[word & LOW] = 1;
                l->way[i] &= ~(uint32_t)DIRTY;
                jrx_cachesim_count(sim, k, &one);
                sim->ops->descend(sim, k + 1, &word, 1);
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
    for (unsigned k = 0; k < sim->geometry.levels; k++) {
        const struct sets *l = &sim->level[k].sets;
        memset(l->way, 0, l->count * l->stride * sizeof *l->way);
    }
    memset(sim->seen, 0, SEEN_BYTES);
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
