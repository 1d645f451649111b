/*
 * The powercap meter against counters that move, wrap, fail and vanish, at the speed of a file system in user space.
 * Skipped where FUSE is not permitted.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/window.h"
#include "tests/support/powercap_fs.h"
#include "tests/support/test.h"
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
    struct powercap_fs fs;
    struct jrx_meter_config config;
    struct jrx_meter meter;
    struct jrx_window window;
    struct jrx_window_result result;
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return !*state;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    jrx_window_close(&f->window);
    jrx_meter_close(&f->meter);
    powercap_fs_stop(&f->fs);
    free(f);
    return 0;
}

static void start_or_skip(struct fixture *f, const char *const *options)
{
    if (powercap_fs_start(&f->fs, options))
        skip_because("%s", f->fs.why);
    f->config.sysfs = f->fs.mount;
}

static int open_meter(struct fixture *f)
{
    return jrx_meter_open(&f->meter, "powercap", &f->config);
}

static const char *const one_package[] = {"--zone=intel-rapl:0,package-0,61035,80",
                                          "--zone=intel-rapl:0:0,dram,15300,20", NULL};

static void spin(void *ns)
{
    uint64_t until = jrx_clock_ns() + *(uint64_t *)ns;
    while (jrx_clock_ns() < until)
        ;
}

static void measure(struct fixture *f, uint64_t ns)
{
    struct jrx_region region = {.fn = spin, .ctx = &ns};
    jrx_window_measure(&f->window, &region, 1, &f->result);
}

static void open_all(struct fixture *f, const char *const *options)
{
    start_or_skip(f, options);
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(jrx_window_open(&f->window, &f->meter, 0), 0);
}

static void a_window_has_the_energy_of_its_region(void **state)
{
    struct fixture *f = *state;
    open_all(f, one_package);
    for (int i = 0; i < 5; i++) {
        measure(f, 20000000);
        assert_int_equal(f->result.status, 0);
        assert_int_equal(f->result.source, JRX_MEASURED);
        const double power_w[] = {80, 20};
        for (size_t d = 0; d < 2; d++)
            assert_near(f->result.domain[d].energy_j, power_w[d] * 1e-9 * (double)f->result.time_ns,
                        5 * f->result.domain[d].uncertainty_j);
    }
}

/* row 1 */
static void a_wrap_inside_the_window_is_counted(void **state)
{
    struct fixture *f = *state;
    open_all(f, one_package);
    /* 65573 units of 61.035 uJ before the end: 50 ms at 80 W */
    powercap_fs_tell(&f->fs, "raw intel-rapl:0 4294901723");
    jrx_clock_sleep_until(jrx_clock_ns() + 5000000); /* past the jump of the register */
    measure(f, 80000000);
    assert_int_equal(f->result.status, 0);
    assert_int_equal(f->result.domain[0].wraps, 1);
    assert_near(f->result.domain[0].energy_j, 80e-9 * (double)f->result.time_ns, 5 * f->result.domain[0].uncertainty_j);
}

/* row 4: Linux 6.10 on a twelve-chiplet part */
static void chiplets_that_read_one_register_are_one_package(void **state)
{
    struct fixture *f = *state;
    char zones[12][64];
    const char *options[13] = {0};
    for (int die = 0; die < 12; die++) {
        snprintf(zones[die], sizeof *zones, "--zone=intel-rapl:%x,package-0-die-%d,%d,200", die, die, die ? 0 : 15258);
        options[die] = zones[die];
    }
    open_all(f, options);
    assert_int_equal(f->meter.domains, 1);
    assert_string_equal(f->meter.domain[0].name, "package-0");
    assert_non_null(jrx_warning_find(&f->meter.warnings, "identical_dies"));
    measure(f, 20000000);
    assert_relative(f->result.total_j, 200e-9 * (double)f->result.time_ns, 0.05);
}

/* row 5 */
static void dies_with_registers_of_their_own_are_summed(void **state)
{
    struct fixture *f = *state;
    static const char *const options[] = {"--zone=intel-rapl:0,package-0-die-0,61035,80",
                                          "--zone=intel-rapl:1,package-0-die-1,61035,80", NULL};
    open_all(f, options);
    assert_int_equal(f->meter.domains, 2);
    measure(f, 20000000);
    assert_relative(f->result.total_j, 160e-9 * (double)f->result.time_ns, 0.05);
}

/* row 7: each fault has its own words, and none becomes a number */
static void faults_at_the_start_name_themselves(void **state)
{
    static const struct {
        const char *command;
        int code;
        const char *words;
    } cases[] = {
        {"fault intel-rapl:0 EIO", JRX_EIO, "Input/output error"},
        {"fault intel-rapl:0 EINVAL", JRX_EIO, "could not read the register"},
        {"fault intel-rapl:0 ENODATA", JRX_EIO, "has no data"},
        {"fault intel-rapl:0 EACCES", JRX_EPERMISSION, "chmod a+r"},
        {"fault intel-rapl:0 ENODEV", JRX_EUNAVAILABLE, "is gone"},
        {"text intel-rapl:0", JRX_EFORMAT, "is empty"},
        {"text intel-rapl:0 12x", JRX_EFORMAT, "not a whole number"},
        {"gone intel-rapl:0", JRX_EUNAVAILABLE, "no package"},
    };
    struct fixture *f = *state;
    static const char *const package_only[] = {"--zone=intel-rapl:0,package-0,61035,80",
                                               "--zone=intel-rapl:1,psys,61035,100", NULL};
    start_or_skip(f, package_only);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        powercap_fs_tell(&f->fs, "%s", cases[i].command);
        assert_int_equal(open_meter(f), cases[i].code);
        if (!strstr(jrx_last_error(), cases[i].words))
            fail_msg("%s: '%s' does not say '%s'", cases[i].command, jrx_last_error(), cases[i].words);
        powercap_fs_tell(&f->fs, "clear intel-rapl:0");
    }
    assert_int_equal(open_meter(f), 0);
}

/* row 7: the zone vanishes while the region runs, and comes back */
struct vanish {
    struct powercap_fs *fs;
    const char *command;
};

static void tell(void *arg)
{
    struct vanish *v = arg;
    powercap_fs_tell(v->fs, "%s", v->command);
}

static void a_fault_inside_the_window_leaves_no_number(void **state)
{
    static const struct {
        const char *command;
        int code;
        const char *words;
    } cases[] = {
        {"gone intel-rapl:0", JRX_EUNAVAILABLE, "is gone"},
        {"fault intel-rapl:0 EIO", JRX_EIO, "Input/output error"},
        {"fault intel-rapl:0:0 EINVAL 3", JRX_EIO, "could not read the register"},
        {"text intel-rapl:0", JRX_EFORMAT, "is empty"},
        {"text intel-rapl:0 99999999999999999", JRX_EINVAL, "beyond its range"},
    };
    struct fixture *f = *state;
    open_all(f, one_package);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vanish v = {&f->fs, cases[i].command};
        struct jrx_region region = {.fn = tell, .ctx = &v};
        assert_int_equal(jrx_window_measure(&f->window, &region, 1, &f->result), 0);
        assert_int_equal(f->result.status, cases[i].code);
        assert_true(isnan(f->result.total_j));
        if (!strstr(f->result.reason, cases[i].words))
            fail_msg("%s: '%s' does not say '%s'", cases[i].command, f->result.reason, cases[i].words);
        powercap_fs_tell(&f->fs, "clear intel-rapl:0");
        powercap_fs_tell(&f->fs, "clear intel-rapl:0:0");
        if (i == 0) { /* held descriptors work again once it is back */
            measure(f, 5000000);
            assert_int_equal(f->result.status, 0);
        }
    }
}

/* row 10 */
static void a_stuck_counter_is_dead(void **state)
{
    struct fixture *f = *state;
    start_or_skip(f, one_package);
    powercap_fs_tell(&f->fs, "stuck intel-rapl:0:0");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(jrx_window_open(&f->window, &f->meter, 0), 0);
    assert_non_null(jrx_warning_find(&f->meter.warnings, "dead_domain"));
    measure(f, 10000000);
    assert_int_equal(f->result.status, 0);
    assert_int_equal(f->result.domain[1].status, JRX_EUNAVAILABLE);
}

static void slow_reads_widen_the_uncertainty(void **state)
{
    struct fixture *f = *state;
    open_all(f, one_package);
    measure(f, 10000000);
    double quick_j = f->result.domain[0].uncertainty_j;
    powercap_fs_tell(&f->fs, "delay intel-rapl:0 300");
    measure(f, 10000000);
    assert_int_equal(f->result.status, 0);
    assert_true(f->result.domain[0].uncertainty_j > 2 * quick_j);
    assert_near(f->result.domain[0].energy_j, 80e-9 * (double)f->result.time_ns, 5 * f->result.domain[0].uncertainty_j);
}

/* row 7: as since Linux 5.10 an ordinary user sees it */
static void an_ordinary_user_is_refused_with_the_remedy(void **state)
{
    struct fixture *f = *state;
    static const char *const options[] = {"--zone=intel-rapl:0,package-0,61035,80", "--open", NULL};
    if (geteuid())
        skip_because("not root: nobody else to be");
    start_or_skip(f, options);
    assert_int_equal(seteuid(65534), 0);
    int status = open_meter(f);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(status, JRX_EPERMISSION);
    assert_non_null(strstr(jrx_last_error(), "chmod a+r"));
}

/* Puts the stand-in over /sys/class and /sys/devices/virtual of this process alone. */
static int cover_sys(const char *mount_point)
{
    static const char *const places[] = {"class", "devices/virtual"};
    if (unshare(CLONE_NEWNS) || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL))
        return -1;
    for (int i = 0; i < 2; i++) {
        char where[64], lower[256];
        snprintf(where, sizeof where, "/sys/%s", places[i]);
        snprintf(lower, sizeof lower, "lowerdir=%s/%s:%s", mount_point, places[i], where);
        if (mount("overlay", where, "overlay", MS_RDONLY, lower))
            return -1;
    }
    return 0;
}

enum { CHILD_SKIPS = 77 };

/* The meter as users run it: no root of ours, the real path. */
static void the_real_path_is_read_in_a_namespace_of_its_own(void **state)
{
    struct fixture *f = *state;
    static const char *const options[] = {"--zone=intel-rapl:0,package-0,61035,80", "--open", NULL};
    if (geteuid())
        skip_because("mounting needs root");
    start_or_skip(f, options);
    pid_t child = fork();
    if (!child) {
        if (cover_sys(f->fs.mount))
            _exit(CHILD_SKIPS);
        if (jrx_meter_open(&f->meter, "powercap", NULL))
            _exit(1);
        if (jrx_window_open(&f->window, &f->meter, 0))
            _exit(2);
        measure(f, 10000000);
        double want_j = 80e-9 * (double)f->result.time_ns;
        _exit(f->result.status == 0 && fabs(f->result.total_j - want_j) < 0.05 * want_j ? 0 : 3);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CHILD_SKIPS)
        skip_because("no private mount namespace with overlayfs here");
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_window_has_the_energy_of_its_region),
        CASE(a_wrap_inside_the_window_is_counted),
        CASE(chiplets_that_read_one_register_are_one_package),
        CASE(dies_with_registers_of_their_own_are_summed),
        CASE(faults_at_the_start_name_themselves),
        CASE(a_fault_inside_the_window_leaves_no_number),
        CASE(a_stuck_counter_is_dead),
        CASE(slow_reads_widen_the_uncertainty),
        CASE(an_ordinary_user_is_refused_with_the_remedy),
        CASE(the_real_path_is_read_in_a_namespace_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
