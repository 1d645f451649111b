/* models/energy/fit.h: coefficients, what is said about them, and what is refused. */
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "models/energy/fit.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"

static const char *const names3[] = {"one", "flop", "bytes"};
static const struct em_fit_options quick = {.method = EM_OLS, .confidence_ratio = 0.95, .seed = 1};

/* Eight rows, [1, a, b] and y; the expected figures below are numpy's for them (lstsq, inv(A'A) * s2, corrcoef,
 * polyfit(fitted, y, 1), linalg.cond of A / A.max(0); VIF: |a - its fit on 1|^2 / |a - its fit on 1 and b|^2). */
static const double x8[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 2, 1, 5, 3, 8, 4, 9, 7};
static const double y8[] = {3.1, 3.9, 7.2, 6.8, 11.9, 9.4, 14.8, 14.1};
static const struct em_data eight = {8, 3, x8, y8, names3, NULL, 0};

static void ols_agrees_with_numpy(void **state)
{
    (void)state;
    static const double value[] = {0.641292276628, 0.986976274609, 0.783038869258};
    static const double error[] = {0.255906953168, 0.0785430094256, 0.066338664256};
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &eight, &quick), 0);
    for (int j = 0; j < 3; j++) {
        assert_relative(fit.coefficient[j].value, value[j], 1e-11);
        assert_relative(fit.coefficient[j].standard_error, error[j], 1e-11);
        assert_int_equal(fit.coefficient[j].verdict, EM_NO_INTERVAL);
        assert_true(isnan(fit.coefficient[j].interval.low));
    }
    assert_relative(fit.r2, 0.9962132966037838, 1e-12);
    assert_relative(fit.mape_ratio, 0.034924389588596866, 1e-11);
    assert_relative(fit.max_ape_ratio, 0.12864520638372218, 1e-11);
    assert_near(fit.slope, 1, 1e-12);
    assert_near(fit.offset, 0, 1e-11);
    assert_relative(fit.condition, 9.276312476465455, 1e-11);
    assert_true(isnan(fit.coefficient[0].vif));
    assert_relative(fit.coefficient[1].vif, 2.4964664310954063, 1e-11);
    assert_relative(fit.coefficient[2].vif, 2.496466431095406, 1e-11);
    assert_relative(fit.coefficient[1].correlation[2], 0.77423112, 1e-8);
    assert_relative(fit.coefficient[2].correlation[1], 0.77423112, 1e-8);
    assert_relative(fit.coefficient[1].correlation[3], 0.94376681, 1e-8);
    assert_near(fit.coefficient[1].correlation[1], 1, 1e-12);
    assert_true(isnan(fit.coefficient[0].correlation[1]));
    em_fit_fini(&fit);
}

static void wls_agrees_with_numpy(void **state)
{
    (void)state;
    static const double value[] = {0.821838897385, 1.07874778134, 0.649990962566};
    static const double error[] = {0.189750912254, 0.0941110634094, 0.0877742358809};
    struct em_fit_options options = quick;
    options.method = EM_OLS;
    options.relative = 1;
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &eight, &options), 0);
    for (int j = 0; j < 3; j++) {
        assert_relative(fit.coefficient[j].value, value[j], 1e-11);
        assert_relative(fit.coefficient[j].standard_error, error[j], 1e-11);
    }
    assert_relative(fit.r2, 0.9927104979690389, 1e-11);
    assert_relative(fit.mape_ratio, 0.03728495305005189, 1e-11);
    assert_relative(fit.max_ape_ratio, 0.0694037377895025, 1e-11);
    assert_relative(fit.slope, 1.032587680267277, 1e-11);
    assert_relative(fit.offset, -0.23314495027939203, 1e-10);
    assert_relative(fit.condition, 5.092579891286203, 1e-11);
    assert_relative(fit.coefficient[1].vif, 2.313286817509945, 1e-11);
    assert_relative(fit.coefficient[2].vif, 2.313286817509945, 1e-11);
    em_fit_fini(&fit);
}

static void variance_inflation_without_a_constant_is_about_zero(void **state)
{
    (void)state;
    /* a'a = 2, b'b = 2, a'b = 1: (A'A)^-1 = [2 -1; -1 2] / 3, times 2 */
    static const double x[] = {1, 1, 0, 0, 1, 1}, y[] = {1, 3, 3};
    const struct em_data data = {3, 2, x, y, names3, NULL, 0};
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &data, &quick), 0);
    assert_relative(fit.coefficient[0].vif, 4.0 / 3, 1e-12);
    assert_relative(fit.coefficient[1].vif, 4.0 / 3, 1e-12);
    assert_near(fit.coefficient[0].value, 2.0 / 3, 1e-12); /* a'y = 4, b'y = 6 */
    assert_near(fit.coefficient[1].value, 8.0 / 3, 1e-12);
    em_fit_fini(&fit);
}

static void nnls_holds_a_negative_column_at_zero_and_refits_the_others(void **state)
{
    (void)state;
    double y[8];
    for (int i = 0; i < 8; i++)
        y[i] = 30 + 2 * x8[8 + i] - 0.5 * x8[16 + i];
    struct em_data data = eight;
    data.y = y;
    struct em_fit_options options = quick;
    options.method = EM_NNLS;
    options.relative = 1;
    struct em_fit fit, without;
    assert_int_equal(em_fit_init(&fit, &data, &options), 0);
    data.cols = 2;
    options.method = EM_OLS;
    options.relative = 1;
    assert_int_equal(em_fit_init(&without, &data, &options), 0);
    assert_near(fit.coefficient[2].value, 0, 0);
    assert_true(isnan(fit.coefficient[2].standard_error));
    for (int j = 0; j < 2; j++) {
        assert_relative(fit.coefficient[j].value, without.coefficient[j].value, 1e-12);
        assert_relative(fit.coefficient[j].standard_error, without.coefficient[j].standard_error, 1e-12);
    }
    em_fit_fini(&fit);
    em_fit_fini(&without);
}

static double psi(double u)
{
    return fmax(-1.345, fmin(1.345, u));
}

static int ascending(const void *a, const void *b)
{
    const double *l = a, *r = b;
    return (*l > *r) - (*l < *r);
}

/* Huber's defining equation, sum of psi(r_i / s) x_ij = 0, at the scale of its own residuals; and one wild row that
 * moves least squares far leaves it nearly alone. */
static void huber_solves_its_equation_and_resists_an_outlier(void **state)
{
    (void)state;
    enum { N = 41 };
    double x[2 * N], y[N], size[N];
    struct jrx_rng rng;
    jrx_rng_init(&rng, 10, 0);
    for (int i = 0; i < N; i++) {
        x[i] = 1;
        x[N + i] = i;
        y[i] = 20 + 3 * i + jrx_rng_uniform(&rng) - 0.5;
    }
    y[N - 1] += 100;
    const struct em_data data = {N, 2, x, y, names3, NULL, 0};
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &data, &quick), 0);
    assert_true(fabs(fit.coefficient[1].value - 3) > 0.3);
    assert_near(fit.coefficient[1].huber, 3, 0.05);
    assert_true(fit.huber_share_ratio > 0 && fit.huber_share_ratio < 0.4);
    for (int i = 0; i < N; i++)
        size[i] = fabs(y[i] - fit.coefficient[0].huber - fit.coefficient[1].huber * i);
    qsort(size, N, sizeof *size, ascending);
    double scale = size[N / 2] / 0.674489750196082;
    for (int j = 0; j < 2; j++) {
        double sum = 0;
        for (int i = 0; i < N; i++)
            sum += psi((y[i] - fit.coefficient[0].huber - fit.coefficient[1].huber * i) / scale) * x[j * N + i];
        assert_near(sum, 0, 1e-4 * N * (j ? N : 1));
    }
    em_fit_fini(&fit);
}

static void exact_data_give_exact_coefficients_and_no_outliers(void **state)
{
    (void)state;
    double y[8];
    for (int i = 0; i < 8; i++)
        y[i] = 1 + 2 * x8[8 + i] + 4 * x8[16 + i];
    struct em_data data = eight;
    data.y = y;
    for (int method = EM_OLS; method < EM_RIDGE; method++) {
        struct em_fit_options options = quick;
        options.method = (enum em_method)method;
        struct em_fit fit;
        assert_int_equal(em_fit_init(&fit, &data, &options), 0);
        for (int j = 0; j < 3; j++) {
            assert_near(fit.coefficient[j].value, 1 << j, 1e-12);
            assert_near(fit.coefficient[j].huber, 1 << j, 1e-12);
        }
        assert_near(fit.r2, 1, 1e-12);
        assert_near(fit.left_out_mape_ratio, 0, 1e-12);
        em_fit_fini(&fit);
    }
}

/* ---- what is refused ---- */

static void refused(const struct em_data *data, const struct em_fit_options *options, const char *what)
{
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, data, options), JRX_EINVAL);
    if (!strstr(jrx_last_error(), what))
        fail_msg("\"%s\" lacks \"%s\"", jrx_last_error(), what);
    em_fit_fini(&fit);
}

static void degenerate_data_are_refused_by_name(void **state)
{
    (void)state;
    double x[24], y[8];
    struct em_data data = eight;
    data.rows = 2;
    refused(&data, &quick, "2 rows for 3 columns");
    data = eight;
    data.x = x;
    data.y = y;
    memcpy(x, x8, sizeof x8);
    memcpy(y, y8, sizeof y8);
    x[8 + 4] = NAN;
    refused(&data, &quick, "column flop, row 5 is nan");
    x[8 + 4] = INFINITY;
    refused(&data, &quick, "column flop, row 5 is inf");
    for (int i = 0; i < 8; i++)
        x[8 + i] = 7;
    refused(&data, &quick, "columns one, flop depend on each other");
    for (int i = 0; i < 8; i++)
        x[8 + i] = 2 * x8[16 + i] - 1;
    refused(&data, &quick, "columns one, flop, bytes depend on each other");
    for (int i = 0; i < 8; i++)
        x[8 + i] = 0;
    refused(&data, &quick, "column flop is 0 in every row");
    memcpy(x, x8, sizeof x8);
    y[2] = NAN;
    refused(&data, &quick, "y, row 3 is nan");
    y[2] = 0;
    struct em_fit_options options = quick;
    options.method = EM_OLS;
    options.relative = 1;
    refused(&data, &options, "y, row 3 is 0; weights of 1 / y");
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &data, &quick), 0); /* least squares can, relative errors cannot */
    assert_true(isnan(fit.mape_ratio) && isnan(fit.max_ape_ratio) && isnan(fit.left_out_mape_ratio));
    em_fit_fini(&fit);
}

static void impossible_options_are_refused(void **state)
{
    (void)state;
    static const int group[] = {0, 1, 2, 3, 4, 5, 6, 8};
    struct em_data data = eight;
    struct em_fit_options options = quick;
    options.confidence_ratio = 95;
    refused(&data, &options, "confidence 95");
    options.confidence_ratio = NAN;
    refused(&data, &options, "confidence nan");
    options = quick;
    options.resamples = -1;
    refused(&data, &options, "-1 resamples");
    data.cols = EM_COLUMNS + 1;
    refused(&data, &quick, "25 columns");
    data.cols = 0;
    refused(&data, &quick, "0 columns");
    data = eight;
    data.group = group;
    data.groups = 8;
    refused(&data, &quick, "row 8 is in group 8 of 8");
    enum em_method method;
    assert_int_equal(em_method_parse("lasso", &method), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "lasso"));
    for (int i = 0; i < EM_METHODS; i++) {
        assert_int_equal(em_method_parse(em_method_name((enum em_method)i), &method), 0);
        assert_int_equal(method, i);
    }
}

static void as_many_rows_as_columns_fit_without_an_error_estimate(void **state)
{
    (void)state;
    static const double x[] = {1, 1, 0, 2}, y[] = {3, 7};
    const struct em_data data = {2, 2, x, y, names3, NULL, 0};
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &data, &quick), 0);
    assert_near(fit.coefficient[1].value, 2, 1e-14);
    assert_true(isnan(fit.coefficient[1].standard_error));
    assert_int_equal(fit.noises, 0);
    em_fit_fini(&fit);
}

static void additivity_is_relative_to_the_sum_of_the_parts(void **state)
{
    (void)state;
    assert_near(em_additivity_ratio(2, 3, 5), 0, 0);
    assert_near(em_additivity_ratio(2, 3, 5.5), 0.1, 1e-15);
    assert_near(em_additivity_ratio(2, 3, 4.5), 0.1, 1e-15);
    assert_true(isnan(em_additivity_ratio(0, 0, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ols_agrees_with_numpy),
        cmocka_unit_test(wls_agrees_with_numpy),
        cmocka_unit_test(variance_inflation_without_a_constant_is_about_zero),
        cmocka_unit_test(nnls_holds_a_negative_column_at_zero_and_refits_the_others),
        cmocka_unit_test(huber_solves_its_equation_and_resists_an_outlier),
        cmocka_unit_test(exact_data_give_exact_coefficients_and_no_outliers),
        cmocka_unit_test(degenerate_data_are_refused_by_name),
        cmocka_unit_test(impossible_options_are_refused),
        cmocka_unit_test(as_many_rows_as_columns_fit_without_an_error_estimate),
        cmocka_unit_test(additivity_is_relative_to_the_sum_of_the_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
