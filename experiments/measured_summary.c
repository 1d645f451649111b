#include "experiments/measured_summary.h"
#include "experiments/measured.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[EX_CACHES + 1] = {"l1", "l2", "l3", "dram"};

static const struct jrx_column summary_columns[] = {
    {"cell", JRX_TEXT, "kernel, layer, grid, batch, threads, tiling"},
    {"kernel", JRX_TEXT, "the kernel's file name; peak: fused multiply-adds on registers"},
    {"layer", JRX_TEXT, "operator, channels, multiplier, dilation"},
    {"grid", JRX_TEXT, "subcarriers x symbols"},
    {"batch", JRX_INTEGER, "slots"},
    {"threads", JRX_INTEGER, "threads"},
    {"tile", JRX_TEXT, "the tiling, as the kernel resolved it"},
    {"tile_from", JRX_TEXT, "asked, or where it is from: tile file, cache sizes, kernel's default"},
    {"times", JRX_INTEGER, "how often the network has this layer"},
    {"flop", JRX_REAL, "useful FLOP of one call"},
    {"time_ms", JRX_REAL, "median of the run time, measured"},
    {"time_ci_lo_ms", JRX_REAL, "lower end of its 95 % interval"},
    {"time_ci_hi_ms", JRX_REAL, "upper end"},
    {"rate_flop_per_s", JRX_REAL, "flop over the median time"},
    {"peak_ratio", JRX_REAL, "share of the peak measured in the same run: paired medians"},
    {"peak_ci_lo_ratio", JRX_REAL, "lower end of its 95 % interval"},
    {"peak_ci_hi_ratio", JRX_REAL, "upper end"},
    {"energy_mj", JRX_REAL, "median of the energy, of the source in energy_source"},
    {"energy_ci_lo_mj", JRX_REAL, "lower end of its 95 % interval"},
    {"energy_ci_hi_mj", JRX_REAL, "upper end"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"edp_mj_per_hz", JRX_REAL, "energy-delay product: median of energy times time, mJ s"},
    {"edp_ci_lo_mj_per_hz", JRX_REAL, "lower end of its 95 % interval"},
    {"edp_ci_hi_mj_per_hz", JRX_REAL, "upper end"},
    {"counted_l2_bytes", JRX_REAL, "counted bytes between L1 and L2; empty where no counter counts them"},
    {"counted_l3_bytes", JRX_REAL, "counted bytes between L2 and L3"},
    {"counted_dram_bytes", JRX_REAL, "counted bytes between L3 and memory"},
    {"counted_source", JRX_TEXT, "source of the counts"},
    {"sim_l1_bytes", JRX_REAL, "simulated: loads and stores"},
    {"sim_l2_bytes", JRX_REAL, "simulated: bytes between L1 and L2 of a warm call"},
    {"sim_l3_bytes", JRX_REAL, "simulated: bytes between L2 and L3"},
    {"sim_dram_bytes", JRX_REAL, "simulated: bytes between L3 and memory"},
    {"sim_error_ratio", JRX_REAL, "half-width of the 95 % interval of the worst level where sets were sampled, else 0"},
    {"sim_l1_misses_count", JRX_REAL, "simulated: lines not found in L1"},
    {"sim_l2_misses_count", JRX_REAL, "simulated: lines not found in L2"},
    {"sim_l3_misses_count", JRX_REAL, "simulated: lines not found in L3"},
    {"model_l2_bytes", JRX_REAL, "estimated by the traffic model: bytes between L1 and L2"},
    {"model_l3_bytes", JRX_REAL, "estimated: bytes between L2 and L3"},
    {"model_dram_bytes", JRX_REAL, "estimated: bytes between L3 and memory"},
};
static const struct jrx_schema summary_schema = {"measure summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

static const struct jrx_column traffic_columns[] = {
    {"cell", JRX_TEXT, "kernel, layer, grid, batch, threads, tiling"},
    {"level", JRX_TEXT, "l1: registers and L1; l2: L1 and L2; l3: L2 and L3; dram: L3 and memory"},
    {"tensor", JRX_TEXT, "in (x or dx), weight (w or dw), bias, out (y or dy), workspace"},
    {"sim_bytes", JRX_REAL, "simulated: bytes of that tensor that move between the two in a warm call"},
    {"sim_misses_count", JRX_REAL, "simulated: its lines not found in the upper of the two; empty for l1"},
};
static const struct jrx_schema traffic_schema = {"measure traffic", traffic_columns,
                                                 sizeof traffic_columns / sizeof *traffic_columns};

/* ---- summary.csv ------------------------------------------------------------------------------------------------ */

struct context {
    const struct jrx_csv *samples;
    const struct ex_sweep *sweep;
    const struct ex_traffic *traffic;
    const struct jrx_cache_geometry *geometry;
};

static double sum(const double *value)
{
    double all = 0;
    for (int i = 0; i < KN_OPERANDS; i++)
        all += value[i];
    return all;
}

static int bootstrap_product(const struct jrx_csv *samples, const char *name, struct jrx_estimate *out)
{
    double time[EX_MAX_REPS], energy[EX_MAX_REPS];
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 2000, .seed = 1};
    int n = ex_series(samples, name, "time_ns", time, EX_MAX_REPS);
    int m = n < 0 ? n : ex_series(samples, name, "energy_j", energy, EX_MAX_REPS);
    if (m <= 0)
        return m;
    for (int i = 0; i < n; i++)
        energy[i] *= time[i] * 1e-9;
    const struct jrx_sample sample = {.a = energy, .n = (size_t)n};
    return jrx_bootstrap(&sample, JRX_MEDIAN, &how, out);
}

/* FLOP/s over those of the peak cell with as many threads, repetitions paired. */
static int put_peak(const struct context *c, const struct ex_cell *cell, const char *name, double flop,
                    struct jrx_table *table)
{
    const struct ex_cell *peak = NULL;
    struct jrx_estimate ratio = {NAN, NAN, NAN, 0}, peak_flop;
    char peak_name[EX_CELL_TEXT];
    for (int i = 0; i < c->sweep->cells; i++)
        if (!c->sweep->cell[i].kernel && c->sweep->cell[i].threads == cell->threads)
            peak = &c->sweep->cell[i];
    if (!peak || !cell->kernel)
        return 0;
    ex_cell_label(peak, peak_name);
    int status = ex_ratio(c->samples, peak_name, name, "time_ns", &ratio);
    if (!status)
        status = ex_median(c->samples, peak_name, "flop", &peak_flop);
    if (!status)
        ex_put_estimate(table, "peak", "ratio", &ratio, flop / peak_flop.value);
    return status;
}

static int put_counted(const struct context *c, const char *name, struct jrx_table *table)
{
    for (int level = 1; level <= EX_CACHES; level++) {
        struct jrx_estimate read, written;
        char column[64];
        snprintf(column, sizeof column, "counted_%s_read_bytes", level_names[level]);
        int status = ex_median(c->samples, name, column, &read);
        snprintf(column, sizeof column, "counted_%s_write_bytes", level_names[level]);
        if (!status)
            status = ex_median(c->samples, name, column, &written);
        if (status)
            return status;
        snprintf(column, sizeof column, "counted_%s_bytes", level_names[level]);
        jrx_put_real(table, column, read.value + written.value);
    }
    return 0;
}

static int put_measured(const struct context *c, const struct ex_cell *cell, const char *name, struct jrx_table *table)
{
    struct jrx_estimate time, energy, product = {NAN, NAN, NAN, 0}, flop;
    const char *source = "", *counted = "";
    int status = ex_median(c->samples, name, "time_ns", &time);
    if (status || (status = ex_median(c->samples, name, "energy_j", &energy)) ||
        (status = ex_median(c->samples, name, "flop", &flop)) ||
        (status = bootstrap_product(c->samples, name, &product)) ||
        (status = ex_only_text(c->samples, "energy_source", &source)) ||
        (status = ex_only_text(c->samples, "counted_source", &counted)))
        return status;
    jrx_put_real(table, "flop", flop.value);
    ex_put_estimate(table, "time", "ms", &time, 1e-6);
    jrx_put_real(table, "rate_flop_per_s", flop.value / (time.value * 1e-9));
    ex_put_estimate(table, "energy", "mj", &energy, 1e3);
    jrx_put_text(table, "energy_source", source);
    ex_put_estimate(table, "edp", "mj_per_hz", &product, 1e3);
    jrx_put_text(table, "counted_source", counted);
    status = put_counted(c, name, table);
    return status ? status : put_peak(c, cell, name, flop.value, table);
}

static void put_traffic(const struct ex_traffic *traffic, const double *model, struct jrx_table *table)
{
    const double bytes[] = {traffic->l1_bytes, traffic->l2_bytes, traffic->l3_bytes, traffic->dram_bytes};
    double worst = isnan(bytes[1]) ? (double)NAN : 0;
    for (int level = 0; level <= EX_CACHES; level++) {
        char column[64];
        snprintf(column, sizeof column, "sim_%s_bytes", level_names[level]);
        jrx_put_real(table, column, bytes[level]);
        if (level > 0) {
            snprintf(column, sizeof column, "model_%s_bytes", level_names[level]);
            jrx_put_real(table, column, model[level]);
            snprintf(column, sizeof column, "sim_%s_misses_count", level_names[level - 1]);
            jrx_put_real(table, column, sum(traffic->misses[level - 1]));
            if (traffic->error_bytes[level] > 0)
                worst = fmax(worst, traffic->error_bytes[level] / bytes[level]);
        }
    }
    jrx_put_real(table, "sim_error_ratio", worst);
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct context *c = context;
    const struct ex_cell *cell = &c->sweep->cell[row];
    char name[EX_CELL_TEXT], text[KN_TILE_TEXT];
    double model[EX_CACHES + 1];
    jrx_put_text(table, "cell", ex_cell_label(cell, name));
    jrx_put_integer(table, "threads", cell->threads);
    jrx_put_text(table, "kernel", cell->kernel ? cell->kernel->name : "peak");
    if (cell->kernel) {
        int status = ex_cell_model(cell, c->geometry, model);
        if (status)
            return status;
        jrx_put_text(table, "layer", kn_layer_format(cell->kernel->op, &cell->shape, text, sizeof text));
        snprintf(text, sizeof text, "%dx%d", cell->shape.f, cell->shape.t);
        jrx_put_text(table, "grid", text);
        jrx_put_integer(table, "batch", cell->shape.n);
        jrx_put_integer(table, "times", cell->times);
        jrx_put_text(table, "tile", kn_tile_format(&cell->tile, KN_TILE_ALL, text, sizeof text));
        jrx_put_text(table, "tile_from", cell->picked ? ex_tile_from_name(cell->from) : "asked");
        put_traffic(&c->traffic[row], model, table);
    }
    return put_measured(c, cell, name, table);
}

/* ---- traffic.csv ------------------------------------------------------------------------------------------------ */

static int put_traffic_rows(struct jrx_table *table, const struct ex_cell *cell, const struct ex_traffic *traffic)
{
    char name[EX_CELL_TEXT];
    int status = 0;
    if (!cell->kernel || isnan(traffic->l1_bytes))
        return 0;
    for (int level = 0; level <= EX_CACHES && !status; level++)
        for (int tensor = 0; tensor < KN_OPERANDS && !status; tensor++) {
            if (!(traffic->bytes[0][tensor] > 0))
                continue;
            jrx_put_text(table, "cell", ex_cell_label(cell, name));
            jrx_put_text(table, "level", level_names[level]);
            jrx_put_text(table, "tensor", ex_operand_names[tensor]);
            jrx_put_real(table, "sim_bytes", traffic->bytes[level][tensor]);
            jrx_put_real(table, "sim_misses_count", level ? traffic->misses[level - 1][tensor] : (double)NAN);
            status = jrx_table_row(table);
        }
    return status;
}

int ex_summarise(const char *dir, const struct jrx_csv *samples, const struct ex_sweep *sweep,
                 const struct ex_traffic *traffic, const struct jrx_cache_geometry *geometry)
{
    struct context context = {samples, sweep, traffic, geometry};
    struct jrx_table *table = NULL;
    char path[PATH_MAX + 16];
    int status = ex_summary(dir, &summary_schema, sweep->cells, put_row, &context);
    snprintf(path, sizeof path, "%s/traffic.csv", dir);
    if (!status)
        status = jrx_table_open(&table, path, &traffic_schema, JRX_TABLE_WHOLE);
    if (status)
        return status;
    for (int i = 0; i < sweep->cells && !status; i++)
        status = put_traffic_rows(table, &sweep->cell[i], &traffic[i]);
    if (status)
        jrx_table_leave(table);
    else
        status = jrx_table_close(table);
    return status;
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

static double real(const struct jrx_csv *csv, size_t row, const char *column)
{
    double value = NAN;
    int at = jrx_csv_find(csv, column);
    if (at >= 0)
        jrx_csv_real(csv, row, (size_t)at, &value);
    return value;
}

static const char *words(const struct jrx_csv *csv, size_t row, const char *column)
{
    int at = jrx_csv_find(csv, column);
    return at < 0 ? "" : jrx_csv_text(csv, row, (size_t)at);
}

/* A number in its column, "-" if it is missing. */
static void print_real(FILE *to, int width, int digits, double value)
{
    if (isnan(value))
        fprintf(to, " %*s", width, "-");
    else
        fprintf(to, " %*.*f", width, digits, value);
}

static void print_row(FILE *to, const struct jrx_csv *csv, size_t row)
{
    double time = real(csv, row, "time_ms"),
           half = (real(csv, row, "time_ci_hi_ms") - real(csv, row, "time_ci_lo_ms")) / 2;
    double energy = real(csv, row, "energy_mj");
    print_real(to, 9, 3, time);
    fprintf(to, " +-%4.1f%%", 100 * half / time);
    print_real(to, 9, 1, real(csv, row, "rate_flop_per_s") * 1e-9);
    print_real(to, 6, 1, 100 * real(csv, row, "peak_ratio"));
    print_real(to, 9, 3, energy);
    print_real(to, 9, 4, real(csv, row, "edp_mj_per_hz"));
    for (int level = 1; level <= EX_CACHES; level++) {
        char column[64];
        snprintf(column, sizeof column, "sim_%s_bytes", level_names[level]);
        print_real(to, 8, 2, real(csv, row, column) * 1e-6);
    }
    for (int level = 0; level < EX_CACHES; level++) {
        char column[64];
        snprintf(column, sizeof column, "sim_%s_misses_count", level_names[level]);
        print_real(to, 8, 1, real(csv, row, column) * 1e-3);
    }
    fprintf(to, "  %s\n", words(csv, row, "cell"));
}

static const double PEAK_SLACK = 1.05; /* of a share of the peak that noise alone may have */

int ex_summary_print(FILE *to, const char *dir)
{
    struct jrx_csv *csv;
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/summary.csv", dir);
    int status = jrx_csv_read(&csv, path, &summary_schema);
    if (status)
        return status;
    fprintf(to, "time: measured; energy: %s; caches: simulated; intervals: 95 %%\n\n",
            jrx_csv_rows(csv) ? words(csv, 0, "energy_source") : "");
    fprintf(to, "%9s %7s %9s %6s %9s %9s %8s %8s %8s %8s %8s %8s\n", "time", "", "rate", "peak", "energy", "EDP",
            "L1-L2", "L2-L3", "L3-mem", "L1 miss", "L2 miss", "L3 miss");
    fprintf(to, "%9s %7s %9s %6s %9s %9s %8s %8s %8s %8s %8s %8s\n", "ms", "", "GFLOP/s", "%", "mJ", "mJ s", "MB", "MB",
            "MB", "1000", "1000", "1000");
    int beyond = 0;
    for (size_t row = 0; row < jrx_csv_rows(csv); row++) {
        print_row(to, csv, row);
        beyond |= real(csv, row, "peak_ratio") > PEAK_SLACK;
    }
    if (beyond)
        fprintf(
            to,
            "\nShares are of the FP32 peak, which only bf16 can pass: where another is above 100 %%, something else "
            "ran while the peak was measured. Take more --reps on an idle machine (joulerx doctor).\n");
    jrx_csv_free(csv);
    return 0;
}

int ex_summary_copy(FILE *to, const char *dir)
{
    char path[PATH_MAX + 16], text[4096];
    snprintf(path, sizeof path, "%s/summary.csv", dir);
    FILE *from = fopen(path, "re");
    if (!from)
        return jrx_fail(JRX_EIO, "%s: %s", path, strerror(errno));
    for (size_t got; (got = fread(text, 1, sizeof text, from)) > 0;)
        fwrite(text, 1, got, to);
    fclose(from);
    return ferror(to) ? jrx_fail(JRX_EIO, "stdout: %s", strerror(errno)) : 0;
}

void ex_traffic_head(FILE *to)
{
    fprintf(to, "MB of a warm call, simulated (and modelled):\n%19s %19s %19s\n", "L1-L2", "L2-L3", "L3-memory");
}

void ex_traffic_print(FILE *to, const char *label, const struct ex_traffic *traffic, const double *model)
{
    const double bytes[] = {traffic->l1_bytes, traffic->l2_bytes, traffic->l3_bytes, traffic->dram_bytes};
    for (int level = 1; level <= EX_CACHES; level++) {
        print_real(to, 8, 2, bytes[level] * 1e-6);
        fprintf(to, " (");
        print_real(to, 7, 2, model[level] * 1e-6);
        fprintf(to, ")");
        if (traffic->error_bytes[level] > 0)
            fprintf(to, " +-%.2f", traffic->error_bytes[level] * 1e-6);
    }
    fprintf(to, "  %s\n", label);
}
