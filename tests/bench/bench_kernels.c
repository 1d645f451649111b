/*
 * Our kernels beside oneDNN and OpenBLAS on the layers that the bars are set for: one process, all runners in turn
 * round after round, with the FMA peak, copies and our other variants among them. Prints a line a case with the time
 * left, and each group beside its bar; writes DIR/cases.csv as it goes (an interrupted run keeps its rows), then
 * DIR/groups.csv and DIR/meta.json. See README.md for the columns.
 *
 * Cases of other groups that an earlier run left in DIR are kept: the list can be made in parts.
 *
 *     bench_kernels [FILTER [DIR [ROUNDS [THREADS]]]]    FILTER: "pointwise", "conv3x3 fwd", ...: the beginning of a
 *                                                        group; THREADS 1: leave out two threads
 */
#include "harness/base/error.h"
#include "harness/interrupt.h"
#include "harness/progress.h"
#include "harness/provenance.h"
#include "tests/bench/bench_kept.h"
#include "tests/bench/bench_report.h"
#include "tests/bench/bench_rounds.h"
#include <cblas.h>
#include <errno.h>
#include <omp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MAX_RUNNERS = 20, GRID_F = 312, GRID_T = 14, DEFAULT_ROUNDS = 11 };

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

static void add(struct bench_case *c, struct bench_peer peer)
{
    if (peer.state)
        bench_try(&c->runner[c->count++], peer, c->rounds);
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

/* A format of oneDNN's. One that is hopeless gives its memory back and is not tried again in the layer: a batch of
 * eight would take seconds to say the same. */
static void add_dnnl(struct bench_case *c, int format, enum bench_role role)
{
    size_t used = c->memory->used;
    int before = c->count;
    if (c->hopeless[role] & 1u << format)
        return;
    add(c, bench_dnnl(c->op, c->dir, &c->shape, format, role, c->memory));
    if (c->count > before && bench_hopeless(c, &c->runner[before])) {
        c->hopeless[role] |= 1u << format;
        c->runner[before].peer.release(c->runner[before].peer.state);
        c->count = before;
    }
    if (c->count == before)
        c->memory->used = used;
}

static void gather(struct bench_case *c)
{
    c->memory->used = 0;
    const struct kn_kernel *best = kn_best(c->op, c->dir), *avx2 = variant(c, "avx2");
    int multiplier = c->op == KN_DEPTHWISE ? c->shape.oc / c->shape.ic : 1;
    omp_set_num_threads(c->threads);
    add(c, bench_peak(BENCH_PEAK, c->threads));
    add(c, bench_peak(BENCH_PEAK_NARROW, c->threads));
    add(c, bench_ours(best, BENCH_OURS, &c->shape, c->threads, c->memory));
    if (best != avx2)
        add(c, bench_ours(avx2, BENCH_SIBLING, &c->shape, c->threads, c->memory));
    for (int f = 0; f < BENCH_DNNL_FORMATS; f++) {
        add_dnnl(c, f, BENCH_PEER);
        if (c->op == KN_DEPTHWISE && c->dir == KN_BWD_DATA && multiplier == 1)
            add_dnnl(c, f, BENCH_TURNED);
    }
    if (c->op == KN_CONV3X3)
        add_dnnl(c, 0, BENCH_BESIDE);
    add(c, bench_openblas(c->op, c->dir, &c->shape, c->threads, c->memory));
    if (c->op == KN_DEPTHWISE && c->dir == KN_FWD && multiplier == 1 && c->shape.n == 8 && c->shape.ic >= 128) {
        add(c, bench_copy(BENCH_COPY, &c->shape, c->threads, c->memory));
        add(c, bench_copy(BENCH_STREAM, &c->shape, c->threads, c->memory));
    }
    if (beside_reference(c)) {
        add(c, bench_ours(variant(c, "baseline"), BENCH_BASELINE, &c->shape, c->threads, c->memory));
        add(c, bench_ours(variant(c, "ref"), BENCH_REFERENCE, &c->shape, c->threads, c->memory));
    }
    bench_drop_hopeless(c);
}

/*
 * Signals wait for the end of a case. oneDNN's sgemm, which NCHW is made of, lets the stack register point into a
 * buffer on the heap: the frame of a handler, with its wide registers, would overwrite what lies before it.
 */
static int hold_signals(int how)
{
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    return pthread_sigmask(how, &held, NULL);
}

static int interrupted(void)
{
    hold_signals(SIG_UNBLOCK);
    hold_signals(SIG_BLOCK);
    return jrx_interrupt_check();
}

/* What is asked for, and how far it is. */
struct plan {
    const char *filter;
    int rounds, most_threads;
    int cases, done;
    double weight, done_weight; /* of the cases, by slots */
    double begin_s;
    struct bench_kept kept; /* of earlier runs in the folder */
    int kept_cases;
    struct jrx_arena memory; /* of a case's operands, given out anew to each */
};

/* Slots cost more than cases: a case of one has its setup and its many short samples. */
static double weight_of(int slots)
{
    return 2 + slots;
}

static void run_case(struct plan *plan, struct bench_report *report, struct bench_case *c)
{
    struct bench_runner runner[MAX_RUNNERS];
    char duration[16];
    c->runner = runner;
    c->count = 0;
    gather(c);
    bench_rounds(c);
    plan->done++;
    plan->done_weight += weight_of(c->shape.n);
    double left = (bench_now_s() - plan->begin_s) / plan->done_weight * (plan->weight - plan->done_weight);
    printf("%3d/%d, %s left: ", plan->done, plan->cases, jrx_progress_duration(left, duration));
    bench_report_case(report, c);
    for (int i = 0; i < c->count; i++)
        runner[i].peer.release(runner[i].peer.state);
}

/* Batches 1 and 8 on 1 and, unless the plan is of one, 2 threads. With no report they are only counted. */
static int run_layer(struct plan *plan, struct bench_report *report, struct bench_case *c)
{
    for (int n = 1; n <= 8; n += 7)
        for (c->threads = 1; c->threads <= plan->most_threads; c->threads++) {
            c->shape.n = n;
            if (!report) {
                plan->cases++;
                plan->weight += weight_of(n);
                continue;
            }
            int rc = interrupted();
            if (rc)
                return rc;
            run_case(plan, report, c);
        }
    return 0;
}

static int walk(struct plan *plan, struct bench_report *report)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        for (int dir = 0; dir < KN_DIRS; dir++) {
            char group[64];
            struct bench_case c = {.dir = (enum kn_dir)dir,
                                   .shape = {.n = 1, .f = GRID_F, .t = GRID_T},
                                   .layer = layers[i],
                                   .rounds = plan->rounds,
                                   .memory = &plan->memory};
            int rc = kn_layer_parse(layers[i], &c.op, &c.shape);
            if (!rc) {
                bench_group_name(c.op, c.dir, &c.shape, group, sizeof group);
                if (variant(&c, "ref") && !strncmp(group, plan->filter, strlen(plan->filter)))
                    rc = run_layer(plan, report, &c);
            }
            if (rc)
                return rc;
        }
    return 0;
}

/* Machine, commit, date and the libraries beside us. */
static int write_meta(struct jrx_provenance *p, const struct plan *plan, const char *dir)
{
    char path[4096], dnnl[32];
    snprintf(path, sizeof path, "%s/meta.json", dir);
    json_array_append_new(plan->kept.parts,
                          json_pack("{s:s, s:s, s:i, s:i, s:i}", "run_id", jrx_run_id(p), "filter", plan->filter,
                                    "rounds", plan->rounds, "cases_planned", plan->cases, "cases_done", plan->done));
    int rc = jrx_provenance_set(p, "bench",
                                json_pack("{s:s, s:i, s:O}", "schema", "kernels 2", "cases",
                                          plan->kept_cases + plan->done, "parts", plan->kept.parts));
    if (!rc)
        rc = jrx_provenance_set(p, "peers",
                                json_pack("{s:s?, s:s}", "oneDNN", bench_dnnl_version(dnnl, sizeof dnnl), "OpenBLAS",
                                          openblas_get_config()));
    return rc ? rc : jrx_provenance_write(p, path);
}

/* A file of the folder, to be written; NULL with a message. */
static FILE *create(const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    if (!file)
        jrx_fail(JRX_EIO, "%s: cannot be written (%s); name a folder that can", path, strerror(errno));
    return file;
}

/* Addresses for the largest case's operands and more. Pages are had when first touched, outside of what is timed, and
 * kept: no case pays for them again, and the most memory in use is that of the largest case. */
static int reserve(struct jrx_arena *memory)
{
    const size_t bytes = (size_t)1 << 34;
    void *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return jrx_fail(JRX_ENOMEM, "memory: %zu bytes of addresses could not be had (%s); raise `ulimit -v`", bytes,
                        strerror(errno));
    *memory = (struct jrx_arena){.base = base, .size = bytes};
    return 0;
}

static int run_all(struct plan *plan, const char *dir, struct jrx_provenance *provenance)
{
    struct bench_report report = {0};
    int rc = JRX_EIO, status;
    if (mkdir(dir, 0777) && errno != EEXIST)
        return jrx_fail(JRX_EIO, "%s: no such folder can be made (%s)", dir, strerror(errno));
    if ((rc = bench_kept_read(&plan->kept, dir)))
        goto out;
    rc = JRX_EIO;
    if (!(report.csv = create(dir, "cases.csv")) || !(report.groups_csv = create(dir, "groups.csv")))
        goto out;
    if ((rc = reserve(&plan->memory)))
        goto out;
    bench_report_begin(&report);
    if ((rc = plan->kept_cases = bench_kept_report(&plan->kept, plan->filter, &report)) < 0)
        goto out;
    plan->begin_s = bench_now_s();
    rc = walk(plan, &report);
    bench_report_end(&report);
    status = write_meta(provenance, plan, dir);
    rc = rc ? rc : status;
out:
    bench_kept_fini(&plan->kept);
    if (plan->memory.base)
        munmap(plan->memory.base, plan->memory.size);
    status = report.csv ? fclose(report.csv) : 0;
    if ((report.groups_csv && fclose(report.groups_csv)) || status)
        rc = jrx_fail(JRX_EIO, "%s: not all was written; free some space", dir);
    return rc;
}

int main(int argc, char **argv)
{
    struct plan plan = {.filter = argc > 1 ? argv[1] : "",
                        .rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : DEFAULT_ROUNDS,
                        .most_threads = argc > 4 && !strcmp(argv[4], "1") ? 1 : 2};
    struct jrx_provenance *provenance = NULL;
    if (plan.rounds < BENCH_MIN_ROUNDS || plan.rounds > BENCH_MAX_ROUNDS || walk(&plan, NULL) || !plan.cases) {
        fprintf(stderr, "bench_kernels: rounds are not in %d..%d, or no group begins with \"%s\"\n", BENCH_MIN_ROUNDS,
                BENCH_MAX_ROUNDS, plan.filter);
        return 2;
    }
    hold_signals(SIG_BLOCK); /* before OpenMP makes its threads, which inherit it */
    int rc = jrx_interrupt_catch();
    if (!rc)
        rc = jrx_provenance_new(&provenance, "", argc, argv, 0);
    if (!rc)
        rc = run_all(&plan, argc > 2 ? argv[2] : "bench-kernels", provenance);
    if (rc)
        fprintf(stderr, "bench_kernels: %s\n",
                rc == JRX_EINTERRUPTED ? "interrupted; the cases that were done are kept" : jrx_last_error());
    jrx_provenance_free(provenance);
    return jrx_exit_status(rc);
}
