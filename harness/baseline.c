/* Powers without the workload: see the header. */
#include "harness/baseline.h"
#include "harness/clock.h"
#include <math.h>

static const struct jrx_power unknown = {NAN, NAN};

void jrx_baseline_unknown(struct jrx_baseline *baseline)
{
    for (size_t d = 0; d < JRX_DOMAINS; d++)
        baseline->domain[d] = unknown;
    baseline->total = unknown;
}

static void take(const struct jrx_window_result *result, struct jrx_baseline *baseline)
{
    double time_s = (double)result->time_ns * 1e-9;
    for (size_t d = 0; d < result->domains; d++)
        baseline->domain[d] =
            (struct jrx_power){result->domain[d].energy_j / time_s, result->domain[d].uncertainty_j / time_s};
    baseline->total = (struct jrx_power){result->total_j / time_s, result->total_uncertainty_j / time_s};
}

int jrx_baseline_idle(struct jrx_window *window, uint64_t ns, struct jrx_baseline *baseline)
{
    struct jrx_window_result result;
    jrx_baseline_unknown(baseline);
    int status = jrx_window_idle(window, ns, &result);
    if (!status && result.time_ns)
        take(&result, baseline);
    return status;
}

struct awake {
    uint64_t ns;
    int threads;
};

/* A chain of additions in a register, the clock looked at every few microseconds. */
static void count_up(void *context)
{
    const struct awake *awake = context;
    uint64_t until_ns = jrx_clock_ns() + awake->ns;
#pragma omp parallel num_threads(awake->threads)
    while (jrx_clock_ns() < until_ns)
        for (unsigned i = 0; i < 10000; i++)
            __asm__ volatile("" : "+r"(i));
}

int jrx_baseline_active(struct jrx_window *window, uint64_t ns, int threads, struct jrx_baseline *baseline)
{
    struct awake awake = {ns, threads > 0 ? threads : 1};
    const struct jrx_region region = {.fn = count_up, .ctx = &awake, .work = {.flop = 0}};
    struct jrx_window_result result;
    jrx_baseline_unknown(baseline);
    int status = jrx_window_measure(window, &region, 1, &result);
    if (!status && result.time_ns)
        take(&result, baseline);
    return status;
}

struct jrx_energy_views jrx_energy_views(double energy_j, double uncertainty_j, double time_s,
                                         const struct jrx_power *idle, const struct jrx_power *active)
{
    return (struct jrx_energy_views){
        .gross_j = energy_j,
        .gross_uncertainty_j = uncertainty_j,
        .above_idle_j = energy_j - idle->w * time_s,
        .above_idle_uncertainty_j = hypot(uncertainty_j, idle->uncertainty_w * time_s),
        .above_active_j = energy_j - active->w * time_s,
        .above_active_uncertainty_j = hypot(uncertainty_j, active->uncertainty_w * time_s),
    };
}
