#include "tests/support/slow_cache.h"
#include <stdlib.h>

struct slow_line {
    int there, dirty;
    unsigned tag;
    uint64_t line, used;
};

struct slow_cache {
    struct jrx_cache_geometry g;
    struct slow_line *line[JRX_CACHE_LEVELS];
    struct jrx_cache_counts counts[JRX_CACHE_LEVELS][JRX_ACCESS_TAGS];
    uint64_t compulsory[JRX_ACCESS_TAGS], time;
    unsigned char *seen;
};

struct slow_cache *slow_cache_new(const struct jrx_cache_geometry *geometry)
{
    struct slow_cache *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->g = *geometry;
    s->seen = calloc(SLOW_CACHE_MEMORY / geometry->line_bytes, 1);
    int made = s->seen != NULL;
    for (unsigned k = 0; k < geometry->levels; k++) {
        s->line[k] = calloc(geometry->level[k].bytes / geometry->line_bytes, sizeof *s->line[k]);
        made = made && s->line[k];
    }
    if (made)
        return s;
    slow_cache_free(s);
    return NULL;
}

void slow_cache_free(struct slow_cache *slow)
{
    if (!slow)
        return;
    for (unsigned k = 0; k < slow->g.levels; k++)
        free(slow->line[k]);
    free(slow->seen);
    free(slow);
}

static struct slow_line *set_of(const struct slow_cache *s, unsigned k, uint64_t line)
{
    uint64_t sets = s->g.level[k].bytes / s->g.line_bytes / s->g.level[k].ways;
    return &s->line[k][line % sets * s->g.level[k].ways];
}

static struct slow_line *find(const struct slow_cache *s, unsigned k, uint64_t line)
{
    struct slow_line *set = set_of(s, k, line);
    for (unsigned i = 0; i < s->g.level[k].ways; i++)
        if (set[i].there && set[i].line == line)
            return &set[i];
    return NULL;
}

/* What happens to a line at a level: a load, a store (which fetches), a write-back from the level above (which does
 * not). */
enum what { LOAD, STORE, WRITE_BACK };

static void touch(struct slow_cache *s, unsigned k, uint64_t line, unsigned tag, enum what what);

static void put(struct slow_cache *s, unsigned k, uint64_t line, unsigned tag, int dirty)
{
    struct slow_line *set = set_of(s, k, line), *oldest = &set[0];
    for (unsigned i = 0; i < s->g.level[k].ways; i++) {
        if (!set[i].there) {
            oldest = &set[i];
            break;
        }
        if (set[i].used < oldest->used)
            oldest = &set[i];
    }
    struct slow_line out = *oldest;
    *oldest = (struct slow_line){1, dirty, tag, line, ++s->time};
    if (out.there && out.dirty) {
        s->counts[k][out.tag].writebacks++;
        if (k + 1 < s->g.levels)
            touch(s, k + 1, out.line, out.tag, WRITE_BACK);
    }
}

static void touch(struct slow_cache *s, unsigned k, uint64_t line, unsigned tag, enum what what)
{
    struct jrx_cache_counts *c = &s->counts[k][tag];
    struct slow_line *here = find(s, k, line);
    *(what ? &c->writes : &c->reads) += 1;
    if (here) {
        *here = (struct slow_line){1, here->dirty || what, tag, line, ++s->time};
        return;
    }
    *(what ? &c->write_misses : &c->read_misses) += 1;
    if (what != WRITE_BACK) {
        c->fetches++;
        if (k + 1 < s->g.levels)
            touch(s, k + 1, line, tag, LOAD);
        else if (!s->seen[line]) {
            s->seen[line] = 1;
            s->compulsory[tag]++;
        }
    }
    put(s, k, line, tag, what != LOAD);
}

void slow_cache_run(struct slow_cache *slow, const struct jrx_access *access, size_t count)
{
    for (const struct jrx_access *a = access; a < access + count; a++) {
        const uint64_t first = a->address / slow->g.line_bytes, end = a->address + a->bytes;
        for (uint64_t line = first; a->bytes && line * slow->g.line_bytes < end; line++)
            touch(slow, 0, line, a->tag, a->write ? STORE : LOAD);
    }
}

const struct jrx_cache_counts *slow_cache_get(const struct slow_cache *slow, unsigned level, unsigned tag)
{
    return &slow->counts[level][tag];
}

uint64_t slow_cache_compulsory(const struct slow_cache *slow, unsigned tag)
{
    return slow->compulsory[tag];
}
