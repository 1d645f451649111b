#include "experiments/tune.h"
#include "experiments/figure.h"
#include "experiments/runner.h"
#include "experiments/series.h"
#include "experiments/tiles.h"
#include "experiments/tune_print.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/provenance.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SEARCH_REPS = 7, CONFIRM_REPS = 15, FINALISTS = 3, MOST_MEASURED = 40, LEAST_MEASURED = 2 };
static const double LEAST_BUDGET_S = 2;

struct tuning {
    const struct ex_tune_options *options;
    struct ex_tiles tiles;
    struct jrx_cache_geometry geometry;
    struct ex_session_options session;
    struct ex_tuned_table table;
    char run_id[64], results[PATH_MAX];
};

/* ---- how long things take --------------------------------------------------------------------------------------- */

struct plan {
    double window_s;
    int measured;
};

/* Guesses: a slow core, 10 ns to fill a float, two calls simulated at 100 million accesses a second. */
static struct plan plan_of(const struct ex_cell *cell, double budget_s)
{
    static const double accesses[KN_ISAS] = {1, 0.25, 0.06, 0.03, 0, 0.03};
    static const double flop_rate[KN_ISAS] = {0.5e9, 4e9, 25e9, 40e9, 40e9, 60e9};
    double flop = kn_flop(cell->kernel->op, cell->kernel->dir, &cell->shape);
    double call_s = flop / flop_rate[cell->kernel->isa] / cell->threads,
           simulate_s = 2 * flop * accesses[cell->kernel->isa] / 100e6;
    struct plan plan = {.window_s = fmin(0.05, fmax(0.003, budget_s / 1500))};
    double fill_s = 10e-9 * (double)(kn_x_floats(&cell->shape) + kn_y_floats(&cell->shape));
    double item_s = 1.6 * fmax(plan.window_s, call_s) + fill_s + 0.01;
    double fixed_s = fmin(4, 0.3 * budget_s);
    plan.measured = (int)((0.65 * budget_s - fixed_s) / (SEARCH_REPS * item_s + simulate_s));
    plan.measured = plan.measured > MOST_MEASURED ? MOST_MEASURED : plan.measured;
    plan.measured = plan.measured < LEAST_MEASURED ? LEAST_MEASURED : plan.measured;
    return plan;
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

/* The cells: the peak, which the summary wants, the default, and the others. */
static void cells_of(const struct ex_cell *cell, const struct ex_candidate *candidate, int count, struct ex_cell *cells,
                     struct ex_sweep *sweep)
{
    *sweep = (struct ex_sweep){.cell = cells, .cells = 1};
    cells[0] = (struct ex_cell){.threads = cell->threads};
    for (int i = 0; i < count; i++)
        if (candidate[i].chosen) {
            struct ex_cell *to = &cells[sweep->cells++];
            *to = *cell;
            to->asked = to->tile = candidate[i].tile;
        }
}

/* Medians of a cell. Returns how many repetitions there are, or a negative code. */
static int read_cell(const struct jrx_csv *samples, const char *label, struct ex_tuned *to)
{
    static const char *const levels[] = {"sim_l2_bytes", "sim_l3_bytes", "sim_dram_bytes"};
    struct jrx_estimate time, energy, bytes;
    double values[EX_MAX_REPS];
    int reps = ex_series(samples, label, "time_ns", values, EX_MAX_REPS);
    if (reps < 0 || ex_median(samples, label, "time_ns", &time) || ex_median(samples, label, "energy_j", &energy))
        return reps < 0 ? reps : JRX_EFORMAT;
    to->time_ms = time.value * 1e-6;
    to->energy_mj = energy.value * 1e3;
    to->bytes = 0;
    for (int i = 0; i < EX_CACHES; i++) {
        if (ex_median(samples, label, levels[i], &bytes))
            return JRX_EFORMAT;
        to->bytes += isnan(bytes.value) ? 0 : bytes.value;
    }
    return reps;
}

static double objective_of(const struct ex_tuned *t, enum ex_objective objective)
{
    const double value[EX_OBJECTIVES] = {t->time_ms, t->energy_mj, t->time_ms * t->energy_mj, t->bytes};
    return value[objective];
}

/* Measures cells into <results>/<name>; the samples, also where time ran out. JRX_EINTERRUPTED: Ctrl-C, samples read.
 */
static int measure(const struct tuning *t, const struct ex_sweep *sweep, const char *name,
                   const struct ex_measure_options *how, struct jrx_csv **samples)
{
    char folder[PATH_MAX + 64], dir[EX_MEASURE_DIR], path[EX_MEASURE_DIR + 32];
    struct ex_session_options session = t->session;
    snprintf(folder, sizeof folder, "%s/%s", t->results, name);
    session.out = folder;
    *samples = NULL;
    int status = ex_measure_cells(sweep, &session, how, dir);
    int late = status == JRX_EINTERRUPTED && jrx_clock_ns() > how->deadline_ns;
    if (status && status != JRX_EUNAVAILABLE && status != JRX_EINTERRUPTED)
        return status;
    if (!*dir)
        return status;
    snprintf(path, sizeof path, "%s/samples.csv%s", dir, status == JRX_EINTERRUPTED ? ".part" : "");
    int read = jrx_csv_read(samples, path, NULL);
    return status == JRX_EINTERRUPTED && !late ? JRX_EINTERRUPTED : read;
}

/* ---- one layer -------------------------------------------------------------------------------------------------- */

struct layer {
    const struct ex_cell *cell;
    struct ex_candidate *candidate;
    struct kn_tile usual; /* the default, resolved */
    int candidates, tuned_count;
    struct ex_tuned *tuned;
    struct ex_gain gain;
    char name[64], source[32];
    uint64_t start_ns;
};

static int by_objective(const void *a, const void *b)
{
    const struct ex_tuned *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms); /* simulated bytes are often the same */
}

/* What the search found, in order of the objective; cells without a finished repetition are left out. */
static int gather(struct layer *l, const struct jrx_csv *samples, const struct ex_sweep *sweep,
                  enum ex_objective objective)
{
    const char *source = "";
    int status = ex_only_text(samples, "energy_source", &source);
    snprintf(l->source, sizeof l->source, "%s", source);
    for (int i = 1; i < sweep->cells && !status; i++) {
        char label[EX_CELL_TEXT];
        struct ex_tuned one = {.tile = sweep->cell[i].tile};
        int reps = read_cell(samples, ex_cell_label(&sweep->cell[i], label), &one);
        if (reps < 0)
            return reps;
        one.value = objective_of(&one, objective);
        one.usual = !memcmp(&one.tile, &l->usual, sizeof one.tile);
        for (int k = 0; k < l->candidates; k++)
            if (!memcmp(&l->candidate[k].tile, &one.tile, sizeof one.tile)) {
                one.rank = l->candidate[k].rank;
                one.score = l->candidate[k].score;
            }
        if (reps && !isnan(one.value))
            l->tuned[l->tuned_count++] = one;
    }
    qsort(l->tuned, (size_t)l->tuned_count, sizeof *l->tuned, by_objective);
    return status;
}

static int search(const struct tuning *t, struct layer *l)
{
    struct ex_sweep sweep;
    struct jrx_csv *samples;
    const struct plan plan = plan_of(l->cell, t->options->budget_s);
    struct ex_cell cells[MOST_MEASURED + 3];
    const struct ex_measure_options how = {.reps = SEARCH_REPS,
                                           .window_s = plan.window_s,
                                           .sample = 1,
                                           .fresh = 1,
                                           .deadline_ns = l->start_ns + (uint64_t)(0.7e9 * t->options->budget_s)};
    ex_tune_choose(l->candidate, l->candidates, plan.measured, &l->usual);
    cells_of(l->cell, l->candidate, l->candidates, cells, &sweep);
    int status = measure(t, &sweep, l->name, &how, &samples);
    if (samples) {
        int gathered = gather(l, samples, &sweep, t->options->objective);
        status = status ? status : gathered;
    }
    jrx_csv_free(samples);
    return status;
}

/* Value of the default over that of the tiling, with its interval, in repetitions paired by block. */
static int gain_of(const struct jrx_csv *samples, const struct ex_cell *usual, const struct ex_cell *other,
                   enum ex_objective objective, struct ex_gain *gain)
{
    char a[EX_CELL_TEXT], b[EX_CELL_TEXT];
    struct jrx_estimate time = {1, 1, 1, 0}, energy = {1, 1, 1, 0};
    struct ex_tuned x, y;
    ex_cell_label(usual, a);
    ex_cell_label(other, b);
    int status = 0;
    if (objective == EX_BY_BYTES) { /* simulated, so exact */
        int reps = read_cell(samples, a, &x);
        status = reps < 0 ? reps : read_cell(samples, b, &y) < 0 ? JRX_EFORMAT : 0;
        gain->ratio = gain->low = gain->high = status ? (double)NAN : x.bytes / y.bytes;
        return status;
    }
    if (objective != EX_BY_ENERGY)
        status = ex_ratio(samples, a, b, "time_ns", &time);
    if (!status && objective != EX_BY_TIME)
        status = ex_ratio(samples, a, b, "energy_j", &energy);
    /* of a product the ends are multiplied: wider than it need be, never narrower */
    gain->ratio = time.value * energy.value;
    gain->low = time.low * energy.low;
    gain->high = time.high * energy.high;
    return status;
}

/* The best of the search against the default, on fresh samples. */
static int confirm(const struct tuning *t, struct layer *l)
{
    struct ex_cell cells[FINALISTS + 2];
    struct ex_sweep sweep = {.cell = cells, .cells = 2};
    struct jrx_csv *samples;
    char name[80];
    const struct plan plan = plan_of(l->cell, t->options->budget_s);
    const struct ex_measure_options how = {.reps = CONFIRM_REPS,
                                           .window_s = plan.window_s,
                                           .sample = 1,
                                           .fresh = 1,
                                           .deadline_ns = l->start_ns + (uint64_t)(0.95e9 * t->options->budget_s)};
    cells[0] = (struct ex_cell){.threads = l->cell->threads};
    cells[1] = *l->cell;
    cells[1].asked = cells[1].tile = l->usual;
    for (int i = 0; i < l->tuned_count && sweep.cells < FINALISTS + 2; i++)
        if (!l->tuned[i].usual) {
            cells[sweep.cells] = *l->cell;
            cells[sweep.cells].asked = cells[sweep.cells].tile = l->tuned[i].tile;
            sweep.cells++;
        }
    l->gain = (struct ex_gain){.ratio = NAN, .low = NAN, .high = NAN};
    if (sweep.cells == 2)
        return 0;
    snprintf(name, sizeof name, "%s-confirm", l->name);
    int status = measure(t, &sweep, name, &how, &samples);
    for (int i = 2; i < sweep.cells && samples && !status; i++) {
        struct ex_gain gain;
        status = gain_of(samples, &cells[1], &cells[i], t->options->objective, &gain);
        gain.tile = cells[i].tile;
        if (!status && !(gain.ratio <= l->gain.ratio))
            l->gain = gain;
    }
    jrx_csv_free(samples);
    return status;
}

/* The row for the file, or none where the default is as good. */
static int decide(struct tuning *t, struct layer *l)
{
    const struct ex_cell *cell = l->cell;
    struct ex_tile_row row;
    memset(&row, 0, sizeof row);
    snprintf(row.kernel, sizeof row.kernel, "%s", cell->kernel->name);
    kn_layer_format(cell->kernel->op, &cell->shape, row.layer, sizeof row.layer);
    snprintf(row.objective, sizeof row.objective, "%s", ex_objective_name(t->options->objective));
    row.f = cell->shape.f;
    row.t = cell->shape.t;
    row.n = cell->shape.n;
    row.threads = cell->threads;
    row.tile = l->gain.tile;
    row.gain_ratio = l->gain.ratio;
    row.gain_ci_lo_ratio = l->gain.low;
    row.gain_ci_hi_ratio = l->gain.high;
    snprintf(row.energy_source, sizeof row.energy_source, "%s",
             t->options->objective == EX_BY_ENERGY || t->options->objective == EX_BY_EDP ? l->source : "");
    snprintf(row.date, sizeof row.date, "%.16s", t->run_id);
    snprintf(row.commit, sizeof row.commit, "%s", strchr(t->run_id, '-') ? strchr(t->run_id, '-') + 1 : "");
    snprintf(row.machine, sizeof row.machine, "%s", t->tiles.machine);
    l->gain.better = l->gain.low > 1;
    if (!l->gain.better && (isnan(l->gain.ratio) || !ex_tiles_drop(&t->tiles, &row)))
        return 0; /* not confirmed, or nothing to take away */
    int status = l->gain.better ? ex_tiles_put(&t->tiles, &row) : 0;
    return status ? status : ex_tiles_write(&t->tiles);
}

static int tune_layer(struct tuning *t, const struct ex_cell *cell, int index, int layers)
{
    struct layer l = {.cell = cell, .start_ns = jrx_clock_ns(), .gain = {.ratio = NAN, .low = NAN, .high = NAN}};
    const struct kn_tile none = {0};
    char label[EX_CELL_TEXT];
    int interrupted = 0, status;
    l.usual = cell->kernel->resolve(&cell->shape, &none);
    l.candidate = calloc(EX_CANDIDATES, sizeof *l.candidate);
    l.tuned = calloc(MOST_MEASURED + 3, sizeof *l.tuned);
    snprintf(l.name, sizeof l.name, "%02d", index);
    status = l.candidate && l.tuned ? 0 : jrx_fail(JRX_ENOMEM, "tune: no memory");
    if (!status)
        status = l.candidates =
            ex_tune_candidates(cell, &t->geometry, t->options->objective, l.candidate, EX_CANDIDATES);
    status = status < 0 ? status : 0;
    if (!status && t->options->dry) {
        ex_tuned_print_model(stdout, cell, l.candidate, l.candidates, &l.usual, t->options->list);
        goto out;
    }
    if (!status && !t->options->quiet)
        fprintf(stderr, "%d of %d: %s, %d tilings, at most %.0f s; %.0f s for all that is left\n", index, layers,
                ex_tuned_name(cell, label), l.candidates, t->options->budget_s,
                t->options->budget_s * (layers - index + 1));
    if (!status)
        status = search(t, &l);
    if (!status)
        status = confirm(t, &l);
    interrupted = status == JRX_EINTERRUPTED;
    if (!status)
        status = decide(t, &l);
    if ((!status || interrupted) && l.tuned_count) {
        const struct ex_tuned_layer report = {cell,     l.candidates,         l.tuned, l.tuned_count, &l.gain,
                                              l.source, t->options->objective};
        int printed = ex_tuned_print(stdout, &report);
        printed = printed ? printed : ex_tuned_add(&t->table, &report);
        status = interrupted ? status : printed;
    }
out:
    free(l.candidate);
    free(l.tuned);
    return status;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

/* Before anything is measured: can the tile file be written? Writing what it holds changes nothing. */
static int open_tiles(struct tuning *t)
{
    int status = t->options->out ? ex_tiles_read_file(&t->tiles, t->options->out) : ex_tiles_read(&t->tiles);
    if (status || t->options->dry)
        return status;
    if (!*t->tiles.path)
        return jrx_fail(JRX_EINVAL, "tune: no name for this machine's tile file; give one with --out=FILE");
    int was = !access(t->tiles.path, F_OK);
    status = ex_tiles_write(&t->tiles);
    if (!status && !was)
        unlink(t->tiles.path);
    return status;
}

static int open_results(struct tuning *t)
{
    struct jrx_provenance *provenance;
    int status = jrx_provenance_new(&provenance, "", t->options->argc, t->options->argv, t->options->seed);
    if (status)
        return status;
    snprintf(t->run_id, sizeof t->run_id, "%s", jrx_run_id(provenance));
    jrx_provenance_free(provenance);
    if (t->options->results)
        snprintf(t->results, sizeof t->results, "%s", t->options->results);
    else
        snprintf(t->results, sizeof t->results, "results/tune/%s", t->run_id);
    char first[PATH_MAX + 8];
    snprintf(first, sizeof first, "%s/01", t->results);
    if (!access(first, F_OK))
        return jrx_fail(JRX_EINVAL, "--results=%s: holds a run already; choose another folder", t->results);
    return 0;
}

/* Not so the peak, nor norms and sums, which a network has as well. */
static int has_choice(const struct ex_cell *cell)
{
    return cell->kernel && !kn_elementwise(cell->kernel->op);
}

int ex_tune(const struct ex_sweep *sweep, const struct ex_tune_options *options)
{
    struct tuning t = {.options = options};
    int layers = 0, index = 0;
    if (!options->dry && !(options->budget_s >= LEAST_BUDGET_S))
        return jrx_fail(JRX_EINVAL,
                        "--budget=%g: nothing can be measured in less than %g s; --dry-run shows the model's order",
                        options->budget_s, LEAST_BUDGET_S);
    t.session = (struct ex_session_options){.kind = "tune",
                                            .meter = options->meter,
                                            .profile = options->profile,
                                            .caches = options->caches,
                                            .sysfs = options->sysfs,
                                            .counters = "none",
                                            .unpublished = 1,
                                            .seed = options->seed,
                                            .seed_given = 1,
                                            .quiet = options->quiet,
                                            .argc = options->argc,
                                            .argv = options->argv};
    int status =
        options->caches ? jrx_cache_geometry_parse(options->caches, &t.geometry) : jrx_cache_geometry_read(&t.geometry);
    if (!status)
        status = open_tiles(&t);
    if (!status)
        status = open_results(&t);
    for (int i = 0; i < sweep->cells; i++)
        layers += has_choice(&sweep->cell[i]);
    if (!status && !layers)
        status = jrx_fail(JRX_EINVAL, "none of these kernels has a tiling to choose (joulerx list tiles KERNEL)");
    for (int i = 0; i < sweep->cells && !status; i++)
        if (has_choice(&sweep->cell[i]))
            status = tune_layer(&t, &sweep->cell[i], ++index, layers);
    if (!options->dry && t.table.rows) {
        int finished = ex_tuned_finish(&t.table, t.results);
        status = status ? status : finished;
        if (!options->quiet)
            fprintf(stderr, "%s\n%s\n", t.results, t.tiles.path);
    }
    free(t.table.row);
    ex_tiles_fini(&t.tiles);
    if (status == JRX_EINTERRUPTED)
        return jrx_fail(JRX_EINTERRUPTED, "interrupted; tilings of layers that were finished are in %s",
                        options->out ? options->out : "this machine's tile file");
    return status;
}
