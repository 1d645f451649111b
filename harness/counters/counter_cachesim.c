/*
 * The cache simulator as a counter source: the same events on every machine, fed with the accesses of a traced kernel.
 * An event is <level>_<what>[:tag]; without a tag it is of all tags.
 */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/counters.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum what { READS, WRITES, READ_MISSES, WRITE_MISSES, FETCHES, WRITEBACKS, FETCH_BYTES, WRITEBACK_BYTES, WHATS };
static const struct {
    const char *name, *about;
} whats[WHATS] = {
    [READS] = {"reads", "lines asked for by loads, or fetched by the level above"},
    [WRITES] = {"writes", "lines stored to, or written back by the level above"},
    [READ_MISSES] = {"read_misses", "reads that found no line"},
    [WRITE_MISSES] = {"write_misses", "writes that found no line"},
    [FETCHES] = {"fetches", "lines fetched from the next level or memory"},
    [WRITEBACKS] = {"writebacks", "dirty lines written to the next level or memory"},
    [FETCH_BYTES] = {"fetch_bytes", "bytes fetched from the next level or memory"},
    [WRITEBACK_BYTES] = {"writeback_bytes", "bytes written to the next level or memory"},
};

/* What belongs to no level. */
enum whole { LOAD_BYTES, STORE_BYTES, COMPULSORY, WHOLES };
static const struct {
    const char *name, *about;
    uint64_t (*get)(const struct jrx_cachesim *sim, unsigned tag);
} wholes[WHOLES] = {
    [LOAD_BYTES] = {"load_bytes", "bytes loaded into registers", jrx_cachesim_read_bytes},
    [STORE_BYTES] = {"store_bytes", "bytes stored from registers", jrx_cachesim_write_bytes},
    [COMPULSORY] = {"compulsory_misses", "lines touched for the first time", jrx_cachesim_compulsory},
};

struct event {
    int whole; /* index of wholes, or -1 */
    enum what what;
    unsigned level, tag;
};

struct simulated {
    struct jrx_cachesim *sim;
    size_t count;
    struct event event[];
};

static int probe(char *note, size_t size)
{
    snprintf(note, size, "simulated, any machine");
    return 0;
}

/* "name" or "name:3" at `text`? Sets the tag. */
static int names(const char *text, const char *name, unsigned *tag)
{
    size_t length = strlen(name);
    *tag = JRX_ACCESS_TAGS;
    if (strncmp(text, name, length))
        return 0;
    if (text[length] == ':' && text[length + 1] >= '0' && text[length + 1] < '0' + JRX_ACCESS_TAGS &&
        !text[length + 2]) {
        *tag = (unsigned)(text[length + 1] - '0');
        return 1;
    }
    return text[length] == 0;
}

static int parse(const char *text, unsigned levels, struct event *out)
{
    for (int i = 0; i < WHOLES; i++)
        if (names(text, wholes[i].name, &out->tag)) {
            out->whole = i;
            return 0;
        }
    out->whole = -1;
    if (text[0] == 'l' && text[1] >= '1' && text[1] < '1' + (int)levels && text[2] == '_')
        for (int i = 0; i < WHATS; i++)
            if (names(text + 3, whats[i].name, &out->tag)) {
                out->level = (unsigned)(text[1] - '1');
                out->what = (enum what)i;
                return 0;
            }
    return jrx_fail(
        JRX_EINVAL,
        "counters cachesim: no event \"%s\" with %u simulated levels; `joulerx list events` shows them, e.g. "
        "l1_fetch_bytes or l2_read_misses:0",
        text, levels);
}

static int list(void (*found)(void *context, const char *event, const char *about), void *context)
{
    struct jrx_cache_geometry g;
    char name[JRX_EVENT_NAME];
    int rc = jrx_cache_geometry_read(&g);
    for (int i = 0; i < WHOLES; i++)
        found(context, wholes[i].name, wholes[i].about);
    for (unsigned k = 0; !rc && k < g.levels; k++)
        for (int i = 0; i < WHATS; i++) {
            snprintf(name, sizeof name, "l%u_%s", k + 1, whats[i].name);
            found(context, name, whats[i].about);
        }
    return rc;
}

static void close_sim(void *state)
{
    struct simulated *s = state;
    jrx_cachesim_free(s->sim);
    free(s);
}

static int open_sim(void **state, const char *const *events, size_t count, const struct jrx_counter_config *config)
{
    struct jrx_cache_geometry g;
    int rc = config->geometry ? 0 : jrx_cache_geometry_read(&g);
    if (config->geometry)
        g = *config->geometry;
    struct simulated *s = rc ? NULL : jrx_alloc(sizeof *s + count * sizeof *s->event);
    if (!s)
        return rc ? rc : JRX_ENOMEM;
    s->count = count;
    rc = jrx_cachesim_new(&s->sim, &g);
    for (size_t i = 0; !rc && i < count; i++)
        rc = parse(events[i], g.levels, &s->event[i]);
    if (rc)
        close_sim(s);
    else
        *state = s;
    return rc;
}

/* Cold: what an earlier region left in the caches is not this one's. */
static int start(void *state)
{
    struct simulated *s = state;
    jrx_cachesim_clear(s->sim);
    return 0;
}

/* What was written is work of the region, so it is counted down to memory. */
static int stop(void *state)
{
    struct simulated *s = state;
    jrx_cachesim_flush(s->sim);
    return 0;
}

static int feed(void *state, const struct jrx_access *access, size_t count)
{
    struct simulated *s = state;
    return jrx_cachesim_run(s->sim, access, count);
}

static uint64_t value_of(const struct simulated *s, const struct event *e)
{
    if (e->whole >= 0)
        return wholes[e->whole].get(s->sim, e->tag);
    const struct jrx_cache_counts c = jrx_cachesim_get(s->sim, e->level, e->tag);
    const uint64_t line_bytes = jrx_cachesim_geometry(s->sim)->line_bytes;
    const uint64_t values[WHATS] = {
        [READS] = c.reads,
        [WRITES] = c.writes,
        [READ_MISSES] = c.read_misses,
        [WRITE_MISSES] = c.write_misses,
        [FETCHES] = c.fetches,
        [WRITEBACKS] = c.writebacks,
        [FETCH_BYTES] = c.fetches * line_bytes,
        [WRITEBACK_BYTES] = c.writebacks * line_bytes,
    };
    return values[e->what];
}

static int read_counts(void *state, double *count)
{
    const struct simulated *s = state;
    for (size_t i = 0; i < s->count; i++)
        count[i] = (double)value_of(s, &s->event[i]);
    return 0;
}

const struct jrx_counter_ops counter_cachesim = {
    .name = "cachesim",
    .about = "cache simulator fed with the accesses of the traced kernel",
    .source = JRX_SIMULATED,
    .probe = probe,
    .list = list,
    .open = open_sim,
    .start = start,
    .stop = stop,
    .read = read_counts,
    .close = close_sim,
    .feed = feed,
};
