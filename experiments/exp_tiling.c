/*
 * What does the tiling of a loop nest cost? One layer, the same FLOPs, many block sizes: run time, energy and the bytes
 * that move between the caches.
 */
#include "experiments/call.h"
#include "experiments/experiment.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int tile_oc[] = {32, 64, 256}, tile_ic[] = {32, 256}, tile_f[] = {1, 8, 39, 312};
enum { OCS = 3, ICS = 2, FS = 4, CELLS = OCS * ICS * FS, CHANNELS = 256 };

static const struct jrx_column columns[] = {
    EX_CALL_COLUMNS,
    {"tile", JRX_TEXT, "block sizes of the loop nest"},
};

struct state {
    struct ex_call call[CELLS];
    struct ex_traffic traffic[CELLS];
    uint64_t iters[CELLS];
};

static struct kn_tile tile_of(int cell)
{
    return (struct kn_tile){.oc = tile_oc[cell / (ICS * FS)], .ic = tile_ic[cell / FS % ICS], .f = tile_f[cell % FS]};
}

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    *plan = (struct ex_plan){
        .cells = CELLS, .reps = settings->preset->reps, .shuffled = 1, .item_s = 1.2 * settings->preset->window_s};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    (void)settings;
    struct kn_tile tile = tile_of(cell);
    kn_tile_format(&tile, KN_TILE_OC | KN_TILE_IC | KN_TILE_F, text, size);
}

static int begin(struct ex_run *run)
{
    struct jrx_cache_geometry geometry;
    struct state *state = run->state = calloc(1, sizeof *state);
    const struct kn_shape shape = {
        .n = 1, .ic = CHANNELS, .oc = CHANNELS, .f = run->settings->preset->grid_f, .t = 14, .dil_f = 1, .dil_t = 1};
    int status = state ? ex_geometry(run->settings, &geometry) : jrx_fail(JRX_ENOMEM, "tiling: no memory");
    for (int cell = 0; cell < CELLS && !status; cell++) {
        struct kn_tile tile = tile_of(cell);
        status = ex_call_init(&state->call[cell], kn_best(KN_POINTWISE, KN_FWD), &shape, &tile, 1, run->settings->seed);
        if (!status)
            status = ex_call_simulate(&state->call[cell], &geometry, &state->traffic[cell]);
    }
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int cell = 0; state && cell < CELLS; cell++)
        ex_call_fini(&state->call[cell]);
    free(state);
    run->state = NULL;
}

static int cell(struct ex_run *run, int cell, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    char tile[64];
    label(run->settings, cell, tile, sizeof tile);
    jrx_put_text(samples, "tile", tile);
    return ex_call_measure(run, &state->call[cell], &state->traffic[cell], &state->iters[cell], samples, words, size);
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"cell", JRX_TEXT, "the tiling"},
    {"oc", JRX_INTEGER, "block of output channels"},
    {"ic", JRX_INTEGER, "block of input channels"},
    {"f", JRX_INTEGER, "block of subcarriers"},
    {"time_ms", JRX_REAL, "median of the run time, measured"},
    {"time_ci_lo_ms", JRX_REAL, "lower end of its 95 % interval"},
    {"time_ci_hi_ms", JRX_REAL, "upper end"},
    {"energy_mj", JRX_REAL, "median of the energy, of the source in energy_source"},
    {"energy_ci_lo_mj", JRX_REAL, "lower end of its 95 % interval"},
    {"energy_ci_hi_mj", JRX_REAL, "upper end"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"sim_l2_bytes", JRX_REAL, "simulated: bytes between L1 and L2 of one call"},
    {"sim_l3_bytes", JRX_REAL, "simulated: bytes between L2 and L3 of one call"},
};
static const struct jrx_schema summary_schema = {"tiling summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

struct result {
    struct jrx_estimate time, energy, l2, l3;
};

struct summary {
    const struct ex_run *run;
    const char *source;
    struct result result[CELLS];
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct result *result = &summary->result[row];
    struct kn_tile tile = tile_of(row);
    char name[64];
    label(summary->run->settings, row, name, sizeof name);
    jrx_put_text(table, "cell", name);
    jrx_put_integer(table, "oc", tile.oc);
    jrx_put_integer(table, "ic", tile.ic);
    jrx_put_integer(table, "f", tile.f);
    ex_put_estimate(table, "time", "ms", &result->time, 1e-6);
    ex_put_estimate(table, "energy", "mj", &result->energy, 1e3);
    jrx_put_text(table, "energy_source", summary->source);
    jrx_put_real(table, "sim_l2_bytes", result->l2.value);
    jrx_put_real(table, "sim_l3_bytes", result->l3.value);
    return 0;
}

/* Which two tilings are compared is chosen by the simulator, not by the times: noise cannot choose its own extremes. */
static void extremes(const struct result *result, int *least, int *most)
{
    *least = *most = 0;
    for (int i = 1; i < CELLS; i++) {
        if (result[i].l2.value < result[*least].l2.value)
            *least = i;
        if (result[i].l2.value > result[*most].l2.value)
            *most = i;
    }
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    struct summary summary = {.run = run};
    struct jrx_estimate time, energy;
    char name[64], most_name[64], least_name[64], note[256];
    int status = ex_only_text(samples, "energy_source", &summary.source), least, most;
    for (int i = 0; i < CELLS && !status; i++) {
        struct result *result = &summary.result[i];
        label(run->settings, i, name, sizeof name);
        if (!(status = ex_median(samples, name, "time_ns", &result->time)) &&
            !(status = ex_median(samples, name, "energy_j", &result->energy)) &&
            !(status = ex_median(samples, name, "sim_l2_bytes", &result->l2)))
            status = ex_median(samples, name, "sim_l3_bytes", &result->l3);
    }
    if (!status)
        status = ex_summary(run->dir, &summary_schema, CELLS, put_row, &summary);
    if (status)
        return status;
    extremes(summary.result, &least, &most);
    label(run->settings, least, least_name, sizeof least_name);
    label(run->settings, most, most_name, sizeof most_name);
    if ((status = ex_ratio(samples, most_name, least_name, "time_ns", &time)) ||
        (status = ex_ratio(samples, most_name, least_name, "energy_j", &energy)))
        return status;
    enum jrx_source source = ex_source(summary.source);
    snprintf(note, sizeof note,
             "the tiling with most simulated L1-L2 traffic (%s) over that with least (%s), pointwise %d to %d channels",
             most_name, least_name, CHANNELS, CHANNELS);
    claims[0] = ex_claim_make("tiling-energy",
                              "At equal FLOPs, a tiling that moves more bytes between the caches costs more energy.",
                              note, &energy, ex_verdict_of_energy(source, energy.low, energy.high, 1, 0), source);
    claims[1] =
        ex_claim_make("tiling-time", "At equal FLOPs, a tiling that moves more bytes between the caches takes longer.",
                      note, &time, ex_verdict_of(time.low, time.high, 1, 0), JRX_MEASURED);
    return 2;
}

const struct ex_experiment exp_tiling = {.name = "tiling",
                                         .title = "Energy of a kernel against its tiling",
                                         .question = "The same pointwise layer with the same FLOPs under 24 loop "
                                                     "tilings: run time (measured), energy (see its label) and "
                                                     "bytes between L1 and L2 (simulated).",
                                         .needs = "",
                                         .order = 10,
                                         .column = columns,
                                         .columns = sizeof columns / sizeof *columns,
                                         .summary = &summary_schema,
                                         .plan = plan,
                                         .label = label,
                                         .begin = begin,
                                         .cell = cell,
                                         .end = end,
                                         .conclude = conclude};
