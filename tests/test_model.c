/* The model meter and its profiles: hand-worked energies, and what a profile must say to be believed. */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/meters/profile.h"
#include "harness/window.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <unistd.h>

/* Round numbers, so that energies can be worked by hand. */
static void set(struct jrx_profile *p)
{
    *p = (struct jrx_profile){.name = "hand",
                              .value = {[JRX_PACKAGE_STATIC] = 50,
                                        [JRX_DRAM_STATIC] = 2,
                                        [JRX_BUSY_CPU] = 4,
                                        [JRX_FLOP] = 30,
                                        [JRX_L1_BYTE] = 1,
                                        [JRX_L2_BYTE] = 10,
                                        [JRX_L3_BYTE] = 100,
                                        [JRX_DRAM_BYTE] = 200,
                                        [JRX_L1_ASSUMED] = 1,
                                        [JRX_L2_ASSUMED] = 0.1,
                                        [JRX_L3_ASSUMED] = 0.02,
                                        [JRX_DRAM_ASSUMED] = 0.01}};
}

static void energies_are_those_worked_by_hand(void **state)
{
    (void)state;
    struct jrx_profile p;
    set(&p);
    const struct jrx_work work = {1e9, 2e9, 1e8, 1e7, 1e6};
    /* package: 50 W 2 s + 3 (0.03 + 0.002 + 0.001 + 0.001) J; dram: 2 W 2 s + 3 0.0002 J */
    struct jrx_estimated e = jrx_profile_energy(&p, &work, 3, 2, 99);
    assert_near(e.package_j, 100 + 3 * 0.034, 1e-12);
    assert_near(e.dram_j, 4 + 3 * 0.0002, 1e-12);
    assert_int_equal(e.assumed, 0);
}

static void bytes_that_are_not_known_are_assumed_and_said(void **state)
{
    (void)state;
    struct jrx_profile p;
    set(&p);
    const struct jrx_work work = {1e9, 2e9, NAN, 1e7, NAN};
    struct jrx_estimated e = jrx_profile_energy(&p, &work, 1, 0, 0);
    assert_near(e.package_j, 0.03 + 0.002 + 0.001 + 0.001, 1e-12);
    assert_near(e.dram_j, 1e7 * 200e-12, 1e-12);
    assert_int_equal(e.assumed, 1u << JRX_L2_ASSUMED | 1u << JRX_DRAM_ASSUMED);
}

static void work_that_is_not_known_is_cpu_time(void **state)
{
    (void)state;
    struct jrx_profile p;
    set(&p);
    const struct jrx_work work = {NAN, NAN, NAN, NAN, NAN};
    struct jrx_estimated e = jrx_profile_energy(&p, &work, 1, 3, 5);
    assert_near(e.package_j, 50 * 3 + 4 * 5, 1e-12);
    assert_near(e.dram_j, 6, 1e-12);
    assert_int_equal(e.assumed, 1u << JRX_BUSY_CPU);
}

static void the_shipped_profile_cites_every_number(void **state)
{
    (void)state;
    struct jrx_profile p;
    assert_int_equal(jrx_profile_read(&p, NULL), 0);
    assert_string_equal(p.name, "generic-x86-server");
    for (int c = 0; c < JRX_COEFFICIENTS; c++) {
        assert_true(p.value[c] > 0);
        assert_true(strlen(p.source[c]) > 20);
        assert_true(strlen(p.source[c]) < sizeof p.source[c] - 1); /* not cut */
    }
    assert_true(strlen(p.about) < sizeof p.about - 1);
}

/* Writes the shipped profile with one line replaced, and gives what reading it returns. */
static int read_changed(const char *root, const char *from, const char *to)
{
    char path[128], line[512];
    FILE *in = fopen("harness/meters/profiles/generic-x86-server.ini", "r");
    if (!in)
        skip_because("run from the root of the checkout");
    snprintf(path, sizeof path, "%s/changed.ini", root);
    FILE *out = fopen(path, "w");
    int done = 0;
    while (fgets(line, sizeof line, in)) {
        int hit = !done && !strncmp(line, from, strlen(from));
        done |= hit;
        fputs(hit ? to : line, out);
    }
    fclose(in);
    fclose(out);
    assert_true(done);
    struct jrx_profile p;
    return jrx_profile_read(&p, path);
}

static void a_profile_that_is_not_whole_is_refused_with_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
    } cases[] = {
        {"value = 58", "value = 58 W\n", "[package_static] value: must be a number"},
        {"value = 58", "value = -1\n", "not below 0"},
        {"value = 58", "value = nan\n", "must be a number"},
        {"value = 58", "", "[package_static] needs value, unit (W) and source"},
        {"unit = W", "unit = mW\n", "must be as in the shipped profile"},
        {"unit = W", "", "needs value, unit"},
        {"[dram_byte]", "[dram_bite]\n", "[dram_bite] value: no such coefficient"},
        {"source", "origin = here\n", "no such key"},
        {"name", "nome = x\n", "no such key"},
        {"name", "", "name is missing"},
        {"[l1_byte]", "l1_byte]\n", "line 31"},
    };
    char root[TREE_PATH];
    tree_new(root);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_changed(root, cases[i].from, cases[i].to), JRX_EFORMAT);
        if (!strstr(jrx_last_error(), cases[i].words))
            fail_msg("'%s' does not say '%s'", jrx_last_error(), cases[i].words);
    }
    tree_free(root);
}

static void a_profile_that_is_not_there_says_where_it_was_looked_for(void **state)
{
    (void)state;
    struct jrx_profile p;
    assert_int_equal(jrx_profile_read(&p, "no-such-machine"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "JOULERX_PROFILES"));
    assert_int_equal(jrx_profile_read(&p, "/no/such/file.ini"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "No such file"));
}

static void a_folder_of_ones_own_comes_first(void **state)
{
    (void)state;
    char root[TREE_PATH];
    struct jrx_profile p;
    tree_new(root);
    tree_put(root, "generic-x86-server.ini=[profile]\nname=mine\n");
    setenv("JOULERX_PROFILES", root, 1);
    assert_int_equal(jrx_profile_read(&p, NULL), JRX_EFORMAT); /* found, and not whole */
    assert_non_null(strstr(jrx_last_error(), root));
    unsetenv("JOULERX_PROFILES");
    tree_free(root);
}

static void work_ms(void *ns)
{
    uint64_t until = jrx_clock_ns() + *(uint64_t *)ns;
    while (jrx_clock_ns() < until)
        ;
}

static void the_meter_estimates_and_says_so(void **state)
{
    (void)state;
    struct jrx_meter *meter = calloc(1, sizeof *meter);
    struct jrx_window window;
    struct jrx_window_result result;
    struct jrx_profile p;
    uint64_t ns = 2000000;
    assert_int_equal(jrx_profile_read(&p, NULL), 0);
    assert_int_equal(jrx_meter_open(meter, "model", NULL), 0);
    assert_int_equal(meter->source, JRX_ESTIMATED);
    assert_int_equal(jrx_window_open(&window, meter, 0), 0);
    struct jrx_region region = {.fn = work_ms, .ctx = &ns, .work = {2e9, NAN, 3e8, 4e7, 5e6}};
    assert_int_equal(jrx_window_measure(&window, &region, 4, &result), 0);
    assert_int_equal(result.status, 0);
    assert_int_equal(result.source, JRX_ESTIMATED);
    assert_true(isnan(result.total_uncertainty_j));
    for (int d = 0; d < 2; d++) { /* static power runs from read to read, a little longer than the region */
        struct jrx_estimated e = jrx_profile_energy(&p, &region.work, 4, result.domain[d].window_s, 0);
        assert_near(result.domain[d].energy_j, d ? e.dram_j : e.package_j, 1e-8);
    }
    assert_true(result.domain[0].window_s >= 8e-3);
    assert_true(isnan(result.ticks));
    assert_non_null(jrx_warning_find(&meter->warnings, "bytes_assumed"));
    jrx_window_close(&window);
    jrx_meter_close(meter);
    free(meter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energies_are_those_worked_by_hand),
        cmocka_unit_test(bytes_that_are_not_known_are_assumed_and_said),
        cmocka_unit_test(work_that_is_not_known_is_cpu_time),
        cmocka_unit_test(the_shipped_profile_cites_every_number),
        cmocka_unit_test(a_profile_that_is_not_whole_is_refused_with_file_and_line),
        cmocka_unit_test(a_profile_that_is_not_there_says_where_it_was_looked_for),
        cmocka_unit_test(a_folder_of_ones_own_comes_first),
        cmocka_unit_test(the_meter_estimates_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
