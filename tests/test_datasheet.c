/* models/energy/datasheet.h: estimates from a processor's datasheet, and the table of datasheets. */
#include "harness/base/error.h"
#include "models/energy/datasheet.h"
#include "tests/support/test.h"
#include <sys/stat.h>
#include <unistd.h>

static const char shipped[] = "models/energy/datasheets";

/* 10 cores at 2 GHz doing 32 FLOP a clock: 640 GFLOP/s; at 64 W that is 10 GFLOP/J. 1 TFLOP then costs 100 J and, at
 * half of peak, 3.125 s and 200 J. */
static void estimates_follow_by_hand(void **state)
{
    (void)state;
    const struct em_datasheet sheet = {.tdp_w = 128, .base_hz = 2e9, .flop_per_clock = 32, .cores = 20};
    assert_near(em_peak_flop_per_s(&sheet, 10), 640e9, 0);
    assert_near(em_share_w(&sheet, 10), 64, 0);
    assert_near(em_flop_per_j(640e9, 64), 10e9, 0);
    assert_relative(em_energy_flop_per_watt_j(1e12, 640e9, 64), 100, 1e-15);
    assert_relative(em_time_flop_per_clock_s(1e12, 32, 2e9, 10, 0.5), 3.125, 1e-15);
    assert_relative(em_energy_flop_per_clock_j(1e12, 32, 2e9, 10, 0.5, 64), 200, 1e-15);
    assert_near(em_energy_flop_per_watt_j(0, 640e9, 64), 0, 0);
}

static void both_estimates_agree_at_full_utilisation(void **state)
{
    (void)state;
    struct em_datasheet sheet;
    assert_int_equal(em_datasheet_find(shipped, "AMD EPYC 7502 32-Core Processor", &sheet), 0);
    for (double cores = 1; cores <= 32; cores *= 2) {
        double watt = em_share_w(&sheet, cores), rate = em_peak_flop_per_s(&sheet, cores);
        assert_relative(em_energy_flop_per_clock_j(10.63e9, sheet.flop_per_clock, sheet.base_hz, cores, 1, watt),
                        em_energy_flop_per_watt_j(10.63e9, rate, watt), 1e-14);
    }
}

static void outside_of_the_domain_there_is_no_estimate(void **state)
{
    (void)state;
    assert_true(isnan(em_flop_per_j(0, 10)));
    assert_true(isnan(em_energy_flop_per_watt_j(1, 1, 0)));
    assert_true(isnan(em_energy_flop_per_watt_j(1, -1, -1)));
    assert_true(isnan(em_time_flop_per_clock_s(1, 32, 2e9, 1, 0)));
    assert_true(isnan(em_time_flop_per_clock_s(1, 32, 2e9, 1, 1.01)));
    assert_true(isnan(em_time_flop_per_clock_s(1, 32, 2e9, 0, 1)));
    assert_true(isnan(em_time_flop_per_clock_s(1, 32, NAN, 1, 1)));
    assert_true(isnan(em_energy_flop_per_clock_j(1, 0, 2e9, 1, 1, 10)));
}

static void model_strings_of_the_kernel_find_their_datasheet(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        double tdp_w, base_hz, flop_per_clock, cores;
        int fallback;
    } known[] = {
        {"AMD EPYC 7502 32-Core Processor", 180, 2.5e9, 32, 32, 0},
        {"AMD EPYC 7742 64-Core Processor", 225, 2.25e9, 32, 64, 0},
        {"AMD EPYC 7763 64-Core Processor", 280, 2.45e9, 32, 64, 0},
        {"AMD EPYC 9354 32-Core Processor", 280, 3.25e9, 32, 32, 0},
        {"AMD EPYC 9654 96-Core Processor", 360, 2.4e9, 32, 96, 0},
        {"Intel(R) Xeon(R) CPU E5-2640 0 @ 2.50GHz", 95, 2.5e9, 16, 6, 0},
        {"Intel(R) Xeon(R) CPU E5-2667 v3 @ 3.20GHz", 135, 3.2e9, 32, 8, 0},
        {"Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", 120, 2.4e9, 32, 14, 0},
        {"Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz", 125, 2.1e9, 64, 20, 0},
        {"intel(r) xeon(r) platinum 8280 cpu @ 2.70ghz", 205, 2.7e9, 64, 28, 0},
        {"Intel(R) Xeon(R) Gold 6230R CPU @ 2.10GHz", 180, 2.5e9, 32, 32, 1}, /* another chip than the 6230 */
        {"Intel(R) Xeon(R) CPU E5-2640 v3 @ 2.60GHz", 180, 2.5e9, 32, 32, 1},
        {"AMD EPYC", 180, 2.5e9, 32, 32, 1}, /* what virtual machines show */
        {"", 180, 2.5e9, 32, 32, 1},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct em_datasheet sheet;
        assert_int_equal(em_datasheet_find(shipped, known[i].model, &sheet), 0);
        assert_near(sheet.tdp_w, known[i].tdp_w, 0);
        assert_near(sheet.base_hz, known[i].base_hz, 0);
        assert_near(sheet.flop_per_clock, known[i].flop_per_clock, 0);
        assert_near(sheet.cores, known[i].cores, 0);
        assert_int_equal(sheet.fallback, known[i].fallback);
        assert_true(strlen(sheet.tdp_source) > 10 && strlen(sheet.flop_source) > 10);
        assert_int_equal(strstr(sheet.name, "generic") != NULL, known[i].fallback);
    }
}

/* ---- broken tables ---- */

static const char whole[] = "[cpu]\nname = n\nmatch = m\ncores = 4\ncores_source = s\ntdp_w = 10\ntdp_w_source = s\n"
                            "base_hz = 1e9\nbase_hz_source = s\nflop_per_clock = 8\nflop_per_clock_source = s\n";

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void load_fails(const char *path, const char *text, const char *what)
{
    struct em_datasheet sheet;
    write_file(path, text);
    assert_int_equal(em_datasheet_load(path, &sheet), JRX_EFORMAT);
    if (!strstr(jrx_last_error(), what) || !strstr(jrx_last_error(), path))
        fail_msg("\"%s\" lacks \"%s\" or the path", jrx_last_error(), what);
}

static void broken_datasheets_are_named(void **state)
{
    (void)state;
    char folder[] = "/tmp/jrx_datasheet_XXXXXX", path[64], text[1024];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a.ini", folder);
    struct em_datasheet sheet;
    assert_int_equal(em_datasheet_load(path, &sheet), JRX_EIO);
    write_file(path, whole);
    assert_int_equal(em_datasheet_load(path, &sheet), 0);
    assert_near(sheet.flop_per_clock, 8, 0);
    load_fails(path, "", "name is missing");
    load_fails(path, "[cpu]\nname = n\nmatch = m\ncores = 4\n", "cores_source is missing");
    load_fails(path, "[cpu]\ntdp_w = 10 W\n", "tdp_w is '10 W'");
    load_fails(path, "[cpu]\ntdp_w = 0\n", "tdp_w is '0'");
    load_fails(path, "[cpu]\ntdp_w = nan\n", "tdp_w is 'nan'");
    load_fails(path, "[cpu]\ntdp_w =\n", "tdp_w is ''");
    load_fails(path, "[cpu]\nname =\n", "name has 0 characters");
    load_fails(path, "[cpu]\nturbo_hz = 4e9\n", "'turbo_hz'");
    load_fails(path, "[gpu]\nname = n\n", "[gpu]");
    load_fails(path, "[cpu]\nhello\n", "line 2");
    snprintf(text, sizeof text, "%scores = 5\n", whole);
    load_fails(path, text, "cores is given twice");
    /* no fallback, no folder */
    assert_int_equal(em_datasheet_find(folder, "m", &sheet), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "generic.ini"));
    assert_int_equal(em_datasheet_find("/nonexistent", "m", &sheet), JRX_EIO);
    /* a broken entry is told, also when another one would have matched */
    char generic[64];
    snprintf(generic, sizeof generic, "%s/generic.ini", folder);
    write_file(generic, whole);
    assert_int_equal(em_datasheet_find(folder, "m", &sheet), JRX_EFORMAT);
    write_file(path, whole);
    assert_int_equal(em_datasheet_find(folder, "a m z", &sheet), 0);
    assert_int_equal(sheet.fallback, 0);
    assert_int_equal(em_datasheet_find(folder, "mz", &sheet), 0);
    assert_int_equal(sheet.fallback, 1);
    unlink(generic);
    unlink(path);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimates_follow_by_hand),
        cmocka_unit_test(both_estimates_agree_at_full_utilisation),
        cmocka_unit_test(outside_of_the_domain_there_is_no_estimate),
        cmocka_unit_test(model_strings_of_the_kernel_find_their_datasheet),
        cmocka_unit_test(broken_datasheets_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
