/* joulerx check: what it returns. What it checks with is tested in test_kernels.c. */
#include "experiments/command.h"
#include "harness/base/error.h"
#include "tests/support/test.h"

extern const struct ex_command cmd_check;

static int check(const char *pattern)
{
    char name[] = "joulerx check", argument[64], seed[] = "--seed=7";
    snprintf(argument, sizeof argument, "%s", pattern);
    char *argv[] = {name, argument, seed, NULL};
    return cmd_check.run(3, argv);
}

static void a_right_kernel_passes(void **state)
{
    (void)state;
    assert_int_equal(check("pointwise_bwd_data_re?"), 0);
}

static void a_plain_word_names_what_begins_with_it_up_to_an_underscore(void **state)
{
    (void)state;
    assert_int_equal(check("relu_bwd_data"), 0);
    assert_int_equal(check("relu_bwd_dat"), JRX_EINVAL);
}

static void a_pattern_that_names_nothing_is_refused(void **state)
{
    (void)state;
    assert_int_equal(check("pointwise_fwd_raf"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "'pointwise_fwd_raf'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_kernel_passes),
        cmocka_unit_test(a_plain_word_names_what_begins_with_it_up_to_an_underscore),
        cmocka_unit_test(a_pattern_that_names_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
