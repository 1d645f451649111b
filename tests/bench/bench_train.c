/*
 * Our engine beside PyTorch, on the published network with 4 logits and on its quarter-width student: training steps
 * and inference, same weights, same data, same batch, at 1 and 2 threads. The peer is a program of its own
 * (tests/bench/peer_torch.py); it and we take turns, round after round, the FMA peak timed in every round. Each of the
 * peer's variants (eager or jit, layouts) is tried first, the fastest one competes.
 *
 *     bench_train [SECTIONS [CSV [ROUNDS]]]      SECTIONS: letters of t (training), i (inference), s (student), l (by
 * layer)
 */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "harness/stats.h"
#include "models/nn/loss.h"
#include "models/nn/optimiser.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"
#include "tests/bench/peer.h"
#include "tests/bench/train_peer.h"
#include "tests/support/net_dump.h"
#include <float.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ALONE "--alone"
enum { MAX_ROUNDS = 51, T = 14, LOGITS = 4, WORDS = 512 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct contest {
    const char *what; /* "train", "infer" */
    double width;
    int n, f, threads;
};

/* ---- ours -------------------------------------------------------------------------------------------------------- */

struct ours {
    struct nn_net net;
    struct nn_context context;
    float *parameters, *statistics, *gradient, *m, *v;
    float *input, *label_dense; /* [n][c][f][t], for the peer */
    uint8_t *label;
    int64_t step;
    double value; /* loss a bit of the last step, or mean output */
};

static void fill(struct ours *o, int n, int f)
{
    struct jrx_rng rng;
    const int c = o->net.channels;
    const size_t pixels = (size_t)f * T;
    o->input = jrx_alloc((size_t)n * (size_t)c * pixels * sizeof *o->input);
    o->label_dense = jrx_alloc((size_t)n * LOGITS * pixels * sizeof *o->label_dense);
    o->label = jrx_alloc((size_t)n * pixels * KN_LANES);
    jrx_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < (size_t)n * (size_t)c * pixels; i++)
        o->input[i] = (float)(2 * jrx_rng_uniform(&rng) - 1);
    memset(o->label, NN_NO_BIT, (size_t)n * pixels * KN_LANES);
    for (size_t i = 0; i < (size_t)n * LOGITS * pixels; i++) {
        const size_t slot = i / pixels / LOGITS, plane = i / pixels % LOGITS, p = i % pixels;
        const uint8_t bit = p % T == 2 ? NN_NO_BIT : (uint8_t)jrx_rng_below(&rng, 2); /* symbol 2 is pilots */
        o->label[(slot * pixels + p) * KN_LANES + plane] = bit;
        o->label_dense[i] = bit;
    }
}

static void give_input(struct ours *o)
{
    const size_t pixels = (size_t)o->context.f * T;
    const int c = o->net.channels;
    float *to = nn_input(&o->context);
    memset(to, 0, (size_t)o->context.n * (size_t)kn_blocks(c) * KN_LANES * pixels * sizeof *to);
    for (size_t i = 0; i < (size_t)o->context.n * (size_t)c * pixels; i++) {
        const size_t slot = i / pixels / (size_t)c, plane = i / pixels % (size_t)c, p = i % pixels;
        to[((slot * (size_t)kn_blocks(c) + plane / KN_LANES) * pixels + p) * KN_LANES + plane % KN_LANES] = o->input[i];
    }
}

static int ours_init(struct ours *o, enum nn_mode mode, double width, int n, int f, int threads)
{
    const struct rx_shape shape = {.body = rx_bodies(), .width = width, .rx = 2, .logits = LOGITS};
    *o = (struct ours){.step = 0};
    int status = rx_net_init(&o->net, &shape);
    if (status)
        return status;
    const size_t bytes = o->net.parameter_floats * sizeof(float);
    o->parameters = jrx_alloc(bytes);
    o->gradient = jrx_alloc(bytes);
    o->m = jrx_alloc(bytes);
    o->v = jrx_alloc(bytes);
    o->statistics = jrx_alloc(o->net.statistic_floats * sizeof(float));
    nn_net_start(&o->net, 1, o->parameters, o->statistics);
    fill(o, n, f);
    return nn_context_init(&o->context, &o->net, mode, n, f, T, threads);
}

static void ours_fini(struct ours *o)
{
    nn_context_fini(&o->context);
    nn_net_fini(&o->net);
    free(o->parameters);
    free(o->gradient);
    free(o->m);
    free(o->v);
    free(o->statistics);
    free(o->input);
    free(o->label_dense);
    free(o->label);
}

static void ours_train(struct ours *o)
{
    struct nn_context *c = &o->context;
    const struct nn_loss loss = {0, 1};
    const struct nn_adamw adamw = nn_adamw_default();
    struct nn_loss_sum sum = {0};
    give_input(o);
    nn_forward(c, o->parameters, o->statistics);
    nn_loss_add(&loss, nn_output(c), NULL, o->label, (size_t)c->n * (size_t)c->f * T * KN_LANES, nn_output_gradient(c),
                &sum);
    memset(o->gradient, 0, o->net.parameter_floats * sizeof(float));
    nn_backward(c, o->parameters, o->gradient);
    nn_adamw_step(&adamw, ++o->step, 1e-3, o->parameters, o->m, o->v, o->net.parameter_floats, o->net.decayed_floats,
                  &o->gradient, 1, 1.0 / (double)sum.bits, c->threads);
    o->value = sum.loss / (double)sum.bits;
}

static void ours_infer(struct ours *o)
{
    const struct nn_context *c = &o->context;
    give_input(o);
    nn_forward(&o->context, o->parameters, o->statistics);
    double sum = 0;
    const size_t count = (size_t)c->n * (size_t)c->f * T * KN_LANES;
    for (size_t i = 0; i < count; i++)
        sum += nn_output(c)[i];
    o->value = sum * KN_LANES / LOGITS / (double)count;
}

/* What a process of its own does, so that its peak resident set is that of three steps and nothing else. */
static int run_alone(char **argv)
{
    struct ours o;
    struct rusage usage;
    int status = ours_init(&o, NN_FUSED_TRAINING, strtod(argv[0], NULL), (int)strtol(argv[1], NULL, 10),
                           (int)strtol(argv[2], NULL, 10), (int)strtol(argv[3], NULL, 10));
    for (int i = 0; !status && i < 3; i++)
        ours_train(&o);
    ours_fini(&o);
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld\n", usage.ru_maxrss);
    return status ? 1 : 0;
}

static double ours_memory_bytes(const struct contest *c)
{
    char path[256] = "", command[512];
    double kilobytes = NAN;
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    snprintf(command, sizeof command, "'%s' " ALONE " %g %d %d %d", length > 0 ? path : "", c->width, c->n, c->f,
             c->threads);
    FILE *from = popen(command, "r");
    if (!from || fscanf(from, "%lf", &kilobytes) != 1)
        kilobytes = NAN;
    if (from)
        pclose(from);
    return 1024 * kilobytes;
}

/* ---- a contest --------------------------------------------------------------------------------------------------- */

struct bench {
    FILE *csv;
    int rounds;
    struct train_peer peer;
    char base[64]; /* of the files handed over */
};

/* Tries every variant twice, the second time counts; returns the seconds of the best, whose name is left in `best`. */
static double best_variant(struct bench *b, const struct contest *c, const char *file, char best[64])
{
    char variants[WORDS], *save = NULL;
    double least = INFINITY;
    *best = '\0';
    if (train_peer_ask(&b->peer, variants, sizeof variants, "variants %s", c->what))
        return NAN;
    train_peer_ask(&b->peer, (char[WORDS]){0}, WORDS, "load %s", file);
    for (char *name = strtok_r(variants, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
        double s = INFINITY, value;
        char answer[WORDS];
        train_peer_ask(&b->peer, answer, sizeof answer, "use %s %s %d", c->what, name, c->threads);
        int there = !strncmp(answer, "ok", 2);
        for (int i = 0; there && i < 2; i++)
            there = !train_peer_run(&b->peer, &s, &value);
        if (there)
            printf("    %-16s %8.1f ms\n", name, s * 1e3);
        else
            printf("    %-16s %s\n", name, answer);
        if (there && s < least) {
            least = s;
            snprintf(best, 64, "%s", name);
        }
    }
    return least;
}

/* FLOP/s of fused multiply-adds in registers; long enough that waking the threads does not count. */
static double peak_flop_per_s(int threads)
{
    enum { CALLS = 64 };
    struct bench_peer peak = bench_peak(BENCH_PEAK, threads);
    if (!peak.state)
        return NAN;
    peak.call(peak.state);
    double begin = now_s();
    for (int i = 0; i < CALLS; i++)
        peak.call(peak.state);
    double s = now_s() - begin;
    peak.release(peak.state);
    return bench_peak_flop(BENCH_PEAK, threads) * CALLS / s;
}

static void put(struct bench *b, const struct contest *c, const char *who, const double *s, double flop, double peak)
{
    struct jrx_summary sum;
    jrx_summarize(s, (size_t)b->rounds, &sum);
    fprintf(b->csv, "%s,%g,%d,%d,%d,%s,%.0f,%.0f,%.0f,%.0f,%.0f,%.4f\n", c->what, c->width, c->n, c->f, c->threads, who,
            sum.min * 1e9, sum.median * 1e9, sum.q25 * 1e9, sum.q75 * 1e9, flop, flop / sum.median / peak);
    printf("  %-22s %9.1f ms (%.1f..%.1f)  %6.1f GFLOP/s  %3.0f %% of peak\n", who, sum.median * 1e3, sum.q25 * 1e3,
           sum.q75 * 1e3, flop / sum.median * 1e-9, 100 * flop / sum.median / peak);
}

static int run_contest(struct bench *b, const struct contest *c)
{
    struct ours o;
    double mine[MAX_ROUNDS], theirs[MAX_ROUNDS], peak[MAX_ROUNDS], value = NAN, there_first = NAN;
    char file[96], best[64], answer[WORDS];
    const int train = !strcmp(c->what, "train");
    snprintf(file, sizeof file, "%s-%s-%g-%d.safetensors", b->base, c->what, c->width, c->n);
    int status = ours_init(&o, train ? NN_FUSED_TRAINING : NN_FUSED_INFERENCE, c->width, c->n, c->f, c->threads);
    if (status)
        goto out;
    const struct nn_st_tensor extra[] = {net_dump_tensor("input", c->n, o.net.channels, c->f, T, o.input),
                                         net_dump_tensor("label", c->n, LOGITS, c->f, T, o.label_dense)};
    status = net_dump(file, &o.net, o.parameters, o.statistics, extra, 2);
    if (status)
        goto out;
    const double flop = (train ? 3 : 1) * nn_forward_flop(&o.net, c->n, c->f, T);
    printf("%s, width %g, batch %d, %d PRB, %d thread%s: %.2f GFLOP\n", train ? "training step" : "inference", c->width,
           c->n, c->f / 12, c->threads, c->threads > 1 ? "s" : "", flop * 1e-9);
    const double tried = b->peer.there ? best_variant(b, c, file, best) : NAN;
    const int there = isfinite(tried);
    if (there) { /* anew, so that its memory is that of this variant */
        train_peer_close(&b->peer);
        train_peer_open(&b->peer);
        train_peer_ask(&b->peer, answer, sizeof answer, "load %s", file);
        train_peer_ask(&b->peer, answer, sizeof answer, "use %s %s %d", c->what, best, c->threads);
    }
    void (*const call)(struct ours *) = train ? ours_train : ours_infer;
    call(&o);
    const double first = o.value;
    if (there && !train_peer_run(&b->peer, &theirs[0], &there_first) && fabs(there_first - first) > 1e-4)
        status = jrx_fail(JRX_EIMPLAUSIBLE, "%s: %.9g here, %.9g there", c->what, first, there_first);
    for (int round = 0; round < b->rounds; round++) {
        peak[round] = peak_flop_per_s(c->threads);
        double begin = now_s();
        call(&o);
        mine[round] = now_s() - begin;
        if (there && train_peer_run(&b->peer, &theirs[round], &value))
            break;
    }
    struct jrx_summary p, m, t = {.median = NAN};
    jrx_summarize(peak, (size_t)b->rounds, &p);
    jrx_summarize(mine, (size_t)b->rounds, &m);
    const double rate = p.max;
    put(b, c, "ours", mine, flop, rate);
    if (there) {
        jrx_summarize(theirs, (size_t)b->rounds, &t);
        put(b, c, best, theirs, flop, rate);
        printf("  ratio %.2f; peak %.0f GFLOP/s; first value %.6g here, %.6g there\n", t.median / m.median, rate * 1e-9,
               first, there_first);
    }
    if (train && c->n >= 8) {
        const double mem = ours_memory_bytes(c);
        double full = NAN, before = NAN;
        if (there && !train_peer_ask(&b->peer, answer, sizeof answer, "memory"))
            sscanf(answer, "%lf %lf", &full, &before);
        printf("  peak memory: ours %.0f MB (arena %.0f), theirs %.0f MB of which %.0f before the network: ratio %.2f, "
               "%.2f without that\n",
               mem * 1e-6, (double)o.context.bytes * 1e-6, full * 1e-6, before * 1e-6, mem / full,
               mem / (full - before));
        const double slots = 30000.0 * 80;
        for (int prb = 4; prb <= 26 && c->width == 1; prb += prb == 4 ? 2 : 20)
            printf("  30,000 steps of 80 slots of %2d PRB would take %.1f days\n", prb,
                   m.median / c->n * slots * prb * 12 / c->f / 86400);
    }
out:
    unlink(file);
    ours_fini(&o);
    return status;
}

/* ---- by layer ---------------------------------------------------------------------------------------------------- */

static const char *kind_of(const struct nn_layer *l)
{
    return l->kind == NN_CONV ? kn_op_name(l->op) : l->kind == NN_ADD ? "add" : "norm+relu";
}

static int by_layer(struct bench *b, int threads)
{
    struct ours o;
    static double s[2][NN_MAX_LAYERS];
    struct {
        const char *kind;
        double s[2], flop;
    } sum[8] = {{NULL, {0, 0}, 0}};
    double all = 0;
    int status = ours_init(&o, NN_FUSED_TRAINING, 1, 8, 312, threads);
    for (int i = 0; i < NN_MAX_LAYERS; i++)
        s[0][i] = s[1][i] = INFINITY;
    for (int round = 0; !status && round < 3; round++) {
        ours_train(&o);
        for (int i = 0; i < o.net.layers; i++) {
            double begin = now_s();
            nn_forward_unit(&o.context, i, o.parameters, o.statistics);
            s[0][i] = fmin(s[0][i], now_s() - begin);
        }
        for (int i = o.net.layers - 1; i >= 0; i--) {
            double begin = now_s();
            nn_backward_unit(&o.context, i, o.parameters, o.gradient);
            s[1][i] = fmin(s[1][i], now_s() - begin);
        }
    }
    const double peak = peak_flop_per_s(threads);
    printf("by layer, batch 8, %d threads, least of 3\n%-20s %-10s %9s %9s %9s %7s\n", threads, "layer", "kind",
           "fwd ms", "bwd ms", "GFLOP", "% peak");
    for (int i = 0; !status && i < o.net.layers; i++) {
        const struct nn_layer *l = &o.net.layer[i];
        struct kn_shape shape = nn_layer_shape(l, 8, 312, T);
        const double flop = l->kind == NN_CONV ? kn_flop(l->op, &shape) : 0;
        int k = 0;
        printf("%-20s %-10s %9.2f %9.2f %9.2f %6.0f\n", l->name, kind_of(l), s[0][i] * 1e3, s[1][i] * 1e3, flop * 1e-9,
               100 * 3 * flop / (s[0][i] + s[1][i]) / peak);
        while (sum[k].kind && strcmp(sum[k].kind, kind_of(l)) != 0)
            k++;
        sum[k].kind = kind_of(l);
        sum[k].flop += flop;
        all += s[0][i] + s[1][i];
        for (int d = 0; d < 2; d++)
            sum[k].s[d] += s[d][i];
    }
    for (int k = 0; !status && sum[k].kind; k++)
        printf("%-20s %-10s %9.1f %9.1f %9.2f %6.0f  %4.1f %% of the step\n", "all", sum[k].kind, sum[k].s[0] * 1e3,
               sum[k].s[1] * 1e3, sum[k].flop * 1e-9, 100 * 3 * sum[k].flop / (sum[k].s[0] + sum[k].s[1]) / peak,
               100 * (sum[k].s[0] + sum[k].s[1]) / all);
    (void)b;
    ours_fini(&o);
    return status;
}

static int run_sections(struct bench *b, const char *sections)
{
    int status = 0;
    for (int threads = 2; threads >= 1 && !status; threads--) {
        if (strchr(sections, 't'))
            status = run_contest(b, &(struct contest){"train", 1, 8, 312, threads});
        if (!status && strchr(sections, 'i'))
            status = run_contest(b, &(struct contest){"infer", 1, 1, 312, threads});
        if (!status && strchr(sections, 's'))
            status = run_contest(b, &(struct contest){"train", 0.25, 8, 312, threads});
    }
    if (!status && strchr(sections, 'l'))
        status = by_layer(b, 2);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], ALONE))
        return run_alone(argv + 2);
    const char *sections = argc > 1 && *argv[1] ? argv[1] : "tisl", *path = argc > 2 ? argv[2] : "bench_train.csv";
    struct bench b = {.rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 5};
    if (b.rounds < 1 || b.rounds > MAX_ROUNDS || !(b.csv = fopen(path, "w"))) {
        fprintf(stderr, "bench_train: %s cannot be written, or rounds are not in 1..%d\n", path, MAX_ROUNDS);
        return 2;
    }
    fprintf(b.csv,
            "what,width,batch,grid_f,threads,who,time_min_ns,time_median_ns,time_q25_ns,time_q75_ns,flop,peak_ratio\n");
    snprintf(b.base, sizeof b.base, "/tmp/jrx-bench-%ld", (long)getpid());
    setvbuf(stdout, NULL, _IOLBF, 0);
    train_peer_open(&b.peer);
    int status = run_sections(&b, sections);
    train_peer_close(&b.peer);
    if (status)
        fprintf(stderr, "bench_train: %s\n", jrx_last_error());
    if (fclose(b.csv)) {
        fprintf(stderr, "bench_train: %s was not written whole; free some space\n", path);
        return 1;
    }
    return jrx_exit_status(status);
}
