#include "models/energy/fitted.h"
#include "harness/base/error.h"
#include "models/energy/fit_parts.h"
#include <math.h>
#include <string.h>

static const struct {
    const char *name, *unit;
} terms[EM_TERMS] = {{"time", "W"},     {"awake", "W"},    {"cpu", "W"},      {"flop", "pJ/FLOP"},
                     {"l1", "pJ/byte"}, {"l2", "pJ/byte"}, {"l3", "pJ/byte"}, {"dram", "pJ/byte"}};

const char *em_term_name(enum em_term term)
{
    return terms[term].name;
}

const char *em_term_unit(enum em_term term)
{
    return terms[term].unit;
}

int em_term_find(const char *name)
{
    for (int k = 0; k < EM_TERMS; k++)
        if (!strcmp(name, terms[k].name))
            return k;
    return -1;
}

const char *em_response_name(enum em_response response)
{
    return response == EM_PACKAGE ? "package" : "dram";
}

int em_fitted_set(struct em_fitted *fitted, const struct em_fit *fit, const enum em_term *term)
{
    *fitted = (struct em_fitted){.fitted = 1,
                                 .blocks = fit->blocks,
                                 .freedom = fit->blocks - 1,
                                 .confidence_ratio = fit->options.confidence_ratio,
                                 .left_out_mape_ratio = fit->left_out_mape_ratio};
    if (fit->blocks < EM_BLOCKS_LEAST)
        return jrx_fail(JRX_EINVAL, "fit: no covariance from %d blocks; measure at least %d kernels", fit->blocks,
                        EM_BLOCKS_LEAST);
    for (int a = 0; a < fit->cols; a++) {
        enum em_term k = term[a];
        fitted->used[k] = 1;
        fitted->value[k] = fit->coefficient[a].value;
        fitted->interval[k] = fit->coefficient[a].interval;
        fitted->verdict[k] = fit->coefficient[a].verdict;
        for (int b = 0; b < fit->cols; b++)
            fitted->covariance[k][term[b]] = em_jackknife_covariance(fit, a, b);
        if (isnan(fitted->covariance[k][k]))
            return jrx_fail(JRX_EINVAL, "fit: %s rests on one kernel alone, so it has no covariance; measure more",
                            em_term_name(k));
    }
    return 0;
}

void em_fitted_scale_error(struct em_fitted *fitted, double half_width_ratio)
{
    double t = em_student_deviate((1 - fitted->confidence_ratio) / 2, fitted->freedom);
    for (int a = 0; a < EM_TERMS; a++) {
        for (int b = 0; b < EM_TERMS; b++)
            fitted->covariance[a][b] += fitted->value[a] * fitted->value[b] * pow(half_width_ratio / t, 2);
        double half = t * sqrt(fitted->covariance[a][a]);
        if (fitted->used[a])
            fitted->interval[a] = (struct em_interval){fitted->value[a] - half, fitted->value[a] + half};
    }
}

double em_fitted_value_j(const struct em_fitted *fitted, const double *x, double *half_width_j)
{
    double value_j = 0, variance = 0;
    for (int a = 0; a < EM_TERMS; a++) {
        if (!fitted->used[a] || (isnan(x[a]) && !(fabs(fitted->value[a]) > 0)))
            continue;
        value_j += fitted->value[a] * x[a];
        for (int b = 0; b < EM_TERMS; b++)
            if (fitted->used[b] && !isnan(x[b]))
                variance += x[a] * fitted->covariance[a][b] * x[b];
    }
    *half_width_j = isnan(value_j) ? (double)NAN
                                   : em_student_deviate((1 - fitted->confidence_ratio) / 2, fitted->freedom) *
                                         sqrt(fmax(variance, 0));
    return value_j;
}
