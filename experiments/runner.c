#include "experiments/runner.h"
#include "experiments/figure.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/interrupt.h"
#include "harness/schedule.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNNER_COLUMNS = 4 };
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

int ex_listed(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == length && !strncmp(at, name, length))
            return 1;
    return 0;
}

/* ---- one experiment ------------------------------------------------------------------------------------------- */

enum { LABEL = 128 };

/* The labels of all cells, LABEL bytes each; NULL without memory. */
static char *labels_of(const struct ex_run *run, int cells)
{
    char *labels = calloc((size_t)cells, LABEL);
    for (int cell = 0; labels && cell < cells; cell++)
        run->experiment->label(run->settings, cell, labels + (size_t)cell * LABEL, LABEL);
    return labels;
}

static int find_label(const char *labels, int cells, const char *label)
{
    for (int cell = 0; cell < cells; cell++)
        if (!strcmp(labels + (size_t)cell * LABEL, label))
            return cell;
    return -1;
}

/* Marks in done[cells * reps] what an earlier run of this experiment finished. */
static int find_done(const struct ex_run *run, const struct jrx_table *table, const struct jrx_schema *schema,
                     const struct ex_plan *plan, unsigned char *done, uint32_t *count)
{
    struct jrx_csv *csv = NULL;
    *count = 0;
    if (!jrx_table_rows(table))
        return 0;
    char *labels = labels_of(run, plan->cells);
    int status = labels ? jrx_csv_read(&csv, jrx_table_path(table), schema)
                        : jrx_fail(JRX_ENOMEM, "%s: no memory for labels", run->experiment->name);
    size_t rows = status ? 0 : jrx_csv_rows(csv), cell_column = status ? 0 : (size_t)jrx_csv_find(csv, "cell"),
           rep_column = status ? 0 : (size_t)jrx_csv_find(csv, "rep");
    for (size_t row = 0; row < rows && !status; row++) {
        int64_t rep = -1;
        const char *label = jrx_csv_text(csv, row, cell_column);
        int cell = find_label(labels, plan->cells, label);
        status = jrx_csv_integer(csv, row, rep_column, -1, &rep);
        if (!status && (cell < 0 || rep < 0 || rep >= plan->reps))
            status = jrx_fail(JRX_EFORMAT,
                              "%s row %zu: cell '%s' repetition %lld is not in the plan; it belongs to another preset",
                              jrx_table_path(table), row + 1, label, (long long)rep);
        if (!status && !done[cell * plan->reps + rep]) {
            done[cell * plan->reps + rep] = 1;
            ++*count;
        }
    }
    jrx_csv_free(csv);
    free(labels);
    return status;
}

/* How long a cell takes beside the mean of all. */
static double weight(const struct ex_run *run, const struct ex_plan *plan, int cell)
{
    double (*cell_s)(const struct ex_settings *, int) = run->experiment->cell_s;
    return cell_s && plan->item_s > 0 ? cell_s(run->settings, cell) / plan->item_s : 1;
}

static int run_cells(struct ex_run *run, const struct ex_plan *plan, const struct jrx_step *steps,
                     const unsigned char *done, struct jrx_table *table)
{
    char words[96];
    int status = 0, measured = ex_is_measured(run->experiment->column, run->experiment->columns);
    uint32_t total = (uint32_t)(plan->cells * plan->reps), block = UINT32_MAX;
    for (uint32_t i = 0; i < total && !status; i++) {
        int cell = (int)steps[i].cell, rep = (int)steps[i].rep;
        if (done[cell * plan->reps + rep])
            continue;
        /* a block is a round over all cells; in a fixed order, a cell */
        uint32_t here = plan->shuffled ? steps[i].rep : steps[i].cell;
        if (measured && here != block) {
            block = here;
            ex_baselines(run);
        }
        run->experiment->label(run->settings, cell, run->label, sizeof run->label);
        *words = 0;
        jrx_progress_item(run->progress, run->label);
        jrx_progress_weigh(run->progress, weight(run, plan, cell));
        jrx_put_text(table, "experiment", run->experiment->name);
        jrx_put_text(table, "cell", run->label);
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

/* Whether a repetition belongs to another share than the one being run. */
static int is_others(const struct ex_shard *shard, const struct ex_plan *plan, int rep)
{
    return shard->count && shard->index != (plan->shuffled ? rep % shard->count : 0);
}

int ex_draw(const struct ex_experiment *experiment, const char *dir, const char *energy_source)
{
    int status = ex_figure(dir, experiment->name, energy_source);
    return status || !experiment->also_figure ? status : ex_figure(dir, experiment->also_figure, energy_source);
}

/* Runs what is not done of the plan; leaves samples.csv whole, or samples.csv.part when interrupted. */
static int sample(struct ex_run *run, const struct jrx_schema *schema, const struct ex_plan *plan)
{
    char path[PATH_MAX + 16];
    struct jrx_table *table = NULL;
    uint32_t total = (uint32_t)(plan->cells * plan->reps), finished = 0;
    double weighs = 0;
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
    for (uint32_t i = 0; i < total && !status; i++)
        if (is_others(&run->settings->shard, plan, (int)i % plan->reps) && !done[i]) {
            done[i] = 1;
            finished++;
        }
    for (uint32_t i = 0; i < total; i++)
        weighs += done && done[i] ? weight(run, plan, (int)i / plan->reps) : 0;
    if (!status) {
        jrx_progress_skip(run->progress, finished, weighs);
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
    const char *name = "";
    enum jrx_source source = JRX_SOURCE_NONE;
    struct jrx_csv *samples = NULL;
    struct ex_claim *claims = calloc(EX_MAX_CLAIMS, sizeof *claims);
    if (!claims)
        return jrx_fail(JRX_ENOMEM, "no memory for claims");
    snprintf(path, sizeof path, "%s/samples.csv", run->dir);
    int status = run->experiment->cell ? jrx_csv_read(&samples, path, schema) : 0;
    if (!status) {
        if (ex_is_measured(run->experiment->column, run->experiment->columns))
            status = ex_only_text(samples, "energy_source", &name);
        source = ex_source(name);
        int count = status ? status : run->experiment->conclude(run, samples, claims, EX_MAX_CLAIMS);
        for (int i = 0; i < count; i++)
            if (!run->settings->preset->evidence && claims[i].verdict != EX_NOT_TESTABLE)
                claims[i].verdict = EX_INCONCLUSIVE;
        status = count < 0 ? count : ex_claims_write(run->dir, claims, (size_t)count);
        jrx_csv_free(samples);
    }
    free(claims);
    return status ? status
                  : ex_draw(run->experiment, run->dir, source == JRX_SOURCE_NONE ? "none" : jrx_source_name(source));
}

void ex_run_init(struct ex_run *run, struct ex_session *session, const struct ex_experiment *experiment)
{
    *run = (struct ex_run){.experiment = experiment,
                           .settings = &session->settings,
                           .window = &session->window,
                           .progress = &session->progress,
                           .warnings = &session->warnings,
                           .sde = session->sde,
                           .observer = &session->observer};
    jrx_baseline_unknown(&run->idle);
    jrx_baseline_unknown(&run->active);
    snprintf(run->base, sizeof run->base, "%s", session->base);
}

size_t ex_columns(const struct ex_observer *observer, const struct jrx_column *own, size_t owns,
                  struct jrx_column column[EX_COLUMNS])
{
    size_t extra = ex_is_measured(own, owns) && observer ? observer->columns : 0;
    memcpy(column, runner_columns, sizeof runner_columns);
    if (owns)
        memcpy(column + RUNNER_COLUMNS, own, owns * sizeof *column);
    if (extra)
        memcpy(column + RUNNER_COLUMNS + owns, observer->column, extra * sizeof *column);
    return RUNNER_COLUMNS + owns + extra;
}

/* Where samples and summary of the experiment lie; a share has a folder of its own already. */
static int run_folder(struct ex_run *run, const struct ex_session *session)
{
    int share = session->settings.shard.count;
    return snprintf(run->dir, sizeof run->dir, "%s%s%s", session->dir, share ? "" : "/",
                    share ? "" : run->experiment->name) < (int)sizeof run->dir
               ? 0
               : jrx_fail(JRX_EINVAL, "%s: path too long", session->dir);
}

int ex_session_conclude(struct ex_session *session, const struct ex_experiment *experiment)
{
    struct ex_run run;
    struct jrx_column column[EX_COLUMNS];
    ex_run_init(&run, session, experiment);
    const struct jrx_schema schema = {experiment->name, column,
                                      ex_columns(NULL, experiment->column, experiment->columns, column)};
    int status = run_folder(&run, session);
    return status ? status : conclude(&run, &schema);
}

int ex_session_run(struct ex_session *session, const struct ex_experiment *experiment, unsigned group)
{
    struct ex_run run;
    struct jrx_column column[EX_COLUMNS];
    struct ex_plan plan = {.reps = 1};
    int status = experiment->plan(&session->settings, &plan);
    if (status)
        return status;
    if (plan.nothing) {
        char text[256];
        snprintf(text, sizeof text, "%s: nothing to do in this preset: %s", experiment->name, plan.nothing);
        jrx_progress_say(&session->progress, text);
        return 0;
    }
    ex_run_init(&run, session, experiment);
    const struct jrx_schema schema = {experiment->name, column,
                                      ex_columns(&session->observer, experiment->column, experiment->columns, column)};
    if ((status = run_folder(&run, session)))
        return status;
    if (mkdir(run.dir, 0777) && errno != EEXIST)
        return jrx_fail(JRX_EIO, "%s: %s", run.dir, strerror(errno));
    jrx_progress_enter(&session->progress, group);
    status = experiment->cell ? sample(&run, &schema, &plan) : 0;
    return status || session->settings.shard.count ? status : conclude(&run, &schema);
}
