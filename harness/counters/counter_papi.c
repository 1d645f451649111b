/*
 * PAPI, low-level API: one event set a component and thread, never multiplexed. CPU events are counted in every thread
 * of an OpenMP team and added up; those of the process or machine (SDE, uncore) in the calling thread alone.
 */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/counters.h"
#include "harness/counters/papi.h"
#include <omp.h>
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SETS = 8, SET_EVENTS = 64 }; /* components of one thread, events of one component */

struct set {
    int id, component;
    size_t events;
    size_t *which; /* [events] index among the events asked for */
};

struct thread {
    struct set set[SETS];
    size_t sets;
    long long *value; /* [count], of all events asked for; 0 where this thread does not count */
    int error;        /* of PAPI, in this thread; 0 if none */
    size_t culprit;   /* the event it was about */
};

struct papi {
    size_t count;
    unsigned threads;
    struct jrx_papi_event *event; /* [count] */
    struct thread *thread;        /* [threads] */
};

static int probe(char *note, size_t size)
{
    int rc = jrx_papi_init(), works = 0;
    note[0] = 0;
    if (rc)
        return rc;
    for (int i = 0; i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *info = PAPI_get_component_info(i);
        works |= info && !info->disabled && (!strcmp(info->name, "perf_event") || !strcmp(info->name, "sde"));
    }
    jrx_papi_hardware_note(note, size);
    if (!works) {
        rc = jrx_fail(JRX_EUNAVAILABLE, "counters papi: %s", note);
        note[0] = 0; /* it is the error now */
    }
    return rc;
}

/* ---- listing ------------------------------------------------------------------------------------- */

static void list_component(int component, void (*found)(void *context, const char *event, const char *about),
                           void *context)
{
    int code = PAPI_NATIVE_MASK;
    PAPI_event_info_t info;
    struct jrx_papi_event event = {.component = component};
    for (int rc = PAPI_enum_cmp_event(&code, PAPI_ENUM_FIRST, component); rc == PAPI_OK;
         rc = PAPI_enum_cmp_event(&code, PAPI_ENUM_EVENTS, component)) {
        event.code = code;
        if (PAPI_get_event_info(code, &info) == PAPI_OK && jrx_papi_try(&event) == PAPI_OK)
            found(context, info.symbol, info.long_descr);
    }
}

static int list(void (*found)(void *context, const char *event, const char *about), void *context)
{
    int rc = jrx_papi_init();
    if (rc)
        return rc;
    int code = PAPI_PRESET_MASK;
    PAPI_event_info_t info;
    for (rc = PAPI_enum_event(&code, PAPI_ENUM_FIRST); rc == PAPI_OK;
         rc = PAPI_enum_event(&code, PAPI_PRESET_ENUM_AVAIL)) {
        const struct jrx_papi_event event = {.code = code};
        if (PAPI_get_event_info(code, &info) == PAPI_OK && jrx_papi_try(&event) == PAPI_OK)
            found(context, info.symbol, info.long_descr);
    }
    for (int i = 0; i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *component = PAPI_get_component_info(i);
        if (component && !component->disabled)
            list_component(i, found, context);
    }
    return 0;
}

/* ---- sets of one thread -------------------------------------------------------------------------- */

static struct set *set_of(struct thread *t, int component, size_t count)
{
    for (size_t i = 0; i < t->sets; i++)
        if (t->set[i].component == component)
            return &t->set[i];
    if (t->sets == SETS)
        return NULL;
    struct set *s = &t->set[t->sets];
    *s = (struct set){.id = PAPI_NULL, .component = component, .which = jrx_alloc(count * sizeof *s->which)};
    if (!s->which || PAPI_create_eventset(&s->id) != PAPI_OK) {
        free(s->which);
        return NULL;
    }
    t->sets++;
    return s;
}

/* Adds the events that this thread counts. Runs in the thread, which therefore may not fail with a message. */
static int add_events(struct papi *p, struct thread *t, int first)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct jrx_papi_event *event = &p->event[i];
        if (!first && !event->per_thread)
            continue;
        struct set *s = set_of(t, event->component, p->count);
        t->culprit = i;
        int rc = !s ? PAPI_ENOMEM : s->events == SET_EVENTS ? PAPI_ECOUNT : PAPI_add_event(s->id, event->code);
        if (rc != PAPI_OK)
            return rc;
        s->which[s->events++] = i;
    }
    return 0;
}

static void remove_events(struct thread *t)
{
    for (size_t i = 0; i < t->sets; i++) {
        long long ignored[SET_EVENTS];
        PAPI_stop(t->set[i].id, ignored); /* it may still run where another thread failed */
        PAPI_cleanup_eventset(t->set[i].id);
        PAPI_destroy_eventset(&t->set[i].id);
        free(t->set[i].which);
    }
    t->sets = 0;
}

static int start_sets(struct thread *t)
{
    for (size_t i = 0; i < t->sets; i++) {
        int rc = PAPI_start(t->set[i].id);
        if (rc != PAPI_OK) {
            long long ignored[SET_EVENTS];
            t->culprit = t->set[i].which[0];
            while (i-- > 0)
                PAPI_stop(t->set[i].id, ignored);
            return rc;
        }
    }
    return 0;
}

static int stop_sets(struct thread *t)
{
    int error = 0;
    for (size_t i = 0; i < t->sets; i++) {
        struct set *s = &t->set[i];
        long long value[SET_EVENTS];
        int rc = PAPI_stop(s->id, value);
        if (rc != PAPI_OK) {
            t->culprit = s->which[0];
            error = rc;
        }
        for (size_t k = 0; rc == PAPI_OK && k < s->events; k++)
            t->value[s->which[k]] = value[k];
    }
    return error;
}

/* ---- the source ---------------------------------------------------------------------------------- */

enum step { ADD, START, STOP, REMOVE };

static void run_step(struct papi *p, struct thread *t, enum step step, int first)
{
    if (step == ADD)
        t->error = add_events(p, t, first);
    else if (step == START)
        t->error = start_sets(t);
    else if (step == STOP)
        t->error = stop_sets(t);
    else
        remove_events(t);
}

/* One step in every thread; then what went wrong, said by the thread that can. */
static int in_every_thread(struct papi *p, const char **events, const char *doing, enum step step)
{
    for (unsigned i = 0; i < p->threads; i++)
        p->thread[i].error = PAPI_EMISC; /* stays if OpenMP gives fewer threads than asked for */
    if (p->threads == 1)
        run_step(p, &p->thread[0], step, 1);
    else
#pragma omp parallel num_threads(p->threads)
        run_step(p, &p->thread[omp_get_thread_num()], step, omp_get_thread_num() == 0);
    for (unsigned i = 0; step != REMOVE && i < p->threads; i++) {
        const struct thread *t = &p->thread[i];
        if (t->error == PAPI_ECNFLCT || t->error == PAPI_ECOUNT)
            return jrx_fail(JRX_EUNAVAILABLE,
                            "counters papi: %zu events do not fit the hardware at once (%d at %s); count them "
                            "in several passes",
                            p->count, t->error, events ? events[t->culprit] : "start");
        if (t->error)
            return jrx_fail(
                step == ADD ? JRX_EUNAVAILABLE : JRX_EIO,
                "counters papi: %s could not be %s in thread %u (%d %s); `joulerx list events` shows what can "
                "be counted",
                events ? events[t->culprit] : "an event", doing, i, t->error, jrx_papi_error(t->error));
    }
    return 0;
}

static void close_papi(void *state)
{
    struct papi *p = state;
    if (p->thread)
        in_every_thread(p, NULL, "removed", REMOVE);
    for (unsigned i = 0; p->thread && i < p->threads; i++)
        free(p->thread[i].value);
    free(p->thread);
    free(p->event);
    free(p);
}

static int try_all(struct papi *p, const char **events)
{
    int rc = in_every_thread(p, events, "added", ADD);
    rc = rc ? rc : in_every_thread(p, events, "started", START);
    return rc ? rc : in_every_thread(p, events, "stopped", STOP);
}

static int open_papi(void **state, const char *const *events, size_t count, const struct jrx_counter_config *config)
{
    struct papi *p = jrx_alloc(sizeof *p);
    if (!p)
        return JRX_ENOMEM;
    p->count = count;
    p->threads = config->threads ? config->threads : 1;
    p->event = jrx_alloc(count * sizeof *p->event);
    p->thread = jrx_alloc(p->threads * sizeof *p->thread);
    int rc = p->event && p->thread ? 0 : JRX_ENOMEM;
    for (unsigned i = 0; !rc && i < p->threads; i++)
        rc = (p->thread[i].value = jrx_alloc(count * sizeof(long long))) ? 0 : JRX_ENOMEM;
    for (size_t i = 0; !rc && i < count; i++)
        rc = jrx_papi_find(events[i], &p->event[i]);
    rc = rc ? rc : try_all(p, (const char **)events);
    if (rc)
        close_papi(p);
    else
        *state = p;
    return rc;
}

static int start(void *state)
{
    struct papi *p = state;
    for (unsigned i = 0; i < p->threads; i++)
        memset(p->thread[i].value, 0, p->count * sizeof(long long));
    return in_every_thread(p, NULL, "started", START);
}

static int stop(void *state)
{
    return in_every_thread(state, NULL, "stopped", STOP);
}

static int read_counts(void *state, double *count)
{
    const struct papi *p = state;
    for (size_t i = 0; i < p->count; i++) {
        count[i] = 0;
        for (unsigned t = 0; t < p->threads; t++)
            /* one thread's broken value must not hide in the sum of the others */
            count[i] = p->thread[t].value[i] < 0 ? -1
                       : count[i] < 0            ? count[i]
                                                 : count[i] + (double)p->thread[t].value[i];
    }
    return 0;
}

static enum jrx_source source_of(void *state, size_t event)
{
    const struct papi *p = state;
    return p->event[event].source;
}

const struct jrx_counter_ops counter_papi = {
    .name = "papi",
    .about = "hardware and software-defined events through PAPI's low-level API",
    .source = JRX_MEASURED,
    .probe = probe,
    .list = list,
    .open = open_papi,
    .start = start,
    .stop = stop,
    .read = read_counts,
    .close = close_papi,
    .source_of = source_of,
};
