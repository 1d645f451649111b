/*
 * Our kernels beside oneDNN and OpenBLAS on the layers that the bars are set for: one process, all runners in turn
 * round after round, with the FMA peak, copies and our other variants among them. Ratios are of medians; beside them
 * those of minima, which a busy machine disturbs less; a case in which the peak itself wavered is measured again, up to
 * three times. Prints a line a case, and each group beside its bar; writes
 * every runner's median and quartiles as CSV.
 *
 *     bench_kernels [FILTER [CSV [ROUNDS [THREADS]]]]    FILTER: "pointwise", "conv3x3 fwd", ...: the beginning of a
 *                                                        group; THREADS 1: leave out two threads
 */
#include "harness/base/error.h"
#include "tests/bench/bench_report.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_RUNNERS = 20, GRID_F = 312, GRID_T = 14, DEFAULT_ROUNDS = 11, TRIES = 3 };

static const char *const layers[] = {"pw:c64:k64",
                                     "pw:c64:k128",
                                     "pw:c128:k128",
                                     "pw:c128:k256",
                                     "pw:c256:k256",
                                     "pw:c256:k512",
                                     "pw:c512:k256",
                                     "dw:c64",
                                     "dw:c64:d2x3",
                                     "dw:c64:d3x6",
                                     "dw:c128",
                                     "dw:c128:d2x3",
                                     "dw:c128:d3x6",
                                     "dw:c256",
                                     "dw:c256:d2x3",
                                     "dw:c256:d3x6",
                                     "dw:c512",
                                     "dw:c512:d2x3",
                                     "dw:c512:d3x6",
                                     "dw:c64:m2",
                                     "dw:c64:m2:d2x3",
                                     "dw:c64:m2:d3x6",
                                     "dw:c128:m2",
                                     "dw:c128:m2:d2x3",
                                     "dw:c128:m2:d3x6",
                                     "dw:c256:m2",
                                     "dw:c256:m2:d2x3",
                                     "dw:c256:m2:d3x6",
                                     "dw:c512:m2",
                                     "dw:c512:m2:d2x3",
                                     "dw:c512:m2:d3x6",
                                     "conv:c10:k64",
                                     "conv:c64:k64",
                                     "conv:c128:k128",
                                     "conv:c64:k8",
                                     "sep:c64:k64",
                                     "sep:c64:k128:d2x3",
                                     "sep:c128:k128:d2x3",
                                     "sep:c128:k256:d2x3",
                                     "sep:c512:k512:d2x3",
                                     "sep:c256:k256:d3x6"};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double sample_s(struct bench_runner *r)
{
    double begin = now_s();
    for (int i = 0; i < r->calls; i++)
        r->peer.call(r->peer.state);
    return (now_s() - begin) / r->calls;
}

static void add(struct bench_case *c, struct bench_peer peer)
{
    if (!peer.state)
        return;
    struct bench_runner *r = &c->runner[c->count++];
    *r = (struct bench_runner){.peer = peer, .calls = 1};
    sample_s(r);
    /* samples of about 2 ms: short enough that most are not interrupted */
    double once = r->s[0] = sample_s(r);
    r->calls = once > 2e-3 ? 1 : (int)(2e-3 / once) + 1;
}

/* Formats that take ten times as long as another of the same role in their trial call would only cost time. */
static void drop_hopeless(struct bench_case *c)
{
    int kept = 0;
    for (int i = 0; i < c->count; i++) {
        int hopeless = 0;
        for (int k = 0; k < c->count; k++)
            hopeless |= c->runner[k].peer.role == c->runner[i].peer.role && c->runner[i].s[0] > 10 * c->runner[k].s[0];
        if (hopeless)
            c->runner[i].peer.release(c->runner[i].peer.state);
        else
            c->runner[kept++] = c->runner[i];
    }
    c->count = kept;
}

static const struct kn_kernel *variant(const struct bench_case *c, const char *isa)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s_%s", kn_op_name(c->op), kn_dir_name(c->dir), isa);
    return kn_find(name);
}

/* One thread, one slot, and of each operator one layer: the naive loops take a second a call. */
static int beside_reference(const struct bench_case *c)
{
    static const char *const chosen[KN_OPS] = {"pw:c64:k64", "dw:c64:d2x3", "conv:c10:k64", "sep:c64:k64"};
    return c->threads == 1 && c->shape.n == 1 && !strcmp(c->layer, chosen[c->op]);
}

static void gather(struct bench_case *c)
{
    const struct kn_kernel *best = kn_best(c->op, c->dir), *avx2 = variant(c, "avx2");
    int multiplier = c->op == KN_DEPTHWISE ? c->shape.oc / c->shape.ic : 1;
    omp_set_num_threads(c->threads);
    add(c, bench_peak(BENCH_PEAK, c->threads));
    add(c, bench_peak(BENCH_PEAK_NARROW, c->threads));
    add(c, bench_ours(best, BENCH_OURS, &c->shape, c->threads));
    if (best != avx2)
        add(c, bench_ours(avx2, BENCH_SIBLING, &c->shape, c->threads));
    for (int f = 0; f < BENCH_DNNL_FORMATS; f++) {
        add(c, bench_dnnl(c->op, c->dir, &c->shape, f, BENCH_PEER));
        if (c->op == KN_DEPTHWISE && c->dir == KN_BWD_DATA && multiplier == 1)
            add(c, bench_dnnl(c->op, c->dir, &c->shape, f, BENCH_TURNED));
    }
    if (c->op == KN_CONV3X3)
        add(c, bench_dnnl(c->op, c->dir, &c->shape, 0, BENCH_BESIDE));
    add(c, bench_openblas(c->op, c->dir, &c->shape, c->threads));
    if (c->op == KN_DEPTHWISE && c->dir == KN_FWD && multiplier == 1 && c->shape.n == 8 && c->shape.ic >= 128) {
        add(c, bench_copy(BENCH_COPY, &c->shape, c->threads));
        add(c, bench_copy(BENCH_STREAM, &c->shape, c->threads));
    }
    if (beside_reference(c)) {
        add(c, bench_ours(variant(c, "baseline"), BENCH_BASELINE, &c->shape, c->threads));
        add(c, bench_ours(variant(c, "ref"), BENCH_REFERENCE, &c->shape, c->threads));
    }
    drop_hopeless(c);
}

/* Whether somebody else had the processor: the loop that measures the peak only computes, in registers of its own. */
static int disturbed(const struct bench_case *c)
{
    for (int i = 0; i < c->count; i++) {
        struct jrx_summary summary;
        if (c->runner[i].peer.role == BENCH_PEAK && !jrx_summarize(c->runner[i].s, (size_t)c->rounds, &summary) &&
            summary.q75 > 1.25 * summary.min)
            return 1;
    }
    return 0;
}

static void run_case(struct bench_report *report, struct bench_case *c)
{
    struct bench_runner runner[MAX_RUNNERS];
    c->runner = runner;
    c->count = 0;
    gather(c);
    for (int try = 0; try < TRIES && (!try || disturbed(c)); try++)
        for (int round = 0; round < c->rounds; round++)
            for (int i = 0; i < c->count; i++) {
                struct bench_runner *r = &runner[(i + round) % c->count];
                r->s[round] = sample_s(r);
            }
    bench_report_case(report, c);
    for (int i = 0; i < c->count; i++)
        runner[i].peer.release(runner[i].peer.state);
}

/* Batches 1 and 8 on 1 and, unless `most` is 1, 2 threads. */
static void run_layer(struct bench_report *report, struct bench_case *c, int most)
{
    for (int n = 1; n <= 8; n += 7)
        for (c->threads = 1; c->threads <= most; c->threads++) {
            c->shape.n = n;
            run_case(report, c);
        }
}

static int run_all(struct bench_report *report, const char *filter, int rounds, int most_threads)
{
    bench_report_begin(report);
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int dir = 0; dir < KN_DIRS; dir++) {
            char group[64];
            struct bench_case c = {.dir = (enum kn_dir)dir,
                                   .shape = {.n = 1, .f = GRID_F, .t = GRID_T},
                                   .layer = layers[i],
                                   .rounds = rounds};
            int rc = kn_layer_parse(layers[i], &c.op, &c.shape);
            if (rc)
                return rc;
            bench_group_name(c.op, c.dir, &c.shape, group, sizeof group);
            if (variant(&c, "ref") && !strncmp(group, filter, strlen(filter)))
                run_layer(report, &c, most_threads);
        }
    bench_report_end(report);
    return 0;
}

int main(int argc, char **argv)
{
    const char *filter = argc > 1 ? argv[1] : "", *path = argc > 2 ? argv[2] : "bench_kernels.csv";
    int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : DEFAULT_ROUNDS;
    int threads = argc > 4 && !strcmp(argv[4], "1") ? 1 : 2;
    struct bench_report report = {0};
    if (rounds < 1 || rounds > BENCH_MAX_ROUNDS || !(report.csv = fopen(path, "w"))) {
        fprintf(stderr, "bench_kernels: %s cannot be written, or rounds are not in 1..%d\n", path, BENCH_MAX_ROUNDS);
        return 2;
    }
    int rc = run_all(&report, filter, rounds, threads);
    if (rc)
        fprintf(stderr, "bench_kernels: %s\n", jrx_last_error());
    if (fclose(report.csv)) {
        fprintf(stderr, "bench_kernels: %s was not written whole; free some space\n", path);
        return 1;
    }
    return jrx_exit_status(rc);
}
