#include "experiments/series.h"
#include "experiments/tiling.h"
#include "experiments/tune_search.h"
#include "harness/base/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    int cell;
    char name[128], layer[64], kernel[64], tile[KN_TILE_TEXT];
    double flop, bytes[EX_TILING_LEVELS][EX_TILING_TENSORS], level[EX_TILING_LEVELS], crossing;
    struct jrx_estimate time, energy;
    double chosen_time, chosen_energy; /* medians of the even repetitions */
    int front;
};

/* Cells of a kind by what they are; -1: times or energies are missing. kn_best() gives kernels that are traced, so
 * bytes are always known. */
struct layer {
    int best_time, best_energy, best_bytes, most_bytes, worst_time, worst_energy, fronts;
    struct jrx_estimate traffic_time, traffic_energy; /* most traffic over least, all repetitions */
};

struct summary {
    const struct jrx_csv *samples;
    const char *source;
    struct row row[EX_TILING_CELLS];
    int order[EX_TILING_CELLS]; /* of the rows of summary.csv */
    struct layer layer[EX_TILING_KINDS];
};

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* values[max] of a cell with every repetition of the other parity missing. How many or JRX_EFORMAT. */
static int half_series(const struct jrx_csv *samples, const char *cell, const char *column, int odd, double *values)
{
    int count = ex_series(samples, cell, column, values, EX_MAX_REPS);
    for (int rep = !odd; rep < count; rep += 2)
        values[rep] = NAN;
    return count;
}

static int half_median(const struct jrx_csv *samples, const char *cell, const char *column, double *median)
{
    double values[EX_MAX_REPS], sorted[EX_MAX_REPS];
    int count = half_series(samples, cell, column, 0, values);
    *median = count > 0 ? jrx_quantile(sorted, jrx_sorted(values, (size_t)count, sorted), 0.5) : (double)NAN;
    return count < 0 ? count : 0;
}

static int read_traffic(const struct jrx_csv *samples, size_t at, struct row *row)
{
    char column[64];
    int status = 0;
    for (int level = 0; level < EX_TILING_LEVELS && !status; level++) {
        ex_tiling_column(level, EX_TILING_ALL, column, sizeof column);
        status = jrx_csv_real(samples, at, (size_t)jrx_csv_find(samples, column), &row->level[level]);
        row->crossing += level && !status ? row->level[level] : 0;
        for (int tensor = 0; tensor < EX_TILING_TENSORS && !status; tensor++) {
            ex_tiling_column(level, tensor, column, sizeof column);
            status = jrx_csv_real(samples, at, (size_t)jrx_csv_find(samples, column), &row->bytes[level][tensor]);
        }
    }
    return status;
}

static void read_text(const struct jrx_csv *samples, size_t at, const char *column, char *text, size_t size)
{
    snprintf(text, size, "%s", jrx_csv_text(samples, at, (size_t)jrx_csv_find(samples, column)));
}

static int read_row(const struct jrx_csv *samples, int cell, struct row *row)
{
    *row = (struct row){.cell = cell};
    int at = ex_last(samples, "cell", ex_tiling_label(cell, row->name, sizeof row->name), "time_ns");
    if (at < 0)
        return at;
    read_text(samples, (size_t)at, "layer", row->layer, sizeof row->layer);
    read_text(samples, (size_t)at, "kernel", row->kernel, sizeof row->kernel);
    read_text(samples, (size_t)at, "tile", row->tile, sizeof row->tile);
    int status = jrx_csv_real(samples, (size_t)at, (size_t)jrx_csv_find(samples, "flop"), &row->flop);
    if (!status && !(status = read_traffic(samples, (size_t)at, row)) &&
        !(status = ex_median(samples, row->name, "time_ns", &row->time)) &&
        !(status = ex_median(samples, row->name, "energy_j", &row->energy)) &&
        !(status = half_median(samples, row->name, "time_ns", &row->chosen_time)))
        status = half_median(samples, row->name, "energy_j", &row->chosen_energy);
    return status;
}

/* ---- who is best ------------------------------------------------------------------------------------------------ */

static double time_of(const struct row *row)
{
    return row->chosen_time;
}

static double energy_of(const struct row *row)
{
    return row->chosen_energy;
}

static double bytes_of(const struct row *row)
{
    return row->crossing;
}

/* The cell of a kind with the least value (sign 1) or the most (sign -1), the first of equal ones; -1: all missing. */
static int extreme(const struct row *row, int kind, double (*value)(const struct row *), double sign)
{
    int best = -1;
    for (int cell = kind * EX_TILINGS; cell < (kind + 1) * EX_TILINGS; cell++)
        if (!isnan(value(&row[cell])) && (best < 0 || sign * value(&row[cell]) < sign * value(&row[best])))
            best = cell;
    return best;
}

static int mark(struct summary *summary, int kind)
{
    double time[EX_TILINGS], energy[EX_TILINGS], bytes[EX_TILINGS];
    int front[EX_TILINGS];
    struct row *row = summary->row;
    struct layer *layer = &summary->layer[kind];
    *layer = (struct layer){.best_time = extreme(row, kind, time_of, 1),
                            .best_energy = extreme(row, kind, energy_of, 1),
                            .best_bytes = extreme(row, kind, bytes_of, 1),
                            .most_bytes = extreme(row, kind, bytes_of, -1),
                            .worst_time = extreme(row, kind, time_of, -1),
                            .worst_energy = extreme(row, kind, energy_of, -1)};
    for (int i = 0; i < EX_TILINGS; i++) {
        time[i] = row[kind * EX_TILINGS + i].time.value;
        energy[i] = row[kind * EX_TILINGS + i].energy.value;
        bytes[i] = row[kind * EX_TILINGS + i].crossing;
    }
    ex_pareto(EX_TILINGS, time, energy, bytes, front);
    for (int i = 0; i < EX_TILINGS; i++) {
        row[kind * EX_TILINGS + i].front = front[i];
        layer->fronts += front[i];
    }
    const char *const most = row[layer->most_bytes].name, *const least = row[layer->best_bytes].name;
    int status = ex_ratio(summary->samples, most, least, "time_ns", &layer->traffic_time);
    return status ? status : ex_ratio(summary->samples, most, least, "energy_j", &layer->traffic_energy);
}

static int by_bytes(const void *a, const void *b, void *rows)
{
    const struct row *x = (struct row *)rows + *(const int *)a, *y = (struct row *)rows + *(const int *)b;
    return x->crossing != y->crossing ? (x->crossing < y->crossing ? -1 : 1) : x->cell - y->cell;
}

static int read_samples(struct summary *summary)
{
    struct row *row = summary->row;
    int status = ex_only_text(summary->samples, "energy_source", &summary->source);
    for (int cell = 0; cell < EX_TILING_CELLS && !status; cell++) {
        const struct row *first = &row[cell / EX_TILINGS * EX_TILINGS];
        summary->order[cell] = cell;
        status = read_row(summary->samples, cell, &row[cell]);
        if (!status && row[cell].flop != first->flop)
            status = jrx_fail(JRX_EFORMAT, "samples: %s has %.0f FLOP and %s has %.0f; tilings of a layer have as many",
                              row[cell].name, row[cell].flop, first->name, first->flop);
    }
    for (int kind = 0; kind < EX_TILING_KINDS && !status; kind++) {
        status = mark(summary, kind);
        qsort_r(summary->order + kind * EX_TILINGS, EX_TILINGS, sizeof *summary->order, by_bytes, row);
    }
    return status;
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

static int put_cell(void *context, int number, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct row *row = &summary->row[summary->order[number]];
    const struct layer *layer = &summary->layer[row->cell / EX_TILINGS];
    const struct ex_tiling_kind *kind = &ex_tiling_kinds[row->cell / EX_TILINGS];
    const struct jrx_estimate rate = {1 / row->time.value, 1 / row->time.high, 1 / row->time.low, row->time.units};
    char column[64];
    jrx_put_text(table, "cell", row->name);
    jrx_put_text(table, "kind", kind->name);
    jrx_put_text(table, "layer", row->layer);
    jrx_put_text(table, "kernel", row->kernel);
    jrx_put_text(table, "tiling", kind->tiling[row->cell % EX_TILINGS]);
    jrx_put_text(table, "tile", row->tile);
    jrx_put_real(table, "flop", row->flop);
    ex_put_estimate(table, "time", "ms", &row->time, 1e-6);
    ex_put_estimate(table, "rate", "flop_per_s", &rate, row->flop * 1e9);
    ex_put_estimate(table, "energy", "mj", &row->energy, 1e3);
    jrx_put_text(table, "energy_source", summary->source);
    for (int level = 0; level < EX_TILING_LEVELS; level++) {
        jrx_put_real(table, ex_tiling_column(level, EX_TILING_ALL, column, sizeof column), row->level[level]);
        for (int tensor = 0; tensor < EX_TILING_TENSORS; tensor++)
            jrx_put_real(table, ex_tiling_column(level, tensor, column, sizeof column), row->bytes[level][tensor]);
    }
    jrx_put_real(table, "sim_bytes", row->crossing);
    jrx_put_integer(table, "is_default", row->cell % EX_TILINGS == 0);
    jrx_put_integer(table, "best_time", row->cell == layer->best_time);
    jrx_put_integer(table, "best_energy", row->cell == layer->best_energy);
    jrx_put_integer(table, "best_bytes", row->cell == layer->best_bytes);
    jrx_put_integer(table, "most_bytes", row->cell == layer->most_bytes);
    jrx_put_integer(table, "front", row->front);
    return 0;
}

/* Median of a column in cell `over` over that in cell `under`, in the odd repetitions, drawn as pairs. */
static int put_ratio(const struct summary *summary, const char *name, const char *column, int over, int under,
                     struct jrx_table *table)
{
    double a[EX_MAX_REPS], b[EX_MAX_REPS];
    struct jrx_estimate ratio = {NAN, NAN, NAN, 0};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    int status = 0;
    if (over >= 0 && under >= 0) {
        int n = half_series(summary->samples, summary->row[over].name, column, 1, a);
        int m = half_series(summary->samples, summary->row[under].name, column, 1, b);
        const struct jrx_sample sample = {.a = a, .b = b, .n = (size_t)(n < m ? n : m)};
        status = n < 0 || m < 0 ? JRX_EFORMAT : jrx_bootstrap(&sample, JRX_MEDIAN_RATIO, &how, &ratio);
    }
    ex_put_estimate(table, name, "ratio", &ratio, 1);
    return status;
}

static void put_bytes(const struct summary *summary, const char *name, int over, int under, struct jrx_table *table)
{
    const struct row *row = summary->row;
    jrx_put_real(table, name, over < 0 || under < 0 ? (double)NAN : row[over].crossing / row[under].crossing);
}

static void put_names(const struct summary *summary, int kind, struct jrx_table *table)
{
    const struct layer *l = &summary->layer[kind];
    const struct row *first = &summary->row[kind * EX_TILINGS];
    const char *const column[] = {"best_time", "best_energy", "best_bytes", "most_bytes"};
    const int cell[] = {l->best_time, l->best_energy, l->best_bytes, l->most_bytes};
    jrx_put_text(table, "kind", ex_tiling_kinds[kind].name);
    jrx_put_text(table, "layer", first->layer);
    jrx_put_text(table, "kernel", first->kernel);
    jrx_put_real(table, "flop", first->flop);
    for (int i = 0; i < 4; i++)
        jrx_put_text(table, column[i], cell[i] < 0 ? "" : ex_tiling_kinds[kind].tiling[cell[i] % EX_TILINGS]);
    jrx_put_integer(table, "fronts", l->fronts);
    jrx_put_text(table, "energy_source", summary->source);
}

static int put_layer(void *context, int kind, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct layer *l = &summary->layer[kind];
    const int usual = kind * EX_TILINGS;
    const struct {
        const char *name, *column;
        int over, under;
    } ratio[] = {
        {"worst_time", "time_ns", l->worst_time, l->best_time},
        {"worst_energy", "energy_j", l->worst_energy, l->best_energy},
        {"default_time", "time_ns", usual, l->best_time},
        {"default_energy", "energy_j", usual, l->best_energy},
        {"by_bytes_time", "time_ns", l->best_bytes, l->best_time},
        {"by_bytes_energy", "energy_j", l->best_bytes, l->best_energy},
        {"by_time_energy", "energy_j", l->best_time, l->best_energy},
        {"by_energy_time", "time_ns", l->best_energy, l->best_time},
    };
    int status = 0;
    put_names(summary, kind, table);
    ex_put_estimate(table, "traffic_time", "ratio", &l->traffic_time, 1);
    ex_put_estimate(table, "traffic_energy", "ratio", &l->traffic_energy, 1);
    for (size_t i = 0; i < sizeof ratio / sizeof *ratio && !status; i++)
        status = put_ratio(summary, ratio[i].name, ratio[i].column, ratio[i].over, ratio[i].under, table);
    put_bytes(summary, "traffic_bytes_ratio", l->most_bytes, l->best_bytes, table);
    put_bytes(summary, "default_bytes_ratio", usual, l->best_bytes, table);
    put_bytes(summary, "by_time_bytes_ratio", l->best_time, l->best_bytes, table);
    put_bytes(summary, "by_energy_bytes_ratio", l->best_energy, l->best_bytes, table);
    return status;
}

/* ---- claims ----------------------------------------------------------------------------------------------------- */

/*
 * The layers' ratios of most over least traffic, as their geometric mean repetition by repetition: its median, with the
 * interval over repetitions. note: the least and the greatest of the layers.
 */
static int combine(const struct summary *summary, int energy, struct jrx_estimate *all, char *note, size_t size)
{
    const char *const column = energy ? "energy_j" : "time_ns";
    double a[EX_MAX_REPS], b[EX_MAX_REPS], sum[EX_MAX_REPS] = {0}, low = INFINITY, high = 0;
    int count = EX_MAX_REPS, lowest = 0, highest = 0;
    for (int kind = 0; kind < EX_TILING_KINDS; kind++) {
        const struct layer *l = &summary->layer[kind];
        const double one = (energy ? l->traffic_energy : l->traffic_time).value;
        int n = ex_series(summary->samples, summary->row[l->most_bytes].name, column, a, EX_MAX_REPS);
        int m = ex_series(summary->samples, summary->row[l->best_bytes].name, column, b, EX_MAX_REPS);
        if (n < 0 || m < 0)
            return JRX_EFORMAT;
        count = n < count ? n : count;
        count = m < count ? m : count;
        for (int rep = 0; rep < count; rep++)
            sum[rep] += log(a[rep] / b[rep]) / EX_TILING_KINDS;
        if (one < low)
            low = one, lowest = kind;
        if (one > high)
            high = one, highest = kind;
    }
    for (int rep = 0; rep < count; rep++)
        sum[rep] = exp(sum[rep]);
    const struct jrx_sample sample = {.a = sum, .n = (size_t)count};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    snprintf(note, size,
             "most over least simulated traffic, geometric mean of %d kinds of layers, interval over repetitions; from "
             "%.3g (%s) to %.3g (%s), see layers.csv; tilings also differ in loads and loop lengths",
             EX_TILING_KINDS, low, ex_tiling_kinds[lowest].name, high, ex_tiling_kinds[highest].name);
    return jrx_bootstrap(&sample, JRX_MEDIAN, &how, all);
}

int ex_tiling_conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    struct summary *summary = calloc(1, sizeof *summary);
    struct jrx_estimate time, energy;
    char of_time[256], of_energy[256];
    if (!summary)
        return jrx_fail(JRX_ENOMEM, "tiling: no memory");
    summary->samples = samples;
    int status = read_samples(summary);
    enum jrx_source source = status ? JRX_SOURCE_NONE : ex_source(summary->source);
    if (!status && !(status = ex_summary(run->dir, &ex_tiling_summary, EX_TILING_CELLS, put_cell, summary)) &&
        !(status = ex_rows(run->dir, "layers.csv", &ex_tiling_layers, EX_TILING_KINDS, put_layer, summary)) &&
        !(status = combine(summary, 0, &time, of_time, sizeof of_time)))
        status = combine(summary, 1, &energy, of_energy, sizeof of_energy);
    free(summary);
    if (status)
        return status;
    claims[0] = ex_claim_make("tiling-energy",
                              "At equal FLOPs, a tiling that moves more bytes between the caches costs more energy.",
                              of_energy, &energy, ex_verdict_of_energy(source, energy.low, energy.high, 1, 0), source);
    claims[1] =
        ex_claim_make("tiling-time", "At equal FLOPs, a tiling that moves more bytes between the caches takes longer.",
                      of_time, &time, ex_verdict_of(time.low, time.high, 1, 0), JRX_MEASURED);
    return 2;
}
