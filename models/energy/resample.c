#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/energy/fit_parts.h"
#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    const double *l = a, *r = b;
    return (*l > *r) - (*l < *r);
}

void em_sort(double *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
}

double em_quantile(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    double part = place - (double)below;
    return below + 1 < count ? sorted[below] + part * (sorted[below + 1] - sorted[below]) : sorted[below];
}

struct em_interval em_central(double *values, size_t count, double tail)
{
    if (count == 0)
        return (struct em_interval){NAN, NAN};
    em_sort(values, count);
    return (struct em_interval){em_quantile(values, count, tail), em_quantile(values, count, 1 - tail)};
}

/* z with Phi(-z) = tail, by Newton's method: convex there, so it comes from one side. */
static double normal_deviate(double tail)
{
    double z = 0;
    for (int round = 0; round < 100; round++)
        z += (0.5 * erfc(z * M_SQRT1_2) - tail) / (exp(-0.5 * z * z) * 0.5 * M_2_SQRTPI * M_SQRT1_2);
    return z;
}

double em_student_deviate(double tail, double freedom)
{
    double z = normal_deviate(tail), z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
    return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

double em_tail(double confidence_ratio, int blocks, int cols)
{
    double tail = (1 - confidence_ratio) / 2, freedom = blocks - cols;
    if (freedom < 1)
        return tail;
    return 0.5 * erfc(em_student_deviate(tail, freedom) * sqrt(blocks / freedom) * M_SQRT1_2);
}

/* A resample without solution (the only block that shows a column was not drawn) is skipped, and counted. */
int em_bootstrap(struct em_system *system, struct em_fit *fit)
{
    int cols = fit->cols, resamples = fit->options.resamples, solved = 0;
    size_t blocks = (size_t)fit->blocks;
    struct em_triangle triangle;
    struct jrx_rng rng;
    jrx_rng_init(&rng, fit->options.seed, 0);
    for (int b = 0; b < resamples && blocks >= EM_BLOCKS_LEAST; b++) {
        for (size_t k = 0; k < blocks; k++)
            system->pick[k] = jrx_rng_below(&rng, (uint32_t)blocks);
        int status = em_triangle_stack(system->parts, system->pick, blocks, &triangle);
        if (!status)
            status = em_solve(system, &triangle, fit->resampled + (size_t)solved * (size_t)cols, NULL);
        if (status && status != JRX_EINVAL)
            return status;
        solved += !status;
    }
    fit->resamples_solved = solved * 10 < resamples * 9 ? 0 : solved;
    double *values = jrx_alloc((size_t)(fit->resamples_solved + 1) * sizeof *values);
    if (!values)
        return JRX_ENOMEM;
    for (int j = 0; j < cols; j++) {
        for (int b = 0; b < fit->resamples_solved; b++)
            values[b] = fit->resampled[b * cols + j];
        fit->coefficient[j].interval = em_central(values, (size_t)fit->resamples_solved,
                                                  em_tail(fit->options.confidence_ratio, fit->blocks, cols));
    }
    free(values);
    return 0;
}

int em_leave_out(struct em_system *system, struct em_fit *fit)
{
    const struct em_data *data = system->data;
    double sum = 0;
    for (int out = 0; out < fit->blocks; out++) {
        struct em_triangle triangle;
        double x[EM_COLUMNS];
        size_t others = 0;
        for (int k = 0; k < fit->blocks; k++) {
            if (k != out)
                system->pick[others++] = (size_t)k;
        }
        int status = others ? em_triangle_stack(system->parts, system->pick, others, &triangle) : JRX_EINVAL;
        if (!status)
            status = em_solve(system, &triangle, x, NULL);
        if (status && status != JRX_EINVAL)
            return status;
        for (int j = 0; j < fit->cols; j++)
            fit->without[out * fit->cols + j] = status ? (double)NAN : x[j];
        for (size_t i = 0; i < data->rows; i++) {
            if (fit->block[i] == out)
                fit->left_out[i] = status ? (double)NAN : em_row_value(data, x, i);
        }
    }
    for (size_t i = 0; i < data->rows; i++)
        sum += fabs(data->y[i] - fit->left_out[i]) / fabs(data->y[i]);
    fit->left_out_mape_ratio = isfinite(sum) ? sum / (double)data->rows : (double)NAN;
    return 0;
}

double em_jackknife_covariance(const struct em_fit *fit, int a, int b)
{
    double sum = 0, blocks = fit->blocks;
    for (int k = 0; k < fit->blocks; k++) {
        const double *x = fit->without + k * fit->cols;
        sum += (x[a] - fit->coefficient[a].value) * (x[b] - fit->coefficient[b].value);
    }
    return sum * (blocks - 1) / blocks;
}

void em_jackknife(struct em_fit *fit)
{
    double t = em_student_deviate((1 - fit->options.confidence_ratio) / 2, fit->blocks - 1);
    for (int j = 0; j < fit->cols; j++) {
        struct em_coefficient *c = &fit->coefficient[j];
        c->jackknife_error = sqrt(em_jackknife_covariance(fit, j, j));
        const struct em_interval own = {c->value - t * c->jackknife_error, c->value + t * c->jackknife_error};
        if (fit->options.jackknife && fit->blocks >= EM_BLOCKS_LEAST)
            c->interval = own;
        else if (!isnan(c->interval.low) && !isnan(own.low))
            c->interval = (struct em_interval){fmin(c->interval.low, own.low), fmax(c->interval.high, own.high)};
    }
}
