/*
 * The simulator but for its inner loop (cachesim_template.h) and its geometries (cachesim_geometry.c).
 */
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/cachesim_sets.h"
#include <stdlib.h>
#include <string.h>

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
void jrx_cachesim_first_touch(struct jrx_cachesim *sim, uint64_t line, unsigned tag)
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

int jrx_cachesim_run(struct jrx_cachesim *sim, const struct jrx_access *access, size_t count)
{
    sim->ops->run(sim, access, count);
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
    sim->ops = jrx_cpu_isa() >= JRX_ISA_AVX512 ? &jrx_cachesim_avx512 : &jrx_cachesim_baseline;
    sim->line_shift = (unsigned)__builtin_ctz(geometry->line_bytes);
    rc = seen_grow(&sim->seen);
    for (unsigned k = 0; !rc && k < geometry->levels; k++) {
        struct level *l = &sim->level[k];
        l->ways = geometry->level[k].ways;
        l->stride = (l->ways + 7) / 8 * 8; /* so that a set begins a line of the cache that it is in itself */
        l->sets = geometry->level[k].bytes / geometry->line_bytes / l->ways;
        l->mask = l->sets & (l->sets - 1) ? 0 : l->sets - 1;
        l->way = jrx_alloc(l->sets * l->stride * sizeof *l->way);
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
        for (uint64_t i = 0; i < l->sets * l->stride; i++)
            if (l->way[i] & DIRTY) {
                const uint64_t word = l->way[i];
                l->way[i] &= ~(uint64_t)DIRTY;
                sim->ops->write_back(sim, k, word);
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
        memset(sim->level[k].way, 0, sim->level[k].sets * sim->level[k].stride * sizeof *sim->level[k].way);
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
