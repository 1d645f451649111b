/* One measured window of a region, and all that is written about it: ex_measure() of experiment.h. */
#include "experiments/experiment.h"
#include "harness/base/error.h"
#include "harness/calibrate.h"
#include <ctype.h>
#include <math.h>
#include <string.h>

/* Passes may differ from one another, and from the window, by so much in time. */
static const double agree_ratio = 0.05;
/* A counted run lasts about so long; what takes longer by itself is counted once a pass instead of three times. */
static const double counted_ns = 10e6;
enum { SHORT_REPS = 3 };

/* What was done, as software-defined events. */
static void publish(struct jrx_sde *sde, const struct jrx_work *work, double calls)
{
    const struct {
        enum jrx_sde_event event;
        double amount;
    } done[] = {{JRX_SDE_FLOP, work->flop},
                {JRX_SDE_L1_BYTES, work->l1_bytes},
                {JRX_SDE_L2_BYTES, work->l2_bytes},
                {JRX_SDE_L3_BYTES, work->l3_bytes},
                {JRX_SDE_DRAM_BYTES, work->dram_bytes}};
    for (size_t i = 0; i < sizeof done / sizeof *done; i++)
        if (!isnan(done[i].amount))
            jrx_sde_add(sde, done[i].event, (int64_t)(done[i].amount * calls));
    jrx_sde_add(sde, JRX_SDE_REGIONS, (int64_t)calls);
}

void ex_baselines(struct ex_run *run)
{
    uint64_t ns = (uint64_t)(run->settings->preset->window_s * 1e9);
    jrx_baseline_idle(run->window, ns, &run->idle);
    jrx_baseline_active(run->window, ns, run->settings->threads, &run->active);
}

struct listener {
    struct jrx_sde *sde;
    const struct jrx_work *work;
};

static void told(void *context, const struct jrx_window_result *result)
{
    const struct listener *listener = context;
    publish(listener->sde, listener->work, (double)result->iters);
    jrx_sde_add(listener->sde, JRX_SDE_CPU_NS, (int64_t)result->cpu_ns);
}

/* ---- energy ----------------------------------------------------------------------------------------------------- */

static void put_energy(const struct ex_run *run, const struct jrx_window_result *result, struct jrx_table *samples)
{
    double calls = (double)result->iters, time_s = (double)result->time_ns * 1e-9 / calls;
    const struct jrx_energy_views v = jrx_energy_views(result->total_j / calls, result->total_uncertainty_j / calls,
                                                       time_s, &run->idle.total, &run->active.total);
    jrx_put_integer(samples, "iters", (int64_t)result->iters);
    jrx_put_real(samples, "window_s", (double)result->time_ns * 1e-9);
    jrx_put_real(samples, "time_ns", time_s * 1e9);
    jrx_put_real(samples, "cpu_time_ns", (double)result->cpu_ns / calls);
    jrx_put_real(samples, "energy_j", v.gross_j);
    jrx_put_real(samples, "energy_uncertainty_j", v.gross_uncertainty_j);
    jrx_put_real(samples, "above_idle_j", v.above_idle_j);
    jrx_put_real(samples, "above_idle_uncertainty_j", v.above_idle_uncertainty_j);
    jrx_put_real(samples, "above_active_j", v.above_active_j);
    jrx_put_real(samples, "above_active_uncertainty_j", v.above_active_uncertainty_j);
    jrx_put_real(samples, "idle_w", run->idle.total.w);
    jrx_put_real(samples, "idle_uncertainty_w", run->idle.total.uncertainty_w);
    jrx_put_real(samples, "active_w", run->active.total.w);
    jrx_put_real(samples, "active_uncertainty_w", run->active.total.uncertainty_w);
    jrx_put_text(samples, "energy_source", jrx_source_name(result->source));
    jrx_put_text(samples, "meter", run->window->meter->ops->name);
    jrx_put_text(samples, "status", result->status ? result->reason : "ok");
    for (size_t d = 0; run->observer && d < run->observer->domains; d++) {
        jrx_put_real(samples, run->observer->column[2 * d].name, result->domain[d].energy_j / calls);
        jrx_put_real(samples, run->observer->column[2 * d + 1].name, result->domain[d].uncertainty_j / calls);
    }
}

/* ---- counters --------------------------------------------------------------------------------------------------- */

struct counted {
    const struct jrx_region *region;
    uint64_t calls;
    struct jrx_sde *sde;
};

static void run_counted(void *context)
{
    const struct counted *counted = context;
    for (uint64_t i = 0; i < counted->calls; i++)
        counted->region->fn(counted->region->ctx);
    publish(counted->sde, &counted->region->work, (double)counted->calls);
}

/* Counts belong to the energy only if they were taken of the same thing: it must have taken the same time. */
static int same_time(double counted_time_ns, double window_time_ns)
{
    double apart = fabs(counted_time_ns / window_time_ns - 1);
    return apart <= agree_ratio
               ? 0
               : jrx_fail(
                     JRX_EIMPLAUSIBLE,
                     "a call took %.4g ns while counted and %.4g ns in the window, %.1f %% apart (%.0f %% allowed)",
                     counted_time_ns, window_time_ns, 100 * apart, 100 * agree_ratio);
}

static void put_counts(struct ex_run *run, const struct jrx_region *region, double time_ns, struct jrx_table *samples)
{
    const struct jrx_counting *counting = run->observer ? &run->observer->counting : NULL;
    if (!counting || !counting->ops)
        return;
    if (region->once) {
        jrx_put_text(samples, "counted_status", "not counted: this region is not run a second time");
        return;
    }
    double calls = fmax(1, ceil(counted_ns / time_ns));
    struct counted counted = {region, (uint64_t)calls, run->sde};
    struct jrx_counted seen;
    int status =
        jrx_counting_run(counting, run_counted, &counted, time_ns > counted_ns ? 1 : SHORT_REPS, agree_ratio, &seen);
    double counted_time_ns = seen.time_s[0] * 1e9 / calls;
    status = status ? status : same_time(counted_time_ns, time_ns);
    jrx_put_text(samples, "counted_status", status ? jrx_last_error() : "ok");
    jrx_put_real(samples, "counted_time_ns", counted_time_ns);
    if (status)
        return;
    jrx_put_text(samples, "counted_source", jrx_source_name(counting->source));
    for (unsigned m = 0; m < counting->set.metrics; m++) {
        char name[EX_COLUMN_NAME];
        if (counting->counted[m])
            jrx_put_real(samples, ex_counted_column(&counting->set.metric[m], name), seen.metric[m] / calls);
    }
}

/* ----------------------------------------------------------------------------------------------------------------- */

/* "tiling_oc=32_f=8": likwid's own files part fields by ':', '-' and ','. */
static const char *region_name(const struct ex_run *run, char name[160])
{
    snprintf(name, 160, "%s%s%s", run->experiment ? run->experiment->name : "", run->experiment ? "_" : "",
             *run->label ? run->label : "region");
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '=' && *c != '.')
            *c = '_';
    return name;
}

int ex_measure(struct ex_run *run, const struct jrx_region *region, uint64_t *iters, struct jrx_table *samples,
               double *time_ns)
{
    struct jrx_window_result result;
    struct jrx_markers *markers = run->observer ? &run->observer->markers : NULL;
    char name[160];
    int status;
    if (!*iters) {
        const struct jrx_calibration want = {.min_time_ns = (uint64_t)(run->settings->preset->window_s * 1e9),
                                             .tick_ns = run->window->meter->tick_ns,
                                             .min_ticks = 100};
        if ((status = jrx_calibrate(region, &want, iters, NULL)))
            return status;
    }
    if (markers)
        jrx_marker_start(markers, region_name(run, name));
    struct listener listener = {run->sde, &region->work};
    struct jrx_region listened = *region;
    listened.told = told;
    listened.told_context = &listener;
    status = jrx_window_measure(run->window, &listened, *iters, &result);
    if (markers)
        jrx_marker_stop(markers, name);
    if (status)
        return status;
    *time_ns = (double)result.time_ns / (double)*iters;
    put_energy(run, &result, samples);
    put_counts(run, region, *time_ns, samples);
    return 0;
}
