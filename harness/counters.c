/*
 * The registry of counter sources and what all of them share: state checks and the sanity of values.
 */
#include "harness/counters.h"
#include "harness/base/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(symbol) extern const struct jrx_counter_ops symbol;
#include "counters.inc"
#undef X

static const struct jrx_counter_ops *const sources[] = {
#define X(symbol) &symbol,
#include "counters.inc"
#undef X
    NULL};

const struct jrx_counter_ops *const *jrx_counter_sources(void)
{
    return sources;
}

const struct jrx_counter_ops *jrx_counter_find(const char *name)
{
    char there[200] = "";
    for (size_t i = 0; sources[i]; i++) {
        if (!strcmp(sources[i]->name, name))
            return sources[i];
        size_t used = strlen(there);
        snprintf(there + used, sizeof there - used, "%s%s", i ? ", " : "", sources[i]->name);
    }
    jrx_fail(JRX_EINVAL, "counters \"%s\": no such source; there are %s", name, there);
    return NULL;
}

int jrx_counters_open(struct jrx_counters *counters, const char *source, const char *const *events, size_t count,
                      const struct jrx_counter_config *config)
{
    static const struct jrx_counter_config usual;
    *counters = (struct jrx_counters){0};
    const struct jrx_counter_ops *ops = jrx_counter_find(source);
    if (!ops)
        return JRX_EINVAL;
    if (count == 0)
        return jrx_fail(JRX_EINVAL, "counters %s: no event given; `joulerx list events` shows what there is", source);
    for (size_t i = 0; i < count; i++) {
        if (strlen(events[i]) >= JRX_EVENT_NAME)
            return jrx_fail(JRX_EINVAL, "counters %s: event \"%.40s...\" is longer than %d characters", source,
                            events[i], JRX_EVENT_NAME - 1);
        for (size_t k = 0; k < i; k++)
            if (!strcmp(events[i], events[k]))
                return jrx_fail(JRX_EINVAL, "counters %s: event %s is given twice", source, events[i]);
    }
    char note[256];
    int rc = ops->probe(note, sizeof note);
    if (rc)
        return rc;
    struct jrx_counter_value *value = calloc(count, sizeof *value);
    if (!value)
        return jrx_fail(JRX_ENOMEM, "counters %s: no memory for %zu events", source, count);
    for (size_t i = 0; i < count; i++) {
        value[i] = (struct jrx_counter_value){.count = NAN};
        snprintf(value[i].event, sizeof value[i].event, "%s", events[i]);
    }
    *counters = (struct jrx_counters){.ops = ops, .value = value, .count = count};
    rc = ops->open(&counters->state, events, count, config ? config : &usual);
    if (rc)
        jrx_counters_close(counters);
    return rc;
}

int jrx_counters_start(struct jrx_counters *c)
{
    if (c->running)
        return jrx_fail(JRX_EINVAL, "counters %s: started twice; stop them first", c->ops->name);
    int rc = c->ops->start(c->state);
    c->running = rc == 0;
    return rc;
}

int jrx_counters_stop(struct jrx_counters *c)
{
    if (!c->running)
        return jrx_fail(JRX_EINVAL, "counters: stopped without a start");
    double *count = malloc(c->count * sizeof *count);
    c->running = 0;
    int rc = c->ops->stop(c->state); /* before anything else: it ends the region */
    if (!count)
        rc = jrx_fail(JRX_ENOMEM, "counters %s: no memory for %zu values", c->ops->name, c->count);
    rc = rc ? rc : c->ops->read(c->state, count);
    for (size_t i = 0; i < c->count; i++) {
        double value = rc ? NAN : count[i];
        /* PAPI multiplexing and broken virtual PMUs were seen to give these: a missing value, never a small number */
        int sane = isnan(value) || (value >= 0 && value < 0x1p63);
        c->value[i].count = sane ? value : NAN;
        enum jrx_source source = c->ops->source_of ? c->ops->source_of(c->state, i) : c->ops->source;
        c->value[i].source = isnan(c->value[i].count) ? JRX_SOURCE_NONE : source;
    }
    for (size_t i = 0; !rc && i < c->count; i++)
        if (!isnan(count[i]) && isnan(c->value[i].count))
            rc = jrx_fail(JRX_EIMPLAUSIBLE, "counters %s: %s counted %.17g; leave that event out on this machine",
                          c->ops->name, c->value[i].event, count[i]);
    free(count);
    return rc;
}

int jrx_counters_feed(struct jrx_counters *c, const struct jrx_access *access, size_t count)
{
    if (!c->running || !c->ops->feed)
        return jrx_fail(JRX_EINVAL, "counters %s: %s", c->ops ? c->ops->name : "(closed)",
                        c->running ? "it counts hardware and takes no simulated accesses" : "fed before a start");
    return c->ops->feed(c->state, access, count);
}

void jrx_counters_close(struct jrx_counters *c)
{
    if (c->ops && c->state)
        c->ops->close(c->state);
    free(c->value);
    *c = (struct jrx_counters){0};
}
