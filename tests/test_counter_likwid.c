/* harness/counters: likwid loaded at run time. A stand-in library plays its good and bad days. */
#include "harness/base/error.h"
#include "harness/counters.h"
#include "harness/markers.h"
#include "tests/support/test.h"
#include <unistd.h>

static char library[512], log_path[] = "/tmp/joulerx-likwid-XXXXXX";

static int find(void **state)
{
    (void)state;
    ssize_t length = readlink("/proc/self/exe", library, 480);
    library[length > 0 ? length : 0] = 0;
    char *slash = strrchr(library, '/');
    strcpy(slash ? slash : library, "/fake/likwid_stub.so");
    int fd = mkstemp(log_path);
    close(fd);
    unlink(log_path);
    setenv("JOULERX_STUB_LOG", log_path, 1);
    return fd < 0;
}

static int clean(void **state)
{
    (void)state;
    unlink(log_path);
    return 0;
}

static void on_a(const char *day)
{
    setenv("JOULERX_LIKWID", library, 1);
    setenv("JOULERX_STUB", day, 1);
}

static void assert_says(const char *part)
{
    if (!strstr(jrx_last_error(), part))
        fail_msg("message \"%s\" does not say \"%s\"", jrx_last_error(), part);
}

static const char *const events[] = {"INSTR_RETIRED_ANY:FIXC0", "L1D_REPLACEMENT:PMC0"};

static void on_a_good_day_values_are_those_of_the_last_region_over_all_cpus(void **state)
{
    struct jrx_counters c;
    (void)state;
    on_a("good");
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), 0);
    for (int run = 2; run < 4; run++) { /* the first was the trial at open */
        assert_int_equal(jrx_counters_start(&c), 0);
        assert_int_equal(jrx_counters_stop(&c), 0);
        assert_near(c.value[0].count, 100 + run, 0);
        assert_near(c.value[1].count, 200 + run, 0);
        assert_int_equal(c.value[0].source, JRX_MEASURED);
    }
    jrx_counters_close(&c);
}

static void success_that_counts_nothing_is_refused(void **state)
{
    struct jrx_counters c;
    (void)state;
    on_a("stuck");
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), JRX_EUNAVAILABLE);
    assert_says("reports success and counts nothing");
}

static void each_way_to_fail_has_its_reason_and_remedy(void **state)
{
    struct jrx_counters c;
    (void)state;
    on_a("no-msr");
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), JRX_EUNAVAILABLE);
    assert_says("does not start");
    assert_says("modprobe msr");
    on_a("exit"); /* as the real one does, four seconds after asking its daemon */
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), JRX_EUNAVAILABLE);
    assert_says("it ended itself");
    on_a("no-topology");
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), JRX_EUNAVAILABLE);
    on_a("no-event");
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), JRX_EUNAVAILABLE);
    assert_says("INSTR_RETIRED_ANY:FIXC0,L1D_REPLACEMENT:PMC0 cannot be counted");
    on_a("good");
    const char *const bare[] = {"INSTR_RETIRED_ANY"};
    assert_int_equal(jrx_counters_open(&c, "likwid", bare, 1, NULL), JRX_EINVAL);
    assert_says("EVENT:COUNTER");
    setenv("JOULERX_LIKWID", "/nonexistent/liblikwid.so", 1);
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), JRX_EUNAVAILABLE);
    assert_says("/nonexistent/liblikwid.so");
    setenv("JOULERX_LIKWID", "libm.so.6", 1);
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), JRX_EUNAVAILABLE);
    assert_says("version 5 is needed");
}

static void a_nan_of_one_event_is_missing_there_alone(void **state)
{
    struct jrx_counters c;
    (void)state;
    on_a("nan");
    assert_int_equal(jrx_counters_open(&c, "likwid", events, 2, NULL), 0);
    assert_int_equal(jrx_counters_start(&c), 0);
    assert_int_equal(jrx_counters_stop(&c), 0);
    assert_true(c.value[0].count > 0 && isnan(c.value[1].count) && c.value[1].source == JRX_SOURCE_NONE);
    jrx_counters_close(&c);
}

static void markers_do_nothing_unless_likwid_perfctr_runs_us(void **state)
{
    struct jrx_markers m;
    (void)state;
    on_a("good");
    unsetenv("LIKWID_MODE");
    assert_int_equal(jrx_markers_open(&m, 2), 0);
    jrx_marker_start(&m, "a");
    jrx_marker_stop(&m, "a");
    jrx_markers_close(&m);
    assert_int_not_equal(access(log_path, F_OK), 0);
    setenv("LIKWID_MODE", "1", 1);
    setenv("JOULERX_LIKWID", "/nonexistent", 1);
    assert_int_equal(jrx_markers_open(&m, 1), JRX_EUNAVAILABLE);
    jrx_marker_start(&m, "a"); /* still harmless */
    jrx_markers_close(&m);
}

static void markers_tell_likwid_of_each_region_in_each_thread(void **state)
{
    struct jrx_markers m;
    char text[400] = "";
    (void)state;
    on_a("good");
    setenv("LIKWID_MODE", "1", 1);
    assert_int_equal(jrx_markers_open(&m, 1), 0);
    jrx_marker_start(&m, "conv2d oc=16");
    jrx_marker_stop(&m, "conv2d oc=16");
    jrx_markers_close(&m);
    assert_int_equal(jrx_markers_open(&m, 2), 0);
    jrx_marker_start(&m, "b");
    jrx_marker_stop(&m, "b");
    jrx_markers_close(&m);
    FILE *from = fopen(log_path, "r");
    assert_non_null(from);
    assert_true(fread(text, 1, sizeof text - 1, from) > 0);
    fclose(from);
    assert_string_equal(text, "init \nthread \nstart conv2d oc=16\nstop conv2d oc=16\nclose \n"
                              "init \nthread \nthread \nstart b\nstart b\nstop b\nstop b\nclose \n");
    unsetenv("LIKWID_MODE");
}

static void the_real_library_is_available_or_says_why_not(void **state)
{
    char note[256] = "";
    (void)state;
    unsetenv("JOULERX_LIKWID");
    int rc = jrx_counter_find("likwid")->probe(note, sizeof note);
    assert_true(rc == 0 || rc == JRX_EUNAVAILABLE);
    print_message("    likwid: %s\n", rc ? jrx_last_error() : note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_good_day_values_are_those_of_the_last_region_over_all_cpus),
        cmocka_unit_test(success_that_counts_nothing_is_refused),
        cmocka_unit_test(each_way_to_fail_has_its_reason_and_remedy),
        cmocka_unit_test(a_nan_of_one_event_is_missing_there_alone),
        cmocka_unit_test(markers_do_nothing_unless_likwid_perfctr_runs_us),
        cmocka_unit_test(markers_tell_likwid_of_each_region_in_each_thread),
        cmocka_unit_test(the_real_library_is_available_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, find, clean);
}
