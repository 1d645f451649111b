/* What the samples of a calibration say: coefficients, what they are worth, and the machine's profile. */
#include "experiments/calibration_rows.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/machine.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what is written -------------------------------------------------------------------------------------------- */

static const struct jrx_column coefficient_columns[] = {
    {"response", JRX_TEXT, "package or dram: energies that are never mixed"},
    {"term", JRX_TEXT, "what it costs for"},
    {"coefficient", JRX_TEXT, "value, as written in profile.ini"},
    {"low", JRX_TEXT, "lower end of its 95 % interval, jackknife over groups and the meter's own error"},
    {"high", JRX_TEXT, "upper end"},
    {"unit", JRX_TEXT, "W, pJ/FLOP, pJ/byte"},
    {"vif_ratio", JRX_REAL, "variance inflation: over 10, other terms say the same"},
    {"verdict", JRX_TEXT, "identified, or why it is not identifiable"},
    {"energy_source", JRX_TEXT, "of the energies it was fitted to"},
};

static void put_number(struct jrx_table *table, const char *column, double value)
{
    char digits[40] = "";
    if (!isnan(value))
        snprintf(digits, sizeof digits, "%.6g", value);
    jrx_put_text(table, column, digits);
}

static int write_coefficients(const struct ex_run *run, const struct ex_coefficients *fitted, const char *source)
{
    static const struct jrx_schema schema = {"coefficients", coefficient_columns,
                                             sizeof coefficient_columns / sizeof *coefficient_columns};
    struct jrx_table *table;
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/coefficients.csv", run->dir);
    int status = jrx_table_open(&table, path, &schema, JRX_TABLE_WHOLE);
    for (int r = 0; r < EM_RESPONSES; r++)
        for (int j = 0; j < fitted->fit[r].cols && !status; j++) {
            const struct em_coefficient *c = &fitted->fit[r].coefficient[j];
            enum em_term term = fitted->term[r][j];
            double unit = term < EM_TERM_FLOP ? 1 : 1e-12;
            jrx_put_text(table, "response", em_response_name((enum em_response)r));
            jrx_put_text(table, "term", em_term_name(term));
            put_number(table, "coefficient", c->value / unit);
            put_number(table, "low", fitted->profile.of[r].interval[term].low / unit);
            put_number(table, "high", fitted->profile.of[r].interval[term].high / unit);
            jrx_put_text(table, "unit", em_term_unit(term));
            jrx_put_real(table, "vif_ratio", c->vif);
            jrx_put_text(table, "verdict", em_verdict_text(c->verdict));
            jrx_put_text(table, "energy_source", source);
            status = jrx_table_row(table);
        }
    if (!status)
        return jrx_table_close(table);
    jrx_table_leave(table);
    return status;
}

static int write_profile(const struct ex_run *run, struct em_profile *profile, const char *source)
{
    struct jrx_machine machine;
    char path[PATH_MAX + 32];
    int status = jrx_machine_read(&machine, run->settings->sysfs, NULL);
    if (status)
        return status;
    snprintf(profile->name, sizeof profile->name, "%.80s, calibrated", machine.cpu);
    snprintf(profile->cpu, sizeof profile->cpu, "%.90s", machine.cpu);
    snprintf(profile->source, sizeof profile->source, "%s", source);
    snprintf(profile->about, sizeof profile->about, "joulerx run calibrate, seed %llu, %d threads, %d windows a cell",
             (unsigned long long)run->settings->seed, run->settings->threads, run->settings->preset->reps);
    snprintf(path, sizeof path, "%s/profile.ini", run->dir);
    FILE *to = fopen(path, "w");
    if (!to)
        return jrx_fail(JRX_EIO, "%s: cannot be written", path);
    status = em_profile_print(profile, to);
    return fclose(to) && !status ? jrx_fail(JRX_EIO, "%s: cannot be written", path) : status;
}

static const struct jrx_column summary_columns[] = {
    {"cell", JRX_TEXT, "kernel, threads, size or tiling, data"},
    {"group", JRX_TEXT, "what is left out together"},
    {"response", JRX_TEXT, "package or dram"},
    {"data", JRX_TEXT, "random or zero operands"},
    {"time_us", JRX_REAL, "mean run time of a call, measured"},
    {"energy_uj", JRX_REAL, "mean energy of a call, of the source in energy_source"},
    {"fit_uj", JRX_REAL, "what the fit says; empty if there is none"},
    {"left_out_uj", JRX_REAL, "what the fit without its group says"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
};
const struct jrx_schema ex_calibration_summary = {"calibrate summary", summary_columns,
                                                  sizeof summary_columns / sizeof *summary_columns};

struct summary {
    const struct jrx_csv *samples;
    const struct ex_rows *rows;
    const char *source;
    size_t *first; /* [cells * EM_RESPONSES] the row that a line begins with */
    int *response;
};

static double mean_of(const struct summary *s, size_t first, const double *value)
{
    double sum = 0, count = 0;
    const char *cell = ex_field_text(s->samples, s->rows->sample[first], "cell");
    for (size_t i = 0; i < s->rows->count; i++)
        if (!strcmp(ex_field_text(s->samples, s->rows->sample[i], "cell"), cell)) {
            sum += value[i];
            count++;
        }
    return sum / count;
}

static int put_line(void *context, int line, struct jrx_table *table)
{
    const struct summary *s = context;
    size_t first = s->first[line], sample = s->rows->sample[first];
    int r = s->response[line];
    jrx_put_text(table, "cell", ex_field_text(s->samples, sample, "cell"));
    jrx_put_text(table, "group", ex_field_text(s->samples, sample, "group"));
    jrx_put_text(table, "response", em_response_name((enum em_response)r));
    jrx_put_text(table, "data", ex_field_text(s->samples, sample, "data"));
    jrx_put_real(table, "time_us", 1e6 * mean_of(s, first, s->rows->term[EM_TERM_TIME]));
    jrx_put_real(table, "energy_uj", 1e6 * mean_of(s, first, s->rows->energy_j[r]));
    jrx_put_real(table, "fit_uj", 1e6 * mean_of(s, first, s->rows->predicted_j[r]));
    jrx_put_real(table, "left_out_uj", 1e6 * mean_of(s, first, s->rows->left_out_j[r]));
    jrx_put_text(table, "energy_source", s->source);
    return 0;
}

static int write_summary(const struct ex_run *run, const struct jrx_csv *samples, const struct ex_rows *rows,
                         const char *source)
{
    struct summary s = {samples, rows, source, calloc(2 * rows->count + 1, sizeof(size_t)),
                        calloc(2 * rows->count + 1, sizeof(int))};
    int lines = 0, status = s.first && s.response ? 0 : jrx_fail(JRX_ENOMEM, "calibrate: no memory");
    for (int r = 0; r < EM_RESPONSES && !status; r++)
        for (size_t i = 0; i < rows->count && rows->have[r]; i++) {
            int known = 0;
            for (size_t k = 0; k < i && !known; k++)
                known = !strcmp(ex_field_text(samples, rows->sample[k], "cell"),
                                ex_field_text(samples, rows->sample[i], "cell"));
            if (!known) {
                s.first[lines] = i;
                s.response[lines++] = r;
            }
        }
    if (!status)
        status = ex_summary(run->dir, &ex_calibration_summary, lines, put_line, &s);
    free(s.first);
    free(s.response);
    return status;
}

/* ---- conclusion ------------------------------------------------------------------------------------------------- */

static const double left_out_limit_ratio = 0.10;

/* Mean error of what was left out, over groups; NAN without a fit. */
static int left_out_error(const struct ex_rows *rows, const struct em_fit *fit, struct jrx_estimate *estimate)
{
    double *error = malloc((rows->fitted + 1) * sizeof *error);
    uint32_t *group = malloc((rows->fitted + 1) * sizeof *group);
    int status = error && group ? 0 : jrx_fail(JRX_ENOMEM, "calibrate: no memory");
    *estimate = (struct jrx_estimate){NAN, NAN, NAN, 0};
    for (size_t i = 0; i < rows->fitted && !status && fit->left_out; i++) {
        error[i] = fabs(fit->left_out[i] / rows->energy_j[EM_PACKAGE][i] - 1);
        group[i] = (uint32_t)rows->group[i];
    }
    const struct jrx_sample sample = {.a = error, .group = group, .n = rows->fitted};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    if (!status && fit->left_out && !isnan(fit->left_out_mape_ratio))
        status = jrx_bootstrap(&sample, JRX_MEAN, &how, estimate);
    free(error);
    free(group);
    return status;
}

/* Energy with zeros over energy with random numbers, a mean over the twins, repetition by repetition. */
static int zero_ratio(const struct jrx_csv *samples, struct jrx_estimate *estimate)
{
    double ratio[EX_MAX_REPS * EX_TWINS];
    uint32_t rep[EX_MAX_REPS * EX_TWINS];
    size_t count = 0;
    *estimate = (struct jrx_estimate){NAN, NAN, NAN, 0};
    for (size_t i = 0; i < jrx_csv_rows(samples); i++) {
        const char *cell = ex_field_text(samples, i, "cell"), *zero = strstr(cell, " zero");
        for (size_t k = 0; zero && k < jrx_csv_rows(samples) && count < EX_MAX_REPS * EX_TWINS; k++) {
            const char *twin = ex_field_text(samples, k, "cell");
            size_t same = (size_t)(zero - cell);
            if (strncmp(cell, twin, same) || strcmp(twin + same, " random") ||
                strcmp(ex_field_text(samples, i, "rep"), ex_field_text(samples, k, "rep")))
                continue;
            ratio[count] = ex_field_real(samples, i, "energy_j") / ex_field_real(samples, k, "energy_j");
            rep[count] = (uint32_t)ex_field_real(samples, i, "rep");
            count += isfinite(ratio[count]) != 0;
        }
    }
    const struct jrx_sample sample = {.a = ratio, .group = rep, .n = count};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    return count ? jrx_bootstrap(&sample, JRX_MEAN, &how, estimate) : 0;
}

static int make_claims(const struct ex_rows *rows, const struct jrx_csv *samples, const struct ex_coefficients *fitted,
                       enum jrx_source source, struct ex_claim *claims)
{
    struct jrx_estimate error, zero;
    int status = left_out_error(rows, &fitted->fit[EM_PACKAGE], &error);
    if (!status)
        status = zero_ratio(samples, &zero);
    if (status)
        return status;
    claims[0] = ex_claim_make(
        "calibrate-left-out", "Time, FLOPs and bytes predict the package energy of kernels left out within 10 %.",
        source == JRX_ESTIMATED ? "the energy is an estimate: fitting it would return the profile it came from, so "
                                  "nothing is fitted and no profile is written"
                                : "mean absolute error, each kernel predicted by the fit of the others",
        &error, ex_verdict_of_energy(source, error.low, error.high, left_out_limit_ratio, 1), source);
    claims[1] = ex_claim_make("calibrate-data", "Kernels on zeros take less energy than on random numbers.",
                              "energy on zeros over energy on random numbers, mean over four kernels", &zero,
                              ex_verdict_of_energy(source, zero.low, zero.high, 1, 1), source);
    return 2;
}

static void warn_estimated(const struct ex_run *run)
{
    jrx_warn(run->warnings, "not_fitted", NAN, NAN,
             "run calibrate where a meter can be read; to see the profile come back: joulerx fit samples.csv "
             "--estimated --response=energy_package_0_j --terms=...",
             "the energies are estimates of the model meter: nothing is fitted, no profile is written");
}

int ex_calibration_conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    struct ex_rows rows = {.memory = NULL};
    struct ex_coefficients *fitted = calloc(1, sizeof *fitted);
    struct jrx_csv *additivity = NULL;
    const char *source_name = "";
    char path[PATH_MAX + 32];
    int status =
        fitted ? ex_only_text(samples, "energy_source", &source_name) : jrx_fail(JRX_ENOMEM, "calibrate: no memory");
    snprintf(path, sizeof path, "%s/additivity.csv", run->dir);
    if (!status && !access(path, R_OK))
        status = jrx_csv_read(&additivity, path, NULL);
    if (!status)
        status = ex_rows_init(&rows, samples, additivity);
    enum jrx_source source = ex_source(source_name);
    if (!status && source == JRX_ESTIMATED)
        warn_estimated(run);
    for (int r = 0; r < EM_RESPONSES && !status; r++)
        if (source != JRX_ESTIMATED && rows.have[r])
            status = ex_rows_fit(&rows, (enum em_response)r, run->settings->seed, fitted);
    if (!status)
        status = write_summary(run, samples, &rows, source_name);
    if (!status && fitted->profile.of[EM_PACKAGE].fitted && !(status = write_coefficients(run, fitted, source_name)))
        status = write_profile(run, &fitted->profile, source_name);
    if (!status)
        status = make_claims(&rows, samples, fitted, source, claims);
    for (int r = 0; r < EM_RESPONSES && fitted; r++)
        em_fit_fini(&fitted->fit[r]);
    jrx_csv_free(additivity);
    ex_rows_fini(&rows);
    free(fitted);
    return status;
}
