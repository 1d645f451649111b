/*
 * `joulerx doctor`: what it finds, and that its advice works. The powercap stand-in is shown at the real path in a
 * mount namespace of the test's own, so the program is the one users run, with no option of ours. Commands that doctor
 * prints are taken from its JSON and run as they are. Not triable here, as they change the machine or need another one:
 * modprobe, sysctl, docker and podman, apt, likwid-accessD.
 */
#include "experiments/fixes.h"
#include "harness/base/error.h"
#include "harness/quality.h"
#include "tests/support/powercap_fs.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <jansson.h>
#include <unistd.h>

struct fixture {
    struct powercap_fs fs;
    struct program p;
    json_t *report;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    program_init(&f->p);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    powercap_fs_stop(&f->fs);
    program_fini(&f->p);
    json_decref(f->report);
    free(f);
    return 0;
}

/* ---- the stand-in at /sys/class/powercap --------------------------------------------------------------------------
 */

/* A new /sys that holds the stand-in, and of the old one the devices that hwloc asks for. User: nobody. */
static const char cover[] = "mkdir -p old && mount --rbind /sys old && mount -t tmpfs tmpfs /sys && chmod 755 /sys && "
                            "mkdir -p /sys/class/powercap /sys/devices/virtual/powercap /sys/devices/system && "
                            "mount --bind %s/class/powercap /sys/class/powercap && "
                            "mount --bind %s/devices/virtual/powercap /sys/devices/virtual/powercap && "
                            "mount --rbind old/devices/system /sys/devices/system || exit 77\n"
                            "user() { setpriv --reuid=65534 --clear-groups \"$@\"; }\n"
                            "user true || exit 77\n"
                            "cp %s joulerx && chmod 755 joulerx && chmod 777 .\n";

/* Runs a script there; ./joulerx is a copy of the program. Returns its exit status. */
static int in_namespace(struct fixture *f, const char *script)
{
    static const char *const options[] = {"--zone=intel-rapl:0,package-0,61035,80",
                                          "--zone=intel-rapl:0:0,dram,15300,20", "--open", NULL};
    char path[256];
    if (geteuid())
        skip_because("mounting, and being another user, need root");
    if (!f->fs.pid && powercap_fs_start(&f->fs, options))
        skip_because("%s", f->fs.why);
    snprintf(path, sizeof path, "%s/script", f->p.dir);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fprintf(to, cover, f->fs.mount, f->fs.mount, f->p.path);
    fputs(script, to);
    fclose(to);
    int status = program_shell(&f->p, "unshare -m --propagation private sh ./script");
    if (status == 77 || strstr(f->p.err, "unshare:"))
        skip_because("no private mount namespace, or no setpriv, here");
    return status;
}

/* What doctor said of a meter. */
static const json_t *meter_of(struct fixture *f, const char *name)
{
    json_error_t error;
    json_t *one;
    size_t i;
    json_decref(f->report);
    f->report = json_loads(f->p.out, 0, &error);
    if (!f->report)
        fail_msg("%s:\n%s\n%s", error.text, f->p.out, f->p.err);
    json_array_foreach(json_object_get(f->report, "meters"), i,
                       one) if (!strcmp(json_string_value(json_object_get(one, "meter")), name)) return one;
    fail_msg("no meter %s", name);
    return NULL;
}

static int available(const json_t *meter)
{
    return json_is_true(json_object_get(meter, "available"));
}

/* The command of the fix whose words begin so; the test's copy of the program instead of its own path is not needed:
 * it was that copy that said it. */
static const char *command_for(const json_t *meter, const char *what)
{
    json_t *fix;
    size_t i;
    json_array_foreach(json_object_get(meter, "fix"), i,
                       fix) if (!strncmp(json_string_value(json_object_get(fix, "what")), what,
                                         strlen(what))) return json_string_value(json_object_get(fix, "command"));
    fail_msg("no fix '%s'", what);
    return NULL;
}

static void root_measures_at_the_real_path(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(in_namespace(f, "./joulerx doctor --json\n"), 0);
    const json_t *meter = meter_of(f, "powercap");
    assert_true(available(meter));
    assert_string_equal(json_string_value(json_object_get(meter, "domains")), "package-0 dram-0");
    assert_int_equal(json_array_size(json_object_get(meter, "fix")), 0);
}

static void the_advice_to_an_ordinary_user_works_as_printed(void **state)
{
    static const char *const advice[] = {"until the next boot", "for this program alone"};
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        char command[EX_FIX_COMMAND], script[2 * EX_FIX_COMMAND];
        assert_int_equal(in_namespace(f, "user ./joulerx doctor --json\n"), 0);
        const json_t *meter = meter_of(f, "powercap");
        assert_false(available(meter));
        says(json_string_value(json_object_get(meter, "reason")), "Permission denied");
        /* to be pasted into a root shell, before and after */
        snprintf(command, sizeof command, "%s", command_for(meter, advice[i]));
        snprintf(script, sizeof script, "%s || exit 78\nuser ./joulerx doctor --json\n", command);
        int status = in_namespace(f, script);
        if (status == 78)
            skip_because("'%s' is not permitted here: %s", command, f->p.err);
        assert_int_equal(status, 0);
        if (!available(meter_of(f, "powercap")))
            fail_msg("'%s' did not help: %s", command, f->p.out);
        powercap_fs_stop(&f->fs);
        snprintf(script, sizeof script, "rm -rf %s/old %s/joulerx", f->p.dir, f->p.dir);
        assert_int_equal(system(script), 0);
    }
}

/* Real udev reads the rule; it must take it as it is, and find the path below /sys. */
static void the_udev_rule_is_taken_by_udev(void **state)
{
    struct fixture *f = *state;
    struct jrx_machine_state machine = {.powercap_masked = JRX_NO};
    struct ex_fix fix[8];
    char rule[256];
    size_t count = ex_fixes("powercap", JRX_EPERMISSION, &machine, "/x", fix, 8);
    assert_int_equal(count, 3);
    assert_int_equal(sscanf(fix[1].command, "echo '%255[^']' > /etc/udev/rules.d/70-joulerx.rules;", rule), 1);
    if (geteuid() || system("command -v udevadm >/dev/null"))
        skip_because("no udevadm here, or not root");
    /* there may be no powercap device: the rule is tried on the loopback interface, for a file that it has */
    FILE *to = popen("sed 's/powercap/net/; s/TEST==\"energy_uj\"/TEST==\"mtu\"/' >/tmp/joulerx-rule", "w");
    assert_non_null(to);
    fprintf(to, "%s\n", rule);
    assert_int_equal(pclose(to), 0);
    int status = program_shell(&f->p, "unshare -m --propagation private sh -c 'mkdir -p /etc/udev/rules.d; "
                                      "mount -t tmpfs t /etc/udev/rules.d && mv /tmp/joulerx-rule "
                                      "/etc/udev/rules.d/70-joulerx.rules || exit 77; "
                                      "udevadm test --action=add /sys/class/net/lo 2>&1'");
    if (status == 77)
        skip_because("no private mount namespace here");
    says(f->p.out, "run: '/bin/chmod a+r /sys/devices/virtual/net/lo/energy_uj'");
    assert_null(strstr(f->p.out, "70-joulerx.rules:1 Invalid"));
}

static void a_container_that_masks_powercap_is_told_apart(void **state)
{
    struct fixture *f = *state;
    /* as Docker does it: an empty read-only tmpfs over the devices; the links to them stay */
    assert_int_equal(
        in_namespace(f, "umount /sys/class/powercap; ln -s ../../devices/virtual/powercap/intel-rapl/intel-rapl:0 "
                        "/sys/class/powercap/intel-rapl:0\n"
                        "mount -t tmpfs -o ro tmpfs /sys/devices/virtual/powercap || exit 77\n"
                        "./joulerx doctor --json\n"),
        0);
    const json_t *meter = meter_of(f, "powercap");
    assert_false(available(meter));
    says(json_string_value(json_object_get(meter, "reason")), "containers mask");
    says(command_for(meter, "start the container with powercap unmasked (Docker)"), "systempaths=unconfined");
    says(command_for(meter, "start the container with powercap unmasked (Podman)"), "unmask=");
    assert_true(json_is_true(json_object_get(json_object_get(f->report, "state"), "powercap_masked")));
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

static void every_item_of_the_state_is_shown_with_its_verdict(void **state)
{
    struct fixture *f = *state;
    const char *root = f->p.dir;
    tree_put(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor=powersave\n");
    tree_put(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq=3500000\n");
    tree_put(root, "sys/devices/system/cpu/intel_pstate/no_turbo=0\n");
    tree_put(root, "sys/devices/system/cpu/smt/active=1\n");
    tree_put(root, "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count=3\n");
    tree_put(root, "sys/devices/system/cpu/online=0-1\n");
    tree_put(root, "sys/class/hwmon/hwmon0/name=coretemp\n");
    tree_put(root, "sys/class/hwmon/hwmon0/temp1_input=91000\n");
    tree_put(root, "sys/class/powercap/intel-rapl:0/name=package-0\n");
    tree_put(root, "sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw=100000000\n");
    tree_put(root, "sys/class/powercap/intel-rapl:0/constraint_0_max_power_uw=150000000\n");
    assert_int_equal(program_run(&f->p, "doctor --sysfs=%s/sys", root), 0);
    static const char *const lines[] = {
        "governor             powersave        warning: frequency governor is powersave",
        "turbo                yes              warning: turbo is on",
        "smt                  yes              warning: SMT is on",
        "power_cap_w          100 W            warning: package power is capped at 100 W",
        "temperature_c        91 C             warning: the CPU is at 91 C",
        "throttled            3                warning: the CPU throttled",
        "frequency_max_hz     3.5e+09 Hz       ok",
        "powercap_masked      no               ok",
        "nmi_watchdog ",
        "energy_filtering ",
        "load_ratio ",
        "perf_event_paranoid "};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        says(f->p.out, lines[i]);
}

static void strict_refuses_the_state_meters_and_counters_and_nothing_else(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "governor",   "turbo",           "smt",       "nmi_watchdog",    "power_cap",    "energy_filtering", "hot",
        "other_load", "powercap_masked", "throttled", "meters_disagree", "counter_truth"};
    struct jrx_warnings w = {0};
    jrx_warn(&w, "estimated", NAN, NAN, "measure", "no energy is measured");
    jrx_warn(&w, "meter_passed_over", NAN, NAN, "doctor", "perf");
    assert_int_equal(jrx_quality_strict(&w), 0);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        w = (struct jrx_warnings){0};
        jrx_warn(&w, refused[i], 1.1, 1.05, "do this", "that is wrong");
        assert_int_equal(jrx_quality_strict(&w), JRX_EQUALITY);
        says(jrx_last_error(), "that is wrong; do this (1 such");
    }
}

/* ---- run, stat and doctor, end to end ---------------------------------------------------------------------------- */

static void run_and_stat_measure_at_the_real_path_as_root_and_as_an_ordinary_user(void **state)
{
    struct fixture *f = *state;
    char script[4096];
    snprintf(script, sizeof script,
             "ask() { $1 ./joulerx stat --csv -- sleep 0.05 && "
             "$1 %s run tiling --preset=smoke --grid-f=12 --reps=1 --quiet --counters=none --caches=32K/8,1M/16 "
             "--out=$2 >/dev/null && "
             "echo rows $(grep -c ',measured,powercap,ok,' $2/tiling/samples.csv); }\n"
             "ask '' as-root || exit 1\n"
             "user test -x %s || exit 77\n"
             "user ./joulerx stat --meter=powercap -- true; echo refused $?\n"
             "chmod a+r /sys/class/powercap/*/energy_uj\n"
             "ask user as-user || exit 1\n",
             f->p.path, f->p.path);
    assert_int_equal(in_namespace(f, script), 0);
    /* both times the same: measured, by powercap, package and dram */
    char *second = strstr(f->p.out, "refused 3");
    assert_non_null(second);
    for (int i = 0; i < 2; i++) {
        const char *part = i ? second : f->p.out;
        says(part, "sleep 0.05,powercap,measured,0,,package-0,1,");
        says(part, "sleep 0.05,powercap,measured,0,,dram-0,1,");
        says(part, "rows 70\n");
    }
    assert_null(strstr(f->p.out, "estimated"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(root_measures_at_the_real_path),
        CASE(the_advice_to_an_ordinary_user_works_as_printed),
        CASE(the_udev_rule_is_taken_by_udev),
        CASE(a_container_that_masks_powercap_is_told_apart),
        CASE(every_item_of_the_state_is_shown_with_its_verdict),
        CASE(strict_refuses_the_state_meters_and_counters_and_nothing_else),
        CASE(run_and_stat_measure_at_the_real_path_as_root_and_as_an_ordinary_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
