/*
 * Our engine beside PyTorch, on the published network with 4 logits and on its quarter-width student: training steps
 * and inference, same weights, same data, same batch, at 1 and 2 threads. The peer is a program of its own
 * (tests/bench/peer_torch.py); it and we take turns, round after round, the FMA peak timed in every round. Each of the
 * peer's variants (eager or jit, layouts) is tried first, the fastest one competes.
 *
 *     bench_train [SECTIONS [CSV [ROUNDS]]]      SECTIONS: letters of
 * t training, b training in bf16, i inference, s student, l by layer, r the published recipe; 1 or 2: contests on so
 * many threads only
 */
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/stats.h"
#include "models/nn/onnx.h"
#include "tests/bench/peer.h"
#include "tests/bench/train_layers.h"
#include "tests/bench/train_ours.h"
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
enum { MAX_ROUNDS = 51, WORDS = 512 };

struct contest {
    const char *what; /* "train", "bf16" (training in it), "infer" */
    double width;
    int n, f, threads;
};

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

/* Threads of whoever ran last still spin for a while, waiting for work: let them go to sleep. */
static void settle(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
}

/* Tries every variant a few times, the least counts; returns the seconds of the best, whose name is left in `best`. */
static double best_variant(struct bench *b, const struct contest *c, const char *file, char best[64])
{
    char variants[WORDS], *save = NULL;
    double least = INFINITY;
    *best = '\0';
    if (train_peer_ask(&b->peer, variants, sizeof variants, "variants %s", c->what))
        return NAN;
    train_peer_ask(&b->peer, (char[WORDS]){0}, WORDS, "load %s", file);
    for (char *name = strtok_r(variants, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
        double s = INFINITY, once, value;
        char answer[WORDS];
        train_peer_ask(&b->peer, answer, sizeof answer, "use %s %s %d", c->what, name, c->threads);
        int there = !strncmp(answer, "ok", 2);
        for (int i = 0; there && i < (c->n == 1 ? 6 : 3); i++) {
            settle();
            there = !train_peer_run(&b->peer, &once, &value);
            s = there ? fmin(s, once) : s;
        }
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
    double begin = ours_now_s();
    for (int i = 0; i < CALLS; i++)
        peak.call(peak.state);
    double s = ours_now_s() - begin;
    peak.release(peak.state);
    return bench_peak_flop(BENCH_PEAK, threads) * CALLS / s;
}

/* Of a few: one alone may have been disturbed, and a table by layer knows no rounds. */
static double best_peak_flop_per_s(int threads)
{
    double best = NAN;
    for (int i = 0; i < 5; i++)
        best = fmax(best, peak_flop_per_s(threads));
    return best;
}

/*
 * Rounds in turn. The peak is timed before and after each: a round in which either is below nine tenths of the best
 * seen was disturbed by somebody else on the machine, whatever came out of it, and is tried again, four times as many
 * in all at most.
 */
struct rounds {
    double mine[MAX_ROUNDS], theirs[MAX_ROUNDS];
    double peak; /* the best [flop/s] */
    int counted, tried;
};

static void keep_undisturbed(struct rounds *r, const double least_peak[])
{
    r->counted = 0;
    for (int i = 0; i < r->tried; i++)
        if (least_peak[i] >= 0.9 * r->peak) {
            r->mine[r->counted] = r->mine[i];
            r->theirs[r->counted++] = r->theirs[i];
        }
}

static int compete(struct bench *b, const struct contest *c, void (*call)(struct ours *), struct ours *o, int there,
                   struct rounds *r)
{
    const int warm = !strcmp(c->what, "infer");
    double least_peak[MAX_ROUNDS], value;
    *r = (struct rounds){.peak = 0};
    for (int good = 0; good < b->rounds && r->tried < 4 * b->rounds && r->tried < MAX_ROUNDS;) {
        double *const theirs = &r->theirs[r->tried];
        settle();
        const double before = peak_flop_per_s(c->threads);
        if (warm)
            call(o);
        const double begin = ours_now_s();
        call(o);
        r->mine[r->tried] = ours_now_s() - begin;
        settle();
        if (there && ((warm && train_peer_run(&b->peer, theirs, &value)) || train_peer_run(&b->peer, theirs, &value)))
            return jrx_fail(JRX_EIO, "the peer stopped answering in round %d", r->tried + 1);
        settle();
        const double after = peak_flop_per_s(c->threads);
        least_peak[r->tried++] = fmin(before, after);
        r->peak = fmax(r->peak, fmax(before, after));
        for (int i = good = 0; i < r->tried; i++)
            good += least_peak[i] >= 0.9 * r->peak;
    }
    keep_undisturbed(r, least_peak);
    return r->counted ? 0
                      : jrx_fail(JRX_EIMPLAUSIBLE, "all of %d rounds were disturbed; try a quiet machine", r->tried);
}

static void put(struct bench *b, const struct contest *c, const char *who, const double *s, int rounds, double flop,
                double peak)
{
    struct jrx_summary sum;
    jrx_summarize(s, (size_t)rounds, &sum);
    fprintf(b->csv, "%s,%g,%d,%d,%d,%s,%.0f,%.0f,%.0f,%.0f,%.0f,%.4f\n", c->what, c->width, c->n, c->f, c->threads, who,
            sum.min * 1e9, sum.median * 1e9, sum.q25 * 1e9, sum.q75 * 1e9, flop, flop / sum.median / peak);
    printf("  %-22s %9.1f ms (%.1f..%.1f)  %6.1f GFLOP/s  %3.0f %% of peak\n", who, sum.median * 1e3, sum.q25 * 1e3,
           sum.q75 * 1e3, flop / sum.median * 1e-9, 100 * flop / sum.median / peak);
}

/* What activation checkpointing costs in time and saves in memory. */
static int print_checkpointed(const struct contest *c, double kept_s, double kept_bytes)
{
    struct ours o;
    double s = INFINITY;
    int status = ours_init(&o, NN_CHECKPOINTED_TRAINING, c->width, c->n, c->f, c->threads);
    for (int i = 0; i < 4 && !status; i++) {
        const double begin = ours_now_s();
        ours_train(&o);
        s = fmin(s, ours_now_s() - begin);
    }
    if (!status)
        printf("  with activation checkpointing: %.1f ms (%+.0f %%), arena %.0f MB (%+.0f %%)\n", s * 1e3,
               100 * (s / kept_s - 1), (double)o.context.bytes * 1e-6,
               100 * ((double)o.context.bytes / kept_bytes - 1));
    ours_fini(&o);
    return status;
}

static int run_contest(struct bench *b, const struct contest *c)
{
    struct ours o;
    struct rounds r;
    double once, there_first = NAN;
    char file[96], model[128], best[64], answer[WORDS];
    const int rounded = !strcmp(c->what, "bf16"), train = rounded || !strcmp(c->what, "train");
    snprintf(file, sizeof file, "%s-%s-%g-%d.safetensors", b->base, c->what, c->width, c->n);
    snprintf(model, sizeof model, "%s.onnx", file);
    int status = ours_init(&o, train ? NN_FUSED_TRAINING : NN_FUSED_INFERENCE, c->width, c->n, c->f, c->threads);
    if (!status && rounded)
        status = ours_round(&o);
    if (status)
        goto out;
    const struct nn_st_tensor extra[] = {net_dump_tensor("input", c->n, o.net.channels, c->f, OURS_T, o.input),
                                         net_dump_tensor("label", c->n, OURS_LOGITS, c->f, OURS_T, o.label_dense)};
    status = net_dump(file, &o.net, o.parameters, o.statistics, extra, 2);
    if (!status && !train) /* for ONNX Runtime */
        status = nn_onnx_write(model, &(struct nn_onnx_about){.name = "deeprx", .text = ""}, &o.net, o.parameters,
                               o.statistics);
    if (status)
        goto out;
    const double flop = (train ? 3 : 1) * nn_forward_flop(&o.net, c->n, c->f, OURS_T);
    printf("%s, width %g, batch %d, %d PRB, %d thread%s: %.2f GFLOP\n",
           rounded ? "training step in bf16"
           : train ? "training step"
                   : "inference",
           c->width, c->n, c->f / 12, c->threads, c->threads > 1 ? "s" : "", flop * 1e-9);
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
    if (there && !train_peer_run(&b->peer, &once, &there_first) && fabs(there_first - first) > (rounded ? 1e-2 : 1e-4))
        status = jrx_fail(JRX_EIMPLAUSIBLE, "%s: %.9g here, %.9g there", c->what, first, there_first);
    if (!status)
        status = compete(b, c, call, &o, there, &r);
    if (status)
        goto out;
    struct jrx_summary m, t;
    jrx_summarize(r.mine, (size_t)r.counted, &m);
    put(b, c, "ours", r.mine, r.counted, flop, r.peak);
    if (there) {
        jrx_summarize(r.theirs, (size_t)r.counted, &t);
        put(b, c, best, r.theirs, r.counted, flop, r.peak);
        printf("  ratio %.2f; first value %.6g here, %.6g there\n", t.median / m.median, first, there_first);
    }
    printf("  peak %.0f GFLOP/s; %d rounds of %d undisturbed\n", r.peak * 1e-9, r.counted, r.tried);
    if (train && !rounded && c->n >= 8) {
        const double mem = ours_memory_bytes(c);
        double full, before;
        printf("  peak memory: ours %.0f MB, of which the arena %.0f\n", mem * 1e-6, (double)o.context.bytes * 1e-6);
        if (there && !train_peer_ask(&b->peer, answer, sizeof answer, "memory") &&
            sscanf(answer, "%lf %lf", &full, &before) == 2)
            printf("  theirs %.0f MB, of which %.0f before the network: ratio %.2f, %.2f without that\n", full * 1e-6,
                   before * 1e-6, mem / full, mem / (full - before));
        status = print_checkpointed(c, m.min, (double)o.context.bytes);
    }
out:
    unlink(file);
    unlink(model);
    ours_fini(&o);
    return status;
}

static int run_sections(struct bench *b, const char *sections)
{
    int status = 0;
    for (int threads = 2; threads >= 1 && !status; threads--) {
        if (strpbrk(sections, "12") && !strchr(sections, '0' + threads))
            continue;
        if (strchr(sections, 't'))
            status = run_contest(b, &(struct contest){"train", 1, 8, 312, threads});
        if (!status && strchr(sections, 'b') && jrx_cpu_bf16())
            status = run_contest(b, &(struct contest){"bf16", 1, 8, 312, threads});
        if (!status && strchr(sections, 'i'))
            status = run_contest(b, &(struct contest){"infer", 1, 1, 312, threads});
        if (!status && strchr(sections, 's'))
            status = run_contest(b, &(struct contest){"train", 0.25, 8, 312, threads});
    }
    if (!status && strchr(sections, 'l'))
        status = layers_print(NN_FUSED_TRAINING, 8, 2, best_peak_flop_per_s(2));
    if (!status && strchr(sections, 'l'))
        status = layers_print(NN_FUSED_INFERENCE, 1, 2, best_peak_flop_per_s(2));
    if (!status && strchr(sections, 'r'))
        status = recipe_print(2);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 6 && !strcmp(argv[1], ALONE))
        return run_alone(argv + 2);
    const char *sections = argc > 1 && *argv[1] ? argv[1] : "tbislr", *path = argc > 2 ? argv[2] : "bench_train.csv";
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
