/* models/energy/fit.h on a machine whose coefficients are known: intervals, blocks, what can be told apart. */
#include "harness/base/rng.h"
#include "models/energy/fit.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"

static const char *const names3[] = {"one", "flop", "bytes"};
static const struct em_fit_options quick = {.method = EM_OLS, .confidence_ratio = 0.95, .seed = 1};

enum { KERNELS = 24, REPEATS = 5, RUNS = KERNELS * REPEATS };

struct machine {
    double x[3 * RUNS], y[RUNS];
    int group[RUNS];
    struct em_data data;
};

/*
 * Energy = 30 W * t + 0.5 nJ/flop + 2 nJ/byte, in units of s, Gflop, GB. `spread`: by how much FLOP per byte differs
 * between kernels. `noise`: relative, of a run; `shift`: relative, common to a kernel's runs.
 */
static void simulate(struct machine *m, uint64_t seed, double spread, double noise, double shift)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, 9);
    for (int k = 0; k < KERNELS; k++) {
        double common[2];
        jrx_rng_normal2(&rng, &common[0], &common[1]);
        double flop = exp(3 * jrx_rng_uniform(&rng)), bytes = flop * exp(spread * (jrx_rng_uniform(&rng) - 0.5));
        double time = flop / 30 * exp(4 * (jrx_rng_uniform(&rng) - 0.5));
        for (int r = 0; r < REPEATS; r++) {
            int i = k * REPEATS + r;
            double own[2];
            jrx_rng_normal2(&rng, &own[0], &own[1]);
            m->x[i] = time;
            m->x[RUNS + i] = flop;
            m->x[2 * RUNS + i] = bytes;
            m->y[i] = (30 * time + 0.5 * flop + 2 * bytes) * (1 + noise * own[0] + shift * common[0]);
            m->group[i] = k;
        }
    }
    m->data = (struct em_data){RUNS, 3, m->x, m->y, names3, m->group, KERNELS};
}

/*
 * Machines whose kernels err as blocks, 3 coefficients, 95 % intervals over 24 blocks: 93 to 97 % of them hold the
 * truth. 2000 other machines gave 0.955, 0.959 and 0.958; the standard error of 1000 is 0.007, so a right program
 * leaves the band for 1 seed in 10. Fixed seeds. The short form adds three standard errors of its own.
 */
static void intervals_cover_the_truth_as_often_as_they_say(void **state)
{
    (void)state;
    const int machines = test_draws(1000);
    const double band = test_is_short() ? 0.02 + 3 * sqrt(0.05 * 0.95 / machines) : 0.02;
    static const double truth[] = {30, 0.5, 2};
    static struct machine m;
    const struct em_fit_options options = {
        .method = EM_OLS, .resamples = 200, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    int covered[3] = {0};
    for (uint64_t seed = 0; seed < (uint64_t)machines; seed++) {
        struct em_fit fit;
        simulate(&m, seed, 6, 0.01, 0.02);
        assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
        assert_int_equal(fit.blocks, KERNELS);
        for (int j = 0; j < 3; j++)
            covered[j] += fit.coefficient[j].interval.low <= truth[j] && fit.coefficient[j].interval.high >= truth[j];
        em_fit_fini(&fit);
    }
    for (int j = 0; j < 3; j++)
        assert_near((double)covered[j] / machines, 0.95, band);
}

static void blocks_widen_the_interval_when_runs_of_a_kernel_agree(void **state)
{
    (void)state;
    static struct machine m;
    const struct em_fit_options options = {
        .method = EM_OLS, .resamples = 400, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    simulate(&m, 3, 6, 0.001, 0.03);
    struct em_fit blocks, rows;
    int own[RUNS];
    for (int i = 0; i < RUNS; i++)
        own[i] = i;
    assert_int_equal(em_fit_init(&blocks, &m.data, &options), 0);
    m.data.group = own;
    m.data.groups = RUNS;
    assert_int_equal(em_fit_init(&rows, &m.data, &options), 0);
    for (int j = 0; j < 3; j++) {
        const struct em_interval b = blocks.coefficient[j].interval, r = rows.coefficient[j].interval;
        assert_true(b.high - b.low > 1.5 * (r.high - r.low)); /* sqrt(5) in the limit */
    }
    em_fit_fini(&blocks);
    em_fit_fini(&rows);
}

static void the_seed_decides_the_resamples_and_nothing_else(void **state)
{
    (void)state;
    static struct machine m;
    simulate(&m, 4, 6, 0.01, 0.02);
    struct em_fit_options options = {
        .method = EM_NNLS, .resamples = 100, .confidence_ratio = 0.9, .seed = 7, .relative = 1};
    struct em_fit a, b, c;
    assert_int_equal(em_fit_init(&a, &m.data, &options), 0);
    assert_int_equal(em_fit_init(&b, &m.data, &options), 0);
    options.seed = 8;
    assert_int_equal(em_fit_init(&c, &m.data, &options), 0);
    assert_int_equal(a.resamples_solved, 100);
    assert_memory_equal(a.resampled, b.resampled, 300 * sizeof(double));
    assert_memory_not_equal(a.resampled, c.resampled, 300 * sizeof(double));
    assert_near(a.coefficient[1].value, c.coefficient[1].value, 0);
    em_fit_fini(&a);
    em_fit_fini(&b);
    em_fit_fini(&c);
}

/* All kernels with the same FLOP per byte: no fit can tell the two apart, however good its R2. Kernels of pure
 * arithmetic and of pure traffic can. */
static void anchor_kernels_turn_not_identifiable_into_identified(void **state)
{
    (void)state;
    static struct machine m;
    const struct em_fit_options options = {
        .method = EM_OLS, .resamples = 400, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    struct em_fit fit;
    simulate(&m, 5, 0.05, 0.01, 0.01);
    assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
    assert_true(fit.r2 > 0.98);
    assert_int_equal(fit.coefficient[1].verdict, EM_COLLINEAR);
    assert_int_equal(fit.coefficient[2].verdict, EM_COLLINEAR);
    assert_non_null(strstr(em_verdict_text(fit.coefficient[1].verdict), "not identifiable"));
    em_fit_fini(&fit);
    simulate(&m, 5, 8, 0.01, 0.01);
    assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
    assert_int_equal(fit.coefficient[1].verdict, EM_IDENTIFIED);
    assert_int_equal(fit.coefficient[2].verdict, EM_IDENTIFIED);
    assert_near(fit.coefficient[1].value, 0.5, 0.1);
    assert_near(fit.coefficient[2].value, 2, 0.1);
    assert_string_equal(em_verdict_text(fit.coefficient[2].verdict), "identified");
    em_fit_fini(&fit);
}

static void a_column_without_effect_covers_zero(void **state)
{
    (void)state;
    static struct machine m;
    simulate(&m, 6, 6, 0.01, 0.01);
    for (int i = 0; i < RUNS; i++)
        m.y[i] = (30 * m.x[i] + 2 * m.x[2 * RUNS + i]) * (1 + 0.01 * sin(i * i));
    for (int method = EM_OLS; method < EM_METHODS; method++) {
        const struct em_fit_options options = {.method = (enum em_method)method,
                                               .resamples = 400,
                                               .confidence_ratio = 0.95,
                                               .seed = 1,
                                               .relative = method == EM_NNLS};
        struct em_fit fit;
        assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
        assert_int_equal(fit.coefficient[0].verdict, EM_IDENTIFIED);
        assert_int_equal(fit.coefficient[1].verdict, EM_COVERS_ZERO);
        em_fit_fini(&fit);
    }
}

static void few_blocks_give_no_interval(void **state)
{
    (void)state;
    static struct machine m;
    const struct em_fit_options options = {
        .method = EM_OLS, .resamples = 100, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    simulate(&m, 7, 6, 0.01, 0.01);
    struct em_fit fit;
    for (int i = 0; i < RUNS; i++)
        m.group[i] %= 4;
    assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
    assert_int_equal(fit.blocks, 4); /* 20 groups have no rows */
    assert_int_equal(fit.coefficient[0].verdict, EM_NO_INTERVAL);
    assert_false(isnan(fit.left_out_mape_ratio));
    em_fit_fini(&fit);
    memset(m.group, 0, sizeof m.group);
    assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
    assert_true(isnan(fit.left_out_mape_ratio)); /* nothing is left when the only block is out */
    em_fit_fini(&fit);
}

static void without_groups_neighbours_make_the_blocks(void **state)
{
    (void)state;
    static struct machine m;
    simulate(&m, 8, 6, 0.01, 0.01);
    m.data.group = NULL;
    struct em_fit fit;
    assert_int_equal(em_fit_init(&fit, &m.data, &quick), 0);
    assert_int_equal(fit.blocks, EM_RUNS);
    assert_int_equal(fit.block[0], 0);
    assert_int_equal(fit.block[RUNS / EM_RUNS - 1], 0);
    assert_int_equal(fit.block[RUNS / EM_RUNS], 1);
    assert_int_equal(fit.block[RUNS - 1], EM_RUNS - 1);
    em_fit_fini(&fit);
}

static void left_out_is_a_fit_that_never_saw_the_block(void **state)
{
    (void)state;
    static struct machine m;
    static double x[3 * RUNS], y[RUNS];
    simulate(&m, 9, 6, 0.02, 0.02);
    const struct em_fit_options options = {.method = EM_NNLS, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    struct em_fit fit, others;
    assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
    const int out = 17;
    size_t kept = 0, rows = RUNS - REPEATS;
    for (int i = 0; i < RUNS; i++) {
        if (m.group[i] == out)
            continue;
        for (size_t j = 0; j < 3; j++)
            x[kept + j * rows] = m.x[(size_t)i + j * RUNS];
        y[kept++] = m.y[i];
    }
    const struct em_data data = {rows, 3, x, y, names3, NULL, 0};
    assert_int_equal(em_fit_init(&others, &data, &options), 0);
    double ape = 0;
    for (int i = out * REPEATS; i < (out + 1) * REPEATS; i++) {
        double want = 0;
        for (int j = 0; j < 3; j++)
            want += others.coefficient[j].value * m.x[i + j * RUNS];
        assert_relative(fit.left_out[i], want, 1e-10);
        ape += fabs(m.y[i] - want) / m.y[i] / REPEATS;
    }
    assert_relative(em_left_out_mape_ratio(&fit, &m.data, out), ape, 1e-9);
    assert_true(isnan(em_left_out_mape_ratio(&fit, &m.data, KERNELS)));
    assert_true(fit.left_out_mape_ratio > fit.mape_ratio);
    em_fit_fini(&fit);
    em_fit_fini(&others);
}

/* 95 % of 2000 new measurements of one kernel: standard error 0.005, the band is 5 of them and 0.02 for the rest. */
static void prediction_intervals_hold_new_measurements(void **state)
{
    (void)state;
    enum { NEW = 2000 };
    static struct machine m;
    const struct em_fit_options options = {
        .method = EM_OLS, .resamples = 1000, .confidence_ratio = 0.95, .seed = 1, .relative = 1};
    simulate(&m, 12, 6, 0.03, 0);
    struct em_fit fit;
    struct em_prediction p;
    assert_int_equal(em_fit_init(&fit, &m.data, &options), 0);
    const double row[] = {0.2, 8, 3}, truth = 30 * 0.2 + 0.5 * 8 + 2 * 3;
    assert_int_equal(em_predict(&fit, row, &p), 0);
    assert_near(p.value, truth, 0.02 * truth);
    assert_true(p.mean.low <= truth && truth <= p.mean.high);
    assert_true(p.single.low < p.mean.low && p.mean.high < p.single.high);
    struct jrx_rng rng;
    jrx_rng_init(&rng, 99, 0);
    int inside = 0;
    for (int i = 0; i < NEW; i++) {
        double noise[2];
        jrx_rng_normal2(&rng, &noise[0], &noise[1]);
        double y = truth * (1 + 0.03 * noise[0]);
        inside += p.single.low <= y && y <= p.single.high;
    }
    assert_near((double)inside / NEW, 0.95, 0.045);
    em_fit_fini(&fit);
    assert_int_equal(em_fit_init(&fit, &m.data, &quick), 0);
    assert_int_equal(em_predict(&fit, row, &p), 0);
    assert_true(isnan(p.mean.low) && isnan(p.single.high) && !isnan(p.value));
    em_fit_fini(&fit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_cover_the_truth_as_often_as_they_say),
        cmocka_unit_test(blocks_widen_the_interval_when_runs_of_a_kernel_agree),
        cmocka_unit_test(the_seed_decides_the_resamples_and_nothing_else),
        cmocka_unit_test(anchor_kernels_turn_not_identifiable_into_identified),
        cmocka_unit_test(a_column_without_effect_covers_zero),
        cmocka_unit_test(few_blocks_give_no_interval),
        cmocka_unit_test(without_groups_neighbours_make_the_blocks),
        cmocka_unit_test(left_out_is_a_fit_that_never_saw_the_block),
        cmocka_unit_test(prediction_intervals_hold_new_measurements),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
