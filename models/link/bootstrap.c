/* Intervals over slots, for models/link/evaluate.h. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/link/evaluate.h"
#include <stdlib.h>

enum { RESAMPLES = 1000, BOOTSTRAP_STREAM = 0 };

static int ascending(const void *a, const void *b)
{
    double l = *(const double *)a, r = *(const double *)b;
    return (l > r) - (l < r);
}

int lk_bootstrap(const double *numerator, const double *denominator, int n, uint64_t seed, double interval[2])
{
    double ratio[RESAMPLES];
    struct jrx_rng rng;
    if (n < 1)
        return jrx_fail(JRX_EINVAL, "bootstrap over %d slots; give at least one", n);
    jrx_rng_init(&rng, seed, BOOTSTRAP_STREAM);
    for (int i = 0; i < RESAMPLES; i++) {
        double top = 0, bottom = 0;
        for (int s = 0; s < n; s++) {
            uint32_t pick = jrx_rng_below(&rng, (uint32_t)n);
            top += numerator[pick];
            bottom += denominator[pick];
        }
        ratio[i] = top / bottom;
    }
    qsort(ratio, RESAMPLES, sizeof *ratio, ascending);
    interval[0] = ratio[(int)(0.025 * RESAMPLES)];
    interval[1] = ratio[RESAMPLES - 1 - (int)(0.025 * RESAMPLES)];
    return 0;
}

static double errors_of(const struct lk_tally *tally)
{
    double errors = 0;
    for (int b = 0; b < LK_MAX_BITS; b++)
        errors += tally->errors[b];
    return errors;
}

int lk_evaluation_difference(const struct lk_evaluation *e, int point, int a, int b, double *difference,
                             double interval[2])
{
    size_t cell = (size_t)point * e->receiver_count;
    const struct lk_tally *ta = e->tallies + (cell + (size_t)a) * (size_t)e->slots,
                          *tb = e->tallies + (cell + (size_t)b) * (size_t)e->slots;
    int slots = (int)e->results[cell + (size_t)a].slots, status;
    double *top = jrx_alloc(2 * (size_t)slots * sizeof *top), *bottom = top + slots, sum_top = 0, sum_bottom = 0;
    if (!top)
        return JRX_ENOMEM;
    for (int s = 0; s < slots; s++) {
        top[s] = errors_of(&ta[s]) - errors_of(&tb[s]);
        bottom[s] = ta[s].data_re * (double)e->config.modulation;
        sum_top += top[s];
        sum_bottom += bottom[s];
    }
    *difference = sum_top / sum_bottom;
    status = lk_bootstrap(top, bottom, slots, e->seed, interval);
    free(top);
    return status;
}
