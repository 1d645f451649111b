/*
 * Description and bootstrap. Tests of hypotheses and distributions are in stats_inference.c.
 */
#include "harness/stats.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

size_t jrx_sorted(const double *x, size_t n, double *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i]))
            out[kept++] = x[i];
    qsort(out, kept, sizeof *out, ascending);
    return kept;
}

double jrx_quantile(const double *sorted, size_t n, double q)
{
    if (n == 0 || !(q >= 0 && q <= 1))
        return NAN;
    double position = q * (double)(n - 1);
    size_t below = (size_t)position;
    double part = position - (double)below;
    /* no arithmetic between equal neighbours: infinite values stay what they are */
    if (part == 0 || sorted[below] == sorted[below + 1])
        return sorted[below];
    return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

int jrx_summarize(const double *x, size_t n, struct jrx_summary *out)
{
    double *sorted = jrx_alloc(n * sizeof *sorted);
    if (!sorted)
        return JRX_ENOMEM;
    n = jrx_sorted(x, n, sorted);
    *out = (struct jrx_summary){n, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    if (n > 0) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++)
            sum += sorted[i];
        out->mean = sum / (double)n;
        for (size_t i = 0; i < n; i++)
            squares += (sorted[i] - out->mean) * (sorted[i] - out->mean);
        if (n > 1) {
            out->sd = sqrt(squares / (double)(n - 1));
            out->sem = out->sd / sqrt((double)n);
        }
        out->min = sorted[0];
        out->max = sorted[n - 1];
        out->median = jrx_quantile(sorted, n, 0.5);
        out->q25 = jrx_quantile(sorted, n, 0.25);
        out->q75 = jrx_quantile(sorted, n, 0.75);
        for (size_t i = 0; i < n; i++)
            sorted[i] = fabs(sorted[i] - out->median);
        qsort(sorted, n, sizeof *sorted, ascending);
        out->mad = jrx_quantile(sorted, n, 0.5);
    }
    free(sorted);
    return 0;
}

/* ---- bootstrap ----------------------------------------------------------------------------------- */

/* Puts the k-th smallest value at x[k], smaller ones before it: a median in linear time, thousands of times. */
static double select_kth(double *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = x[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (x[i] < pivot)
                i++;
            while (pivot < x[j])
                j--;
            if (i >= j)
                break;
            double kept = x[i];
            x[i++] = x[j];
            x[j--] = kept;
        }
        /* now low..j are no greater than what lies above j */
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return x[k];
}

static double median_of(double *x, size_t n)
{
    double upper = select_kth(x, n, n / 2), lower = upper;
    if (n % 2 == 0) {
        lower = x[0];
        for (size_t i = 1; i < n / 2; i++)
            lower = x[i] > lower ? x[i] : lower;
    }
    return lower == upper ? upper : lower + (upper - lower) / 2;
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

/* What each statistic works on: a alone, one number a pair, or both sides. */
enum sides { ALONE, DIFFERENCE, RATIO, BOTH };
static const struct {
    enum sides sides;
    int is_mean;
} kinds[JRX_STATISTICS] = {
    [JRX_MEDIAN] = {ALONE, 0},
    [JRX_MEAN] = {ALONE, 1},
    [JRX_MEDIAN_RATIO] = {BOTH, 0},
    [JRX_PAIR_RATIO] = {RATIO, 0},
    [JRX_MEDIAN_DIFFERENCE] = {DIFFERENCE, 0},
    [JRX_MEAN_DIFFERENCE] = {DIFFERENCE, 1},
};

/* The sample as the resampler wants it: values of unit u are a[first[u]] .. a[first[u + 1] - 1], none missing. */
struct resampler {
    enum jrx_statistic statistic;
    size_t units, values, largest; /* values of the largest unit */
    size_t *first;
    double *a, *b;
    double *drawn_a, *drawn_b; /* units * largest each */
    double *result;            /* one a draw */
};

struct keyed {
    uint32_t group;
    uint32_t index;
};

static int by_group(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static void resampler_fini(struct resampler *r)
{
    free(r->first);
    free(r->a);
    free(r->b);
    free(r->drawn_a);
    free(r->drawn_b);
    free(r->result);
}

static double one_number(enum sides sides, const struct jrx_sample *s, size_t i)
{
    if (sides == DIFFERENCE)
        return s->a[i] - s->b[i];
    return sides == RATIO ? s->a[i] / s->b[i] : s->a[i];
}

/* Fills a, b and first from the sample: whole pairs only, ordered by group. */
static void take_units(struct resampler *r, const struct jrx_sample *s, struct keyed *order)
{
    enum sides sides = kinds[r->statistic].sides;
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (!isnan(s->a[i]) && (sides == ALONE || !isnan(s->b[i])))
            order[n++] = (struct keyed){s->group ? s->group[i] : (uint32_t)i, (uint32_t)i};
    if (s->group)
        qsort(order, n, sizeof *order, by_group);
    for (size_t i = 0; i < n; i++) {
        size_t from = order[i].index;
        if (i == 0 || order[i].group != order[i - 1].group)
            r->first[r->units++] = i;
        r->a[i] = one_number(sides, s, from);
        r->b[i] = sides == BOTH ? s->b[from] : 0;
        if (i + 1 - r->first[r->units - 1] > r->largest)
            r->largest = i + 1 - r->first[r->units - 1];
    }
    r->first[r->units] = r->values = n;
}

static int resampler_init(struct resampler *r, const struct jrx_sample *s, enum jrx_statistic statistic, uint32_t draws)
{
    *r = (struct resampler){.statistic = statistic};
    struct keyed *order = jrx_alloc(s->n * sizeof *order);
    r->first = jrx_alloc((s->n + 1) * sizeof *r->first);
    r->a = jrx_alloc(s->n * sizeof *r->a);
    r->b = jrx_alloc(s->n * sizeof *r->b);
    r->result = jrx_alloc(draws * sizeof *r->result);
    int rc = order && r->first && r->a && r->b && r->result ? 0 : JRX_ENOMEM;
    if (!rc) {
        take_units(r, s, order);
        size_t most = r->units * r->largest;
        r->drawn_a = jrx_alloc(most * sizeof *r->drawn_a);
        r->drawn_b = jrx_alloc(most * sizeof *r->drawn_b);
        rc = r->drawn_a && r->drawn_b ? 0 : JRX_ENOMEM;
    }
    free(order);
    if (rc)
        resampler_fini(r);
    return rc;
}

/* Of drawn_a[n], drawn_b[n], which are reordered. */
static double statistic_of(struct resampler *r, size_t n)
{
    if (kinds[r->statistic].is_mean)
        return mean_of(r->drawn_a, n);
    double a = median_of(r->drawn_a, n);
    return kinds[r->statistic].sides == BOTH ? a / median_of(r->drawn_b, n) : a;
}

static double draw(struct resampler *r, struct jrx_rng *rng)
{
    size_t n = 0;
    for (size_t u = 0; u < r->units; u++) {
        uint32_t unit = jrx_rng_below(rng, (uint32_t)r->units);
        size_t count = r->first[unit + 1] - r->first[unit];
        memcpy(r->drawn_a + n, r->a + r->first[unit], count * sizeof *r->a);
        memcpy(r->drawn_b + n, r->b + r->first[unit], count * sizeof *r->b);
        n += count;
    }
    return statistic_of(r, n);
}

int jrx_bootstrap(const struct jrx_sample *sample, enum jrx_statistic statistic, const struct jrx_bootstrap *how,
                  struct jrx_estimate *out)
{
    *out = (struct jrx_estimate){NAN, NAN, NAN, 0};
    if (!(how->level > 0 && how->level < 1) || how->draws < 1)
        return jrx_fail(JRX_EINVAL, "bootstrap: level %g with %u draws; use a level between 0 and 1 and 1 draw or more",
                        how->level, how->draws);
    if ((unsigned)statistic >= JRX_STATISTICS || (kinds[statistic].sides == ALONE) != !sample->b)
        return jrx_fail(JRX_EINVAL, "bootstrap: statistic %d %s a second sample", (int)statistic,
                        sample->b ? "does not take" : "needs");
    if (sample->n > UINT32_MAX)
        return jrx_fail(JRX_EINVAL, "bootstrap: %zu values; use 4294967295 or fewer", sample->n);
    struct resampler r;
    int rc = resampler_init(&r, sample, statistic, how->draws);
    if (rc)
        return rc;
    out->units = r.units;
    if (r.units > 0) {
        memcpy(r.drawn_a, r.a, r.values * sizeof *r.a);
        memcpy(r.drawn_b, r.b, r.values * sizeof *r.b);
        out->value = statistic_of(&r, r.values);
    }
    if (r.units > 1) {
        struct jrx_rng rng;
        jrx_rng_init(&rng, how->seed, (uint64_t)statistic);
        for (uint32_t d = 0; d < how->draws; d++)
            r.result[d] = draw(&r, &rng);
        size_t n = jrx_sorted(r.result, how->draws, r.result);
        double units = (double)r.units, t = jrx_t_quantile(0.5 + how->level / 2, units - 1);
        double tail = jrx_normal_cdf(-sqrt(units / (units - 1)) * t);
        out->low = jrx_quantile(r.result, n, tail);
        out->high = jrx_quantile(r.result, n, 1 - tail);
    }
    resampler_fini(&r);
    return 0;
}
