/* Candidates at work, and the additivity of what is counted of them. */
#include "experiments/calibration.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/probe.h"
#include "models/energy/fit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DRAWN = 1 << 16 };

/* Numbers that repeat every quarter of a megabyte: to the bits that flip it makes no difference. */
static void fill(float *to, size_t floats, uint64_t seed)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, 0);
    for (size_t i = 0; i < floats && i < DRAWN; i++)
        to[i] = (float)(jrx_rng_uniform(&rng) - 0.5);
    for (size_t done = DRAWN; done < floats; done += DRAWN)
        memcpy(to + done, to, sizeof *to * (floats - done < DRAWN ? floats - done : DRAWN));
}

int ex_probe_init(struct ex_probe *probe, const struct ex_candidate *what, const struct jrx_cache_geometry *geometry,
                  uint64_t seed)
{
    int status = 0;
    memset(probe, 0, sizeof *probe);
    probe->what = *what;
    if (what->kind == EX_LAYER) {
        const struct kn_kernel *kernel = kn_best(what->op, KN_FWD);
        status = what->zero ? ex_call_init_zero(&probe->call, kernel, &what->shape, &what->tile, what->threads)
                            : ex_call_init(&probe->call, kernel, &what->shape, &what->tile, what->threads, seed);
        if (!status)
            status = ex_call_simulate(&probe->call, geometry, &probe->traffic);
        probe->work = ex_call_work(&probe->call, &probe->traffic);
        return status;
    }
    ex_probe_work(what, geometry, &probe->work);
    size_t floats = what->floats * (size_t)what->threads;
    if (floats && !(probe->memory = jrx_alloc(floats * sizeof *probe->memory)))
        return JRX_ENOMEM;
    /* zeros are written too: pages never written to are all the one page of zeros that the kernel keeps */
    if (floats && what->zero)
        memset(probe->memory, 0, floats * sizeof *probe->memory);
    else if (floats)
        fill(probe->memory, floats, seed);
    return 0;
}

void ex_probe_fini(struct ex_probe *probe)
{
    ex_call_fini(&probe->call);
    free(probe->memory);
    memset(probe, 0, sizeof *probe);
}

static float run_thread(const struct ex_probe *probe, int thread)
{
    const struct ex_candidate *c = &probe->what;
    if (c->kind == EX_SPIN)
        kn_probe_spin(EX_SPINS);
    if (c->kind == EX_FMA)
        return kn_probe_fma_data(EX_STEPS, c->zero);
    float *array = probe->memory + (size_t)thread * c->floats, sum = 0;
    long turns = ex_candidate_turns(c);
    for (long i = 0; i < turns; i++) {
        if (c->kind == EX_READ)
            sum += kn_probe_read(array, c->floats);
        else
            kn_probe_copy(array, array + c->floats / 2, c->floats / 2);
    }
    return sum;
}

void ex_probe_run(void *context)
{
    struct ex_probe *probe = context;
    int threads = probe->what.threads;
    float sum = 0;
    if (probe->what.kind == EX_LAYER) {
        ex_call_run(&probe->call);
    } else if (probe->what.kind == EX_IDLE) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000l * ex_idle_ms(&probe->what)}, NULL);
    } else if (threads == 1) {
        sum = run_thread(probe, 0);
    } else {
#pragma omp parallel for num_threads(threads) schedule(static, 1) reduction(+ : sum)
        for (int t = 0; t < threads; t++)
            sum += run_thread(probe, t);
    }
    volatile float kept = sum;
    (void)kept;
}

/* ---- additivity ------------------------------------------------------------------------------------------------- */

static const double allowed_ratio = 0.05;
enum { COUNTED_REPS = 3, ROUNDS = 20 };

static const struct jrx_column additivity_columns[] = {
    {"metric", JRX_TEXT, "what is counted"},
    {"a_count", JRX_REAL, "counted of A, multiply-adds in registers"},
    {"b_count", JRX_REAL, "counted of B, reads from L2"},
    {"ab_count", JRX_REAL, "counted of A, then B"},
    {"deviation_ratio", JRX_REAL, "of the last from the sum of the former"},
    {"kept", JRX_INTEGER, "1 if it may stand in a linear model"},
    {"reason", JRX_TEXT, "why not"},
};

struct pair {
    struct ex_probe *probe[2];
    int from, to;
    struct jrx_sde *sde;
};

static void run_pair(void *context)
{
    const struct pair *pair = context;
    for (int k = pair->from; k < pair->to; k++)
        for (int i = 0; i < ROUNDS; i++) {
            ex_probe_run(pair->probe[k]);
            jrx_sde_add(pair->sde, JRX_SDE_FLOP, (int64_t)pair->probe[k]->work.flop);
        }
}

static void put_additivity(struct jrx_table *table, const char *metric, const double *count, const char *failed)
{
    char reason[512] = "";
    double deviation = em_additivity_ratio(count[0], count[1], count[2]);
    if (*failed)
        snprintf(reason, sizeof reason, "%s", failed);
    else if (isnan(deviation))
        snprintf(reason, sizeof reason, "counts nothing of either");
    else if (deviation > allowed_ratio)
        snprintf(reason, sizeof reason, "A;B is %.1f %% off A + B, more than %.0f %%", 100 * deviation,
                 100 * allowed_ratio);
    jrx_put_text(table, "metric", metric);
    jrx_put_real(table, "a_count", count[0]);
    jrx_put_real(table, "b_count", count[1]);
    jrx_put_real(table, "ab_count", count[2]);
    jrx_put_real(table, "deviation_ratio", deviation);
    jrx_put_integer(table, "kept", !*reason);
    jrx_put_text(table, "reason", reason);
}

static int write_additivity(const struct ex_run *run, struct pair *pair)
{
    static const int range[3][2] = {{0, 1}, {1, 2}, {0, 2}};
    static const struct jrx_schema schema = {"additivity", additivity_columns,
                                             sizeof additivity_columns / sizeof *additivity_columns};
    const struct jrx_counting *counting = &run->observer->counting;
    struct jrx_counted seen[3];
    char path[PATH_MAX + 32], failed[400] = "";
    struct jrx_table *table;
    for (int k = 0; k < 3 && !*failed; k++) {
        pair->from = range[k][0];
        pair->to = range[k][1];
        if (jrx_counting_run(counting, run_pair, pair, COUNTED_REPS, INFINITY, &seen[k]))
            snprintf(failed, sizeof failed, "%s", jrx_last_error());
    }
    snprintf(path, sizeof path, "%s/additivity.csv", run->dir);
    int status = jrx_table_open(&table, path, &schema, JRX_TABLE_WHOLE);
    for (unsigned m = 0; m < counting->set.metrics && !status; m++) {
        double count[3] = {NAN, NAN, NAN};
        if (!counting->counted[m])
            continue;
        for (int k = 0; k < 3 && !*failed; k++)
            count[k] = seen[k].metric[m];
        put_additivity(table, counting->set.metric[m].name, count, failed);
        status = jrx_table_row(table);
    }
    if (status) {
        jrx_table_leave(table);
        return status;
    }
    return jrx_table_close(table);
}

int ex_additivity(const struct ex_run *run, const struct jrx_cache_geometry *geometry)
{
    struct ex_probe probe[2] = {{.memory = NULL}};
    const struct ex_candidate a = {.kind = EX_FMA, .threads = 1};
    const struct ex_candidate b = {.kind = EX_READ,
                                   .threads = 1,
                                   .level = EM_L2,
                                   .floats =
                                       geometry->level[geometry->levels > 1].bytes / 2 / 512 / sizeof(float) * 512};
    struct pair pair = {.probe = {&probe[0], &probe[1]}, .sde = run->sde};
    if (!run->observer || !run->observer->counting.ops)
        return 0;
    int status = ex_probe_init(&probe[0], &a, geometry, run->settings->seed);
    if (!status)
        status = ex_probe_init(&probe[1], &b, geometry, run->settings->seed);
    if (!status)
        status = write_additivity(run, &pair);
    ex_probe_fini(&probe[0]);
    ex_probe_fini(&probe[1]);
    return status;
}
