/*
 * make bench-cachesim: accesses a second of the cache simulator on a warm call of every kind of kernel, traced kernel
 * included, beside a peer that simulates the same accesses one at a time by time stamps (tests/support/slow_cache.h).
 * Ours, the peer and the traced kernel alone (its accesses thrown away) run in turn, on one core; the medians count.
 * CSV on stdout. Arguments: rounds (5), caches (48K/12,1M/16,32M/16).
 */
#include "experiments/call.h"
#include "harness/base/error.h"
#include "harness/stats.h"
#include "tests/support/slow_cache.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char *const layers[] = {"pw:c128:k256", "conv:c64:k64",       "dw:c128",
                                     "dw:c256:d2x3", "dw:c64:m2:d3x6",     "dw:c512",
                                     "sep:c64:k64",  "sep:c128:k128:d2x3", "sep:c64:m2:k128:d2x3"};
enum { LAYERS = sizeof layers / sizeof *layers, BATCH = 1024, MAX_ROUNDS = 99 };

enum side { ALONE, OURS, PEER, SIDES };

struct sink {
    struct jrx_cachesim *sim;
    struct slow_cache *slow;
    enum side side;
    double accesses, calls;
};

static void feed(struct kn_trace *trace)
{
    struct sink *sink = trace->context;
    sink->accesses += (double)trace->count;
    if (sink->side == OURS)
        jrx_cachesim_run(sink->sim, trace->access, trace->count);
    else if (sink->side == PEER)
        slow_cache_run(sink->slow, trace->access, trace->count);
    trace->count = 0;
}

static double cpu_seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

/* The least time of a turn: what a side needs is then in this machine's caches, as it is while one layer after the
 * other is simulated. */
static const double TURN_S = 0.05;

/* Of a side's calls, in millions of accesses a second; both simulators start warm. */
static int time_call(const struct ex_call *call, struct sink *sink, int rounds, double rate[SIDES])
{
    struct jrx_access access[BATCH];
    struct kn_trace trace = {.access = access, .capacity = BATCH, .flush = feed, .context = sink};
    double got[SIDES][MAX_ROUNDS], sorted[MAX_ROUNDS];
    for (int round = -1; round < rounds; round++)
        for (sink->side = 0; sink->side < SIDES; sink->side++) {
            double from = cpu_seconds(), seconds = 0;
            for (sink->accesses = sink->calls = 0; seconds < TURN_S; seconds = cpu_seconds() - from) {
                sink->calls++;
                int status = ex_call_trace(call, &trace);
                if (status)
                    return status;
            }
            if (round >= 0)
                got[sink->side][round] = 1e-6 * sink->accesses / seconds;
        }
    for (int side = 0; side < SIDES; side++)
        rate[side] = jrx_quantile(sorted, jrx_sorted(got[side], (size_t)rounds, sorted), 0.5);
    return 0;
}

static double missed(const struct sink *sink)
{
    struct jrx_cache_counts c = jrx_cachesim_get(sink->sim, 0, JRX_ACCESS_TAGS);
    return (double)(c.read_misses + c.write_misses) / (double)(c.reads + c.writes);
}

static int bench(const struct kn_kernel *kernel, const char *layer, const struct kn_shape *shape,
                 const struct jrx_cache_geometry *geometry, int rounds)
{
    const struct kn_tile tile = {0};
    struct sink sink = {.slow = slow_cache_new(geometry)};
    struct ex_call call = {0};
    double rate[SIDES];
    int status = sink.slow ? jrx_cachesim_new(&sink.sim, geometry) : JRX_ENOMEM;
    if (!status)
        status = ex_call_init_zero(&call, kernel, shape, &tile, 1);
    if (!status)
        status = time_call(&call, &sink, rounds, rate);
    if (!status)
        printf("%s,%s,%.3f,%.3f,%.0f,%.0f,%.1f,%.1f\n", kernel->name, layer, 1e-6 * sink.accesses / sink.calls,
               missed(&sink), rate[ALONE], rate[OURS], rate[PEER], rate[OURS] / rate[PEER]);
    ex_call_fini(&call);
    jrx_cachesim_free(sink.sim);
    slow_cache_free(sink.slow);
    return status;
}

int main(int argc, char **argv)
{
    const int rounds = argc > 1 ? atoi(argv[1]) : 5;
    struct jrx_cache_geometry geometry;
    int status = jrx_cache_geometry_parse(argc > 2 ? argv[2] : "48K/12,1M/16,32M/16", &geometry);
    if (!status && (rounds < 1 || rounds > MAX_ROUNDS))
        status = jrx_fail(JRX_EINVAL, "bench-cachesim: %s rounds; use 1 to %d", argv[1], MAX_ROUNDS);
    if (!status)
        puts("kernel,layer,accesses_millions,l1_missed_ratio,traced_millions_per_s,simulated_millions_per_s,"
             "peer_millions_per_s,ratio");
    for (int i = 0; i < LAYERS && !status; i++)
        for (enum kn_dir dir = 0; dir < KN_DIRS && !status; dir++) {
            struct kn_shape shape = {.n = 1, .f = 312, .t = 14};
            enum kn_op op;
            status = kn_layer_parse(layers[i], &op, &shape);
            if (!status)
                status = bench(kn_best(op, dir), layers[i], &shape, &geometry, rounds);
            fflush(stdout);
        }
    if (status)
        fprintf(stderr, "%s\n", jrx_last_error());
    return status != 0;
}
