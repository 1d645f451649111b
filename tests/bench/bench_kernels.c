/*
 * Our kernels beside oneDNN and OpenBLAS on the layers of the issue that set the bars: one process, all peers in turn
 * round after round, the FMA peak (its best sample) timed in every round. Ratios are of medians; beside them those of
 * minima, which a busy machine disturbs less. Prints a line a case and the geometric mean of each group;
 * writes every peer's median and quartiles as CSV.
 *
 *     bench_kernels [FILTER [CSV [ROUNDS]]]      FILTER: "pointwise", "conv3x3 fwd", ...: the beginning of a group
 */
#include "harness/base/error.h"
#include "harness/stats.h"
#include "kernels/kernel.h"
#include "tests/bench/peer.h"
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PEERS = 10, MAX_ROUNDS = 101, MAX_GROUPS = 64, GRID_F = 312, GRID_T = 14 };

static const char *const layers[] = {
    "pw:c64:k64",      "pw:c64:k128",     "pw:c128:k128",   "pw:c128:k256",    "pw:c256:k256",    "pw:c256:k512",
    "pw:c512:k256",    "conv:c64:k64",    "conv:c128:k128", "conv:c10:k64",    "conv:c64:k8",     "dw:c64",
    "dw:c64:d2x3",     "dw:c64:d3x6",     "dw:c128",        "dw:c128:d2x3",    "dw:c128:d3x6",    "dw:c256",
    "dw:c256:d2x3",    "dw:c256:d3x6",    "dw:c512",        "dw:c512:d2x3",    "dw:c512:d3x6",    "dw:c64:m2",
    "dw:c64:m2:d2x3",  "dw:c64:m2:d3x6",  "dw:c128:m2",     "dw:c128:m2:d2x3", "dw:c128:m2:d3x6", "dw:c256:m2",
    "dw:c256:m2:d2x3", "dw:c256:m2:d3x6", "dw:c512:m2",     "dw:c512:m2:d2x3", "dw:c512:m2:d3x6"};

struct bench {
    FILE *csv;
    int rounds;
    struct group {
        char name[64];
        double log_sum, log_min, log_peak, worst; /* logarithms of ratios: of medians, of minima, to the peak */
        int count;
    } group[MAX_GROUPS];
    int groups;
};

/* One peer of a case with its samples, seconds a call. */
struct runner {
    struct bench_peer peer;
    int ours;  /* 1: the kernel that the bars are about; 2: another of ours; 0: a peer; 3: the peak */
    int calls; /* in a sample */
    double s[MAX_ROUNDS];
    struct jrx_summary summary;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double sample_s(struct runner *r)
{
    double begin = now_s();
    for (int i = 0; i < r->calls; i++)
        r->peer.call(r->peer.state);
    return (now_s() - begin) / r->calls;
}

static void add_runner(struct runner *runners, int *count, struct bench_peer peer, int ours)
{
    if (!peer.state)
        return;
    struct runner *r = &runners[(*count)++];
    *r = (struct runner){.peer = peer, .ours = ours, .calls = 1};
    sample_s(r);
    /* samples of about 2 ms: short enough that most are not interrupted */
    double once = sample_s(r);
    r->calls = once > 2e-3 ? 1 : (int)(2e-3 / once) + 1;
}

static int gather(struct runner *runners, enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int threads)
{
    int count = 0;
    char name[64];
    omp_set_num_threads(threads);
    add_runner(runners, &count, bench_peak(threads), 3);
    snprintf(name, sizeof name, "%s", kn_best(op, dir)->name);
    add_runner(runners, &count, bench_ours(name, shape, threads), 1);
    snprintf(name, sizeof name, "%s_%s_avx2", kn_op_name(op), kn_dir_name(dir));
    if (strcmp(name, kn_best(op, dir)->name) != 0)
        add_runner(runners, &count, bench_ours(name, shape, threads), 2);
    for (int f = 0; f < BENCH_DNNL_FORMATS; f++)
        add_runner(runners, &count, bench_dnnl(op, dir, shape, f), 0);
    add_runner(runners, &count, bench_openblas(op, dir, shape, threads), 0);
    return count;
}

static struct group *group_of(struct bench *bench, const char *name)
{
    int i = 0;
    while (i < bench->groups && strcmp(bench->group[i].name, name) != 0)
        i++;
    if (i == bench->groups && bench->groups < MAX_GROUPS) {
        bench->group[bench->groups++] = (struct group){.worst = DBL_MAX};
        snprintf(bench->group[i].name, sizeof bench->group[i].name, "%s", name);
    }
    return &bench->group[i];
}

static void report(struct bench *bench, const char *group, const char *layer, const struct kn_shape *shape, int threads,
                   double flop, struct runner *runners, int count)
{
    double best_peer = DBL_MAX, least_peer = DBL_MAX, ours = NAN, least = NAN, avx2 = NAN, peak = NAN;
    const char *best = "none";
    for (int i = 0; i < count; i++) {
        struct runner *r = &runners[i];
        jrx_summarize(r->s, (size_t)bench->rounds, &r->summary);
        double median = r->summary.median;
        if (r->ours == 3)
            peak = 2.0 * bench_peak_lanes() * 14 * BENCH_PEAK_STEPS * threads / r->summary.min;
        ours = r->ours == 1 ? median : ours;
        least = r->ours == 1 ? r->summary.min : least;
        least_peer = r->ours == 0 ? fmin(least_peer, r->summary.min) : least_peer;
        avx2 = r->ours == 2 ? median : avx2;
        if (r->ours == 0 && median < best_peer) {
            best_peer = median;
            best = r->peer.name;
        }
    }
    for (int i = 0; i < count; i++) {
        const struct runner *r = &runners[i];
        double work = r->ours == 3 ? peak * r->summary.median : flop;
        fprintf(bench->csv, "%s,%s,%dx%d,%d,%d,%s,%.0f,%.0f,%.0f,%.0f,%.0f,%.17g,%.4f,%.4f\n", group, layer, shape->f,
                shape->t, shape->n, threads, r->peer.name, r->summary.min * 1e9, r->summary.median * 1e9,
                r->summary.q25 * 1e9, r->summary.q75 * 1e9, work, work / r->summary.median,
                work / r->summary.median / peak, best_peer / r->summary.median);
    }
    printf("%-34s %-16s n=%d threads=%d  %7.3f ms  %3.0f %% of peak  %5.2f x %s (minima %.2f, %.0f %% of peak)  avx2 "
           "%.2f of it\n",
           group, layer, shape->n, threads, ours * 1e3, 100 * flop / ours / peak, best_peer / ours, best,
           least_peer / least, 100 * flop / least / peak, ours / avx2);
    fflush(stdout);
    struct group *g = group_of(bench, group);
    double ratio = best_peer / ours;
    g->log_sum += log(ratio);
    g->log_peak += log(flop / least / peak);
    g->log_min += log(least_peer / least);
    g->worst = fmin(g->worst, ratio);
    g->count++;
}

static void run_case(struct bench *bench, const char *group, const char *layer, enum kn_op op, enum kn_dir dir,
                     const struct kn_shape *shape, int threads)
{
    struct runner runners[MAX_PEERS];
    int count = gather(runners, op, dir, shape, threads);
    for (int round = 0; round < bench->rounds; round++)
        for (int i = 0; i < count; i++) {
            struct runner *r = &runners[(i + round) % count];
            r->s[round] = sample_s(r);
        }
    report(bench, group, layer, shape, threads, kn_flop(op, shape), runners, count);
    for (int i = 0; i < count; i++)
        runners[i].peer.release(runners[i].peer.state);
}

/* The groups that the bars are set for. */
static void group_name(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, char *text, size_t size)
{
    const char *kind = op == KN_CONV3X3          ? s->ic < 64 || s->oc < 64 ? " ends" : " wide"
                       : op == KN_POINTWISE      ? ""
                       : s->oc > s->ic           ? " multiplier 2"
                       : s->dil_f * s->dil_t > 1 ? " dilated"
                                                 : " plain";
    snprintf(text, size, "%s %s%s", kn_op_name(op), kn_dir_name(dir), kind);
}

static int run_all(struct bench *bench, const char *filter)
{
    fprintf(bench->csv,
            "group,layer,grid,batch,threads,who,time_min_ns,time_median_ns,time_q25_ns,time_q75_ns,flop,flop_per_s,"
            "peak_ratio,best_peer_ratio\n");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int dir = 0; dir < KN_DIRS; dir++)
            for (int n = 1; n <= 8; n += 7)
                for (int threads = 1; threads <= 2; threads++) {
                    enum kn_op op;
                    char group[64];
                    struct kn_shape shape = {.n = n, .f = GRID_F, .t = GRID_T};
                    int rc = kn_layer_parse(layers[i], &op, &shape);
                    if (rc)
                        return rc;
                    group_name(op, (enum kn_dir)dir, &shape, group, sizeof group);
                    if (!strncmp(group, filter, strlen(filter)))
                        run_case(bench, group, layers[i], op, (enum kn_dir)dir, &shape, threads);
                }
    return 0;
}

int main(int argc, char **argv)
{
    const char *filter = argc > 1 ? argv[1] : "", *path = argc > 2 ? argv[2] : "bench_kernels.csv";
    struct bench bench = {.rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 11};
    if (bench.rounds < 1 || bench.rounds > MAX_ROUNDS || !(bench.csv = fopen(path, "w"))) {
        fprintf(stderr, "bench_kernels: %s cannot be written, or rounds are not in 1..%d\n", path, MAX_ROUNDS);
        return 2;
    }
    int rc = run_all(&bench, filter);
    if (rc)
        fprintf(stderr, "bench_kernels: %s\n", jrx_last_error());
    printf("\n%-34s %6s %9s %7s %9s %14s\n", "group (ours / best peer)", "cases", "geo mean", "worst", "of minima",
           "minima of peak");
    for (int i = 0; i < bench.groups; i++)
        printf("%-34s %6d %9.3f %7.3f %9.3f %13.1f%%\n", bench.group[i].name, bench.group[i].count,
               exp(bench.group[i].log_sum / bench.group[i].count), bench.group[i].worst,
               exp(bench.group[i].log_min / bench.group[i].count),
               100 * exp(bench.group[i].log_peak / bench.group[i].count));
    if (fclose(bench.csv)) {
        fprintf(stderr, "bench_kernels: %s was not written whole; free some space\n", path);
        return 1;
    }
    return jrx_exit_status(rc);
}
