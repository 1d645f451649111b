#include "experiments/measured.h"
#include "experiments/measured_summary.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/provenance.h"
#include "kernels/probe.h"
#include "models/energy/count.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct jrx_column columns[] = {
    EX_CALL_COLUMNS,
    {"grid", JRX_TEXT, "subcarriers x symbols"},
    {"batch", JRX_INTEGER, "slots"},
    {"threads", JRX_INTEGER, "threads"},
    {"tile", JRX_TEXT, "block sizes and choices, as the kernel resolved them"},
};

enum { PEAK_STEPS = 20000 };
static const double KEEP_BYTES = 1e9; /* operands of all cells stay allocated up to so many */

/* What is measured, behind settings->own. */
struct own {
    const struct ex_sweep *sweep;
    const struct ex_measure_options *options;
};

struct prepared {
    struct ex_call call;
    struct ex_traffic traffic;
    uint64_t iters;
    int simulated;
};

struct state {
    struct jrx_cache_geometry geometry;
    int keep;
    struct prepared cell[];
};

static const struct ex_sweep *sweep_of(const struct ex_settings *settings)
{
    return ((const struct own *)settings->own)->sweep;
}

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    *plan = (struct ex_plan){.cells = sweep_of(settings)->cells,
                             .reps = settings->preset->reps,
                             .shuffled = 1,
                             .item_s = 1.5 * settings->preset->window_s};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    char whole[EX_CELL_TEXT];
    snprintf(text, size, "%s", ex_cell_label(&sweep_of(settings)->cell[cell], whole));
}

static double operand_bytes(const struct ex_cell *cell)
{
    return cell->kernel ? sizeof(float) * ((double)kn_x_floats(&cell->shape) + (double)kn_y_floats(&cell->shape) +
                                           (double)kn_w_floats(cell->kernel->op, &cell->shape))
                        : 0;
}

static int begin(struct ex_run *run)
{
    const struct ex_sweep *sweep = sweep_of(run->settings);
    struct state *state = run->state = calloc(1, sizeof *state + (size_t)sweep->cells * sizeof *state->cell);
    double bytes = 0;
    for (int i = 0; i < sweep->cells; i++)
        bytes += operand_bytes(&sweep->cell[i]);
    if (!state)
        return jrx_fail(JRX_ENOMEM, "measure: no memory");
    state->keep = bytes < KEEP_BYTES && !((const struct own *)run->settings->own)->options->fresh;
    return ex_geometry(run->settings, &state->geometry);
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int i = 0; state && i < sweep_of(run->settings)->cells; i++)
        ex_call_fini(&state->cell[i].call);
    free(state);
    run->state = NULL;
}

/* ---- a cell ----------------------------------------------------------------------------------------------------- */

static void peak(void *context)
{
    int threads = *(const int *)context;
    float sum = 0;
#pragma omp parallel num_threads(threads) reduction(+ : sum)
    sum += kn_probe_fma(PEAK_STEPS);
    volatile float kept = sum;
    (void)kept;
}

static int measure_peak(struct ex_run *run, const struct ex_cell *cell, uint64_t *iters, struct jrx_table *samples,
                        char *words, size_t size)
{
    int threads = cell->threads;
    const struct jrx_region region = {.fn = peak,
                                      .ctx = &threads,
                                      .work = {.flop = kn_probe_fma_flop() * PEAK_STEPS * threads,
                                               .l1_bytes = 0,
                                               .l2_bytes = 0,
                                               .l3_bytes = 0,
                                               .dram_bytes = 0}};
    double time_ns;
    jrx_put_text(samples, "kernel", "peak");
    jrx_put_real(samples, "flop", region.work.flop);
    int status = ex_measure(run, &region, iters, samples, &time_ns);
    if (!status)
        snprintf(words, size, "%.1f GFLOP/s", region.work.flop / time_ns);
    return status;
}

static int simulate(const struct ex_cell *cell, const struct jrx_cache_geometry *geometry, int sample,
                    struct ex_traffic *traffic)
{
    const struct ex_question question = {cell->kernel, cell->shape, cell->asked, *geometry, sample};
    return ex_simulate(&question, traffic);
}

static int prepare(const struct ex_run *run, const struct ex_cell *cell, struct prepared *to)
{
    const struct state *state = run->state;
    const struct own *own = run->settings->own;
    int status = 0;
    if (!to->call.memory)
        status = ex_call_init(&to->call, cell->kernel, &cell->shape, &cell->asked, cell->threads, run->settings->seed);
    if (!status && !to->simulated) {
        status = simulate(cell, &state->geometry, own->options->sample, &to->traffic);
        to->simulated = 1;
    }
    return status;
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    struct prepared *prepared = &state->cell[index];
    const struct ex_cell *cell = &sweep_of(run->settings)->cell[index];
    char text[KN_TILE_TEXT];
    const struct own *own = run->settings->own;
    if (own->options->deadline_ns && jrx_clock_ns() > own->options->deadline_ns)
        return jrx_fail(JRX_EINTERRUPTED, "the time for measuring is over");
    jrx_put_integer(samples, "threads", cell->threads);
    if (!cell->kernel)
        return measure_peak(run, cell, &prepared->iters, samples, words, size);
    snprintf(text, sizeof text, "%dx%d", cell->shape.f, cell->shape.t);
    jrx_put_text(samples, "grid", text);
    jrx_put_integer(samples, "batch", cell->shape.n);
    jrx_put_text(samples, "tile", kn_tile_format(&cell->tile, KN_TILE_ALL, text, sizeof text));
    int status = prepare(run, cell, prepared);
    if (!status)
        status =
            ex_call_measure(run, &prepared->call, &prepared->traffic, &prepared->iters, samples, NULL, words, size);
    if (!state->keep)
        ex_call_fini(&prepared->call);
    return status;
}

/* ---- model and simulation of a cell ----------------------------------------------------------------------------- */

int ex_cell_model(const struct ex_cell *cell, const struct jrx_cache_geometry *geometry, double bytes[EX_CACHES + 1])
{
    const struct em_layer layer = {cell->kernel->op, cell->kernel->dir, cell->shape, cell->asked, cell->kernel};
    struct em_caches caches = {.warm = 1};
    double *const size[EX_CACHES] = {&caches.l1_bytes, &caches.l2_bytes, &caches.l3_bytes};
    int *const ways[EX_CACHES] = {&caches.l1_ways, &caches.l2_ways, &caches.l3_ways};
    struct em_count count;
    for (unsigned k = 0; k < geometry->levels && k < EX_CACHES; k++)
        *size[k] = (double)geometry->level[k].bytes, *ways[k] = (int)geometry->level[k].ways;
    int status = em_count_layer(&layer, &caches, &count);
    /* the model knows the nests of the vector kernels only */
    int known = !status && cell->kernel->isa != KN_ISA_REF && cell->kernel->isa < KN_ISA_BLAS;
    for (int level = 0; level <= EX_CACHES; level++)
        bytes[level] = known ? count.bytes[level] : (double)NAN;
    return status;
}

int ex_measure_dry(const struct ex_sweep *sweep, const struct ex_session_options *session,
                   const struct ex_measure_options *options)
{
    struct jrx_cache_geometry geometry;
    double accesses = 0, spent_s = 0;
    int status =
        session->caches ? jrx_cache_geometry_parse(session->caches, &geometry) : jrx_cache_geometry_read(&geometry);
    ex_traffic_head(stdout);
    for (int i = 0; i < sweep->cells && !status; i++) {
        struct ex_traffic traffic;
        double model[EX_CACHES + 1];
        char text[EX_CELL_TEXT];
        if (!sweep->cell[i].kernel)
            continue;
        uint64_t start = jrx_clock_ns();
        if ((status = simulate(&sweep->cell[i], &geometry, options->sample, &traffic)) ||
            (status = ex_cell_model(&sweep->cell[i], &geometry, model)))
            break;
        spent_s += 1e-9 * (double)(jrx_clock_ns() - start);
        accesses += isnan(traffic.accesses) ? 0 : 2 * traffic.accesses; /* a warming call and the one that counts */
        ex_traffic_print(stdout, ex_cell_label(&sweep->cell[i], text), &traffic, model);
    }
    if (!status)
        fprintf(stderr, "simulated %.0f million accesses, or read them back, in %.2f s: %.0f million a second\n",
                accesses * 1e-6, spent_s, accesses * 1e-6 / spent_s);
    return status;
}

/* ---- conclusion ------------------------------------------------------------------------------------------------- */

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)claims, (void)max;
    const struct own *own = run->settings->own;
    const struct ex_sweep *sweep = own->sweep;
    struct jrx_cache_geometry geometry;
    struct ex_traffic *traffic = calloc((size_t)sweep->cells, sizeof *traffic);
    int status = traffic ? ex_geometry(run->settings, &geometry) : jrx_fail(JRX_ENOMEM, "measure: no memory");
    for (int i = 0; i < sweep->cells && !status; i++)
        if (sweep->cell[i].kernel)
            status = simulate(&sweep->cell[i], &geometry, own->options->sample, &traffic[i]);
    if (!status)
        status = ex_summarise(run->dir, samples, sweep, traffic, &geometry);
    free(traffic);
    return status;
}

static const struct ex_experiment measure = {.name = "measure",
                                             .title = "Kernels and tilings asked for on the command line",
                                             .question = "",
                                             .needs = "",
                                             .column = columns,
                                             .columns = sizeof columns / sizeof *columns,
                                             .plan = plan,
                                             .label = label,
                                             .begin = begin,
                                             .cell = cell,
                                             .end = end,
                                             .conclude = conclude};

int ex_measure_cells(const struct ex_sweep *sweep, const struct ex_session_options *how,
                     const struct ex_measure_options *options, char *dir)
{
    const struct own own = {sweep, options};
    const struct ex_experiment *const list = &measure;
    struct ex_session session;
    int status = ex_session_open(&session, how);
    *dir = '\0';
    if (status)
        return status;
    snprintf(dir, EX_MEASURE_DIR, "%s/measure", session.dir);
    struct ex_preset preset = *session.settings.preset;
    preset.reps = options->reps ? options->reps : preset.reps;
    preset.window_s = options->window_s > 0 ? options->window_s : preset.window_s;
    session.settings.preset = &preset;
    session.settings.own = &own;
    status = ex_session_plan(&session, &list, 1);
    if (!status)
        status = ex_session_run(&session, list, 0);
    if (!status || status == JRX_EUNAVAILABLE) { /* a figure that cannot be drawn takes nothing from the numbers */
        int finished = ex_session_finish(&session);
        status = status ? status : finished;
    }
    if (status == JRX_EINTERRUPTED)
        status = jrx_fail(JRX_EINTERRUPTED,
                          "interrupted; what was finished is kept. Go on with the same command and --resume=%s",
                          session.dir);
    ex_session_close(&session);
    return status;
}

int ex_measure_sweep(const struct ex_sweep *sweep, const struct ex_session_options *how,
                     const struct ex_measure_options *options)
{
    char dir[EX_MEASURE_DIR];
    int status = ex_measure_cells(sweep, how, options, dir);
    if (*dir && (!status || status == JRX_EUNAVAILABLE)) {
        int printed = options->csv ? ex_summary_copy(stdout, dir) : ex_summary_print(stdout, dir);
        status = status ? status : printed;
    }
    if (*dir && status != JRX_EINTERRUPTED && !how->quiet)
        fprintf(stderr, "%s\n", dir);
    return status;
}
