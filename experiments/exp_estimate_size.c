/*
 * Do the estimates hold for whole networks, of several sizes? Inference and training steps of DeepRx as experiment
 * train-infer observed them, beside what datasheet, cited prices and this machine's own say of what is counted.
 */
#include "experiments/estimates.h"
#include "experiments/experiment.h"
#include "experiments/figure.h"
#include "experiments/networks.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/machine.h"
#include "models/receiver/deeprx.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ROWS = 64, CONSISTENT_PERCENT = 25 };

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    (void)settings;
    *plan = (struct ex_plan){.reps = 1};
    return 0;
}

static const struct jrx_column summary_columns[] = {
    {"width_ratio", JRX_REAL, "width of the network relative to DeepRx"},
    {"batch", JRX_INTEGER, "slots at a time; all that follows is of one slot"},
    {"step", JRX_TEXT, "inference, or training: forward, backward and update"},
    {"flop", JRX_REAL, "counted: norms, sums and the optimiser with it"},
    EX_ESTIMATE_COLUMNS("time", "ms", "median of the run time, one thread, measured"),
    EX_ESTIMATE_COLUMNS("energy", "mj", "median of the energy, of the source in energy_source"),
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"datasheet", JRX_TEXT, "whose figures the next two use"},
    {"clock_time_ms", JRX_REAL, "estimated from FLOPs per clock, datasheet"},
    {"clock_energy_mj", JRX_REAL, "estimated from FLOPs per clock and TDP, datasheet"},
    {"access_energy_mj", JRX_REAL, "estimated: FLOP, modelled bytes and run time at the cited profile's prices"},
    {"fitted_energy_mj", JRX_REAL, "estimated: at this machine's own, of experiment calibrate in this run; or empty"},
    {"fitted_ci_lo_mj", JRX_REAL, "lower end of its 95 % interval"},
    {"fitted_ci_hi_mj", JRX_REAL, "upper end"},
};
static const struct jrx_schema summary_schema = {"estimate-size summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

/* What train-infer ran, and one row for inference and one for training of each. */
struct rows {
    const struct ex_run *run;
    struct jrx_csv *samples, *networks;
    struct ex_figures figures;
    const char *source; /* of its energies */
    int count;
    struct jrx_estimate time_s[MAX_ROWS], energy_j[MAX_ROWS];
    double clock_s[MAX_ROWS], flop[MAX_ROWS];
    struct em_energy estimate[MAX_ROWS][EX_ESTIMATORS];
};

static int is_training(int row)
{
    return row % 2;
}

/* Width and batch of a row. */
static int network_of(const struct rows *rows, int row, double *width, int *batch)
{
    double slots = NAN;
    int column = jrx_csv_find(rows->networks, "width_ratio"), status = column < 0 ? column : 0;
    if (!status)
        status = jrx_csv_real(rows->networks, (size_t)row / 2, (size_t)column, width);
    if (!status && (column = jrx_csv_find(rows->networks, "batch")) < 0)
        status = column;
    if (!status)
        status = jrx_csv_real(rows->networks, (size_t)row / 2, (size_t)column, &slots);
    *batch = slots >= 1 ? (int)slots : 1;
    return status;
}

/* Median over repetitions of what the parts of a call take together, of one slot. */
static int observe(const struct rows *rows, int row, const char *column, struct jrx_estimate *out)
{
    static const char *const parts[2][4] = {{"inference"}, {"forward", "backward", "update"}};
    double sum[EX_MAX_REPS] = {0}, part[EX_MAX_REPS], width;
    int count = EX_MAX_REPS, batch, status = network_of(rows, row, &width, &batch);
    for (int i = 0; !status && parts[is_training(row)][i]; i++) {
        char name[64];
        snprintf(name, sizeof name, "width=%g,batch=%d,%s", width, batch, parts[is_training(row)][i]);
        int n = ex_series(rows->samples, name, column, part, EX_MAX_REPS);
        status = n < 0 ? n : 0;
        count = n < count ? n : count;
        for (int rep = 0; rep < count; rep++)
            sum[rep] += part[rep] / batch;
    }
    const struct jrx_sample sample = {.a = sum, .n = status ? 0 : (size_t)count};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    return status ? status : jrx_bootstrap(&sample, JRX_MEDIAN, &how, out);
}

static int count(const struct rows *rows, int row, struct em_count *counted)
{
    double width;
    int batch, status = network_of(rows, row, &width, &batch);
    const struct rx_shape shape = {.body = rx_bodies(), .width = width, .rx = 2, .logits = RX_LOGITS};
    struct nn_net *net = malloc(sizeof *net);
    if (!net)
        return jrx_fail(JRX_ENOMEM, "estimate-size: no memory");
    *counted = (struct em_count){.flop = 0};
    if (!status && !(status = rx_net_init(net, &shape))) {
        net->tilings = rows->run->settings->tilings;
        status = ex_count_network(net, batch, rows->run->settings->preset->grid_f, LK_SYMBOLS, is_training(row),
                                  &rows->figures.caches, counted);
        nn_net_fini(net);
    }
    free(net);
    counted->flop /= batch;
    for (int level = 0; level < EM_LEVELS; level++)
        counted->bytes[level] /= batch;
    return status;
}

static int fill(struct rows *rows, int row)
{
    struct em_count counted;
    int status = observe(rows, row, "time_ns", &rows->time_s[row]);
    rows->time_s[row].value *= 1e-9;
    rows->time_s[row].low *= 1e-9;
    rows->time_s[row].high *= 1e-9;
    if (!status)
        status = observe(rows, row, "energy_j", &rows->energy_j[row]);
    if (!status)
        status = count(rows, row, &counted);
    if (status)
        return status;
    const struct em_use use = {rows->time_s[row].value, 1};
    rows->flop[row] = counted.flop;
    rows->clock_s[row] = em_estimate_time_s(&rows->figures.sheet, &counted, 1, 1);
    ex_estimate(&rows->figures, &counted, &use, 1, rows->estimate[row]);
    return 0;
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct rows *rows = context;
    const struct em_energy *estimate = rows->estimate[row];
    double width;
    int batch, status = network_of(rows, row, &width, &batch);
    jrx_put_real(table, "width_ratio", width);
    jrx_put_integer(table, "batch", batch);
    jrx_put_text(table, "step", is_training(row) ? "training" : "inference");
    jrx_put_real(table, "flop", rows->flop[row]);
    ex_put_estimate(table, "time", "ms", &rows->time_s[row], 1e3);
    ex_put_estimate(table, "energy", "mj", &rows->energy_j[row], 1e3);
    jrx_put_text(table, "energy_source", rows->source);
    jrx_put_text(table, "datasheet", rows->figures.sheet.name);
    jrx_put_real(table, "clock_time_ms", 1e3 * rows->clock_s[row]);
    jrx_put_real(table, "clock_energy_mj", 1e3 * estimate[EX_DATASHEET].total_j);
    jrx_put_real(table, "access_energy_mj", 1e3 * estimate[EX_ACCESS].total_j);
    jrx_put_real(table, "fitted_energy_mj", 1e3 * estimate[EX_FITTED].total_j);
    jrx_put_real(table, "fitted_ci_lo_mj", 1e3 * estimate[EX_FITTED].interval.low);
    jrx_put_real(table, "fitted_ci_hi_mj", 1e3 * estimate[EX_FITTED].interval.high);
    return status;
}

/* What is read: samples of train-infer, figures of this machine, the profile that calibrate left in this run. */
static int read_all(const struct ex_run *run, struct rows *rows)
{
    char path[PATH_MAX + 32];
    struct jrx_machine machine;
    struct jrx_cache_geometry geometry;
    rows->run = run;
    int status = ex_run_csv(run, "train-infer", "samples.csv", &rows->samples);
    if (!status)
        status = ex_run_csv(run, "train-infer", "summary.csv", &rows->networks);
    if (!status)
        status = ex_only_text(rows->samples, "energy_source", &rows->source);
    if (!status)
        status = jrx_machine_read(&machine, run->settings->sysfs, NULL);
    if (!status)
        status = ex_geometry(run->settings, &geometry);
    snprintf(path, sizeof path, "%s/calibrate/profile.ini", run->base);
    if (!status)
        status = ex_figures_read(&rows->figures, machine.cpu, NULL, access(path, R_OK) ? NULL : path, &geometry);
    if (!status && jrx_csv_rows(rows->networks) > MAX_ROWS / 2)
        status = jrx_fail(JRX_EFORMAT, "estimate-size: train-infer ran more than %d networks", MAX_ROWS / 2);
    rows->count = status ? 0 : 2 * (int)jrx_csv_rows(rows->networks);
    for (int row = 0; row < rows->count && !status; row++)
        status = fill(rows, row);
    return status;
}

/* Mean absolute errors, relative: of the times, of one estimate of energy, or of one minus another. Steps of a network
 * are drawn together. */
static int errors(const struct rows *rows, int time, int of, int minus, struct jrx_estimate *out)
{
    double a[MAX_ROWS], b[MAX_ROWS];
    uint32_t group[MAX_ROWS];
    for (int i = 0; i < rows->count; i++) {
        const double seen = time ? rows->time_s[i].value : rows->energy_j[i].value;
        a[i] = fabs((time ? rows->clock_s[i] : rows->estimate[i][of].total_j) / seen - 1);
        b[i] = minus < 0 ? 0 : fabs(rows->estimate[i][minus].total_j / seen - 1);
        group[i] = (uint32_t)i / 2;
    }
    const struct jrx_sample sample = {.a = a, .b = minus < 0 ? NULL : b, .group = group, .n = (size_t)rows->count};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    return jrx_bootstrap(&sample, minus < 0 ? JRX_MEAN : JRX_MEAN_DIFFERENCE, &how, out);
}

static int claim_all(const struct rows *rows, struct ex_claim *claims)
{
    const enum jrx_source source = ex_source(rows->source);
    const double limit = CONSISTENT_PERCENT / 100.0;
    const int own = !rows->figures.sheet.fallback;
    struct jrx_estimate time, access, gain;
    char of_sheet[320], of_prices[320];
    int status = errors(rows, 1, 0, -1, &time);
    if (!status)
        status = errors(rows, 0, EX_ACCESS, -1, &access);
    if (!status)
        status = errors(rows, 0, EX_ACCESS, EX_DATASHEET, &gain);
    if (status)
        return status;
    snprintf(of_sheet, sizeof of_sheet, "mean relative error over widths, batches and steps; datasheet of %s%s",
             rows->figures.sheet.name, own ? "" : ", as this CPU is not in the table: no verdict");
    snprintf(of_prices, sizeof of_prices, "mean relative error over widths, batches and steps; prices of %s%s",
             rows->figures.priced,
             source == JRX_ESTIMATED ? ", by which their energy is estimated, too: this says nothing" : "");
    claims[0] = ex_claim_make("size-time", "The time from FLOPs/clock agrees with that of whole networks within 25 %.",
                              of_sheet, &time, own ? ex_verdict_of(time.low, time.high, limit, 1) : EX_INCONCLUSIVE,
                              JRX_MEASURED);
    claims[1] = ex_claim_make(
        "size-energy",
        "The energy from FLOPs, memory accesses and cited prices agrees with that of whole networks within 25 %.",
        of_prices, &access, ex_verdict_of_energy(source, access.low, access.high, limit, 1), source);
    claims[2] = ex_claim_make(
        "size-memory", "Counting memory accesses brings the estimated energy of networks closer to the actual.",
        "mean absolute error with accesses minus that from FLOPs/clock and TDP, relative: below 0 "
        "is closer",
        &gain, ex_verdict_of_energy(source, gain.low, gain.high, 0, 1), source);
    return 3;
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)samples, (void)max;
    struct rows *rows = calloc(1, sizeof *rows);
    int status = rows ? read_all(run, rows) : jrx_fail(JRX_ENOMEM, "estimate-size: no memory");
    if (!status)
        status = ex_summary(run->dir, &summary_schema, rows->count, put_row, rows);
    if (!status)
        status = claim_all(rows, claims);
    if (rows) {
        jrx_csv_free(rows->samples);
        jrx_csv_free(rows->networks);
    }
    free(rows);
    return status;
}

const struct ex_experiment exp_estimate_size = {
    .name = "estimate-size",
    .title = "Estimates of whole networks",
    .question = "Inference and training of a slot by DeepRx at three widths, alone and four at a time: what FLOPs per "
                "clock of a datasheet, cited prices of FLOPs and memory accesses, and this machine's own where they "
                "are fitted, say beside what was observed.",
    .needs = "train-infer",
    .order = 32,
    .summary = &summary_schema,
    .plan = plan,
    .conclude = conclude};
