/* Measuring a region: see the header. */
#include "harness/window.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/edge.h"
#include "harness/reader.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Everything about one window that is not its result. */
struct frame {
    struct jrx_edge first[JRX_DOMAINS], last[JRX_DOMAINS];
    struct jrx_tally tally[JRX_DOMAINS];
    uint64_t end_ns; /* of the region; it began at result->start_ns */
};

static const double level = 0.95, normal_95 = 1.959964;

void jrx_window_close(struct jrx_window *window)
{
    jrx_reader_close(window->reader);
    memset(window, 0, sizeof *window);
}

static void set_reason(char *reason, size_t size)
{
    snprintf(reason, size, "%s", jrx_last_error());
}

/* Edges of the domains of the total, then the others as they stand: watching those too would only widen the gaps. */
static int take_edges(struct jrx_window *window, struct jrx_edge *edges)
{
    struct jrx_meter *meter = window->meter;
    size_t watched[JRX_DOMAINS] = {0}, n = 0;
    struct jrx_edge found[JRX_DOMAINS];
    const struct jrx_edge_wait how = {
        .tick_s = window->tick_s, .read_s = window->read_s, .give_up_s = 8 * window->tick_s};
    for (size_t d = 0; d < meter->domains; d++)
        if (meter->domain[d].in_total && window->tick_s > 0)
            watched[n++] = d;
    int status = jrx_edges_wait(meter, watched, n, &how, found);
    for (size_t i = 0; i < n; i++)
        edges[watched[i]] = found[i];
    for (size_t d = 0; d < meter->domains && !status; d++) {
        struct jrx_reading now;
        if (meter->domain[d].in_total && window->tick_s > 0)
            continue;
        status = jrx_meter_read(meter, d, &now);
        edges[d] = jrx_edge_unwatched(&now, window->tick_s);
    }
    return status;
}

/* Power [W] a domain draws while it is watched, applied to the seconds around the region; the mean of the window where
 * watching has never been seen. */
static double watch_power_w(const struct jrx_window *window, size_t d, const struct jrx_energy *e)
{
    return isnan(window->watch_w[d]) ? e->window_j / e->window_s : window->watch_w[d];
}

static int domain_energy(struct jrx_window *window, size_t d, struct frame *frame,
                         const struct jrx_window_result *result, struct jrx_energy *e)
{
    const struct jrx_counter *counter = &window->meter->domain[d].counter;
    const struct jrx_edge *first = &frame->first[d], *last = &frame->last[d];
    struct jrx_tally *tally = &frame->tally[d];
    int status = jrx_tally_add(tally, counter, last->count, last->read_ns);
    if (status)
        return status;
    window->moved[d] |= tally->counts > 0;
    if (window->tick_s > 0 && !window->moved[d])
        return jrx_fail(JRX_EUNAVAILABLE, "%s exists and its counter has never moved; it is not served on this machine",
                        window->meter->domain[d].name);
    e->wraps = tally->wraps;
    e->window_j = jrx_tally_j(tally, counter);
    e->window_s = (double)(last->time_ns - first->time_ns) * 1e-9;
    double time_s = (double)result->time_ns * 1e-9, energy_j = e->window_j, half_j = 0;
    if (window->tick_s > 0) {
        double watch_w = watch_power_w(window, d, e), watched_s = e->window_s - time_s;
        double sd_w = isnan(window->watch_sd_w[d]) ? 0 : window->watch_sd_w[d];
        energy_j -= watch_w * watched_s;
        half_j = hypot(watch_w * jrx_edge_half_width(first->gap_ns, last->gap_ns, level) * 1e-9,
                       normal_95 * hypot(sd_w * watched_s, counter->j_per_count / sqrt(6)));
    }
    status = jrx_counter_plausible(energy_j, time_s, counter->p_max_w, counter->p_max_w * window->tick_s + half_j);
    if (status)
        return energy_j < 0 && energy_j >= -2 * half_j
                   ? jrx_fail(status, "the energy drowns in its uncertainty of %.3g J: measure for longer", half_j)
                   : status;
    e->energy_j = energy_j;
    e->uncertainty_j = result->source == JRX_ESTIMATED ? NAN : half_j;
    return 0;
}

static void sum_up(struct jrx_window *window, struct jrx_window_result *result)
{
    double sum_j = 0, square = 0;
    size_t summed = 0;
    for (size_t d = 0; d < result->domains; d++) {
        const struct jrx_energy *e = &result->domain[d];
        if (!window->meter->domain[d].in_total)
            continue;
        if (e->status && !result->status) {
            result->status = e->status;
            memcpy(result->reason, e->reason, sizeof result->reason);
        }
        sum_j += e->energy_j;
        square += e->uncertainty_j * e->uncertainty_j;
        summed++;
    }
    bool have = summed && !result->status;
    result->total_j = have ? sum_j : NAN;
    result->total_uncertainty_j = have ? sqrt(square) : NAN;
}

static void blank(struct jrx_window *window, struct jrx_window_result *result)
{
    memset(result, 0, sizeof *result);
    result->source = window->meter->source;
    result->domains = window->meter->domains;
    result->ticks = result->total_j = result->total_uncertainty_j = NAN;
    for (size_t d = 0; d < result->domains; d++)
        result->domain[d] =
            (struct jrx_energy){.energy_j = NAN, .uncertainty_j = NAN, .window_j = NAN, .window_s = NAN};
}

static void finish(struct jrx_window *window, struct frame *frame, int read_status, struct jrx_window_result *result)
{
    if (window->tick_s > 0)
        result->ticks = (double)result->time_ns * 1e-9 / window->tick_s;
    for (size_t d = 0; d < result->domains; d++) {
        struct jrx_energy *e = &result->domain[d];
        e->status = read_status ? read_status : domain_energy(window, d, frame, result, e);
        if (e->status)
            set_reason(e->reason, sizeof e->reason);
    }
    sum_up(window, result);
}

int jrx_window_measure(struct jrx_window *window, const struct jrx_region *region, uint64_t iters,
                       struct jrx_window_result *result)
{
    struct jrx_meter *meter = window->meter;
    struct frame frame;
    if (!iters || !region->fn)
        return jrx_fail(JRX_EINVAL, "a window needs a function and at least one iteration");
    blank(window, result);
    int status = take_edges(window, frame.first);
    if (status) {
        finish(window, &frame, status, result);
        return status;
    }
    for (size_t d = 0; d < meter->domains; d++)
        jrx_tally_start(&frame.tally[d], frame.first[d].count, frame.first[d].read_ns);
    jrx_reader_follow(window->reader, frame.tally);
    uint64_t cpu_ns = jrx_clock_process_ns();
    result->start_ns = jrx_clock_ns();
    for (uint64_t i = 0; i < iters; i++)
        region->fn(region->ctx);
    frame.end_ns = jrx_clock_ns();
    result->cpu_ns = jrx_clock_process_ns() - cpu_ns;
    result->time_ns = frame.end_ns - result->start_ns;
    result->iters = iters;
    jrx_reader_release(window->reader);
    if (meter->ops->work)
        meter->ops->work(meter, &region->work, (double)iters);
    if (region->told)
        region->told(region->told_context, result);
    finish(window, &frame, take_edges(window, frame.last), result);
    return 0;
}

static void sleep_ns(void *ns)
{
    jrx_clock_sleep_until(jrx_clock_ns() + *(uint64_t *)ns);
}

int jrx_window_idle(struct jrx_window *window, uint64_t ns, struct jrx_window_result *result)
{
    const struct jrx_region idle = {.fn = sleep_ns, .ctx = &ns, .work = {.flop = 0}};
    return jrx_window_measure(window, &idle, 1, result);
}
