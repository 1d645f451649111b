/* Making a meter ready for windows: its real update interval, the cost of a read, and the power of watching it. */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/edge.h"
#include "harness/reader.h"
#include "harness/window.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int time_reads(struct jrx_window *window)
{
    enum { READS = 33 };
    double each_s[READS];
    size_t d = 0;
    while (d + 1 < window->meter->domains && !window->meter->domain[d].in_total)
        d++;
    for (int i = 0; i < READS; i++) {
        struct jrx_reading reading;
        int status = jrx_meter_read(window->meter, d, &reading);
        if (status)
            return status;
        each_s[i] = (double)(reading.after_ns - reading.before_ns) * 1e-9;
    }
    qsort(each_s, READS, sizeof *each_s, ascending);
    window->read_s = each_s[READS / 2];
    return 0;
}

/* What successive edges of one domain tell: sums over the intervals between them, weighted by how well each is known.
 */
struct follow {
    struct jrx_edge first, last;
    double ticks; /* between first and last, each interval a whole number of nominal ticks */
    double intervals;
    double weight, power, power_square; /* sum of w, of w p, of w p^2, with p the power of one interval */
};

static void next_edge(struct follow *f, const struct jrx_edge *edge, double nominal_ns, double j_per_count)
{
    double ns = (double)(edge->time_ns - f->last.time_ns);
    double power_w = (double)(edge->count - f->last.count) * j_per_count / (ns * 1e-9);
    /* variance of the interval, relative: each edge is uniform over its gap */
    double noise = (edge->gap_ns * edge->gap_ns + f->last.gap_ns * f->last.gap_ns) / (12 * ns * ns);
    double weight = 1 / fmax(noise, 1e-12);
    f->ticks += fmax(1, round(ns / nominal_ns));
    f->intervals++;
    f->weight += weight;
    f->power += weight * power_w;
    f->power_square += weight * power_w * power_w;
    f->last = *edge;
}

static void conclude(struct jrx_window *window, size_t d, const struct follow *f)
{
    double s = (double)(f->last.time_ns - f->first.time_ns) * 1e-9;
    double mean_w = (double)(f->last.count - f->first.count) * window->meter->domain[d].counter.j_per_count / s;
    double variance = f->power_square / f->weight - 2 * mean_w * f->power / f->weight + mean_w * mean_w;
    /* What the width of the edges explains of the spread, and one standard error of it, is not the power varying. */
    double explained = mean_w * mean_w * f->intervals / f->weight * (1 + sqrt(2 / f->intervals));
    window->watch_w[d] = mean_w;
    window->watch_sd_w[d] = sqrt(fmax(0, variance - explained));
    window->moved[d] = true;
}

/* Those that do not move while the others do are taken out of the total. */
static int leave_out_dead(struct jrx_meter *meter, const struct jrx_edge *edges, size_t *watched, size_t *n)
{
    size_t alive = 0;
    for (size_t i = 0; i < *n; i++)
        alive += edges[i].found;
    if (!alive)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "%s: no counter of the total moves; the kernel shows zones that are not served",
                        meter->ops->name);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++) {
        struct jrx_domain *domain = &meter->domain[watched[i]];
        if (edges[i].found) {
            watched[kept++] = watched[i];
            continue;
        }
        domain->in_total = false;
        jrx_warn(&meter->warnings, "dead_domain", NAN, NAN, "nothing to do: no total contains it",
                 "%s exists and never moves", domain->name);
    }
    *n = kept;
    return 0;
}

static int watch_total(struct jrx_window *window, unsigned ticks)
{
    struct jrx_meter *meter = window->meter;
    size_t watched[JRX_DOMAINS], n = 0;
    struct jrx_edge edges[JRX_DOMAINS];
    struct follow follow[JRX_DOMAINS];
    double nominal_s = window->tick_s;
    struct jrx_edge_wait how = {.tick_s = nominal_s, .read_s = window->read_s, .give_up_s = 50 * nominal_s};
    for (size_t d = 0; d < meter->domains; d++)
        if (meter->domain[d].in_total)
            watched[n++] = d;
    int status = jrx_edges_wait(meter, watched, n, &how, edges);
    if (!status)
        status = leave_out_dead(meter, edges, watched, &n);
    for (unsigned k = 0; k <= ticks && !status; k++) {
        if ((status = jrx_edges_wait(meter, watched, n, &how, edges)))
            break;
        for (size_t i = 0; i < n; i++) {
            if (k == 0)
                follow[i] = (struct follow){.first = edges[i], .last = edges[i]};
            else if (edges[i].found && edges[i].count > follow[i].last.count) /* a wrap here is left to the next edge */
                next_edge(&follow[i], &edges[i], nominal_s * 1e9, meter->domain[watched[i]].counter.j_per_count);
            else
                follow[i] = (struct follow){.first = edges[i], .last = edges[i]};
        }
    }
    for (size_t i = 0; i < n && !status; i++)
        if (follow[i].intervals > 1)
            conclude(window, watched[i], &follow[i]);
    if (!status && follow[0].ticks > 0)
        window->tick_s = (double)(follow[0].last.time_ns - follow[0].first.time_ns) * 1e-9 / follow[0].ticks;
    return status;
}

/* Power of the domains beside the total, from one read before and one after: they are not tied to edges. */
static int watch_others(struct jrx_window *window, struct jrx_reading *before, bool done)
{
    for (size_t d = 0; d < window->meter->domains; d++) {
        struct jrx_reading now;
        if (window->meter->domain[d].in_total || (done && !before[d].before_ns))
            continue;
        int status = jrx_meter_read(window->meter, d, &now);
        if (status)
            return status;
        if (!done)
            before[d] = now;
        else if (now.count > before[d].count) {
            window->watch_w[d] = (double)(now.count - before[d].count) * window->meter->domain[d].counter.j_per_count /
                                 ((double)(now.before_ns - before[d].before_ns) * 1e-9);
            window->moved[d] = true;
        }
    }
    return 0;
}

int jrx_window_open(struct jrx_window *window, struct jrx_meter *meter, unsigned ticks)
{
    struct jrx_reading before[JRX_DOMAINS];
    memset(window, 0, sizeof *window);
    memset(before, 0, sizeof before);
    window->meter = meter;
    window->tick_s = (double)meter->tick_ns * 1e-9;
    for (size_t d = 0; d < JRX_DOMAINS; d++)
        window->watch_w[d] = window->watch_sd_w[d] = NAN;
    if (!meter->tick_ns)
        return 0;
    int status = time_reads(window);
    if (!status)
        status = watch_others(window, before, false);
    if (!status)
        status = watch_total(window, ticks ? ticks : 32);
    if (!status)
        status = watch_others(window, before, true);
    if (!status)
        status = jrx_reader_open(&window->reader, meter);
    if (status)
        memset(window, 0, sizeof *window);
    return status;
}
