/*
 * The perf meter. The kernel's software clock stands in for the power PMU: a tree of our own says that event 0 of PMU
 * type 1 (cpu-clock, nanoseconds) counts energy, so the real perf_event_open() path is run on any machine.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/window.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <unistd.h>

struct fixture {
    char root[TREE_PATH];
    struct jrx_meter_config config;
    struct jrx_meter meter;
};

#define PMU "bus/event_source/devices/power/"

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    tree_new(f->root);
    f->config.sysfs = f->root;
    tree_put(f->root, PMU "type=1\n");
    tree_put(f->root, PMU "cpumask=0\n");
    tree_put(f->root, PMU "events/energy-pkg=event=0x00\n");
    tree_put(f->root, PMU "events/energy-pkg.unit=Joules\n");
    tree_put(f->root, PMU "events/energy-pkg.scale=1e-7\n"); /* 100 W: 1e9 counts a second */
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    jrx_meter_close(&f->meter);
    tree_free(f->root);
    free(f);
    return 0;
}

static int open_meter(struct fixture *f)
{
    return jrx_meter_open(&f->meter, "perf", &f->config);
}

static void open_or_skip(struct fixture *f)
{
    int status = open_meter(f);
    if (status == JRX_EPERMISSION || status == JRX_EUNAVAILABLE)
        skip_because("system-wide perf events are not permitted here: %s", jrx_last_error());
    assert_int_equal(status, 0);
}

static void the_real_call_counts_and_scales(void **state)
{
    struct fixture *f = *state;
    open_or_skip(f);
    assert_int_equal(f->meter.domains, 1);
    assert_string_equal(f->meter.domain[0].name, "package-0");
    assert_int_equal(f->meter.source, JRX_MEASURED);
    struct jrx_reading a, b;
    assert_int_equal(jrx_meter_read(&f->meter, 0, &a), 0);
    jrx_clock_sleep_until(jrx_clock_ns() + 50000000);
    assert_int_equal(jrx_meter_read(&f->meter, 0, &b), 0);
    double joule = (double)(b.count - a.count) * f->meter.domain[0].counter.j_per_count;
    assert_relative(joule, 100 * (double)(b.before_ns - a.before_ns) * 1e-9, 0.02);
}

static void it_is_read_often_enough_for_its_signed_difference(void **state)
{
    struct fixture *f = *state;
    open_or_skip(f);
    /* 2^31 units of 2^-16 J; at most every 30 s, here every 8.192 s, being a quarter of the bound at 1000 W */
    assert_near(f->meter.domain[0].counter.provable_j, 2147483648 / 65536.0, 0);
    assert_near(jrx_counter_period_s(&f->meter.domain[0].counter), 8.192, 1e-9);
    assert_true(f->meter.domain[0].counter.range == JRX_RANGE_NONE);
}

static void domains_are_told_apart_and_psys_is_opened_once(void **state)
{
    struct fixture *f = *state;
    static const char *const more[] = {"energy-ram", "energy-cores", "energy-psys"};
    for (size_t i = 0; i < 3; i++) {
        tree_put(f->root, PMU "events/%s=event=0x00\n", more[i]);
        tree_put(f->root, PMU "events/%s.unit=Joules\n", more[i]);
        tree_put(f->root, PMU "events/%s.scale=1e-9\n", more[i]);
    }
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        skip_because("one CPU");
    tree_put(f->root, PMU "cpumask=0-1\n");
    tree_put(f->root, "devices/system/cpu/cpu0/topology/physical_package_id=0\n");
    tree_put(f->root, "devices/system/cpu/cpu1/topology/physical_package_id=4\n");
    open_or_skip(f);
    static const char *const names[] = {"package-0", "package-4", "dram-0", "dram-4", "core-0", "core-4", "psys"};
    assert_int_equal(f->meter.domains, 7);
    for (size_t d = 0; d < 7; d++) {
        assert_string_equal(f->meter.domain[d].name, names[d]);
        assert_int_equal(f->meter.domain[d].in_total, d < 4);
    }
    assert_int_equal(f->meter.domain[1].cpu, 1);
}

/* AMD since Linux 6.14: an event a core. Here CPUs of two sockets in turn; what is read is the sum of a socket. */
static void the_cores_of_amd_are_added_up_by_socket(void **state)
{
    struct fixture *f = *state;
#define CORE "bus/event_source/devices/power_core/"
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        skip_because("one CPU");
    tree_put(f->root, CORE "type=1\n");
    tree_put(f->root, CORE "cpumask=0-1\n");
    tree_put(f->root, CORE "events/energy-core=event=0x00\n");
    tree_put(f->root, CORE "events/energy-core.unit=Joules\n");
    tree_put(f->root, CORE "events/energy-core.scale=1e-8\n"); /* 10 W a core */
#undef CORE
    tree_put(f->root, "devices/system/cpu/cpu0/topology/physical_package_id=0\n");
    for (int sockets = 1; sockets <= 2; sockets++) {
        tree_put(f->root, "devices/system/cpu/cpu1/topology/physical_package_id=%d\n", sockets - 1);
        open_or_skip(f);
        assert_int_equal(f->meter.domains, 1 + sockets);
        for (int d = 1; d <= sockets; d++) {
            char name[16];
            struct jrx_reading a, b;
            snprintf(name, sizeof name, "core-%d", d - 1);
            assert_string_equal(f->meter.domain[d].name, name);
            assert_false(f->meter.domain[d].in_total);
            assert_int_equal(jrx_meter_read(&f->meter, (size_t)d, &a), 0);
            jrx_clock_sleep_until(jrx_clock_ns() + 50000000);
            assert_int_equal(jrx_meter_read(&f->meter, (size_t)d, &b), 0);
            double joule = (double)(b.count - a.count) * f->meter.domain[d].counter.j_per_count;
            assert_relative(joule, (sockets == 1 ? 20 : 10) * (double)(b.before_ns - a.before_ns) * 1e-9, 0.02);
        }
        jrx_meter_close(&f->meter);
    }
}

static void no_pmu_names_the_module(void **state)
{
    struct fixture *f = *state;
    f->config.sysfs = "/nonexistent";
    assert_int_equal(open_meter(f), JRX_EUNAVAILABLE);
    assert_non_null(strstr(jrx_last_error(), "modprobe rapl"));
}

static void files_that_say_something_else_are_refused(void **state)
{
    static const struct {
        const char *file, *words;
    } cases[] = {
        {PMU "events/energy-pkg.unit=Watts\n", "not in Joules"},
        {PMU "events/energy-pkg.unit=Joules\n", NULL},
        {PMU "events/energy-pkg.scale=zero\n", "scale of energy-pkg"},
        {PMU "events/energy-pkg.scale=-1\n", "scale of energy-pkg"},
        {PMU "events/energy-pkg.scale=1e-7\n", NULL},
        {PMU "events/energy-pkg=umask=3\n", "not event=N"},
        {PMU "events/energy-pkg=event=0x00\n", NULL},
        {PMU "cpumask=zero\n", "not a list of CPUs"},
        {PMU "cpumask=0,,1\n", "not a list of CPUs"},
        {PMU "cpumask=0\n", NULL},
        {PMU "type=power\n", "not a whole number"},
    };
    struct fixture *f = *state;
    open_or_skip(f);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        jrx_meter_close(&f->meter);
        tree_put(f->root, "%s", cases[i].file);
        if (!cases[i].words)
            continue;
        assert_int_equal(open_meter(f), JRX_EFORMAT);
        if (!strstr(jrx_last_error(), cases[i].words))
            fail_msg("'%s' does not say '%s'", jrx_last_error(), cases[i].words);
    }
}

static void a_pmu_without_a_package_is_unavailable(void **state)
{
    struct fixture *f = *state;
    char path[160];
    snprintf(path, sizeof path, "%s/" PMU "events/energy-pkg", f->root);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_meter(f), JRX_EUNAVAILABLE);
    assert_non_null(strstr(jrx_last_error(), "energy-pkg"));
}

static void an_ordinary_user_is_told_what_to_set(void **state)
{
    struct fixture *f = *state;
    FILE *file = fopen("/proc/sys/kernel/perf_event_paranoid", "r");
    int paranoid = -9;
    if (file) {
        if (fscanf(file, "%d", &paranoid) != 1)
            paranoid = -9;
        fclose(file);
    }
    if (paranoid < 1)
        skip_because("perf_event_paranoid is %d: everybody may", paranoid);
    if (geteuid() || seteuid(65534))
        skip_because("not root, so no other user to be");
    int status = open_meter(f);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(status, JRX_EPERMISSION);
    assert_non_null(strstr(jrx_last_error(), "perf_event_paranoid"));
    assert_non_null(strstr(jrx_last_error(), "cap_perfmon"));
}

static void automatic_choice_takes_perf_before_powercap(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0", "262143328850", "5");
    open_or_skip(f);
    jrx_meter_close(&f->meter);
    assert_int_equal(jrx_meter_open(&f->meter, "auto", &f->config), 0);
    assert_string_equal(f->meter.ops->name, "perf");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_real_call_counts_and_scales),
        CASE(it_is_read_often_enough_for_its_signed_difference),
        CASE(domains_are_told_apart_and_psys_is_opened_once),
        CASE(the_cores_of_amd_are_added_up_by_socket),
        CASE(no_pmu_names_the_module),
        CASE(files_that_say_something_else_are_refused),
        CASE(a_pmu_without_a_package_is_unavailable),
        CASE(an_ordinary_user_is_told_what_to_set),
        CASE(automatic_choice_takes_perf_before_powercap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
