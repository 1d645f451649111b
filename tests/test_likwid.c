/* The likwid meter, against a library of our own: whatever likwid returns, only registers that move are believed. */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/window.h"
#include "tests/support/test.h"
#include <unistd.h>

static struct jrx_meter meter;

static int setup(void **state)
{
    (void)state;
    char path[512];
    ssize_t length = readlink("/proc/self/exe", path, 480);
    path[length > 0 ? length : 0] = 0;
    char *slash = strrchr(path, '/');
    strcpy(slash ? slash : path, "/fake/likwid_stub.so");
    setenv("JOULERX_LIKWID", path, 1);
    unsetenv("JOULERX_STUB");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    jrx_meter_close(&meter);
    unsetenv("JOULERX_LIKWID");
    return 0;
}

static int open_meter(void)
{
    return jrx_meter_open(&meter, "likwid", NULL);
}

static void spin(void *ns)
{
    uint64_t until = jrx_clock_ns() + *(uint64_t *)ns;
    while (jrx_clock_ns() < until)
        ;
}

static void registers_that_move_are_measured(void **state)
{
    (void)state;
    struct jrx_window window;
    struct jrx_window_result result;
    uint64_t ns = 20000000;
    assert_int_equal(open_meter(), 0);
    assert_int_equal(meter.source, JRX_MEASURED);
    assert_string_equal(meter.domain[0].name, "package-0");
    assert_true(meter.domain[0].counter.range == 4294967296);
    assert_int_equal(jrx_window_open(&window, &meter, 0), 0);
    const struct jrx_region region = {.fn = spin, .ctx = &ns};
    assert_int_equal(jrx_window_measure(&window, &region, 1, &result), 0);
    assert_int_equal(result.status, 0);
    assert_relative(result.domain[0].energy_j, 100e-9 * (double)result.time_ns, 0.05);
    jrx_window_close(&window);
}

static void a_register_that_stands_still_is_left_out(void **state)
{
    (void)state;
    setenv("JOULERX_STUB", "nodram", 1);
    assert_int_equal(open_meter(), 0);
    for (size_t d = 0; d < meter.domains; d++)
        assert_int_not_equal(meter.domain[d].kind, JRX_DRAM);
}

static void success_without_movement_is_not_believed(void **state)
{
    (void)state;
    static const char *const modes[] = {"still", "refuse"};
    for (int i = 0; i < 2; i++) {
        setenv("JOULERX_STUB", modes[i], 1);
        assert_int_equal(open_meter(), JRX_EUNAVAILABLE);
        assert_non_null(strstr(jrx_last_error(), "no package register moves"));
    }
}

static void a_library_that_ends_the_process_ends_a_child_only(void **state)
{
    (void)state;
    setenv("JOULERX_STUB", "exit", 1);
    assert_int_equal(open_meter(), JRX_EUNAVAILABLE);
    assert_non_null(strstr(jrx_last_error(), "likwid-accessD"));
}

static void a_library_that_is_not_there_or_not_likwid_is_said(void **state)
{
    (void)state;
    setenv("JOULERX_LIKWID", "/no/such/lib.so", 1);
    assert_int_equal(open_meter(), JRX_EUNAVAILABLE);
    assert_non_null(strstr(jrx_last_error(), "apt install likwid"));
    setenv("JOULERX_LIKWID", "libm.so.6", 1);
    assert_int_equal(open_meter(), JRX_EUNAVAILABLE);
    assert_non_null(strstr(jrx_last_error(), "topology_init"));
}

static void a_tree_of_files_has_no_registers(void **state)
{
    (void)state;
    const struct jrx_meter_config config = {.sysfs = "/tmp"};
    assert_int_equal(jrx_meter_open(&meter, "likwid", &config), JRX_EUNAVAILABLE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(registers_that_move_are_measured),
        CASE(a_register_that_stands_still_is_left_out),
        CASE(success_without_movement_is_not_believed),
        CASE(a_library_that_ends_the_process_ends_a_child_only),
        CASE(a_library_that_is_not_there_or_not_likwid_is_said),
        CASE(a_tree_of_files_has_no_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
