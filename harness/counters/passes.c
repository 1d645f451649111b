/*
 * The events of a set are more than a processor has counters. Sharing the counters in time gives estimates that were
 * seen to be wrong for short regions and even negative, so the region is run once for each group that fits instead.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/counters/eventset.h"
#include "harness/stats.h"
#include <math.h>
#include <stdlib.h>

enum { MOST_REPS = 64 };

int jrx_passes_plan(const struct jrx_event_set *set, const char *const *metrics, size_t count, unsigned slots,
                    struct jrx_passes *out)
{
    unsigned used = 0; /* of the pass that is being filled */
    int wanted[JRX_SET_METRICS] = {0};
    if (slots == 0)
        slots = set->slots;
    for (size_t i = 0; i < count; i++) {
        int m = jrx_event_set_metric(set, metrics[i]);
        if (m < 0)
            return m;
        wanted[m] = 1;
    }
    out->passes = 0;
    for (unsigned e = 0; e < JRX_SET_EVENTS; e++)
        out->of_event[e] = UINT32_MAX;
    for (unsigned m = 0; m < set->metrics; m++) {
        const struct jrx_metric *metric = &set->metric[m];
        unsigned fresh = 0;
        for (unsigned k = 0; k < metric->terms; k++)
            fresh += out->of_event[metric->term[k].event] == UINT32_MAX;
        if ((count > 0 && !wanted[m]) || fresh == 0)
            continue;
        /* begin a pass where the metric would be torn, unless it is too large for any */
        if (out->passes == 0 || (used + fresh > slots && fresh <= slots)) {
            out->passes++;
            used = 0;
        }
        for (unsigned k = 0; k < metric->terms; k++) {
            unsigned *of = &out->of_event[metric->term[k].event];
            if (*of != UINT32_MAX)
                continue;
            if (used == slots) {
                out->passes++;
                used = 0;
            }
            *of = out->passes - 1;
            used++;
        }
    }
    for (unsigned e = 0; e < JRX_SET_EVENTS; e++)
        if (out->of_event[e] == UINT32_MAX)
            out->of_event[e] = out->passes;
    return 0;
}

static double median(const double *x, unsigned n)
{
    double sorted[MOST_REPS];
    return jrx_quantile(sorted, jrx_sorted(x, n, sorted), 0.5);
}

struct job {
    const struct jrx_event_set *set;
    const char *source;
    const struct jrx_counter_config *config;
    void (*region)(void *context);
    void *context;
    unsigned reps;
    struct jrx_counted *out;
    enum jrx_source from[JRX_SET_EVENTS];
    double slowest_s, fastest_s;
};

static int count_open(struct job *j, struct jrx_counters *c, const unsigned *events, double *time_s)
{
    double taken[MOST_REPS], counts[JRX_SET_EVENTS][MOST_REPS];
    j->region(j->context); /* caches and pages as in every later run */
    for (unsigned r = 0; r < j->reps; r++) {
        int rc = jrx_counters_start(c);
        uint64_t begin = jrx_clock_ns();
        if (rc)
            return rc;
        j->region(j->context);
        taken[r] = (double)(jrx_clock_ns() - begin) * 1e-9;
        if ((rc = jrx_counters_stop(c)))
            return rc;
        for (size_t e = 0; e < c->count; e++)
            counts[e][r] = c->value[e].count;
    }
    for (size_t e = 0; e < c->count; e++) {
        j->out->event[events[e]] = median(counts[e], j->reps);
        j->from[events[e]] = c->value[e].source;
    }
    *time_s = median(taken, j->reps);
    j->slowest_s = fmax(j->slowest_s, *time_s);
    j->fastest_s = fmin(j->fastest_s, *time_s);
    return 0;
}

/* Counts these events at once; where the hardware refuses, each half by itself. */
static int count_events(struct job *j, const unsigned *events, unsigned count, double *time_s)
{
    const char *names[JRX_SET_EVENTS] = {0};
    struct jrx_counters c;
    for (unsigned i = 0; i < count; i++)
        names[i] = j->set->event[events[i]];
    int rc = jrx_counters_open(&c, j->source, names, count, j->config);
    if (rc == JRX_EUNAVAILABLE && count > 1) {
        rc = count_events(j, events, count / 2, time_s);
        return rc ? rc : count_events(j, events + count / 2, count - count / 2, time_s);
    }
    rc = rc ? rc : count_open(j, &c, events, time_s);
    jrx_counters_close(&c);
    return rc;
}

static void join(struct job *j)
{
    for (unsigned m = 0; m < j->set->metrics; m++) {
        const struct jrx_metric *metric = &j->set->metric[m];
        j->out->metric[m] = jrx_metric_value(metric, j->out->event);
        for (unsigned k = 0; k < metric->terms && !isnan(j->out->metric[m]); k++)
            if (j->from[metric->term[k].event] > j->out->source[m])
                j->out->source[m] = j->from[metric->term[k].event];
    }
}

int jrx_passes_run(const struct jrx_event_set *set, const struct jrx_passes *plan, const char *source,
                   const struct jrx_counter_config *config, void (*region)(void *context), void *context, unsigned reps,
                   double tolerance_ratio, struct jrx_counted *out)
{
    struct job j = {set, source, config, region, context, reps, out, .fastest_s = INFINITY};
    *out = (struct jrx_counted){.spread_ratio = NAN};
    for (unsigned i = 0; i < JRX_SET_EVENTS; i++)
        out->event[i] = out->time_s[i] = NAN;
    for (unsigned i = 0; i < JRX_SET_METRICS; i++)
        out->metric[i] = NAN;
    if (reps < 1 || reps > MOST_REPS)
        return jrx_fail(JRX_EINVAL, "counters: %u repetitions a pass; use 1 to %d", reps, MOST_REPS);
    for (unsigned p = 0; p < plan->passes; p++) {
        unsigned events[JRX_SET_EVENTS], count = 0;
        for (unsigned e = 0; e < set->events; e++)
            if (plan->of_event[e] == p)
                events[count++] = e;
        int rc = count_events(&j, events, count, &out->time_s[p]);
        if (rc)
            return rc;
    }
    out->spread_ratio = j.slowest_s / j.fastest_s - 1;
    if (out->spread_ratio > tolerance_ratio)
        return jrx_fail(JRX_EIMPLAUSIBLE,
                        "counters: passes of the same region took %.3g to %.3g s, %.1f %% apart (%.1f %% allowed): "
                        "they are not joined; stop other load, or use more repetitions",
                        j.fastest_s, j.slowest_s, 100 * out->spread_ratio, 100 * tolerance_ratio);
    join(&j);
    return 0;
}
