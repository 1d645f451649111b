/*
 * What does a FLOP, a byte and a second cost on this machine? A designed sweep (calibration.h) whose fit becomes the
 * machine's profile.
 */
#include "experiments/calibration.h"
#include "harness/base/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct jrx_column columns[] = {
    EX_CALL_COLUMNS,
    {"group", JRX_TEXT, "what is left out together when the fit is checked"},
    {"threads", JRX_INTEGER, "threads; 0: idle"},
    {"data", JRX_TEXT, "random or zero operands; zero is not fitted"},
};

struct state {
    struct ex_candidate cell[EX_CALIBRATION_CELLS];
    struct ex_probe probe[EX_CALIBRATION_CELLS];
    uint64_t iters[EX_CALIBRATION_CELLS];
    struct jrx_cache_geometry geometry;
};

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    struct ex_candidate cells[EX_CALIBRATION_CELLS];
    int count = ex_calibration_cells(settings, cells);
    if (count < 0)
        return count;
    *plan = (struct ex_plan){
        .cells = count, .reps = settings->preset->reps, .shuffled = 1, .item_s = 1.3 * settings->preset->window_s};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    struct ex_candidate cells[EX_CALIBRATION_CELLS];
    *text = 0;
    if (ex_calibration_cells(settings, cells) > cell)
        ex_candidate_label(&cells[cell], text, size);
}

static int begin(struct ex_run *run)
{
    struct state *state = run->state = calloc(1, sizeof *state);
    int status = state ? ex_geometry(run->settings, &state->geometry) : jrx_fail(JRX_ENOMEM, "calibrate: no memory");
    if (!status && (status = ex_calibration_cells(run->settings, state->cell)) > 0)
        status = ex_additivity(run, &state->geometry);
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int i = 0; state && i < EX_CALIBRATION_CELLS; i++)
        ex_probe_fini(&state->probe[i]);
    free(state);
    run->state = NULL;
}

/* Arrays beyond the caches are made anew each time: all of them together would fill the memory. */
static int is_large(const struct ex_candidate *c)
{
    return c->floats * (size_t)c->threads * sizeof(float) > 64u << 20;
}

static int measure(struct ex_run *run, struct ex_probe *probe, uint64_t *iters, struct jrx_table *samples, char *words,
                   size_t size)
{
    const struct jrx_region region = {.fn = ex_probe_run, .ctx = probe, .work = probe->work};
    char group[EX_GROUP_TEXT];
    double time_ns;
    jrx_put_text(samples, "kernel", ex_candidate_group(&probe->what, group));
    jrx_put_real(samples, "flop", probe->work.flop);
    jrx_put_real(samples, "sim_l1_bytes", probe->work.l1_bytes);
    jrx_put_real(samples, "sim_l2_bytes", probe->work.l2_bytes);
    jrx_put_real(samples, "sim_l3_bytes", probe->work.l3_bytes);
    jrx_put_real(samples, "sim_dram_bytes", probe->work.dram_bytes);
    int status = ex_measure(run, &region, iters, samples, &time_ns);
    if (!status)
        snprintf(words, size, "%.3g us", time_ns * 1e-3);
    return status;
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    const struct ex_candidate *c = &state->cell[index];
    struct ex_probe *probe = &state->probe[index];
    char group[EX_GROUP_TEXT];
    int status = 0;
    if (!probe->memory && !probe->call.memory)
        status = ex_probe_init(probe, c, &state->geometry, run->settings->seed);
    if (status)
        return status;
    jrx_put_text(samples, "group", ex_candidate_group(c, group));
    jrx_put_integer(samples, "threads", c->threads);
    jrx_put_text(samples, "data", c->zero ? "zero" : "random");
    status = c->kind == EX_LAYER
                 ? ex_call_measure(run, &probe->call, &probe->traffic, &state->iters[index], samples, NULL, words, size)
                 : measure(run, probe, &state->iters[index], samples, words, size);
    if (is_large(c))
        ex_probe_fini(probe);
    return status;
}

const struct ex_experiment exp_calibrate = {
    .name = "calibrate",
    .title = "Coefficients of this machine",
    .question = "What a second, a busy thread, a FLOP and a byte from each cache level cost on this machine: kernels "
                "chosen so that these terms separate, fitted, and checked on kernels left out of the fit.",
    .needs = "",
    .order = 5, /* first: a report begins with what a machine costs */
    .column = columns,
    .columns = sizeof columns / sizeof *columns,
    .summary = &ex_calibration_summary,
    .plan = plan,
    .label = label,
    .begin = begin,
    .cell = cell,
    .end = end,
    .conclude = ex_calibration_conclude};
