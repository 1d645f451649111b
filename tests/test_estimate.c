/* models/energy/estimate.h, fitted.h: the three estimators and the file of a machine's coefficients; and the command.
 */
#include "experiments/estimates.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "models/energy/estimate.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <unistd.h>

static const struct em_caches caches = {.l1_bytes = 32768, .l2_bytes = 1048576, .l3_bytes = 33554432};

/* 1 GFLOP, 4, 3, 2 and 1 MB at the levels */
static const struct em_count count = {.flop = 1e9, .bytes = {4e6, 3e6, 2e6, 1e6}};

/* 20 cores at 2 GHz doing 32 FLOP a clock at 128 W: 4 threads do 256 GFLOP/s with 25.6 W, 10 GFLOP/J */
static void a_datasheet_charges_everything_to_flop(void **state)
{
    (void)state;
    const struct em_datasheet sheet = {.tdp_w = 128, .base_hz = 2e9, .flop_per_clock = 32, .cores = 20};
    struct em_energy e = em_estimate_datasheet(&sheet, &count, 4, 1);
    assert_relative(e.total_j, 0.1, 1e-14);
    assert_relative(e.part_j[EM_PART_FLOP], 0.1, 1e-14);
    for (int part = EM_PART_L1; part < EM_PARTS; part++)
        assert_near(e.part_j[part], 0, 0);
    assert_true(isnan(e.interval.low) && isnan(e.interval.high));
    assert_relative(em_estimate_time_s(&sheet, &count, 4, 0.5), 1 / 128., 1e-14);
    assert_relative(em_estimate_datasheet(&sheet, &count, 4, 0.5).total_j, 0.2, 1e-14);
    assert_true(isnan(em_estimate_datasheet(&sheet, &count, 4, 0).total_j));
}

/* 20 pJ * 1e9 = 20 mJ; 1, 10, 100, 200 pJ * 4, 3, 2, 1 MB = 4, 30, 200, 200 uJ; 50 W * 2 ms = 100 mJ */
static void accesses_cost_what_their_prices_say(void **state)
{
    (void)state;
    const struct em_prices prices = {20e-12, {1e-12, 10e-12, 100e-12, 200e-12}, 50};
    const struct em_use use = {2e-3, 4};
    const double part_j[EM_PARTS] = {20e-3, 4e-6, 30e-6, 200e-6, 200e-6, 100e-3};
    struct em_energy e = em_estimate_access(&prices, &count, &use);
    for (int part = 0; part < EM_PARTS; part++)
        assert_relative(e.part_j[part], part_j[part], 1e-12);
    assert_relative(e.total_j, 120.434e-3, 1e-12);
    assert_relative(e.total_j, em_energy_of_count_j(&count, &prices, 2e-3), 1e-14);
    struct em_count blind = count;
    blind.bytes[EM_L1] = NAN;
    assert_true(isnan(em_estimate_access(&prices, &blind, &use).total_j));
    struct em_prices without = prices;
    without.byte_j[EM_L1] = 0;
    assert_relative(em_estimate_access(&without, &blind, &use).total_j, 120.430e-3, 1e-12);
}

/* One block of numbers written out: package 10 W, 2 W a thread and 30 pJ/FLOP, sd 1 W, 0, 1 pJ with correlation -0.5;
 * memory 200 pJ/byte, sd 20. 8 degrees of freedom: t = 2.3060. */
static struct em_profile made(void)
{
    struct em_profile p = {.name = "made", .cpu = "none", .source = "measured", .about = "by hand"};
    struct em_fitted *f = &p.of[EM_PACKAGE], *m = &p.of[EM_MEMORY];
    *f = (struct em_fitted){.fitted = 1,
                            .blocks = 12,
                            .freedom = 8,
                            .confidence_ratio = 0.95,
                            .left_out_mape_ratio = 0.03,
                            .used = {[EM_TERM_TIME] = 1, [EM_TERM_CPU] = 1, [EM_TERM_FLOP] = 1},
                            .value = {[EM_TERM_TIME] = 10, [EM_TERM_CPU] = 2, [EM_TERM_FLOP] = 30e-12}};
    f->covariance[EM_TERM_TIME][EM_TERM_TIME] = 1;
    f->covariance[EM_TERM_FLOP][EM_TERM_FLOP] = 1e-24;
    f->covariance[EM_TERM_TIME][EM_TERM_FLOP] = f->covariance[EM_TERM_FLOP][EM_TERM_TIME] = -0.5e-12;
    *m = *f;
    memset(m->used, 0, sizeof m->used);
    memset(m->value, 0, sizeof m->value);
    memset(m->covariance, 0, sizeof m->covariance);
    m->used[EM_TERM_DRAM] = 1;
    m->value[EM_TERM_DRAM] = 200e-12;
    m->covariance[EM_TERM_DRAM][EM_TERM_DRAM] = 400e-24;
    return p;
}

/* constant 10 * 2 ms + 2 * 4 * 2 ms = 36 mJ, FLOP 30 mJ, DRAM 0.2 mJ; package variance, in mJ^2:
 * 2^2 + 1^2 - 2 * 0.5 * 2 * 1 = 3; memory sd 0.02 mJ */
static void fitted_coefficients_have_an_interval_from_their_covariance(void **state)
{
    (void)state;
    const struct em_profile p = made();
    const struct em_use use = {2e-3, 4};
    struct em_energy e = em_estimate_fitted(&p, &count, &use);
    double half_j = 2.3060 * (sqrt(3) + 0.02) * 1e-3;
    assert_relative(e.total_j, 66.2e-3, 1e-12);
    assert_relative(e.part_j[EM_PART_CONSTANT], 36e-3, 1e-12);
    assert_relative(e.part_j[EM_PART_FLOP], 30e-3, 1e-12);
    assert_relative(e.part_j[EM_PART_DRAM], 0.2e-3, 1e-12);
    assert_relative(e.interval.high - e.total_j, half_j, 1e-3);
    assert_relative(e.total_j - e.interval.low, half_j, 1e-3);
    struct em_count blind = count;
    blind.bytes[EM_DRAM] = NAN;
    assert_true(isnan(em_estimate_fitted(&p, &blind, &use).total_j));
}

static void assert_same(const struct em_fitted *a, const struct em_fitted *b)
{
    assert_int_equal(a->fitted, b->fitted);
    assert_int_equal(a->blocks, b->blocks);
    for (int k = 0; k < EM_TERMS; k++) {
        assert_int_equal(a->used[k], b->used[k]);
        assert_relative(a->value[k], b->value[k], 1e-15);
        for (int other = 0; other < EM_TERMS; other++)
            assert_relative(a->covariance[k][other], b->covariance[k][other], 1e-15);
    }
}

static void write_profile(const char *path, const struct em_profile *p, const char *more)
{
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    assert_int_equal(em_profile_print(p, to), 0);
    fprintf(to, "%s", more);
    fclose(to);
}

static void a_profile_is_read_back_as_it_was_written(void **state)
{
    char path[] = "/tmp/joulerx-profile-XXXXXX";
    (void)state;
    assert_true(close(mkstemp(path)) == 0);
    const struct em_profile p = made();
    struct em_profile back;
    write_profile(path, &p, "");
    assert_int_equal(em_profile_load(path, &back), 0);
    assert_string_equal(back.name, "made");
    assert_string_equal(back.source, "measured");
    assert_relative(back.of[EM_PACKAGE].left_out_mape_ratio, 0.03, 1e-14);
    for (int r = 0; r < EM_RESPONSES; r++)
        assert_same(&back.of[r], &p.of[r]);
    static const char *const wrong[] = {"[package.flop]\nvalue = many\n", "[package.flop]\nunit = J\n",
                                        "[package.heat]\nvalue = 1\n",    "[psys]\nblocks = 3\n",
                                        "[package]\nblocks = 0\n",        "[package.l1]\nvalue = 1\n",
                                        "[profile]\ncolour = red\n",      "[package.flop]\nverdict = fine\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        write_profile(path, &p, wrong[i]);
        assert_int_equal(em_profile_load(path, &back), JRX_EFORMAT);
    }
    unlink(path);
    assert_int_equal(em_profile_load(path, &back), JRX_EINVAL);
}

/* Two terms of known noise: the covariance of a jackknife over many small blocks is that of least squares. */
static void a_fit_hands_over_its_covariance(void **state)
{
    (void)state;
    enum { ROWS = 400 };
    static double x[2 * ROWS], y[ROWS];
    static int group[ROWS];
    static const char *const names[] = {"time", "flop"};
    struct jrx_rng rng;
    jrx_rng_init(&rng, 3, 0);
    for (int i = 0; i < ROWS; i++) {
        double noise, other;
        jrx_rng_normal2(&rng, &noise, &other);
        x[i] = 1 + 0.01 * i;
        x[ROWS + i] = 1 + i % 7;
        y[i] = 5 * x[i] + 2 * x[ROWS + i] + 0.1 * noise;
        group[i] = i % 100;
    }
    const struct em_data data = {ROWS, 2, x, y, names, group, 100};
    const struct em_fit_options options = {.confidence_ratio = 0.95, .seed = 1};
    static const enum em_term term[] = {EM_TERM_TIME, EM_TERM_FLOP};
    struct em_fit fit;
    struct em_fitted f;
    assert_int_equal(em_fit_init(&fit, &data, &options), 0);
    assert_int_equal(em_fitted_set(&f, &fit, term), 0);
    double xx = 0, xz = 0, zz = 0;
    for (int i = 0; i < ROWS; i++) {
        xx += x[i] * x[i];
        xz += x[i] * x[ROWS + i];
        zz += x[ROWS + i] * x[ROWS + i];
    }
    double scale = 0.01 / (xx * zz - xz * xz);
    /* variances of 100 blocks are good to 14 %, twice that is allowed */
    assert_relative(f.covariance[EM_TERM_TIME][EM_TERM_TIME], scale * zz, 0.3);
    assert_relative(f.covariance[EM_TERM_FLOP][EM_TERM_FLOP], scale * xx, 0.3);
    assert_relative(f.covariance[EM_TERM_TIME][EM_TERM_FLOP], -scale * xz, 0.3);
    assert_near(f.freedom, 99, 0);
    em_fit_fini(&fit);
}

static void passes_move_every_level_once_and_results_twice(void **state)
{
    (void)state;
    struct em_count sum = {0};
    em_count_pass(10, 300, 100, &caches, &sum);
    assert_near(sum.flop, 10, 0);
    assert_near(sum.bytes[EM_L1], 400, 0);
    for (int level = EM_L2; level <= EM_DRAM; level++)
        assert_near(sum.bytes[level], 500, 0);
    em_count_pass(0, 0, 1, &(struct em_caches){.l1_bytes = 32768, .l2_bytes = 1048576}, &sum);
    assert_true(isnan(sum.bytes[EM_L3]));
}

/* 20 channels on 2 slots of 6 x 14: 168 pixels, 3360 elements; parameters of two blocks of 16: 32 x 32 weights, bias,
 * w and bias of the norm. */
static void a_network_is_counted_layer_by_layer(void **state)
{
    (void)state;
    static struct nn_net net;
    struct em_count inference, training;
    nn_net_init(&net, 20);
    int a = nn_norm_relu(&net, "norm", 0), b = nn_conv(&net, "conv", KN_POINTWISE, a, 20, 1, 1);
    assert_int_equal(nn_net_done(&net, nn_add(&net, "add", b, a)), 0);
    assert_int_equal(ex_count_network(&net, 2, 6, 14, 0, &caches, &inference), 0);
    assert_int_equal(ex_count_network(&net, 2, 6, 14, 1, &caches, &training), 0);
    const double conv = 2. * 20 * 20 * 168, parameters = 32 * 32 + 3 * 32;
    assert_near(inference.flop, conv + (2 + 1) * 3360, 0);
    assert_near(training.flop, 3 * conv + (7 + 10 + 1 + 1) * 3360 + 12 * parameters, 0);
    nn_net_fini(&net);
}

/* 2 * 256 * 256 * 312 * 14 FLOP; datasheet of the EPYC 7502: 80 GFLOP/s a core at 180 / 32 W */
static void the_command_sets_the_estimators_side_by_side(void **state)
{
    (void)state;
    struct program p;
    char path[600];
    program_init(&p);
    snprintf(path, sizeof path, "%s/mine.ini", p.dir);
    const struct em_profile made_up = made();
    write_profile(path, &made_up, "");
#define LAYER "estimate pw:c256:k256 --caches=32K/8,512K/8,16M/16 --cpu='AMD EPYC 7502'"
    assert_int_equal(program_run(&p, LAYER " --csv --profile=mine.ini --time=1"), 0);
    says(p.out, "what,step,estimator,source,figures,energy_j,energy_ci_lo_j,energy_ci_hi_j,flop_j,l1_j,l2_j,l3_j,"
                "dram_j,constant_j,time_s,flop");
    says(p.out, "\npw:c256:k256,call,datasheet,estimated,AMD EPYC 7502 (Zen 2),0.04025548");
    says(p.out, "\npw:c256:k256,call,access,estimated,generic-x86-server,");
    says(p.out, "\npw:c256:k256,call,fitted,estimated,made,12.0");
    assert_int_equal(program_run(&p, LAYER " --tile=f=4"), 0);
    says(p.out, "fitted: none; give --profile=FILE");
    assert_int_equal(program_run(&p, "estimate deeprx --training --batch=2 --caches=32K/8,512K/8,16M/16"), 0);
    says(p.out, "a training step of deeprx, 312x14, 2 slots");
    assert_int_equal(program_run(&p, "estimate nothing"), 2);
    assert_int_equal(program_run(&p, LAYER " --profile=none.ini"), 2);
    says(p.err, "joulerx run calibrate");
    assert_int_equal(program_run(&p, "estimate pw:c8:k8 --training"), 2);
    program_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_datasheet_charges_everything_to_flop),
        cmocka_unit_test(accesses_cost_what_their_prices_say),
        cmocka_unit_test(fitted_coefficients_have_an_interval_from_their_covariance),
        cmocka_unit_test(a_profile_is_read_back_as_it_was_written),
        cmocka_unit_test(a_fit_hands_over_its_covariance),
        cmocka_unit_test(passes_move_every_level_once_and_results_twice),
        cmocka_unit_test(a_network_is_counted_layer_by_layer),
        cmocka_unit_test(the_command_sets_the_estimators_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
