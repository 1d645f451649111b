#include "models/energy/fit.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/energy/fit_parts.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const method_names[EM_METHODS] = {"ols", "nnls", "huber", "ridge"};
static const char *const verdict_texts[EM_VERDICTS] = {
    "identified", "not identifiable: variance inflation above 10", "not identifiable: interval covers 0",
    "not identifiable: negative, which no cost can be", "not identifiable: no interval"};

const char *em_method_name(enum em_method method)
{
    return method_names[method];
}

int em_method_parse(const char *text, enum em_method *method)
{
    for (int i = 0; i < EM_METHODS; i++) {
        if (!strcmp(text, method_names[i])) {
            *method = (enum em_method)i;
            return 0;
        }
    }
    return jrx_fail(JRX_EINVAL, "fit: no method '%s'; there are ols, nnls, huber and ridge", text);
}

const char *em_verdict_text(enum em_verdict verdict)
{
    return verdict_texts[verdict];
}

double em_additivity_ratio(double a, double b, double ab)
{
    return a + b > 0 || a + b < 0 ? fabs(ab - (a + b)) / fabs(a + b) : (double)NAN;
}

double em_row_value(const struct em_data *data, const double *x, size_t row)
{
    double sum = 0;
    for (int j = 0; j < data->cols; j++)
        sum += x[j] * data->x[row + (size_t)j * data->rows];
    return sum;
}

int em_reduce(const struct em_system *system, const int *block, int part, const double *extra,
              struct em_triangle *triangle)
{
    const struct em_data *data = system->data;
    size_t rows = 0;
    for (size_t i = 0; i < data->rows; i++)
        rows += part < 0 || block[i] == part;
    for (size_t i = 0, to = 0; i < data->rows; i++) {
        if (part >= 0 && block[i] != part)
            continue;
        double weight = system->weight[i] * (extra ? extra[i] : 1);
        for (int j = 0; j < data->cols; j++)
            system->ab[to + (size_t)j * rows] = weight * data->x[i + (size_t)j * data->rows];
        system->ab[to++ + (size_t)data->cols * rows] = weight * data->y[i];
    }
    return em_triangle_reduce(system->ab, rows, data->cols, triangle);
}

int em_solve(const struct em_system *system, const struct em_triangle *triangle, double *x, unsigned char *used)
{
    if (system->options->method == EM_NNLS)
        return em_nonnegative(triangle, x, used);
    if (used)
        memset(used, 1, (size_t)triangle->cols);
    if (system->options->method == EM_RIDGE)
        return em_ridge(triangle, system->ridge, system->constant, x);
    return em_least_squares(triangle, NULL, x);
}

/* ---- what cannot be fitted ---- */

static int check_options(const struct em_data *data, const struct em_fit_options *options)
{
    if (data->cols < 1 || data->cols > EM_COLUMNS)
        return jrx_fail(JRX_EINVAL, "fit: %d columns; 1 to %d can be fitted", data->cols, EM_COLUMNS);
    if (data->rows < (size_t)data->cols)
        return jrx_fail(JRX_EINVAL, "fit: %zu rows for %d columns; measure at least as many rows as columns",
                        data->rows, data->cols);
    if (!(options->confidence_ratio > 0 && options->confidence_ratio < 1))
        return jrx_fail(JRX_EINVAL, "fit: confidence %g; give a share between 0 and 1, such as 0.95",
                        options->confidence_ratio);
    if (options->resamples < 0)
        return jrx_fail(JRX_EINVAL, "fit: %d resamples; give 0 for none, or about 1000", options->resamples);
    for (size_t i = 0; data->group && i < data->rows; i++) {
        if (data->group[i] < 0 || data->group[i] >= data->groups)
            return jrx_fail(JRX_EINVAL, "fit: row %zu is in group %d of %d; number them from 0", i + 1, data->group[i],
                            data->groups);
    }
    return 0;
}

static int check_values(const struct em_data *data, int relative)
{
    for (int j = 0; j < data->cols; j++) {
        const double *column = data->x + (size_t)j * data->rows;
        double largest = 0;
        for (size_t i = 0; i < data->rows; i++) {
            if (!isfinite(column[i]))
                return jrx_fail(JRX_EINVAL, "fit: column %s, row %zu is %g; leave out rows that lack a value",
                                data->names[j], i + 1, column[i]);
            largest = fmax(largest, fabs(column[i]));
        }
        if (largest <= 0)
            return jrx_fail(JRX_EINVAL, "fit: column %s is 0 in every row; leave it out", data->names[j]);
    }
    for (size_t i = 0; i < data->rows; i++) {
        if (!isfinite(data->y[i]))
            return jrx_fail(JRX_EINVAL, "fit: y, row %zu is %g; leave out rows that lack a value", i + 1, data->y[i]);
        if (relative && data->y[i] <= 0)
            return jrx_fail(JRX_EINVAL, "fit: y, row %zu is %g; weights of 1 / y need y above 0: use weights of 1",
                            i + 1, data->y[i]);
    }
    return 0;
}

/* Names the columns whose combination cancels, those with a share in it. */
static int check_dependence(const struct em_system *system)
{
    const struct em_data *data = system->data;
    double norm[EM_COLUMNS], weakest[EM_COLUMNS];
    em_norms(&system->whole, norm);
    double condition = em_condition(&system->whole, norm, weakest);
    if (condition < 1e12)
        return 0;
    char names[256] = "";
    size_t used = 0;
    for (int j = 0; j < data->cols && used < sizeof names; j++) {
        if (fabs(weakest[j]) > 1e-3)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", data->names[j]);
    }
    return jrx_fail(
        JRX_EINVAL,
        "fit: not identifiable: columns %s depend on each other (condition %.1e); leave one of them out, or "
        "add kernels in which they differ",
        names, condition);
}

/* ---- setting up ---- */

static int constant_column(const struct em_data *data)
{
    for (int j = 0; j < data->cols; j++) {
        const double *column = data->x + (size_t)j * data->rows;
        size_t same = 1;
        while (same < data->rows && column[same] >= column[0] && column[same] <= column[0])
            same++;
        if (same == data->rows)
            return j;
    }
    return -1;
}

/* Groups without rows are no blocks; the others keep their order, but not their number. */
static int number_blocks(const struct em_data *data, struct em_fit *fit)
{
    size_t runs = data->rows < EM_RUNS ? data->rows : EM_RUNS;
    int *number = data->group ? jrx_alloc((size_t)data->groups * sizeof *number) : NULL;
    if (data->group && !number)
        return JRX_ENOMEM;
    for (size_t i = 0; data->group && i < data->rows; i++)
        number[data->group[i]] = 1;
    for (int g = 0; data->group && g < data->groups; g++)
        number[g] = number[g] ? fit->blocks++ : -1;
    for (size_t i = 0; i < data->rows; i++)
        fit->block[i] = data->group ? number[data->group[i]] : (int)(i * runs / data->rows);
    if (!data->group)
        fit->blocks = (int)runs;
    free(number);
    return 0;
}

static int reduce_blocks(struct em_system *system, const struct em_fit *fit)
{
    int status = 0;
    for (int k = 0; !status && k < fit->blocks; k++)
        status = em_reduce(system, fit->block, k, NULL, &system->parts[k]);
    return status ? status : em_reduce(system, NULL, -1, NULL, &system->whole);
}

static int set_up(struct em_system *system, struct em_fit *fit)
{
    const struct em_data *data = system->data;
    size_t rows = data->rows;
    fit->rows = rows;
    fit->cols = data->cols;
    fit->block = jrx_alloc(rows * sizeof *fit->block);
    fit->fitted = jrx_alloc(rows * sizeof *fit->fitted);
    fit->left_out = jrx_alloc(rows * sizeof *fit->left_out);
    fit->noise = jrx_alloc(rows * sizeof *fit->noise);
    size_t resampled = (size_t)system->options->resamples * (size_t)data->cols;
    fit->without =
        jrx_alloc((size_t)(data->group ? data->groups : EM_RUNS) * (size_t)data->cols * sizeof *fit->without);
    fit->resampled = jrx_alloc((resampled ? resampled : 1) * sizeof *fit->resampled);
    system->weight = jrx_alloc(rows * sizeof *system->weight);
    system->ab = jrx_alloc(rows * (size_t)(data->cols + 1) * sizeof *system->ab);
    if (!fit->block || !fit->fitted || !fit->left_out || !fit->noise || !fit->resampled || !fit->without ||
        !system->weight || !system->ab)
        return JRX_ENOMEM;
    int status = number_blocks(data, fit);
    if (status)
        return status;
    system->parts = jrx_alloc((size_t)fit->blocks * sizeof *system->parts);
    system->pick = jrx_alloc((size_t)fit->blocks * sizeof *system->pick);
    if (!system->parts || !system->pick)
        return JRX_ENOMEM;
    system->constant = constant_column(data);
    for (size_t i = 0; i < rows; i++)
        system->weight[i] = system->options->relative ? 1 / data->y[i] : 1;
    return reduce_blocks(system, fit);
}

static enum em_verdict judge(const struct em_coefficient *c)
{
    if (c->vif > EM_VIF_LIMIT)
        return EM_COLLINEAR;
    if (isnan(c->interval.low) || isnan(c->interval.high))
        return EM_NO_INTERVAL;
    if (c->interval.low <= 0 && c->interval.high >= 0)
        return EM_COVERS_ZERO;
    return c->value < 0 ? EM_NEGATIVE : EM_IDENTIFIED;
}

/* What a method needs beyond the solution of least squares: Huber's weights, the penalty of ridge. */
static int prepare(struct em_system *system, struct em_fit *fit)
{
    const struct em_fit_options *options = system->options;
    int status = 0;
    if (options->method == EM_HUBER) {
        double x[EM_COLUMNS];
        status = em_solve(system, &system->whole, x, NULL);
        for (int j = 0; !status && j < fit->cols; j++)
            fit->coefficient[j].value = x[j];
        if (!status)
            status = em_huber(system, fit, system->weight);
        if (!status && isnan(fit->huber_share_ratio))
            status = jrx_fail(JRX_EINVAL, "fit: Huber's weights do not settle on these rows; use ols");
        if (!status)
            status = reduce_blocks(system, fit);
    }
    if (options->method == EM_RIDGE) {
        double best = INFINITY;
        fit->options.ridge = system->ridge = options->ridge;
        for (double ridge = 1e-8; options->ridge <= 0 && !status && ridge < 2; ridge *= 10) {
            system->ridge = ridge;
            status = em_leave_out(system, fit);
            if (fit->left_out_mape_ratio < best || fit->options.ridge <= 0) {
                best = fit->left_out_mape_ratio;
                fit->options.ridge = ridge;
            }
        }
        system->ridge = fit->options.ridge;
    }
    return status;
}

int em_fit_init(struct em_fit *fit, const struct em_data *data, const struct em_fit_options *options)
{
    struct em_system system = {.data = data, .options = options};
    unsigned char used[EM_COLUMNS] = {0};
    double x[EM_COLUMNS];
    memset(fit, 0, sizeof *fit);
    fit->options = *options;
    int status = check_options(data, options);
    if (!status)
        status = check_values(data, options->relative);
    if (!status)
        status = set_up(&system, fit);
    if (!status)
        status = check_dependence(&system);
    if (!status)
        status = prepare(&system, fit);
    if (!status)
        status = em_solve(&system, &system.whole, x, used);
    if (status)
        goto out;
    for (int j = 0; j < data->cols; j++)
        fit->coefficient[j].value = x[j];
    status = em_diagnose(&system, used, fit);
    if (status)
        goto out;
    em_judge_residuals(&system, used, fit);
    if (options->method != EM_HUBER)
        status = em_huber(&system, fit, NULL);
    else
        for (int j = 0; j < data->cols; j++)
            fit->coefficient[j].huber = x[j];
    if (!status)
        status = em_leave_out(&system, fit);
    if (!status)
        status = em_bootstrap(&system, fit);
    if (!status)
        em_jackknife(fit);
    for (int j = 0; !status && j < data->cols; j++)
        fit->coefficient[j].verdict = judge(&fit->coefficient[j]);
out:
    free(system.weight);
    free(system.ab);
    free(system.parts);
    free(system.pick);
    return status;
}

void em_fit_fini(struct em_fit *fit)
{
    free(fit->fitted);
    free(fit->left_out);
    free(fit->block);
    free(fit->resampled);
    free(fit->without);
    free(fit->noise);
    memset(fit, 0, sizeof *fit);
}

int em_predict(const struct em_fit *fit, const double *row, struct em_prediction *prediction)
{
    size_t count = (size_t)fit->resamples_solved;
    double *mean = jrx_alloc((count + 1) * sizeof *mean), *single = jrx_alloc((count + 1) * sizeof *single);
    int status = mean && single ? 0 : JRX_ENOMEM;
    if (status)
        goto out;
    prediction->value = 0;
    for (int j = 0; j < fit->cols; j++)
        prediction->value += fit->coefficient[j].value * row[j];
    struct jrx_rng rng;
    jrx_rng_init(&rng, fit->options.seed, 1); /* stream 0 drew the resamples */
    for (size_t b = 0; b < count; b++) {
        for (int j = 0; j < fit->cols; j++)
            mean[b] += fit->resampled[b * (size_t)fit->cols + (size_t)j] * row[j];
        double noise = fit->noises ? fit->noise[jrx_rng_below(&rng, (uint32_t)fit->noises)] : (double)NAN;
        single[b] = fit->options.relative ? mean[b] * (1 + noise) : mean[b] + noise;
    }
    double tail = em_tail(fit->options.confidence_ratio, fit->blocks, fit->cols);
    prediction->mean = em_central(mean, count, tail);
    prediction->single = em_central(single, fit->noises ? count : 0, tail);
out:
    free(mean);
    free(single);
    return status;
}

double em_left_out_mape_ratio(const struct em_fit *fit, const struct em_data *data, int block)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < fit->rows; i++) {
        if (fit->block[i] != block)
            continue;
        sum += fabs(data->y[i] - fit->left_out[i]) / fabs(data->y[i]);
        count++;
    }
    return count && isfinite(sum) ? sum / (double)count : (double)NAN;
}
