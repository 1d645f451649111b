/* From a choice of counters to passes that are known to work: see the header. */
#include "harness/counters/counting.h"
#include "harness/base/error.h"
#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

/* A thousand multiplications are not that many of anything. */
static const double insane_count = 0x1p48;

static void little_work(void *context)
{
    volatile double work = 1;
    (void)context;
    for (int i = 0; i < 1000; i++)
        work = work * 1.000001;
}

/* "sde:::joulerx::flop_declared" to "sde_joulerx_flop_declared_count": a column. */
static int name_metric(struct jrx_metric *metric, const char *event)
{
    static const char unit[] = "count";
    size_t used = 0, most = sizeof metric->name - sizeof unit - 1;
    for (; *event && used < most; event++) {
        int keep = isalnum((unsigned char)*event);
        if (keep || (used && metric->name[used - 1] != '_'))
            metric->name[used++] = keep ? (char)tolower((unsigned char)*event) : '_';
    }
    snprintf(metric->name + used, sizeof metric->name - used, "%s%s", used && metric->name[used - 1] == '_' ? "" : "_",
             unit);
    return *event ? jrx_fail(JRX_EINVAL, "counters: event name too long from \"%.40s\"", event) : 0;
}

/* "A,B": a set of one metric an event. */
static int set_of_events(struct jrx_event_set *set, const char *list)
{
    *set = (struct jrx_event_set){.name = "events", .slots = 4};
    for (const char *at = list; *at; at += *at == ',') {
        size_t length = strcspn(at, ",");
        if (!length || length >= JRX_EVENT_NAME || set->events == JRX_SET_METRICS)
            return jrx_fail(JRX_EINVAL, "counters: \"%.80s\" is no list of 1 to %d events", list, JRX_SET_METRICS);
        struct jrx_metric *m = &set->metric[set->metrics++];
        memcpy(set->event[set->events], at, length);
        *m = (struct jrx_metric){.term = {{1, set->events}}, .terms = 1};
        int rc = name_metric(m, set->event[set->events++]);
        if (rc)
            return rc;
        at += length;
    }
    for (unsigned i = 0; i < set->metrics; i++)
        for (unsigned k = 0; k < i; k++)
            if (!strcmp(set->metric[i].name, set->metric[k].name))
                return jrx_fail(JRX_EINVAL, "counters: %s and %s would share the column %s", set->event[k],
                                set->event[i], set->metric[i].name);
    return set->events ? 0 : jrx_fail(JRX_EINVAL, "counters: an empty list; write none to count nothing");
}

/* The name of a set in the case that its file has; NULL: it is none. */
static const char *named_set(const char *choice)
{
    if (strchr(choice, '/'))
        return choice;
    for (const char *const *name = jrx_event_set_names(); *name; name++)
        if (!strcasecmp(choice, *name))
            return *name;
    return NULL;
}

/* Counts one metric for a moment by itself: add, start, stop, read and a sane number, or why not. */
static int try_metric(struct jrx_counting *c, const char *ops, unsigned m, enum jrx_source *source)
{
    const char *const name = c->set.metric[m].name;
    struct jrx_passes plan;
    struct jrx_counted seen;
    int rc = jrx_passes_plan(&c->set, &name, 1, 0, &plan);
    rc = rc ? rc : jrx_passes_run(&c->set, &plan, ops, &c->config, little_work, NULL, 1, INFINITY, &seen);
    if (rc)
        return rc;
    *source = seen.source[m];
    if (isnan(seen.metric[m]) || fabs(seen.metric[m]) > insane_count)
        return jrx_fail(JRX_EIMPLAUSIBLE, "counters: %s read %g for a thousand multiplications", name, seen.metric[m]);
    return 0;
}

/* Keeps the metrics that can be counted. `loose`: each was asked for by name, so each must. */
static int keep_countable(struct jrx_counting *c, const char *ops, int loose, struct jrx_warnings *warnings)
{
    const char *names[JRX_SET_METRICS] = {0};
    size_t count = 0;
    int why = 0;
    char reason[sizeof c->reason] = "no metric in the set";
    for (unsigned m = 0; m < c->set.metrics; m++) {
        enum jrx_source source = JRX_SOURCE_NONE;
        int rc = try_metric(c, ops, m, &source);
        if (!rc && count && source != c->source)
            return jrx_fail(JRX_EINVAL, "counters: %s is %s and %s is %s; count them in runs of their own", names[0],
                            jrx_source_name(c->source), c->set.metric[m].name, jrx_source_name(source));
        if (rc && loose)
            return rc;
        if (rc) {
            jrx_warn(warnings, "not_counted", NAN, NAN, "joulerx list events shows what can be counted here", "%s: %s",
                     c->set.metric[m].name, jrx_last_error());
            if (!why)
                snprintf(reason, sizeof reason, "%s", jrx_last_error());
            why = why ? why : rc == JRX_EPERMISSION ? rc : JRX_EUNAVAILABLE;
            continue;
        }
        c->source = source;
        c->counted[m] = 1;
        names[count++] = c->set.metric[m].name;
    }
    if (!count)
        return jrx_fail(why ? why : JRX_EUNAVAILABLE, "counters: nothing of event set %s can be counted: %s",
                        c->set.name, reason);
    return jrx_passes_plan(&c->set, names, count, 0, &c->plan);
}

static int open_auto(struct jrx_counting *c, const struct jrx_machine *machine, struct jrx_warnings *warnings)
{
    int rc = jrx_event_set_find(&c->set, machine);
    if (!rc) {
        /* one reason instead of one a metric, where there is no PMU at all */
        struct jrx_warnings each = {0};
        rc = keep_countable(c, "papi", 0, &each);
        if (!rc)
            jrx_warnings_add(warnings, &each);
    }
    if (!rc) {
        c->ops = "papi";
        return 0;
    }
    snprintf(c->reason, sizeof c->reason, "%s", jrx_last_error());
    jrx_warn(warnings, "not_counted", NAN, NAN, "joulerx doctor says what would make counters available", "%s",
             c->reason);
    return 0;
}

int jrx_counting_open(struct jrx_counting *c, const char *choice, const struct jrx_machine *machine, unsigned threads,
                      struct jrx_warnings *warnings)
{
    static const char through_likwid[] = "likwid:";
    *c = (struct jrx_counting){.config = {.threads = threads}};
    if (!choice || !strcmp(choice, "auto"))
        return open_auto(c, machine, warnings);
    if (!strcmp(choice, "none"))
        return 0;
    const char *set = named_set(choice), *ops = "papi";
    if (!strncmp(choice, through_likwid, sizeof through_likwid - 1)) {
        ops = "likwid";
        choice += sizeof through_likwid - 1;
        set = NULL;
    }
    int rc = set ? jrx_event_set_read(&c->set, set) : set_of_events(&c->set, choice);
    rc = rc ? rc : keep_countable(c, ops, !set, warnings);
    if (!rc)
        c->ops = ops;
    return rc;
}

int jrx_counting_run(const struct jrx_counting *c, void (*region)(void *context), void *context, unsigned reps,
                     double tolerance_ratio, struct jrx_counted *out)
{
    if (!c->ops)
        return jrx_fail(JRX_EUNAVAILABLE, "counters: %s", *c->reason ? c->reason : "none were asked for");
    return jrx_passes_run(&c->set, &c->plan, c->ops, &c->config, region, context, reps, tolerance_ratio, out);
}
