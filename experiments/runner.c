#include "experiments/runner.h"
#include "experiments/figure.h"
#include "harness/base/error.h"
#include "harness/calibrate.h"
#include "harness/interrupt.h"
#include "harness/schedule.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNNER_COLUMNS = 4, MAX_COLUMNS = 64 };
static const struct jrx_column runner_columns[RUNNER_COLUMNS] = {
    {"experiment", JRX_TEXT, "which experiment"},
    {"cell", JRX_TEXT, "which cell of its plan"},
    {"rep", JRX_INTEGER, "repetition of the cell, from 0; in a shuffled order also the number of the block"},
    {"seq", JRX_INTEGER, "place in the order of running, from 0"},
};

#define X(symbol) extern const struct ex_experiment symbol;
#include "experiments.inc"
#undef X

static const struct ex_experiment *experiments[] = {
#define X(symbol) &symbol,
#include "experiments.inc"
#undef X
};
enum { EXPERIMENTS = sizeof experiments / sizeof *experiments };

static int by_order(const void *a, const void *b)
{
    const struct ex_experiment *const *l = a, *const *r = b;
    return (*l)->order - (*r)->order;
}

const struct ex_experiment *const *ex_experiments(size_t *count)
{
    qsort(experiments, EXPERIMENTS, sizeof *experiments, by_order);
    *count = EXPERIMENTS;
    return experiments;
}

const struct ex_experiment *ex_find(const char *name)
{
    char names[256] = "";
    for (int i = 0; i < EXPERIMENTS; i++) {
        if (!strcmp(name, experiments[i]->name))
            return experiments[i];
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s", experiments[i]->name);
    }
    jrx_fail(JRX_EINVAL, "no experiment '%s'; there are:%s", name, names);
    return NULL;
}

/* ---- one repetition ------------------------------------------------------------------------------------------- */

/* What a window did, as software-defined events: after it, so that nothing lies within it. */
static void publish(struct jrx_sde *sde, const struct jrx_work *work, double calls)
{
    const struct {
        enum jrx_sde_event event;
        double amount;
    } done[] = {{JRX_SDE_FLOP, work->flop},
                {JRX_SDE_L1_BYTES, work->l1_bytes},
                {JRX_SDE_L2_BYTES, work->l2_bytes},
                {JRX_SDE_L3_BYTES, work->l3_bytes},
                {JRX_SDE_DRAM_BYTES, work->dram_bytes}};
    for (size_t i = 0; i < sizeof done / sizeof *done; i++)
        if (!isnan(done[i].amount))
            jrx_sde_add(sde, done[i].event, (int64_t)(done[i].amount * calls));
    jrx_sde_add(sde, JRX_SDE_REGIONS, (int64_t)calls);
}

int ex_measure(struct ex_run *run, const struct jrx_region *region, uint64_t *iters, struct jrx_table *samples,
               double *time_ns)
{
    const struct jrx_meter *meter = run->window->meter;
    struct jrx_window_result result;
    int status;
    if (!*iters) {
        const struct jrx_calibration want = {.min_time_ns = (uint64_t)(run->settings->preset->window_s * 1e9),
                                             .tick_ns = meter->tick_ns,
                                             .min_ticks = 100};
        if ((status = jrx_calibrate(region, &want, iters, NULL)))
            return status;
    }
    if ((status = jrx_window_measure(run->window, region, *iters, &result)))
        return status;
    double calls = (double)*iters;
    publish(run->sde, &region->work, calls);
    *time_ns = (double)result.time_ns / calls;
    jrx_put_integer(samples, "iters", (int64_t)*iters);
    jrx_put_real(samples, "window_s", (double)result.time_ns * 1e-9);
    jrx_put_real(samples, "time_ns", *time_ns);
    jrx_put_real(samples, "energy_j", result.total_j / calls);
    jrx_put_real(samples, "energy_uncertainty_j", result.total_uncertainty_j / calls);
    jrx_put_real(samples, "idle_w", run->idle_w);
    jrx_put_text(samples, "energy_source", jrx_source_name(result.source));
    jrx_put_text(samples, "meter", meter->ops->name);
    jrx_put_text(samples, "status", result.status ? result.reason : "ok");
    return 0;
}

/* The idle machine, once a block: reported beside every energy, never subtracted. */
static void idle_block(struct ex_run *run)
{
    struct jrx_window_result idle;
    run->idle_w = NAN;
    if (!jrx_window_idle(run->window, (uint64_t)(run->settings->preset->window_s * 1e9), &idle) && idle.time_ns)
        run->idle_w = idle.total_j / ((double)idle.time_ns * 1e-9);
}

/* ---- one experiment ------------------------------------------------------------------------------------------- */

/* Marks in done[cells * reps] what an earlier run of this experiment finished. */
static int find_done(const struct ex_run *run, const struct jrx_table *table, const struct jrx_schema *schema,
                     const struct ex_plan *plan, unsigned char *done, uint32_t *count)
{
    struct jrx_csv *csv;
    *count = 0;
    if (!jrx_table_rows(table))
        return 0;
    int status = jrx_csv_read(&csv, jrx_table_path(table), schema);
    if (status)
        return status;
    size_t cell_column = (size_t)jrx_csv_find(csv, "cell"), rep_column = (size_t)jrx_csv_find(csv, "rep");
    for (size_t row = 0; row < jrx_csv_rows(csv) && !status; row++) {
        int64_t rep = -1;
        char label[128];
        int cell = 0;
        status = jrx_csv_integer(csv, row, rep_column, -1, &rep);
        for (; cell < plan->cells; cell++) {
            run->experiment->label(run->settings, cell, label, sizeof label);
            if (!strcmp(label, jrx_csv_text(csv, row, cell_column)))
                break;
        }
        if (!status && (cell == plan->cells || rep < 0 || rep >= plan->reps))
            status = jrx_fail(JRX_EFORMAT,
                              "%s row %zu: cell '%s' repetition %lld is not in the plan; it belongs to another preset",
                              jrx_table_path(table), row + 1, jrx_csv_text(csv, row, cell_column), (long long)rep);
        if (!status && !done[cell * plan->reps + rep]) {
            done[cell * plan->reps + rep] = 1;
            ++*count;
        }
    }
    jrx_csv_free(csv);
    return status;
}

static int run_cells(struct ex_run *run, const struct ex_plan *plan, const struct jrx_step *steps,
                     const unsigned char *done, struct jrx_table *table)
{
    char label[128], words[96];
    int status = 0;
    uint32_t total = (uint32_t)(plan->cells * plan->reps), block = UINT32_MAX;
    run->idle_w = NAN;
    for (uint32_t i = 0; i < total && !status; i++) {
        int cell = (int)steps[i].cell, rep = (int)steps[i].rep;
        if (done[cell * plan->reps + rep])
            continue;
        if (plan->shuffled && steps[i].rep != block) {
            block = steps[i].rep;
            idle_block(run);
        }
        run->experiment->label(run->settings, cell, label, sizeof label);
        *words = 0;
        jrx_progress_item(run->progress, label);
        jrx_put_text(table, "experiment", run->experiment->name);
        jrx_put_text(table, "cell", label);
        jrx_put_integer(table, "rep", rep);
        jrx_put_integer(table, "seq", i);
        status = jrx_interrupt_check();
        if (!status)
            status = run->experiment->cell(run, cell, rep, table, words, sizeof words);
        if (!status)
            status = jrx_table_row(table);
        if (!status)
            jrx_progress_done(run->progress, words);
    }
    return status;
}

/* Runs what is not done of the plan; leaves samples.csv whole, or samples.csv.part when interrupted. */
static int sample(struct ex_run *run, const struct jrx_schema *schema, const struct ex_plan *plan)
{
    char path[PATH_MAX + 16];
    struct jrx_table *table = NULL;
    uint32_t total = (uint32_t)(plan->cells * plan->reps), finished = 0;
    struct jrx_step *steps = calloc(total, sizeof *steps);
    unsigned char *done = calloc(total, 1);
    int status =
        steps && done ? 0 : jrx_fail(JRX_ENOMEM, "%s: no memory for %u repetitions", run->experiment->name, total);
    snprintf(path, sizeof path, "%s/samples.csv", run->dir);
    if (!status)
        status = jrx_schedule(steps, (uint32_t)plan->cells, (uint32_t)plan->reps,
                              plan->shuffled ? JRX_SHUFFLED : JRX_SEQUENTIAL, run->settings->seed);
    if (!status)
        status = jrx_table_open(&table, path, schema, JRX_TABLE_APPEND);
    if (!status)
        status = find_done(run, table, schema, plan, done, &finished);
    if (!status) {
        jrx_progress_skip(run->progress, finished);
        if (finished < total) {
            status = run->experiment->begin ? run->experiment->begin(run) : 0;
            if (!status)
                status = run_cells(run, plan, steps, done, table);
            if (run->experiment->end)
                run->experiment->end(run);
        }
    }
    if (status)
        jrx_table_leave(table);
    else
        status = jrx_table_close(table);
    free(steps);
    free(done);
    return status;
}

static int conclude(struct ex_run *run, const struct jrx_schema *schema)
{
    char path[PATH_MAX + 16];
    struct jrx_csv *samples;
    struct ex_claim *claims = calloc(EX_MAX_CLAIMS, sizeof *claims);
    if (!claims)
        return jrx_fail(JRX_ENOMEM, "no memory for claims");
    snprintf(path, sizeof path, "%s/samples.csv", run->dir);
    int status = jrx_csv_read(&samples, path, schema);
    if (!status) {
        int count = run->experiment->conclude(run, samples, claims, EX_MAX_CLAIMS);
        for (int i = 0; i < count; i++)
            if (!run->settings->preset->evidence && claims[i].verdict != EX_NOT_TESTABLE)
                claims[i].verdict = EX_INCONCLUSIVE;
        status = count < 0 ? count : ex_claims_write(run->dir, claims, (size_t)count);
        jrx_csv_free(samples);
    }
    free(claims);
    return status ? status : ex_figure(run->dir, run->experiment->name, jrx_source_name(run->window->meter->source));
}

int ex_session_run(struct ex_session *session, const struct ex_experiment *experiment, unsigned group)
{
    struct ex_run run = {.experiment = experiment,
                         .settings = &session->settings,
                         .window = &session->window,
                         .progress = &session->progress,
                         .warnings = &session->warnings,
                         .sde = session->sde};
    struct jrx_column column[MAX_COLUMNS];
    struct ex_plan plan = {.reps = 1};
    int status = experiment->plan(&session->settings, &plan);
    if (status)
        return status;
    memcpy(column, runner_columns, sizeof runner_columns);
    memcpy(column + RUNNER_COLUMNS, experiment->column, experiment->columns * sizeof *column);
    const struct jrx_schema schema = {experiment->name, column, RUNNER_COLUMNS + experiment->columns};
    snprintf(run.base, sizeof run.base, "%s", session->dir);
    if (snprintf(run.dir, sizeof run.dir, "%s/%s", session->dir, experiment->name) >= (int)sizeof run.dir)
        return jrx_fail(JRX_EINVAL, "%s: path too long", session->dir);
    if (mkdir(run.dir, 0777) && errno != EEXIST)
        return jrx_fail(JRX_EIO, "%s: %s", run.dir, strerror(errno));
    jrx_progress_enter(&session->progress, group);
    status = sample(&run, &schema, &plan);
    return status ? status : conclude(&run, &schema);
}
