/*
 * models/energy/fit.h on measurements that others published: wall power and RAPL against performance counters of two
 * servers. The expected figures were computed elsewhere in double precision with LAPACK; agreement to 6 digits.
 * The data are not part of the project; without ../shared/data the tests skip.
 */
#include "harness/base/error.h"
#include "harness/table.h"
#include "models/energy/fit.h"
#include "tests/support/test.h"
#include <unistd.h>

static const char *const folders[] = {"../shared/data", "../../shared/data"}; /* of a checkout, of a work tree in one */

struct table {
    struct jrx_csv *csv;
    double *x, *y;
    int *group;
    struct em_data data;
};

static int find(const char *file, char *path, size_t size)
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, size, "%s/%s", folders[i], file);
        if (!access(path, R_OK))
            return 1;
    }
    return 0;
}

static void set_up(struct table *t, const char *path, int cols)
{
    memset(t, 0, sizeof *t);
    assert_int_equal(jrx_csv_read(&t->csv, path, NULL), 0);
    size_t rows = jrx_csv_rows(t->csv);
    t->x = calloc(rows * (size_t)cols, sizeof *t->x);
    t->y = calloc(rows, sizeof *t->y);
    t->group = calloc(rows, sizeof *t->group);
    assert_non_null(t->x);
    assert_non_null(t->y);
    assert_non_null(t->group);
    for (size_t i = 0; i < rows; i++)
        t->x[i] = 1;
    t->data = (struct em_data){rows, cols, t->x, t->y, NULL, NULL, 0};
}

static void tear_down(struct table *t)
{
    jrx_csv_free(t->csv);
    free(t->x);
    free(t->y);
    free(t->group);
}

struct expected {
    const char *y;
    enum em_method method;
    int relative;
    double r2, mape_percent, max_ape_percent;
    double value[4];
};

/* As many digits as the reference prints: 6 for R2, three decimals for MAPE, two for max APE. */
static void assert_fit(const struct em_data *data, const struct expected *want, struct em_fit *fit)
{
    const struct em_fit_options options = {
        .method = want->method, .confidence_ratio = 0.95, .seed = 1, .relative = want->relative};
    assert_int_equal(em_fit_init(fit, data, &options), 0);
    for (int j = 0; j < 4; j++)
        assert_near(fit->coefficient[j].value, want->value[j], 1e-6 * fabs(want->value[j]));
    assert_near(fit->r2, want->r2, 0.6e-6);
    assert_near(100 * fit->mape_ratio, want->mape_percent, 0.6e-3);
    assert_near(100 * fit->max_ape_ratio, want->max_ape_percent, 0.6e-2);
}

static void kepler_counters_against_rapl_agree_to_six_digits(void **state)
{
    (void)state;
    static const char *const names[] = {"one", "cpu_cycles_per_s", "cpu_instructions_per_s", "cache_miss_per_s"};
    static const struct expected want[] = {
        {"rapl_package_w",
         EM_OLS,
         0,
         0.921135,
         11.742,
         82.66,
         {2.83878990e+01, 2.25191775e-09, 1.48085331e-10, 2.77444896e-07}},
        {"rapl_package_w",
         EM_OLS,
         1,
         0.899836,
         8.955,
         72.76,
         {3.11196468e+01, 1.87025344e-09, 1.90397507e-10, 4.20890250e-07}},
        {"rapl_package_w",
         EM_NNLS,
         1,
         0.899836,
         8.955,
         72.76,
         {3.11196468e+01, 1.87025344e-09, 1.90397507e-10, 4.20890250e-07}},
        {"rapl_dram_w",
         EM_OLS,
         0,
         0.813130,
         6.555,
         38.47,
         {4.11222656e+01, 3.23538305e-10, -1.32238343e-10, 2.35853397e-07}},
        {"rapl_dram_w",
         EM_OLS,
         1,
         0.808513,
         6.297,
         39.73,
         {4.02030571e+01, 3.20821796e-10, -1.11326223e-10, 2.43408504e-07}},
        {"rapl_dram_w", EM_NNLS, 1, 0.795960, 6.614, 39.72, {4.02858518e+01, 2.46012930e-10, 0, 2.62440912e-07}},
    };
    static const double error[] = {4.666707e-01, 2.773659e-11, 3.271745e-11, 1.365358e-08};
    static const double vif[] = {0, 3.099, 2.521, 1.467};
    char path[256];
    if (!find("kepler_nx12_counters_power.csv", path, sizeof path))
        skip_because("kepler_nx12_counters_power.csv is not in ../shared/data");
    struct table t;
    set_up(&t, path, 4);
    t.data.names = names;
    assert_int_equal(t.data.rows, 2202);
    for (size_t j = 1; j < 4; j++)
        assert_int_equal(jrx_csv_column(t.csv, names[j], t.x + j * t.data.rows), 0);
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        struct em_fit fit;
        assert_int_equal(jrx_csv_column(t.csv, want[k].y, t.y), 0);
        assert_fit(&t.data, &want[k], &fit);
        for (int j = 0; k == 0 && j < 4; j++) {
            assert_relative(fit.coefficient[j].standard_error, error[j], 1e-6);
            assert_true(j == 0 || fabs(fit.coefficient[j].vif - vif[j]) < 0.6e-3);
        }
        if (k == 0)
            assert_near(fit.condition, 11.16, 0.6e-2);
        em_fit_fini(&fit);
    }
    tear_down(&t);
}

/* Loads canuto: instructions, L1 misses, last-level misses, grouped by workload in order of appearance. */
static int load_canuto(struct table *t, const char *const *names, const char **workloads)
{
    static const char *const sums[2][2] = {{"L1-dcache-load-misses", "L1-dcache-store-misses"},
                                           {"LLC-load-misses", "LLC-store-misses"}};
    char path[256];
    if (!find("canuto_e5-2640_counters_wall_power.csv", path, sizeof path))
        return 0;
    set_up(t, path, 4);
    size_t rows = t->data.rows;
    t->data.names = names;
    t->data.group = t->group;
    assert_int_equal(rows, 3278);
    assert_int_equal(jrx_csv_column(t->csv, "powerWatts", t->y), 0);
    assert_int_equal(jrx_csv_column(t->csv, "instructions", t->x + rows), 0);
    double *part = calloc(rows, sizeof *part);
    assert_non_null(part);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(jrx_csv_column(t->csv, sums[k][0], t->x + (k + 2) * rows), 0);
        assert_int_equal(jrx_csv_column(t->csv, sums[k][1], part), 0);
        for (size_t i = 0; i < rows; i++)
            t->x[(k + 2) * rows + i] += part[i];
    }
    free(part);
    int column = jrx_csv_find(t->csv, "workload");
    assert_true(column >= 0);
    for (size_t i = 0; i < rows; i++) {
        const char *text = jrx_csv_text(t->csv, i, (size_t)column);
        int g = 0;
        while (g < t->data.groups && strcmp(workloads[g], text))
            g++;
        if (g == t->data.groups)
            workloads[t->data.groups++] = text;
        t->group[i] = g;
    }
    return 1;
}

static const char *const canuto_names[] = {"one", "instructions", "l1_misses", "llc_misses"};

static void canuto_counters_against_wall_power_agree_to_six_digits(void **state)
{
    (void)state;
    static const struct expected want[] = {
        {"", EM_OLS, 0, 0.853849, 4.336, 36.33, {1.15338894e+02, 2.16897882e-09, -1.34583385e-08, 3.44167861e-07}},
        {"", EM_OLS, 1, 0.843561, 3.977, 35.20, {1.11934173e+02, 2.41259735e-09, -1.57925060e-08, 3.79545462e-07}},
        {"", EM_NNLS, 1, 0.829057, 4.432, 37.64, {1.11896479e+02, 2.04391726e-09, 0, 3.57966997e-07}},
    };
    static const double vif[] = {0, 1.696, 1.683, 1.228};
    const char *workloads[32];
    struct table t;
    if (!load_canuto(&t, canuto_names, workloads))
        skip_because("canuto_e5-2640_counters_wall_power.csv is not in ../shared/data");
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        struct em_fit fit;
        assert_fit(&t.data, &want[k], &fit);
        if (k == 0)
            assert_near(fit.condition, 10.32, 0.6e-2);
        for (int j = 1; k == 0 && j < 4; j++)
            assert_near(fit.coefficient[j].vif, vif[j], 0.6e-3);
        em_fit_fini(&fit);
    }
    tear_down(&t);
}

static void leaving_a_workload_out_gives_the_published_errors(void **state)
{
    (void)state;
    static const struct {
        const char *workload;
        double percent;
    } want[] = {{"data_analytics", 11.966}, {"data_caching", 27.449},   {"data_serving", 5.748},
                {"graph_analytics", 2.971}, {"media_streaming", 8.587}, {"software_testing", 10.901},
                {"web_search", 3.387},      {"web_serving", 3.548}};
    enum { WORKLOADS = sizeof want / sizeof *want };
    const char *workloads[32];
    struct table t;
    if (!load_canuto(&t, canuto_names, workloads))
        skip_because("canuto_e5-2640_counters_wall_power.csv is not in ../shared/data");
    const struct em_fit_options options = {
        .method = EM_NNLS, .resamples = 200, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &t.data, &options), 0);
    assert_int_equal(fit.blocks, WORKLOADS);
    for (int g = 0; g < WORKLOADS; g++) {
        int k = 0;
        while (strcmp(want[k].workload, workloads[g]))
            assert_true(++k < WORKLOADS);
        assert_near(100 * em_left_out_mape_ratio(&fit, &t.data, g), want[k].percent, 0.6e-3);
    }
    assert_true(fit.left_out_mape_ratio > 1.3 * fit.mape_ratio); /* the figure that R2 hides */
    assert_int_equal(fit.coefficient[2].verdict, EM_COVERS_ZERO);
    em_fit_fini(&fit);
    tear_down(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kepler_counters_against_rapl_agree_to_six_digits),
        cmocka_unit_test(canuto_counters_against_wall_power_agree_to_six_digits),
        cmocka_unit_test(leaving_a_workload_out_gives_the_published_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
