/* Warnings about the repetitions of one cell. */
#include "harness/base/error.h"
#include "harness/quality.h"
#include "harness/stats.h"
#include <math.h>
#include <stdlib.h>

struct jrx_quality_limits jrx_quality_limits(void)
{
    return (struct jrx_quality_limits){.reps = 6, .spread_ratio = 0.02, .outlier_mads = 3.5, .outliers_ratio = 0.1};
}

void jrx_quality_samples(struct jrx_warnings *list, const char *what, const char *unit, const double *x, size_t n,
                         const struct jrx_quality_limits *limits)
{
    struct jrx_summary s;
    if (jrx_summarize(x, n, &s)) {
        jrx_warn(list, "not_checked", NAN, NAN, "free memory", "%s: %s", what, jrx_last_error());
        return;
    }
    if (s.n < limits->reps)
        jrx_warn(list, "few_reps", (double)s.n, (double)limits->reps, "more repetitions: --reps",
                 "%s: %zu repetitions cannot give a 95 %% interval of the median", what, s.n);
    if (s.n < 2)
        return;
    double half = jrx_t_quantile(0.975, (double)s.n - 1) * s.sem / fabs(s.mean);
    if (half > limits->spread_ratio)
        jrx_warn(list, "noisy", half, limits->spread_ratio,
                 "more repetitions or a longer window; and look at the machine: joulerx doctor",
                 "%s: mean of %.6g %s is known to +-%.1f %% only", what, s.mean, unit, 100 * half);
    double scale = 1.4826 * s.mad;
    if (!(scale > 0) || s.n < 5)
        return;
    size_t far = 0;
    for (size_t i = 0; i < n; i++)
        far += fabs(x[i] - s.median) > limits->outlier_mads * scale;
    if ((double)far > limits->outliers_ratio * (double)s.n)
        jrx_warn(list, "outliers", (double)far / (double)s.n, limits->outliers_ratio,
                 "something else ran meanwhile: stop it, or pin with taskset",
                 "%s: %zu of %zu repetitions lie beyond %.1f MAD; they are kept", what, far, s.n, limits->outlier_mads);
    double first = (x[0] - s.median) / scale;
    if (first > limits->outlier_mads)
        jrx_warn(list, "slow_first_run", first, limits->outlier_mads,
                 "warm up for longer, or leave the first repetition out",
                 "%s: the first repetition lies %.1f MAD above the median", what, first);
}
