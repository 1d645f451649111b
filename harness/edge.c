/* Finding update edges: see the header. */
#include "harness/edge.h"
#include "harness/clock.h"
#include <math.h>

enum { RETRIES = 3 };

struct watch {
    struct jrx_reading old;
    int tries;
};

static uint64_t middle(uint64_t a, uint64_t b)
{
    return a + (b - a) / 2;
}

static uint64_t sampled_ns(const struct jrx_reading *r)
{
    return middle(r->before_ns, r->after_ns);
}

/* Whether the two reads around an edge took about what reads take; else one of them was interrupted. */
static bool undisturbed(const struct jrx_reading *old, const struct jrx_reading *now, double read_ns, size_t watched)
{
    double slow_ns = 3 * read_ns + 500;
    return (double)(old->after_ns - old->before_ns) < slow_ns && (double)(now->after_ns - now->before_ns) < slow_ns &&
           (double)(now->before_ns - old->after_ns) < slow_ns * (double)watched;
}

static void take_edge(struct jrx_edge *edge, const struct jrx_reading *old, const struct jrx_reading *now,
                      double tick_ns)
{
    uint64_t from = sampled_ns(old), to = sampled_ns(now);
    double gap_ns = (double)(to - from);
    edge->found = true;
    edge->count = now->count;
    edge->read_ns = to;
    edge->gap_ns = fmin(gap_ns, tick_ns); /* it is the last edge before `to`, so never more than a tick back */
    edge->time_ns = to - (uint64_t)(edge->gap_ns / 2);
}

static void take_as_is(struct jrx_edge *edge, const struct jrx_reading *now, double tick_ns)
{
    edge->found = false;
    edge->count = now->count;
    edge->read_ns = sampled_ns(now);
    edge->gap_ns = tick_ns;
    edge->time_ns = edge->read_ns - (uint64_t)(tick_ns / 2);
}

int jrx_edges_wait(struct jrx_meter *meter, const size_t *which, size_t n, const struct jrx_edge_wait *how,
                   struct jrx_edge *edges)
{
    struct watch watch[JRX_DOMAINS];
    size_t pending[JRX_DOMAINS], left = n;
    double tick_ns = how->tick_s * 1e9, read_ns = how->read_s * 1e9;
    int status;
    for (size_t i = 0; i < n; i++) {
        pending[i] = i;
        watch[i].tries = 0;
        if ((status = jrx_meter_read(meter, which[i], &watch[i].old)))
            return status;
    }
    uint64_t until = jrx_clock_ns() + (uint64_t)(how->give_up_s * 1e9);
    while (left) {
        for (size_t p = 0; p < left;) {
            size_t i = pending[p];
            struct jrx_reading now;
            if ((status = jrx_meter_read(meter, which[i], &now)))
                return status;
            bool moved = now.count != watch[i].old.count;
            bool good = moved && (undisturbed(&watch[i].old, &now, read_ns, left) || watch[i].tries++ == RETRIES);
            bool late = now.after_ns > until;
            if (good)
                take_edge(&edges[i], &watch[i].old, &now, tick_ns);
            else if (late)
                take_as_is(&edges[i], &now, tick_ns);
            if (good || late) {
                pending[p] = pending[--left];
            } else {
                watch[i].old = now;
                p++;
            }
        }
    }
    return 0;
}

double jrx_edge_half_width(double a, double b, double level)
{
    double wide = fmax(a, b), narrow = fmin(a, b);
    /* Flat top up to (wide - narrow) / 2, holding (wide - narrow) / wide of the cases; then the two slopes. */
    if (level * wide <= wide - narrow)
        return level * wide / 2;
    return (wide + narrow) / 2 - sqrt((1 - level) * wide * narrow);
}
