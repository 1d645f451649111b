/* Finding update edges: see the header. */
#include "harness/edge.h"
#include "harness/clock.h"
#include <math.h>

enum {
    RETRIES = 10,  /* edges passed over because a read beside them was interrupted */
    LAST_CALL = 16 /* times give_up_s: the end of patience where every read is interrupted */
};

struct watch {
    struct jrx_reading old;
    int tries;
    uint64_t still_ns; /* it has not moved since, as far as undisturbed reads tell */
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

/* The edge fell between `from` and `to`. */
static struct jrx_edge edge_between(const struct jrx_reading *now, uint64_t from_ns, uint64_t to_ns, bool found)
{
    return (struct jrx_edge){.count = now->count,
                             .time_ns = middle(from_ns, to_ns),
                             .gap_ns = (double)(to_ns - from_ns),
                             .read_ns = now->before_ns,
                             .found = found};
}

struct jrx_edge jrx_edge_unwatched(const struct jrx_reading *reading, double tick_s)
{
    return edge_between(reading, reading->before_ns - (uint64_t)(tick_s * 1e9), reading->after_ns, false);
}

/*
 * Reads take about the same time each, so between the middles of two undisturbed ones is where the edge fell. Of an
 * interrupted read nobody knows when the register was looked at: then anywhere from the old read on, but not further
 * back than a tick, since it is the last edge before the new one.
 */
static struct jrx_edge edge_of(const struct jrx_reading *old, const struct jrx_reading *now, bool clean, double tick_s)
{
    uint64_t tick_back = now->before_ns - (uint64_t)(tick_s * 1e9);
    if (clean)
        return edge_between(now, sampled_ns(old), sampled_ns(now), true);
    return edge_between(now, old->before_ns > tick_back ? old->before_ns : tick_back, now->after_ns, true);
}

int jrx_edges_wait(struct jrx_meter *meter, const size_t *which, size_t n, const struct jrx_edge_wait *how,
                   struct jrx_edge *edges)
{
    struct watch watch[JRX_DOMAINS];
    size_t pending[JRX_DOMAINS], left = n;
    double give_up_ns = how->give_up_s * 1e9;
    uint64_t start_ns = jrx_clock_ns();
    int status;
    for (size_t i = 0; i < n; i++) {
        pending[i] = i;
        watch[i].tries = 0;
        if ((status = jrx_meter_read(meter, which[i], &watch[i].old)))
            return status;
        watch[i].still_ns = watch[i].old.after_ns;
    }
    while (left) {
        for (size_t p = 0; p < left;) {
            size_t i = pending[p];
            struct jrx_reading now;
            if ((status = jrx_meter_read(meter, which[i], &now)))
                return status;
            bool moved = now.count != watch[i].old.count;
            bool clean = undisturbed(&watch[i].old, &now, how->read_s * 1e9, left);
            bool take = moved && (clean || watch[i].tries++ == RETRIES);
            if (moved || !clean)
                watch[i].still_ns = now.after_ns;
            bool late = (double)(now.after_ns - watch[i].still_ns) > give_up_ns ||
                        (double)(now.after_ns - start_ns) > LAST_CALL * give_up_ns;
            if (take)
                edges[i] = edge_of(&watch[i].old, &now, clean, how->tick_s);
            else if (late)
                edges[i] = jrx_edge_unwatched(&now, how->tick_s);
            if (take || late) {
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
