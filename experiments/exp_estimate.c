/*
 * Does a datasheet tell what a layer costs? Every layer of DeepRx in every direction: run time and energy as observed,
 * beside the estimates from FLOPs and clock, from FLOPs and accesses at cited prices and at this machine's own, and
 * beside fits of FLOPs alone and of FLOPs plus memory accesses.
 */
#include "experiments/call.h"
#include "experiments/estimates.h"
#include "experiments/experiment.h"
#include "experiments/figure.h"
#include "experiments/net_calls.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "harness/machine.h"
#include "models/energy/datasheet.h"
#include "models/energy/fit.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_CELLS = 128 };

static const struct jrx_column columns[] = {
    EX_CALL_COLUMNS,
    {"op", JRX_TEXT, "operator"},
    {"direction", JRX_TEXT, "forward, backward-data or backward-weights"},
    {"datasheet", JRX_TEXT, "whose figures the two estimates below use"},
    {"datasheet_own", JRX_INTEGER, "1 if they are this CPU's, 0 if the CPU is not in the table"},
    {"clock_time_ns", JRX_REAL, "estimated: FLOP / (FLOPs per clock * base clock), one core, datasheet figures"},
    {"clock_energy_j", JRX_REAL, "estimated: that time at one core's share of the TDP"},
};

struct cell {
    enum kn_op op;
    enum kn_dir dir;
    struct kn_shape shape;
};

/* The distinct convolutions of DeepRx at width 1, each in three directions. */
static int list_cells(const struct ex_settings *settings, struct cell *cells)
{
    struct ex_net_layer layer[EX_NET_LAYERS];
    const int layers = ex_net_layers(rx_bodies(), settings->preset->grid_f, layer);
    int count = 0;
    for (int i = 0; i < layers; i++)
        for (int dir = 0; layer[i].conv && dir < KN_DIRS && count < MAX_CELLS; dir++)
            cells[count++] = (struct cell){layer[i].op, (enum kn_dir)dir, layer[i].shape};
    return layers < 0 ? layers : count;
}

struct state {
    struct cell cell[MAX_CELLS];
    struct ex_call call[MAX_CELLS];
    struct ex_traffic traffic[MAX_CELLS];
    uint64_t iters[MAX_CELLS];
    int cells;
    struct em_datasheet sheet;
    struct jrx_cache_geometry geometry;
};

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    struct cell cells[MAX_CELLS];
    int count = list_cells(settings, cells);
    if (count < 0)
        return count;
    *plan = (struct ex_plan){
        .cells = count, .reps = settings->preset->reps, .shuffled = 1, .item_s = 1.2 * settings->preset->window_s};
    return 0;
}

static void label_of(const struct cell *cell, char *text, size_t size)
{
    char layer[64];
    snprintf(text, size, "%s:%s", kn_layer_format(cell->op, &cell->shape, layer, sizeof layer), kn_dir_name(cell->dir));
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    struct cell cells[MAX_CELLS];
    *text = 0;
    if (list_cells(settings, cells) > cell)
        label_of(&cells[cell], text, size);
}

static int begin(struct ex_run *run)
{
    struct jrx_machine machine;
    char folder[PATH_MAX];
    struct state *state = run->state = calloc(1, sizeof *state);
    int status =
        state ? ex_home_path("models/energy/datasheets", folder, sizeof folder) : jrx_fail(JRX_ENOMEM, "no memory");
    if (!status)
        status = jrx_machine_read(&machine, run->settings->sysfs, NULL);
    if (!status)
        status = em_datasheet_find(folder, machine.cpu, &state->sheet);
    if (!status)
        status = ex_geometry(run->settings, &state->geometry);
    if (!status && state->sheet.fallback)
        jrx_warn(run->warnings, "datasheet", NAN, NAN,
                 "add models/energy/datasheets/<cpu>.ini with a source for each figure",
                 "no datasheet entry for '%s': the figures of '%s' are used", machine.cpu, state->sheet.name);
    if (!status && (state->cells = list_cells(run->settings, state->cell)) < 0)
        status = state->cells;
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int i = 0; state && i < state->cells; i++)
        ex_call_fini(&state->call[i]);
    free(state);
    run->state = NULL;
}

static void put_estimates(const struct em_datasheet *sheet, double flop, struct jrx_table *samples)
{
    jrx_put_text(samples, "datasheet", sheet->name);
    jrx_put_integer(samples, "datasheet_own", !sheet->fallback);
    jrx_put_real(samples, "clock_time_ns",
                 1e9 * em_time_flop_per_clock_s(flop, sheet->flop_per_clock, sheet->base_hz, 1, 1));
    jrx_put_real(samples, "clock_energy_j",
                 em_energy_flop_per_clock_j(flop, sheet->flop_per_clock, sheet->base_hz, 1, 1, em_share_w(sheet, 1)));
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    const struct cell *cell = &state->cell[index];
    struct ex_call *call = &state->call[index];
    struct ex_traffic *traffic = &state->traffic[index];
    int status = 0;
    if (!call->memory) { /* the first repetition prepares the cell */
        const struct kn_kernel *kernel = kn_best(cell->op, cell->dir);
        const struct nn_tilings *known = run->settings->tilings;
        const struct kn_tile none = {0}, tile = known ? known->get(known->self, kernel, &cell->shape, 1) : none;
        status = ex_call_init(call, kernel, &cell->shape, &tile, 1, run->settings->seed);
        if (!status)
            status = ex_call_simulate(call, &state->geometry, traffic);
        if (status)
            return status;
    }
    jrx_put_text(samples, "op", kn_op_name(cell->op));
    jrx_put_text(samples, "direction", kn_dir_name(cell->dir));
    put_estimates(&state->sheet, kn_flop(cell->op, cell->dir, &cell->shape), samples);
    return ex_call_measure(run, call, traffic, &state->iters[index], samples, NULL, words, size);
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"cell", JRX_TEXT, "layer and direction"},
    {"op", JRX_TEXT, "operator"},
    {"direction", JRX_TEXT, "forward, backward-data or backward-weights"},
    {"flop", JRX_REAL, "useful FLOP of one call"},
    {"sim_l2_bytes", JRX_REAL, "simulated: bytes between L1 and L2"},
    {"time_ms", JRX_REAL, "median of the run time, measured"},
    {"time_ci_lo_ms", JRX_REAL, "lower end of its 95 % interval"},
    {"time_ci_hi_ms", JRX_REAL, "upper end"},
    {"energy_mj", JRX_REAL, "median of the energy, of the source in energy_source"},
    {"energy_ci_lo_mj", JRX_REAL, "lower end of its 95 % interval"},
    {"energy_ci_hi_mj", JRX_REAL, "upper end"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"clock_time_ms", JRX_REAL, "estimated from FLOPs per clock, datasheet"},
    {"clock_energy_mj", JRX_REAL, "estimated from FLOPs per clock and TDP, datasheet"},
    {"access_energy_mj", JRX_REAL, "estimated: FLOP, simulated bytes and run time at the cited profile's prices"},
    {"fitted_energy_mj", JRX_REAL, "estimated: at this machine's own, of experiment calibrate in this run; or empty"},
    {"fitted_ci_lo_mj", JRX_REAL, "lower end of its 95 % interval"},
    {"fitted_ci_hi_mj", JRX_REAL, "upper end"},
    {"flop_fit_time_ms", JRX_REAL, "fit of FLOPs alone, this layer left out"},
    {"memory_fit_time_ms", JRX_REAL, "fit of FLOPs and memory accesses, this layer left out"},
    {"flop_fit_energy_mj", JRX_REAL, "the same for the energy"},
    {"memory_fit_energy_mj", JRX_REAL, "the same for the energy"},
};
static const struct jrx_schema summary_schema = {"estimate summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

/* One row a cell. Predictions are of the cell's whole layer left out: all three directions. */
struct rows {
    int count;
    struct cell cell[MAX_CELLS];
    int group[MAX_CELLS];
    double time_ns[MAX_CELLS], energy_j[MAX_CELLS], clock_ns[MAX_CELLS], clock_j[MAX_CELLS];
    double access_j[MAX_CELLS], fitted_j[MAX_CELLS];
    struct em_interval fitted_ends[MAX_CELLS];
    double x[3 * MAX_CELLS]; /* [column][row]: flop, register bytes, bytes below L1 */
    double flop_ns[MAX_CELLS], memory_ns[MAX_CELLS], flop_j[MAX_CELLS], memory_j[MAX_CELLS];
};

static double value(const struct jrx_csv *samples, const char *cell, const char *column, int *status)
{
    struct jrx_estimate estimate = {NAN, NAN, NAN, 0};
    if (!*status)
        *status = ex_median(samples, cell, column, &estimate);
    return estimate.value;
}

static int read_rows(const struct jrx_csv *samples, struct rows *rows)
{
    int status = 0;
    for (int i = 0; i < rows->count && !status; i++) {
        char name[96];
        label_of(&rows->cell[i], name, sizeof name);
        rows->group[i] = i / KN_DIRS;
        rows->time_ns[i] = value(samples, name, "time_ns", &status);
        rows->energy_j[i] = value(samples, name, "energy_j", &status);
        rows->clock_ns[i] = value(samples, name, "clock_time_ns", &status);
        rows->clock_j[i] = value(samples, name, "clock_energy_j", &status);
        rows->x[i] = value(samples, name, "flop", &status);
        rows->x[rows->count + i] = value(samples, name, "sim_l1_bytes", &status);
        rows->x[2 * rows->count + i] =
            value(samples, name, "sim_l2_bytes", &status) + value(samples, name, "sim_l3_bytes", &status);
    }
    return status;
}

/* Predictions of y from the first `cols` columns, each layer from the others. A fit that is refused leaves NAN. */
static void left_out(const struct rows *rows, const double *y, int cols, double *prediction)
{
    static const char *const names[] = {"flop", "register_bytes", "cache_bytes"};
    const struct em_data data = {.rows = (size_t)rows->count,
                                 .cols = cols,
                                 .x = rows->x,
                                 .y = y,
                                 .names = names,
                                 .group = rows->group,
                                 .groups = rows->count / KN_DIRS};
    const struct em_fit_options options = {.method = EM_NNLS, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    struct em_fit fit = {0};
    int status = em_fit_init(&fit, &data, &options);
    for (int i = 0; i < rows->count; i++)
        prediction[i] = status ? NAN : fit.left_out[i];
    em_fit_fini(&fit);
}

/* By the cited prices, and by the profile that experiment calibrate left in this run, if it did. */
static int estimate_rows(const struct ex_run *run, const struct jrx_csv *samples, struct rows *rows)
{
    static const char *const columns_of[EM_LEVELS] = {"sim_l1_bytes", "sim_l2_bytes", "sim_l3_bytes", "sim_dram_bytes"};
    static const struct jrx_cache_geometry unused = {.levels = 0}; /* nothing is modelled */
    struct ex_figures *figures = malloc(sizeof *figures);
    char path[PATH_MAX + 32], name[96];
    snprintf(path, sizeof path, "%s/calibrate/profile.ini", run->base);
    int status = figures ? ex_figures_read(figures, "", NULL, access(path, R_OK) ? NULL : path, &unused)
                         : jrx_fail(JRX_ENOMEM, "no memory");
    for (int i = 0; i < rows->count && !status; i++) {
        struct em_count count = {.flop = rows->x[i]};
        struct em_energy energy[EX_ESTIMATORS];
        const struct em_use use = {1e-9 * rows->time_ns[i], 1};
        label_of(&rows->cell[i], name, sizeof name);
        for (int level = 0; level < EM_LEVELS; level++)
            count.bytes[level] = value(samples, name, columns_of[level], &status);
        ex_estimate(figures, &count, &use, 1, energy);
        rows->access_j[i] = energy[EX_ACCESS].total_j;
        rows->fitted_j[i] = energy[EX_FITTED].total_j;
        rows->fitted_ends[i] = energy[EX_FITTED].interval;
    }
    free(figures);
    return status;
}

struct summary {
    const struct jrx_csv *samples;
    const struct rows *rows;
    const char *source;
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct rows *rows = summary->rows;
    struct jrx_estimate time, energy;
    char name[96];
    label_of(&rows->cell[row], name, sizeof name);
    int status = ex_median(summary->samples, name, "time_ns", &time);
    if (!status)
        status = ex_median(summary->samples, name, "energy_j", &energy);
    if (status)
        return status;
    jrx_put_text(table, "cell", name);
    jrx_put_text(table, "op", kn_op_name(rows->cell[row].op));
    jrx_put_text(table, "direction", kn_dir_name(rows->cell[row].dir));
    jrx_put_real(table, "flop", rows->x[row]);
    jrx_put_real(table, "sim_l2_bytes", value(summary->samples, name, "sim_l2_bytes", &status));
    ex_put_estimate(table, "time", "ms", &time, 1e-6);
    ex_put_estimate(table, "energy", "mj", &energy, 1e3);
    jrx_put_text(table, "energy_source", summary->source);
    jrx_put_real(table, "clock_time_ms", rows->clock_ns[row] * 1e-6);
    jrx_put_real(table, "clock_energy_mj", rows->clock_j[row] * 1e3);
    jrx_put_real(table, "access_energy_mj", rows->access_j[row] * 1e3);
    jrx_put_real(table, "fitted_energy_mj", rows->fitted_j[row] * 1e3);
    jrx_put_real(table, "fitted_ci_lo_mj", rows->fitted_ends[row].low * 1e3);
    jrx_put_real(table, "fitted_ci_hi_mj", rows->fitted_ends[row].high * 1e3);
    jrx_put_real(table, "flop_fit_time_ms", rows->flop_ns[row] * 1e-6);
    jrx_put_real(table, "memory_fit_time_ms", rows->memory_ns[row] * 1e-6);
    jrx_put_real(table, "flop_fit_energy_mj", rows->flop_j[row] * 1e3);
    jrx_put_real(table, "memory_fit_energy_mj", rows->memory_j[row] * 1e3);
    return status;
}

/* Mean absolute percentage errors: of one prediction, or of one over the other, layers drawn with their directions. */
static int mape(const struct rows *rows, const double *y, const double *prediction, const double *other,
                struct jrx_estimate *estimate)
{
    double a[MAX_CELLS], b[MAX_CELLS];
    uint32_t group[MAX_CELLS];
    for (int i = 0; i < rows->count; i++) {
        a[i] = fabs(prediction[i] - y[i]) / y[i];
        b[i] = other ? fabs(other[i] - y[i]) / y[i] : 0;
        group[i] = (uint32_t)rows->group[i];
    }
    const struct jrx_sample sample = {.a = a, .b = other ? b : NULL, .group = group, .n = (size_t)rows->count};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    return jrx_bootstrap(&sample, other ? JRX_MEAN_DIFFERENCE : JRX_MEAN, &how, estimate);
}

enum { CONSISTENT_PERCENT = 25 };

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    const char *source_name, *own, *sheet;
    struct jrx_estimate clock_time, clock_energy, access_energy, memory_time, memory_energy;
    struct rows *rows = calloc(1, sizeof *rows);
    int status = rows ? ex_only_text(samples, "energy_source", &source_name) : jrx_fail(JRX_ENOMEM, "no memory");
    if (!status && !(status = ex_only_text(samples, "datasheet", &sheet)))
        status = ex_only_text(samples, "datasheet_own", &own);
    if (!status && (rows->count = list_cells(run->settings, rows->cell)) < 0)
        status = rows->count;
    if (!status && !(status = read_rows(samples, rows)) && !(status = estimate_rows(run, samples, rows))) {
        left_out(rows, rows->time_ns, 1, rows->flop_ns);
        left_out(rows, rows->time_ns, 3, rows->memory_ns);
        left_out(rows, rows->energy_j, 1, rows->flop_j);
        left_out(rows, rows->energy_j, 3, rows->memory_j);
        struct summary summary = {samples, rows, source_name};
        status = ex_summary(run->dir, &summary_schema, rows->count, put_row, &summary);
    }
    if (!status && !(status = mape(rows, rows->time_ns, rows->clock_ns, NULL, &clock_time)) &&
        !(status = mape(rows, rows->energy_j, rows->clock_j, NULL, &clock_energy)) &&
        !(status = mape(rows, rows->energy_j, rows->access_j, NULL, &access_energy)) &&
        !(status = mape(rows, rows->time_ns, rows->memory_ns, rows->flop_ns, &memory_time)))
        status = mape(rows, rows->energy_j, rows->memory_j, rows->flop_j, &memory_energy);
    free(rows);
    if (status)
        return status;
    enum jrx_source source = ex_source(source_name);
    double limit = CONSISTENT_PERCENT / 100.0;
    char note[256];
    snprintf(note, sizeof note, "mean absolute error over DeepRx's layers, relative; datasheet of %s%s", sheet,
             strcmp(own, "1") ? ", as this CPU is not in the table: no verdict" : "");
    claims[0] = ex_claim_make(
        "estimate-energy", "The energy from FLOPs/clock and TDP agrees with the energy of the layers within 25 %.",
        note, &clock_energy, ex_verdict_of_energy(source, clock_energy.low, clock_energy.high, limit, 1), source);
    claims[1] =
        ex_claim_make("estimate-time", "The time from FLOPs/clock agrees with the run time of the layers within 25 %.",
                      note, &clock_time, ex_verdict_of(clock_time.low, clock_time.high, limit, 1), JRX_MEASURED);
    for (int i = 0; i < 2; i++)
        if (strcmp(own, "1") && claims[i].verdict != EX_NOT_TESTABLE)
            claims[i].verdict = EX_INCONCLUSIVE;
    claims[2] = ex_claim_make(
        "memory-energy", "Adding memory accesses to FLOPs predicts the energy of a layer better.",
        "mean relative error for layers left out of the fit, with FLOPs and simulated bytes minus with FLOPs "
        "alone: below 0 is better",
        &memory_energy, ex_verdict_of_energy(source, memory_energy.low, memory_energy.high, 0, 1), source);
    claims[3] =
        ex_claim_make("memory-time", "Adding memory accesses to FLOPs predicts the run time of a layer better.",
                      "mean relative error for layers left out of the fit, with FLOPs and simulated bytes minus with "
                      "FLOPs alone: below 0 is better",
                      &memory_time, ex_verdict_of(memory_time.low, memory_time.high, 0, 1), JRX_MEASURED);
    claims[4] = ex_claim_make(
        "access-energy",
        "The energy from FLOPs, memory accesses and cited prices agrees with that of the layers within 25 %.",
        source == JRX_ESTIMATED
            ? "mean absolute error over DeepRx's layers, relative; their energy is an estimate by the same prices, so "
              "this says nothing"
            : "mean absolute error over DeepRx's layers, relative; prices of other machines put together",
        &access_energy, ex_verdict_of_energy(source, access_energy.low, access_energy.high, limit, 1), source);
    return 5;
}

const struct ex_experiment exp_estimate = {
    .name = "estimate",
    .title = "Estimate against observation",
    .question = "Every layer of DeepRx, forward and backward: what FLOPs per clock of a datasheet, a fit of FLOPs, and "
                "a fit of FLOPs "
                "plus memory accesses predict for a layer they have not seen, against what was observed.",
    .needs = "",
    .order = 20,
    .column = columns,
    .columns = sizeof columns / sizeof *columns,
    .summary = &summary_schema,
    .plan = plan,
    .label = label,
    .begin = begin,
    .cell = cell,
    .end = end,
    .conclude = conclude};
