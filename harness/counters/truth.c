/*
 * The comparison of counted and known, and two regions whose work is known without a kernel.
 */
#include "harness/counters/truth.h"
#include "harness/base/error.h"
#include <math.h>
#include <stdio.h>

enum { LANES = 16, REPS = 5 };

void jrx_truth_flop(void *context)
{
    struct jrx_truth_flop *work = context;
    float x[LANES], scale = work->sink[0] == 12345 ? 2 : 0.999f; /* not known to the compiler */
    for (int i = 0; i < LANES; i++)
        x[i] = work->sink[i];
    for (uint64_t r = 0; r < work->rounds; r++)
        for (int i = 0; i < LANES; i++)
            x[i] = x[i] * scale + 0.001f;
    for (int i = 0; i < LANES; i++)
        work->sink[i] = x[i];
}

void jrx_truth_stream(void *context)
{
    struct jrx_truth_stream *work = context;
    uint64_t sum = 0;
    for (size_t i = 0; i < work->words; i += 8) /* one word a line: a load that waits for it */
        sum ^= work->data[i];
    work->sink = sum;
}

static void judge(const struct jrx_truth *t, double tolerance_ratio, struct jrx_warnings *warnings)
{
    if (!warnings || isnan(t->ratio) || fabs(t->ratio - 1) <= tolerance_ratio)
        return;
    jrx_warn(warnings, "counter_truth", t->ratio, 1 + (t->ratio > 1 ? tolerance_ratio : -tolerance_ratio),
             "leave this metric out of fits on this machine, or correct its formula in the event set",
             "%s of region %s: counted %.6g, known %.6g, ratio %.4f", t->metric, t->region, t->counted, t->known,
             t->ratio);
}

static int count_region(const struct jrx_event_set *set, const char *source, const struct jrx_counter_config *config,
                        const struct jrx_truth_region *region, struct jrx_counted *counted)
{
    const char *wanted[JRX_TRUTH_FACTS];
    struct jrx_passes plan;
    size_t count = 0;
    for (int f = 0; f < JRX_TRUTH_FACTS && region->fact[f].metric; f++)
        if (jrx_event_set_metric(set, region->fact[f].metric) >= 0)
            wanted[count++] = region->fact[f].metric;
    for (unsigned m = 0; m < JRX_SET_METRICS; m++)
        counted->metric[m] = NAN;
    if (count == 0)
        return 0;
    int rc = jrx_passes_plan(set, wanted, count, 0, &plan);
    /* each fact is judged alone, so passes need not agree in time here */
    return rc ? rc : jrx_passes_run(set, &plan, source, config, region->run, region->context, REPS, INFINITY, counted);
}

int jrx_truth_check(const struct jrx_event_set *set, const char *source, const struct jrx_counter_config *config,
                    const struct jrx_truth_region *region, size_t regions, double tolerance_ratio,
                    struct jrx_truth *out, size_t max, size_t *count, struct jrx_warnings *warnings)
{
    struct jrx_counted counted;
    *count = 0;
    for (size_t r = 0; r < regions; r++) {
        int rc = count_region(set, source, config, &region[r], &counted);
        if (rc)
            return rc;
        for (int f = 0; f < JRX_TRUTH_FACTS && region[r].fact[f].metric; f++) {
            if (*count == max)
                return jrx_fail(JRX_EINVAL, "truth check: more than %zu facts; give room for all", max);
            int metric = jrx_event_set_metric(set, region[r].fact[f].metric);
            struct jrx_truth *t = &out[(*count)++];
            *t = (struct jrx_truth){.known = region[r].fact[f].known, .counted = NAN, .ratio = NAN};
            snprintf(t->region, sizeof t->region, "%s", region[r].name);
            snprintf(t->metric, sizeof t->metric, "%s", region[r].fact[f].metric);
            if (metric < 0)
                continue;
            t->counted = counted.metric[metric];
            t->source = isnan(t->counted) ? JRX_SOURCE_NONE : counted.source[metric];
            t->ratio = t->counted / t->known;
            judge(t, tolerance_ratio, warnings);
        }
    }
    return 0;
}
