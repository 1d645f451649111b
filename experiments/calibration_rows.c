/* Samples as rows of a fit, and the fit: see the header. */
#include "experiments/calibration_rows.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAYS = 4 * EM_RESPONSES + EM_TERMS + 1 };

static int alloc_rows(struct ex_rows *rows, size_t count)
{
    memset(rows, 0, sizeof *rows);
    rows->memory = malloc((count + 1) * ARRAYS * sizeof *rows->memory);
    rows->sample = calloc(count + 1, sizeof *rows->sample);
    rows->group = calloc(count + 1, sizeof *rows->group);
    if (!rows->memory || !rows->sample || !rows->group)
        return jrx_fail(JRX_ENOMEM, "calibrate: no memory for %zu rows", count);
    double *at = rows->memory;
    for (size_t i = 0; i < (count + 1) * ARRAYS; i++)
        at[i] = NAN;
    for (int r = 0; r < EM_RESPONSES; r++, at += 4 * (count + 1)) {
        rows->energy_j[r] = at;
        rows->predicted_j[r] = at + count + 1;
        rows->left_out_j[r] = at + 2 * (count + 1);
        rows->uncertainty_j[r] = at + 3 * (count + 1);
    }
    for (int k = 0; k < EM_TERMS; k++, at += count + 1)
        rows->term[k] = at;
    rows->scratch = at;
    return 0;
}

void ex_rows_fini(struct ex_rows *rows)
{
    free(rows->memory);
    free(rows->sample);
    free(rows->group);
}

/* Counted columns of a term, and what stands in where the machine does not count, or not additively. */
static const struct {
    enum em_term term;
    const char *counted[2], *known;
} sources[] = {{EM_TERM_FLOP, {"counted_flop", NULL}, "flop"},
               {EM_TERM_L1, {NULL, NULL}, "sim_l1_bytes"},
               {EM_TERM_L2, {"counted_l2_read_bytes", "counted_l2_write_bytes"}, "sim_l2_bytes"},
               {EM_TERM_L3, {"counted_l3_read_bytes", "counted_l3_write_bytes"}, "sim_l3_bytes"},
               {EM_TERM_DRAM, {"counted_dram_read_bytes", "counted_dram_write_bytes"}, "sim_dram_bytes"}};
enum { SOURCES = sizeof sources / sizeof *sources };

double ex_field_real(const struct jrx_csv *csv, size_t row, const char *column)
{
    double value = NAN;
    int c = jrx_csv_find(csv, column);
    return c < 0 || jrx_csv_real(csv, row, (size_t)c, &value) ? (double)NAN : value;
}

const char *ex_field_text(const struct jrx_csv *csv, size_t row, const char *column)
{
    int c = jrx_csv_find(csv, column);
    return c < 0 ? "" : jrx_csv_text(csv, row, (size_t)c);
}

/* Whether additivity.csv keeps it. */
static int is_additive(const struct jrx_csv *additivity, const char *column)
{
    for (size_t i = 0; additivity && i < jrx_csv_rows(additivity); i++)
        if (!strcmp(ex_field_text(additivity, i, "metric"), column + strlen("counted_")))
            return ex_field_real(additivity, i, "kept") > 0;
    return 0;
}

/* Whether a term is counted in all rows, by hardware, additively. */
static int is_counted(const struct jrx_csv *samples, const struct jrx_csv *additivity, int s)
{
    if (!sources[s].counted[0])
        return 0;
    for (int k = 0; k < 2 && sources[s].counted[k]; k++) {
        if (!is_additive(additivity, sources[s].counted[k]))
            return 0;
        for (size_t i = 0; i < jrx_csv_rows(samples); i++)
            if (isnan(ex_field_real(samples, i, sources[s].counted[k])) ||
                strcmp(ex_field_text(samples, i, "counted_source"), jrx_source_name(JRX_MEASURED)))
                return 0;
    }
    return 1;
}

/* Sum over the memory domains of their energy, or of its uncertainty; NAN if there is none. */
static double of_memory(const struct jrx_csv *samples, size_t row, int uncertainty)
{
    double sum = NAN;
    for (size_t c = 0; c < jrx_csv_columns(samples); c++) {
        const char *name = jrx_csv_name(samples, c);
        double value;
        if (strncmp(name, "energy_dram_", 12) || (strstr(name, "_uncertainty_j") != NULL) != uncertainty ||
            jrx_csv_real(samples, row, c, &value))
            continue;
        sum = isnan(sum) ? value : sum + value;
    }
    return sum;
}

static void take_row(const struct jrx_csv *samples, const int *counted, size_t row, struct ex_rows *rows, size_t to)
{
    double time_s = 1e-9 * ex_field_real(samples, row, "time_ns"), memory_j = of_memory(samples, row, 0);
    rows->sample[to] = row;
    rows->energy_j[EM_MEMORY][to] = memory_j;
    rows->energy_j[EM_PACKAGE][to] = ex_field_real(samples, row, "energy_j") - (isnan(memory_j) ? 0 : memory_j);
    rows->uncertainty_j[EM_MEMORY][to] = of_memory(samples, row, 1);
    rows->uncertainty_j[EM_PACKAGE][to] = ex_field_real(samples, row, "energy_uncertainty_j");
    rows->term[EM_TERM_TIME][to] = time_s;
    rows->term[EM_TERM_AWAKE][to] = ex_field_real(samples, row, "threads") > 0 ? time_s : 0;
    rows->term[EM_TERM_CPU][to] = 1e-9 * ex_field_real(samples, row, "cpu_time_ns");
    for (int s = 0; s < SOURCES; s++) {
        double value = ex_field_real(samples, row, sources[s].known);
        if (counted[s])
            value = ex_field_real(samples, row, sources[s].counted[0]) +
                    (sources[s].counted[1] ? ex_field_real(samples, row, sources[s].counted[1]) : 0);
        rows->term[sources[s].term][to] = isnan(value) ? 0 : value;
    }
}

static int group_of(const struct jrx_csv *samples, const struct ex_rows *rows, size_t count, const char *name,
                    int groups)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(ex_field_text(samples, rows->sample[i], "group"), name))
            return rows->group[i];
    return groups;
}

int ex_rows_init(struct ex_rows *rows, const struct jrx_csv *samples, const struct jrx_csv *additivity)
{
    int counted[SOURCES], status = alloc_rows(rows, jrx_csv_rows(samples));
    for (int s = 0; s < SOURCES; s++)
        counted[s] = is_counted(samples, additivity, s);
    for (int zero = 0; zero < 2 && !status; zero++) {
        for (size_t i = 0; i < jrx_csv_rows(samples); i++) {
            if (strcmp(ex_field_text(samples, i, "data"), zero ? "zero" : "random") ||
                strcmp(ex_field_text(samples, i, "status"), "ok") || !(ex_field_real(samples, i, "energy_j") > 0))
                continue;
            take_row(samples, counted, i, rows, rows->count);
            rows->threads = (int)fmax(rows->threads, ex_field_real(samples, i, "threads"));
            rows->group[rows->count] =
                group_of(samples, rows, rows->count, ex_field_text(samples, i, "group"), rows->groups);
            rows->groups += rows->group[rows->count] == rows->groups;
            rows->count++;
        }
        rows->fitted = zero ? rows->fitted : rows->count;
    }
    for (int r = 0; r < EM_RESPONSES; r++) {
        rows->have[r] = rows->fitted > 0;
        for (size_t i = 0; i < rows->fitted; i++)
            rows->have[r] &= rows->energy_j[r][i] > 0;
    }
    return status;
}

/* ---- the fit ---------------------------------------------------------------------------------------------------- */

/* Memory knows time and its own bytes only; what is 0 in all rows is no term; being awake and a busy thread are one
 * thing where there is only one thread. */
static int choose_terms(const struct ex_rows *rows, enum em_response response, enum em_term *term)
{
    int cols = 0;
    for (int k = 0; k < EM_TERMS; k++) {
        int any = 0;
        for (size_t i = 0; i < rows->fitted; i++)
            any |= rows->term[k][i] > 0;
        any &= k != EM_TERM_AWAKE || rows->threads > 1;
        if (any && (response == EM_PACKAGE || k == EM_TERM_TIME || k == EM_TERM_DRAM))
            term[cols++] = (enum em_term)k;
    }
    return cols;
}

static int ascending(const void *a, const void *b)
{
    double l = *(const double *)a, r = *(const double *)b;
    return (l > r) - (l < r);
}

/* Median of the meter's own relative uncertainty; 0 where it states none. */
static double meter_error(struct ex_rows *rows, enum em_response r)
{
    size_t count = 0;
    for (size_t i = 0; i < rows->fitted; i++) {
        double ratio = rows->uncertainty_j[r][i] / rows->energy_j[r][i];
        if (isfinite(ratio))
            rows->scratch[count++] = ratio;
    }
    qsort(rows->scratch, count, sizeof *rows->scratch, ascending);
    return count ? rows->scratch[count / 2] : 0;
}

int ex_rows_fit(struct ex_rows *rows, enum em_response r, uint64_t seed, struct ex_coefficients *to)
{
    const char *names[EM_TERMS];
    const struct em_fit_options options = {
        .method = EM_NNLS, .confidence_ratio = 0.95, .seed = seed, .relative = 1, .jackknife = 1};
    struct em_data data = {.rows = rows->fitted,
                           .cols = choose_terms(rows, r, to->term[r]),
                           .y = rows->energy_j[r],
                           .names = names,
                           .group = rows->group,
                           .groups = rows->groups};
    double *x = malloc(rows->fitted * EM_TERMS * sizeof *x);
    if (!x)
        return jrx_fail(JRX_ENOMEM, "calibrate: no memory");
    for (int j = 0; j < data.cols; j++) {
        memcpy(x + (size_t)j * rows->fitted, rows->term[to->term[r][j]], rows->fitted * sizeof *x);
        names[j] = em_term_name(to->term[r][j]);
    }
    data.x = x;
    int status = em_fit_init(&to->fit[r], &data, &options);
    if (!status)
        status = em_fitted_set(&to->profile.of[r], &to->fit[r], to->term[r]);
    if (!status)
        em_fitted_scale_error(&to->profile.of[r], meter_error(rows, r));
    for (size_t i = 0; i < rows->count && !status; i++) {
        rows->predicted_j[r][i] = 0;
        for (int j = 0; j < data.cols; j++)
            rows->predicted_j[r][i] += to->fit[r].coefficient[j].value * rows->term[to->term[r][j]][i];
        if (i < rows->fitted)
            rows->left_out_j[r][i] = to->fit[r].left_out[i];
    }
    free(x);
    return status;
}
