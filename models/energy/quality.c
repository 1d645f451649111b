#include "harness/base/error.h"
#include "models/energy/fit_parts.h"
#include <math.h>

static double dot(const struct em_triangle *triangle, int a, int b)
{
    int side = triangle->cols + 1;
    double sum = 0;
    for (int i = 0; i < side; i++)
        sum += triangle->r[i + a * side] * triangle->r[i + b * side];
    return sum;
}

/*
 * (A'A)^-1_jj times the squared norm of column j, or of what is left of it once the constant is taken out: what the
 * other columns do to the variance of coefficient j. The textbook 1 / (1 - R2_j), in the weighted system too.
 */
static double inflation(const struct em_system *system, int j, double inverse_jj)
{
    const struct em_triangle *t = &system->whole;
    int c = system->constant, side = t->cols + 1;
    if (j == c)
        return NAN;
    double share = c < 0 ? 0 : dot(t, j, c) / dot(t, c, c), left = 0;
    for (int i = 0; i < side; i++) {
        double part = t->r[i + j * side] - (c < 0 ? 0 : share * t->r[i + c * side]);
        left += part * part;
    }
    return inverse_jj * left;
}

static double pearson(const double *a, const double *b, size_t rows)
{
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < rows; i++) {
        mean_a += a[i] / (double)rows;
        mean_b += b[i] / (double)rows;
    }
    for (size_t i = 0; i < rows; i++) {
        double da = a[i] - mean_a, db = b[i] - mean_b;
        aa += da * da;
        bb += db * db;
        ab += da * db;
    }
    return ab / sqrt(aa) / sqrt(bb);
}

static void correlate(const struct em_system *system, struct em_fit *fit)
{
    const struct em_data *data = system->data;
    for (int j = 0; j < data->cols; j++) {
        const double *a = data->x + (size_t)j * data->rows;
        for (int k = 0; k <= data->cols; k++) {
            const double *b = k < data->cols ? data->x + (size_t)k * data->rows : data->y;
            int constant = j == system->constant || k == system->constant;
            fit->coefficient[j].correlation[k] = constant ? (double)NAN : pearson(a, b, data->rows);
        }
    }
}

int em_diagnose(const struct em_system *system, const unsigned char *used, struct em_fit *fit)
{
    const struct em_data *data = system->data;
    int cols = data->cols, active = 0;
    double x[EM_COLUMNS], all[EM_COLUMNS], own[EM_COLUMNS], largest[EM_COLUMNS] = {0};
    for (int j = 0; j < cols; j++) {
        x[j] = fit->coefficient[j].value;
        active += used[j];
        for (size_t i = 0; i < data->rows; i++)
            largest[j] = fmax(largest[j], fabs(system->weight[i] * data->x[i + (size_t)j * data->rows]));
    }
    fit->condition = em_condition(&system->whole, largest, NULL);
    int status = em_inverse_diagonal(&system->whole, NULL, all);
    if (!status)
        status = em_inverse_diagonal(&system->whole, used, own);
    if (status)
        return status;
    double freedom = (double)data->rows - active;
    double variance = freedom > 0 ? em_residual2(&system->whole, x) / freedom : (double)NAN;
    for (int j = 0; j < cols; j++) {
        fit->coefficient[j].standard_error =
            system->options->method == EM_RIDGE ? (double)NAN : sqrt(variance * own[j]);
        fit->coefficient[j].vif = inflation(system, j, all[j]);
    }
    correlate(system, fit);
    return 0;
}

static void set_line(const double *fitted, const double *y, size_t rows, struct em_fit *fit)
{
    double mean_f = 0, mean_y = 0, ff = 0, fy = 0;
    for (size_t i = 0; i < rows; i++) {
        mean_f += fitted[i] / (double)rows;
        mean_y += y[i] / (double)rows;
    }
    for (size_t i = 0; i < rows; i++) {
        ff += (fitted[i] - mean_f) * (fitted[i] - mean_f);
        fy += (fitted[i] - mean_f) * (y[i] - mean_y);
    }
    fit->slope = ff > 0 ? fy / ff : (double)NAN;
    fit->offset = mean_y - fit->slope * mean_f;
}

void em_judge_residuals(const struct em_system *system, const unsigned char *used, struct em_fit *fit)
{
    const struct em_data *data = system->data;
    double x[EM_COLUMNS], mean = 0, error2 = 0, total2 = 0, ape = 0, rows = (double)data->rows, active = 0;
    int zero = 0;
    for (int j = 0; j < data->cols; j++) {
        x[j] = fit->coefficient[j].value;
        active += used[j];
    }
    for (size_t i = 0; i < data->rows; i++)
        mean += data->y[i] / rows;
    double widen = rows > active ? sqrt(rows / (rows - active)) : (double)NAN;
    for (size_t i = 0; i < data->rows; i++) {
        double y = data->y[i], fitted = em_row_value(data, x, i), error = y - fitted;
        fit->fitted[i] = fitted;
        error2 += error * error;
        total2 += (y - mean) * (y - mean);
        zero |= fabs(y) <= 0;
        ape += fabs(error / y);
        fit->max_ape_ratio = fmax(fit->max_ape_ratio, fabs(error / y));
        double noise = system->options->relative ? error / fitted : error;
        if (isfinite(noise * widen) && (!system->options->relative || fitted > 0))
            fit->noise[fit->noises++] = noise * widen;
    }
    fit->r2 = total2 > 0 ? 1 - error2 / total2 : (double)NAN;
    fit->mape_ratio = zero ? (double)NAN : ape / rows;
    if (zero)
        fit->max_ape_ratio = NAN;
    set_line(fit->fitted, data->y, data->rows, fit);
}
