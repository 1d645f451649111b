/*
 * `joulerx stat` and `joulerx record`, the program itself, run as users run it: on the powercap stand-in, and where
 * there is no meter.
 */
#include "tests/support/powercap_fs.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <jansson.h>
#include <signal.h>
#include <unistd.h>

struct fixture {
    struct powercap_fs fs;
    struct program p;
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
    free(f);
    return 0;
}

static void start_or_skip(struct fixture *f)
{
    static const char *const options[] = {"--zone=intel-rapl:0,package-0,61035,80",
                                          "--zone=intel-rapl:0:0,dram,15300,20", "--open", NULL};
    if (powercap_fs_start(&f->fs, options))
        skip_because("%s", f->fs.why);
}

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("not JSON: %s\n%s", error.text, text);
    return json;
}

static void energy_and_time_of_a_command_are_measured(void **state)
{
    struct fixture *f = *state;
    start_or_skip(f);
    assert_int_equal(program_run(&f->p, "stat --sysfs=%s --meter=powercap --json -r 3 -- sleep 0.1", f->fs.mount), 0);
    json_t *json = parsed(f->p.out);
    const char *source, *status;
    double energy_j, power_w;
    json_int_t time_ns;
    json_t *runs = json_object_get(json, "runs");
    assert_int_equal(json_array_size(runs), 3);
    for (size_t r = 0; r < 3; r++) {
        json_t *domains;
        assert_int_equal(json_unpack(json_array_get(runs, r), "{s:I, s:o}", "time_ns", &time_ns, "domains", &domains),
                         0);
        assert_int_equal(json_array_size(domains), 3);
        assert_int_equal(json_unpack(json_array_get(domains, 2), "{s:s, s:F, s:F, s:s}", "source", &source, "energy_j",
                                     &energy_j, "power_w", &power_w, "status", &status),
                         0);
        assert_true(time_ns >= 100000000);
        assert_string_equal(source, "measured");
        assert_string_equal(status, "ok");
        assert_relative(energy_j, 100e-9 * (double)time_ns, 0.03);
        assert_relative(power_w, 100, 0.03);
    }
    json_decref(json);
}

/* 80 and 20 W whatever runs: idle and active power are all of it. By hand: energy minus power times time. */
static void what_is_above_idle_and_above_active_stands_beside_gross_energy(void **state)
{
    struct fixture *f = *state;
    start_or_skip(f);
    assert_int_equal(program_run(&f->p, "stat --sysfs=%s --meter=powercap --json -- sleep 0.1", f->fs.mount), 0);
    json_t *json = parsed(f->p.out),
           *domains = json_object_get(json_array_get(json_object_get(json, "runs"), 0), "domains");
    double time_s =
        1e-9 * json_number_value(json_object_get(json_array_get(json_object_get(json, "runs"), 0), "time_ns"));
    static const double w[] = {80, 20, 100};
    for (size_t d = 0; d < 3; d++) {
        json_t *of = json_array_get(domains, d);
#define V(key) json_number_value(json_object_get(of, key))
        assert_near(V("idle_w"), w[d], 6 * V("idle_uncertainty_w"));
        assert_near(V("active_w"), w[d], 6 * V("active_uncertainty_w"));
        assert_near(V("above_idle_j"), V("energy_j") - V("idle_w") * time_s, 1e-9);
        assert_near(V("above_active_j"), V("energy_j") - V("active_w") * time_s, 1e-9);
        assert_relative(V("above_idle_uncertainty_j"),
                        hypot(V("energy_uncertainty_j"), V("idle_uncertainty_w") * time_s), 1e-9);
#undef V
    }
    json_decref(json);
    assert_int_equal(program_run(&f->p, "stat --sysfs=%s --meter=powercap -- true", f->fs.mount), 0);
    says(f->p.out, "above idle");
    says(f->p.out, "above active");
    assert_int_equal(program_run(&f->p, "stat --baseline=0 --sysfs=%s --meter=powercap -- true", f->fs.mount), 0);
    assert_null(strstr(f->p.out, "above"));
}

static void every_line_of_an_estimate_says_so(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p, "stat --meter=model -- true"), 0);
    for (char *line = strchr(f->p.out, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        char one[256];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(line, "\n"), line);
        if (strstr(one, " J "))
            says(one, "estimated");
    }
    says(f->p.out, "above idle");
}

static void the_table_names_domains_and_source(void **state)
{
    struct fixture *f = *state;
    start_or_skip(f);
    assert_int_equal(program_run(&f->p, "stat --sysfs=%s --meter=powercap -- true", f->fs.mount), 0);
    says(f->p.out, "package-0");
    says(f->p.out, "dram-0");
    says(f->p.out, "total");
    says(f->p.out, "measured");
}

static void the_exit_status_of_the_command_is_passed_on(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p, "stat -r 5 -- sh -c 'echo ran; exit 7'"), 7);
    char *again = strstr(f->p.out, "ran");
    assert_non_null(again);
    assert_null(strstr(again + 1, "ran\n")); /* once: a command that fails is not asked again */
    assert_int_equal(program_run(&f->p, "stat -- sh -c 'kill -TERM $$'"), 128 + SIGTERM);
    assert_int_equal(program_run(&f->p, "stat -- ./not-there"), 127);
    says(f->p.err, "No such file");
}

static void without_a_meter_every_line_says_estimated(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p, "stat --sysfs=/nonexistent --csv -- true"), 0);
    char *line = strchr(f->p.out, '\n') + 1;
    assert_non_null(strstr(f->p.out, "energy_uncertainty_j"));
    for (int d = 0; d < 3; d++, line = strchr(line, '\n') + 1)
        assert_int_equal(strncmp(line, "true,model,estimated,0,,", 24), 0);
    says(f->p.err, "no energy is measured");
}

static void a_meter_asked_for_by_name_that_is_not_there_exits_3(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p, "stat --sysfs=/nonexistent --meter=powercap -- sh -c 'echo ran'"), 3);
    says(f->p.err, "modprobe");
    assert_string_equal(f->p.out, "");
    assert_int_equal(program_run(&f->p, "stat --meter=rapl -- true"), 2);
    says(f->p.err, "powercap");
}

static void an_ordinary_user_exits_3_with_the_remedy(void **state)
{
    struct fixture *f = *state;
    if (geteuid())
        skip_because("not root: nobody else to be");
    start_or_skip(f);
    int status = program_shell(&f->p,
                               "cp %s joulerx && chmod 755 joulerx . && setpriv --reuid=65534 --clear-groups "
                               "./joulerx stat --sysfs=%s --meter=powercap -- true",
                               f->p.path, f->fs.mount);
    if (strstr(f->p.err, "setpriv"))
        skip_because("no setpriv here");
    assert_int_equal(status, 3);
    says(f->p.err, "chmod a+r");
}

/* Ctrl-C from a terminal reaches the whole group; kill -INT reaches only us, and is passed on. */
static void an_interrupt_reaches_the_command(void **state)
{
    struct fixture *f = *state;
    static const char script[] = "trap \"echo caught; exit 9\" INT; echo >ready; while :; do sleep 0.05; done";
    assert_int_equal(program_run(&f->p,
                                 "stat -o result -- sh -c '%s' >said 2>&1 & p=$!; "
                                 "until [ -e ready ]; do sleep 0.05; done; kill -INT $p; wait $p",
                                 script),
                     9);
    program_slurp(&f->p, "said", f->p.out, sizeof f->p.out);
    says(f->p.out, "caught");
    program_slurp(&f->p, "result", f->p.out, sizeof f->p.out);
    says(f->p.out, "total");
}

/* No option of ours: the program as installed, reading /sys/class/powercap. */
static void the_real_path_is_read_in_a_namespace_of_its_own(void **state)
{
    struct fixture *f = *state;
    if (geteuid())
        skip_because("mounting needs root");
    start_or_skip(f);
    int status = program_shell(
        &f->p,
        "unshare -m --propagation private sh -c '"
        "mount -t overlay overlay -o ro,lowerdir=%s/class:/sys/class /sys/class && "
        "mount -t overlay overlay -o ro,lowerdir=%s/devices/virtual:/sys/devices/virtual /sys/devices/virtual || "
        "exit 77; "
        "%s stat --csv -- sleep 0.1' ",
        f->fs.mount, f->fs.mount, f->p.path);
    if (status == 77 || strstr(f->p.err, "unshare"))
        skip_because("no private mount namespace with overlayfs here");
    assert_int_equal(status, 0);
    says(f->p.out, "sleep 0.1,powercap,measured,0,,package-0,1,");
    assert_null(strstr(f->p.out, "estimated"));
}

static void intervals_give_power_over_time(void **state)
{
    struct fixture *f = *state;
    start_or_skip(f);
    assert_int_equal(program_run(&f->p, "stat --sysfs=%s --meter=powercap --csv -I 100ms -- sleep 0.45", f->fs.mount),
                     0);
    int rows = 0;
    double sum_j = 0;
    for (char *line = strchr(f->p.out, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        double at_s, time_ns, energy_j, uncertainty_j, power_w;
        if (sscanf(line, "sleep 0.45,powercap,measured,%*d,%lf,total,,%lf,,%lf,%lf,,,,,%lf,,,,,ok", &at_s, &time_ns,
                   &energy_j, &uncertainty_j, &power_w) != 5)
            continue;
        rows++;
        sum_j += energy_j;
        assert_near(energy_j, 100e-9 * time_ns, 3 * uncertainty_j);
    }
    assert_true(rows >= 4 && rows <= 6);
    assert_true(sum_j >= 44 && sum_j < 80);
}

static void a_recording_gives_the_energy_again(void **state)
{
    struct fixture *f = *state;
    start_or_skip(f);
    assert_int_equal(program_run(&f->p, "record --sysfs=%s --meter=powercap -I 5ms -o r.jsonl -- sleep 3", f->fs.mount),
                     0);
    powercap_fs_stop(&f->fs); /* from the file alone, which must outlast the start of a program on a busy machine */
    assert_int_equal(program_run(&f->p, "stat --recording=r.jsonl --json"), 0);
    json_t *json = parsed(f->p.out);
    const char *source;
    double energy_j;
    json_int_t time_ns;
    assert_int_equal(json_unpack(json, "{s:[{s:I, s:[o, o, {s:s, s:F}]}]}", "runs", "time_ns", &time_ns, "domains",
                                 &(json_t *){0}, &(json_t *){0}, "source", &source, "energy_j", &energy_j),
                     0);
    assert_string_equal(source, "replayed");
    assert_relative(energy_j, 100e-9 * (double)time_ns, 0.05);
    json_decref(json);
    assert_int_equal(program_run(&f->p, "stat --meter=replay --recording=r.jsonl -- true"), 0);
    says(f->p.out, "replayed");
    assert_null(strstr(f->p.out, "measured"));
    assert_int_equal(program_run(&f->p, "stat --recording=nothing"), 2);
}

static void strict_refuses_a_machine_that_disturbs(void **state)
{
    struct fixture *f = *state;
    tree_put(f->p.dir, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor=powersave\n");
    assert_int_equal(program_run(&f->p, "stat --sysfs=%s/sys --strict -- echo ran", f->p.dir), 4);
    assert_string_equal(f->p.out, "");
    says(f->p.err, "--strict");
}

static void wrong_usage_exits_2(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p, "stat"), 2);
    assert_int_equal(program_run(&f->p, "stat -r 0 -- true"), 2);
    assert_int_equal(program_run(&f->p, "stat -I soon -- true"), 2);
    assert_int_equal(program_run(&f->p, "stat -I 100ms -r 2 -- true"), 2);
    assert_int_equal(program_run(&f->p, "record --time=never"), 2);
    assert_int_equal(program_run(&f->p, "record -o /no/such/dir/r -- true"), 1);
    says(f->p.err, "/no/such/dir/r");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(energy_and_time_of_a_command_are_measured),
        CASE(what_is_above_idle_and_above_active_stands_beside_gross_energy),
        CASE(every_line_of_an_estimate_says_so),
        CASE(the_table_names_domains_and_source),
        CASE(the_exit_status_of_the_command_is_passed_on),
        CASE(without_a_meter_every_line_says_estimated),
        CASE(a_meter_asked_for_by_name_that_is_not_there_exits_3),
        CASE(an_ordinary_user_exits_3_with_the_remedy),
        CASE(an_interrupt_reaches_the_command),
        CASE(the_real_path_is_read_in_a_namespace_of_its_own),
        CASE(intervals_give_power_over_time),
        CASE(a_recording_gives_the_energy_again),
        CASE(strict_refuses_a_machine_that_disturbs),
        CASE(wrong_usage_exits_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
