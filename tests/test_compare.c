/* Ratios of two runs: numbers by hand, and what counts as a difference. */
#include "experiments/command.h"
#include "experiments/compare.h"
#include "harness/base/error.h"
#include "harness/table.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

extern const struct ex_command cmd_compare;

/* Logarithms of a: -d, 0, d with sd d; of b the same around log 2. Welch: t(0.975, 4) d sqrt(2/3), t = 2.776445. */
static void the_interval_is_welchs_on_logarithms(void **state)
{
    (void)state;
    const double d = 0.1, a[3] = {exp(-d), 1, exp(d)}, b[3] = {2 * exp(d), 2 * exp(-d), 2};
    const double half = 2.7764451051978 * d * sqrt(2.0 / 3);
    struct ex_ratio ratio;
    ex_compare(a, 3, b, 3, &ratio);
    assert_relative(ratio.a, 1, 1e-12);
    assert_relative(ratio.b, 2, 1e-12);
    assert_relative(ratio.value, 2, 1e-12);
    assert_relative(ratio.low, 2 * exp(-half), 1e-9);
    assert_relative(ratio.high, 2 * exp(half), 1e-9);
    assert_int_equal(ratio.change, EX_MORE);
    ex_compare(b, 3, a, 3, &ratio);
    assert_int_equal(ratio.change, EX_LESS);
}

static void an_interval_that_holds_one_shows_no_difference(void **state)
{
    (void)state;
    const double a[4] = {1, 2, 3, 4}, b[4] = {1.1, 2.1, 2.9, 4.1};
    struct ex_ratio ratio;
    ex_compare(a, 4, b, 4, &ratio);
    assert_int_equal(ratio.change, EX_NO_DIFFERENCE);
    assert_true(ratio.low < 1 && ratio.high > 1);
}

static void missing_and_impossible_values_are_left_out(void **state)
{
    (void)state;
    const double a[4] = {NAN, 4, 0, -1}, b[2] = {2, NAN};
    struct ex_ratio ratio;
    ex_compare(a, 4, b, 2, &ratio);
    assert_relative(ratio.value, 0.5, 1e-12);
    assert_true(isnan(ratio.low) && isnan(ratio.high));
    assert_int_equal(ratio.change, EX_ONE_REPETITION);
    ex_compare(a, 1, b, 2, &ratio);
    assert_true(isnan(ratio.a) && isnan(ratio.value));
    assert_int_equal(ratio.change, EX_ONE_REPETITION);
}

/*
 * Two blocks of 100 bits; errors 10, 30 and 20, 30. Rates 0.2 and 0.25; without a block the log ratio is 0 or log 2,
 * whose jackknife variance is (2 - 1) / 2 * 2 (log 2 / 2)^2, and t(0.975, 1) = 12.7062.
 */
static void rates_of_errors_have_a_jackknife_over_pairs(void **state)
{
    (void)state;
    const double bits[] = {100, 100}, few[] = {10, 30}, more[] = {20, 30};
    struct ex_ratio ratio;
    ex_compare_errors((struct ex_errors){few, bits}, (struct ex_errors){more, bits}, 2, &ratio);
    const double half = 12.706204736174694 * log(2) / 2;
    assert_relative(ratio.a, 0.2, 1e-12);
    assert_relative(ratio.b, 0.25, 1e-12);
    assert_relative(ratio.value, 1.25, 1e-12);
    assert_relative(ratio.low, 1.25 * exp(-half), 1e-9);
    assert_relative(ratio.high, 1.25 * exp(half), 1e-9);
    assert_int_equal(ratio.change, EX_NO_DIFFERENCE);
}

/* Blocks differ tenfold, twice as many errors in each pair: sharp as pairs. The bits count: twice of both is the same
 * rate. */
static void pairs_show_what_blocks_alone_would_not(void **state)
{
    (void)state;
    const double bits[] = {1000, 1000, 1000, 1000}, a[] = {10, 100, 20, 50}, b[] = {21, 199, 40, 100},
                 twice[] = {2000, 2000, 2000, 2000};
    struct ex_ratio ratio;
    ex_compare_errors((struct ex_errors){a, bits}, (struct ex_errors){b, bits}, 4, &ratio);
    assert_relative(ratio.value, 2, 1e-12);
    assert_true(ratio.low > 1.9 && ratio.high < 2.1);
    assert_int_equal(ratio.change, EX_MORE);
    ex_compare_errors((struct ex_errors){b, bits}, (struct ex_errors){a, bits}, 4, &ratio);
    assert_int_equal(ratio.change, EX_LESS);
    ex_compare_errors((struct ex_errors){a, bits}, (struct ex_errors){b, twice}, 4, &ratio);
    assert_relative(ratio.value, 1, 1e-12);
    assert_int_equal(ratio.change, EX_NO_DIFFERENCE);
    ex_compare_errors((struct ex_errors){a, bits}, (struct ex_errors){a, bits}, 4, &ratio);
    assert_true(ratio.low == 1 && ratio.high == 1);
    assert_int_equal(ratio.change, EX_NO_DIFFERENCE);
}

static void without_errors_or_blocks_there_is_no_ratio(void **state)
{
    (void)state;
    const double bits[] = {100, 100}, none[] = {0, 0}, once[] = {0, 5}, some[] = {3, 4};
    struct ex_ratio ratio;
    ex_compare_errors((struct ex_errors){none, bits}, (struct ex_errors){some, bits}, 2, &ratio);
    assert_true(isnan(ratio.a) && isnan(ratio.value) && isnan(ratio.low));
    assert_int_equal(ratio.change, EX_TOO_FEW_ERRORS);
    ex_compare_errors((struct ex_errors){some, bits}, (struct ex_errors){once, bits}, 2, &ratio);
    assert_relative(ratio.value, 5. / 7, 1e-12);
    assert_true(isnan(ratio.low) && isnan(ratio.high));
    assert_int_equal(ratio.change, EX_TOO_FEW_ERRORS);
    ex_compare_errors((struct ex_errors){some, bits}, (struct ex_errors){some, bits}, 1, &ratio);
    assert_int_equal(ratio.change, EX_ONE_REPETITION);
}

/* A run of the experiment `tiling` with one cell, twice as slow or not, its energies of one source or another. */
static void make_run(char root[TREE_PATH], const char *cpu, int time, const char *source)
{
    tree_new(root);
    tree_put(root, "meta.json={\"identity\": {\"cpu\": \"%s\", \"compiler\": \"gcc\"}}", cpu);
    tree_put(root,
             "tiling/samples.csv=cell,rep,time_ns,energy_j,above_idle_j,energy_source\n\"oc=1,ic=2\",0,%d,3,2,%s\n"
             "\"oc=1,ic=2\",1,%d,3,2,%s\n",
             time, source, time + 1, source);
}

static int compare(const char *a, const char *b, const char *option)
{
    char *arguments[] = {"joulerx compare", (char *)option, (char *)a, (char *)b, NULL};
    return cmd_compare.run(4, arguments);
}

static void two_runs_become_a_table(void **state)
{
    (void)state;
    char a[TREE_PATH], b[TREE_PATH], out[TREE_PATH + 16], option[TREE_PATH + 32];
    struct jrx_csv *csv;
    double ratio;
    make_run(a, "one", 1000, "estimated");
    make_run(b, "two", 2000, "estimated");
    snprintf(out, sizeof out, "%s/out.csv", a);
    snprintf(option, sizeof option, "--csv=%s", out);
    assert_int_equal(compare(a, b, option), 0);
    assert_int_equal(jrx_csv_read(&csv, out, NULL), 0);
    assert_int_equal(jrx_csv_rows(csv), 2);
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "cell")), "oc=1,ic=2");
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "verdict")), "more");
    assert_int_equal(jrx_csv_real(csv, 0, (size_t)jrx_csv_find(csv, "ratio"), &ratio), 0);
    assert_relative(ratio, sqrt(2000. * 2001 / (1000. * 1001)), 1e-12);
    assert_string_equal(jrx_csv_text(csv, 1, (size_t)jrx_csv_find(csv, "source")), "estimated");
    jrx_csv_free(csv);
    tree_free(a);
    tree_free(b);
}

/* Half the errors at one SINR, the same at another; a cell that A alone has is left out. */
static void bit_errors_of_two_runs_become_rates(void **state)
{
    (void)state;
    static const char *const head = "cell,rep,bits,bit_errors";
    char a[TREE_PATH], b[TREE_PATH], out[TREE_PATH + 16], option[TREE_PATH + 32];
    struct jrx_csv *csv;
    double value;
    tree_new(a);
    tree_new(b);
    tree_put(a, "meta.json={\"identity\": {}}");
    tree_put(b, "meta.json={\"identity\": {}}");
    tree_put(a, "ber/samples.csv=%s\nx,1,100,40\nx,0,100,20\ny,0,100,7\ny,1,100,9\nz,0,100,9\n", head);
    tree_put(b, "ber/samples.csv=%s\nx,0,100,10\nx,1,100,20\ny,0,100,7\ny,1,100,9\n", head);
    snprintf(out, sizeof out, "%s/out.csv", a);
    snprintf(option, sizeof option, "--csv=%s", out);
    assert_int_equal(compare(a, b, option), 0);
    assert_int_equal(jrx_csv_read(&csv, out, NULL), 0);
    assert_int_equal(jrx_csv_rows(csv), 2);
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "source")), "simulated");
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "verdict")), "less");
    assert_string_equal(jrx_csv_text(csv, 1, (size_t)jrx_csv_find(csv, "verdict")), "no difference shown");
    assert_int_equal(jrx_csv_real(csv, 0, (size_t)jrx_csv_find(csv, "a"), &value), 0);
    assert_relative(value, 0.3, 1e-12);
    assert_int_equal(jrx_csv_real(csv, 0, (size_t)jrx_csv_find(csv, "ratio"), &value), 0);
    assert_relative(value, 0.5, 1e-12);
    jrx_csv_free(csv);
    tree_free(a);
    tree_free(b);
}

static void what_cannot_be_compared_is_refused(void **state)
{
    (void)state;
    char a[TREE_PATH], b[TREE_PATH];
    make_run(a, "one", 1000, "estimated");
    make_run(b, "one", 1000, "measured");
    assert_int_equal(compare(a, b, "--csv=/dev/null"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "energy_j is estimated in A and measured in B"));
    assert_int_equal(compare(a, b, "--column=above_idle_j"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "above_idle_j is estimated in A and measured in B"));
    assert_int_equal(compare(a, b, "--column=time_ns"), 0);
    assert_int_equal(compare(a, "/nowhere", "--csv=/dev/null"), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "/nowhere/meta.json"));
    tree_free(a);
    tree_new(a);
    tree_put(a, "meta.json={\"identity\": {}}");
    assert_int_equal(compare(a, b, "--csv=/dev/null"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "no experiment in common"));
    tree_free(a);
    tree_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_is_welchs_on_logarithms),
        cmocka_unit_test(an_interval_that_holds_one_shows_no_difference),
        cmocka_unit_test(rates_of_errors_have_a_jackknife_over_pairs),
        cmocka_unit_test(pairs_show_what_blocks_alone_would_not),
        cmocka_unit_test(without_errors_or_blocks_there_is_no_ratio),
        cmocka_unit_test(two_runs_become_a_table),
        cmocka_unit_test(bit_errors_of_two_runs_become_rates),
        cmocka_unit_test(what_cannot_be_compared_is_refused),
        cmocka_unit_test(missing_and_impossible_values_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
