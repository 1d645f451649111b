/* experiments/cmd_fit.c, fit_input.c: what is read from a CSV file, what is refused, and what is printed. */
#include "experiments/command.h"
#include "experiments/fit_input.h"
#include "harness/base/error.h"
#include "models/energy/fitted.h"
#include "tests/support/test.h"
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

extern const struct ex_command cmd_fit;

/* energy = 10 * flop + 2 * time, exactly; two groups a kernel's rows, one row without energy, one estimated */
static const char table[] = "kernel,energy_source,counter_source,energy_j,flop,loads,stores,time_s\n"
                            "a,measured,,12,1,3,4,1\n"
                            "a,measured,,16,1,2,2,3\n"
                            "b,measured,simulated,22,2,6,1,1\n"
                            "b,measured,simulated,,2,6,1,1\n"
                            "c,measured,simulated,38,3,1,5,4\n"
                            "\"d, \"\"e\"\"\",estimated,simulated,44,4,2,2,2\n"
                            "f,measured,simulated,60,5,7,4,5\n"
                            "g,measured,simulated,66,6,1,1,3\n";

static char path[] = "/tmp/jrx_fit_XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int file = mkstemp(path);
    return file < 0 || write(file, table, sizeof table - 1) != sizeof table - 1 || close(file);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

static const struct ex_fit_request measured = {.path = path,
                                               .response = "energy_j",
                                               .terms = "flop,time_s",
                                               .no_constant = 1,
                                               .where = {"energy_source=measured"},
                                               .wheres = 1};

static void rows_are_chosen_and_those_without_a_value_counted(void **state)
{
    (void)state;
    struct ex_fit_input input;
    struct ex_fit_request request = measured;
    request.terms = "1,flop,loads+stores";
    request.group = "kernel";
    assert_int_equal(ex_fit_input_init(&input, &request), 0);
    static const double want[3][6] = {{1, 1, 1, 1, 1, 1}, {1, 1, 2, 3, 5, 6}, {7, 4, 7, 6, 11, 2}};
    static const size_t line[] = {2, 3, 4, 6, 8, 9};
    static const int group[] = {0, 0, 1, 2, 3, 4};
    assert_int_equal(input.data.rows, 6);
    assert_int_equal(input.data.cols, 3);
    assert_int_equal(input.missing, 1);
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 3; j++)
            assert_near(input.data.x[j * 6 + i], want[j][i], 0);
        assert_int_equal(input.line[i], line[i]);
        assert_int_equal(input.data.group[i], group[i]);
    }
    assert_near(input.data.y[3], 38, 0);
    assert_int_equal(input.data.groups, 5);
    assert_string_equal(input.group[2], "c");
    assert_string_equal(input.names[2], "loads+stores");
    assert_string_equal(input.label, "energy_source=measured, counter_source=simulated");
    ex_fit_input_fini(&input);
}

static void refused(const struct ex_fit_request *request, int code, const char *what)
{
    struct ex_fit_input input;
    assert_int_equal(ex_fit_input_init(&input, request), code);
    if (!strstr(jrx_last_error(), what))
        fail_msg("\"%s\" lacks \"%s\"", jrx_last_error(), what);
    ex_fit_input_fini(&input);
}

static void measured_and_estimated_energy_are_never_fitted_together(void **state)
{
    (void)state;
    struct ex_fit_request request = measured;
    request.wheres = 0;
    refused(&request, JRX_EINVAL, "energy_source 'measured' and 'estimated'");
    refused(&request, JRX_EINVAL, "--where=energy_source=measured");
    static const char unlabelled[] = "source,energy_j,flop\nmeasured,1,1\n,2,2\n";
    char file[] = "/tmp/jrx_fit_XXXXXX";
    int handle = mkstemp(file);
    assert_true(handle >= 0 && write(handle, unlabelled, sizeof unlabelled - 1) == sizeof unlabelled - 1);
    close(handle);
    request.path = file;
    request.terms = "flop";
    refused(&request, JRX_EINVAL, "source 'measured' and ''");
    unlink(file);
}

static void requests_that_make_no_sense_are_one_line(void **state)
{
    (void)state;
    struct ex_fit_request request = measured;
    request.response = "power_w";
    refused(&request, JRX_EFORMAT, "power_w");
    request = measured;
    request.terms = "flop+nothing";
    refused(&request, JRX_EFORMAT, "nothing");
    request.terms = "flop,kernel";
    refused(&request, JRX_EFORMAT, "\"a\"");
    request.terms = "flop,,time_s";
    refused(&request, JRX_EINVAL, "an empty term");
    request.terms = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";
    refused(&request, JRX_EINVAL, "more than 24 terms");
    request = measured;
    request.where[0] = "measured";
    refused(&request, JRX_EINVAL, "write column=value");
    request.where[0] = "energy_source=replayed";
    refused(&request, JRX_EINVAL, "no row");
    request = measured;
    request.group = "session";
    refused(&request, JRX_EFORMAT, "session");
    request = measured;
    request.path = "/nonexistent.csv";
    refused(&request, JRX_EIO, "/nonexistent.csv");
}

/* ---- the command: its standard output into out[size] ---- */

static int fit(const char *options, char *out, size_t size)
{
    char words[512], *argv[16] = {"joulerx fit", path};
    int argc = 2;
    snprintf(words, sizeof words, "%s", options);
    for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    assert_true(before >= 0 && dup2(fileno(file), STDOUT_FILENO) >= 0);
    int status = cmd_fit.run(argc, argv);
    fflush(stdout);
    assert_true(dup2(before, STDOUT_FILENO) >= 0);
    close(before);
    rewind(file);
    size_t length = fread(out, 1, size - 1, file);
    out[length] = '\0';
    fclose(file);
    return status;
}

static void assert_has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("no \"%s\" in:\n%s", what, text);
}

/* What the options of each test begin with. */
#define MEASURED "--response=energy_j --no-constant --terms=flop,time_s --where=energy_source=measured "

static void people_get_a_table_with_verdicts(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(fit(MEASURED "--group=kernel", out, sizeof out), 0);
    assert_has(out, "energy_j by ols, weights 1: 6 rows, 5 blocks (kernel); energy_source=measured");
    assert_has(out, "1 rows without a value left out");
    assert_has(out, "identified");
    assert_has(out, "without g");
    assert_has(out, "J/FLOP");
    assert_null(strstr(out, "nan"));
    assert_int_equal(fit(MEASURED "--resamples=0", out, sizeof out), 0);
    assert_has(out, "not identifiable");
    assert_null(strstr(out, "nan"));
}

static void strict_fails_with_the_term_that_is_not_identified(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(fit(MEASURED "--resamples=0 --strict", out, sizeof out), JRX_EQUALITY);
    assert_has(jrx_last_error(), "flop is not identifiable: no interval");
}

static void rows_are_written_in_full_with_empty_fields_for_what_is_missing(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(fit(MEASURED "--resamples=0 --csv=-", out, sizeof out), 0);
    assert_has(out, "row,group,observed,predicted,residual,residual_percent,left_out\n");
    char *line = strstr(out, "\n5,3,38,"), *end;
    assert_non_null(line);
    assert_near(strtod(line + strlen("\n5,3,38,"), &end), 38, 1e-12);
    /* a single block has nothing to be predicted from */
    assert_int_equal(fit("--response=energy_j --no-constant --terms=flop --where=energy_source=estimated --estimated "
                         "--group=kernel --csv=-",
                         out, sizeof out),
                     0);
    assert_has(out, "\n6,\"d, \"\"e\"\"\",44,44,0,0,\n");
}

static void json_is_json_with_null_for_what_is_missing(void **state)
{
    (void)state;
    char out[8192];
    assert_int_equal(fit(MEASURED "--resamples=0 --json", out, sizeof out), 0);
    json_error_t error;
    json_t *root = json_loads(out, 0, &error);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "sources")),
                        "energy_source=measured, counter_source=simulated");
    assert_int_equal(json_integer_value(json_object_get(root, "n")), 6);
    static const char *const numbers[] = {
        "r2", "mape_percent", "max_ape_percent", "condition_number", "logo_mape_percent", "slope", "intercept"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(json_is_real(json_object_get(root, numbers[i])));
    json_t *term = json_array_get(json_object_get(root, "terms"), 0);
    assert_string_equal(json_string_value(json_object_get(term, "name")), "flop");
    assert_near(json_real_value(json_object_get(term, "coefficient")), 10, 1e-12);
    assert_true(json_is_real(json_object_get(term, "std_error")) && json_is_real(json_object_get(term, "vif")));
    assert_true(json_is_null(json_object_get(term, "ci_lo")) && json_is_null(json_object_get(term, "ci_hi")));
    assert_true(json_is_false(json_object_get(term, "identified")));
    assert_true(json_array_size(json_object_get(root, "warnings")) >= 2);
    json_decref(root);
}

static void estimates_are_fitted_only_when_asked(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(
        fit("--response=energy_j --no-constant --terms=flop --where=energy_source=estimated", out, sizeof out),
        JRX_EINVAL);
    assert_has(jrx_last_error(), "would only return the profile");
}

static void a_term_may_be_scaled_and_the_constant_comes_by_itself(void **state)
{
    (void)state;
    char out[8192];
    assert_int_equal(
        fit("--response=energy_j --terms=0.5*flop,time_s --where=energy_source=measured --resamples=0 --json", out,
            sizeof out),
        0);
    json_error_t error;
    json_t *root = json_loads(out, 0, &error), *terms = json_object_get(root, "terms");
    assert_non_null(root);
    assert_int_equal(json_array_size(terms), 3);
    static const char *const name[] = {"1", "0.5*flop", "time_s"};
    static const double want[] = {0, 20, 2};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(json_string_value(json_object_get(json_array_get(terms, i), "name")), name[i]);
        assert_near(json_real_value(json_object_get(json_array_get(terms, i), "coefficient")), want[i], 1e-10);
    }
    json_decref(root);
}

/* energy = 10 flop + 2 time by hand: 10 J/FLOP are 1e13 pJ. What is estimated, or of another unit, is no profile. */
static void coefficients_become_a_profile_that_estimates_read(void **state)
{
    (void)state;
    char out[8192], file[64], line[256];
    struct em_profile profile;
    snprintf(file, sizeof file, "%s.ini", path);
#define FIT "--response=energy_j --no-constant --group=kernel --terms=flop,time_s --where=energy_source="
    snprintf(line, sizeof line, FIT "measured --as=flop,time --profile=%s", file);
    assert_int_equal(fit(line, out, sizeof out), 0);
    assert_int_equal(em_profile_load(file, &profile), 0);
    const struct em_fitted *package = &profile.of[EM_PACKAGE];
    assert_relative(package->value[EM_TERM_FLOP], 10, 1e-10);
    assert_relative(package->value[EM_TERM_TIME], 2, 1e-10);
    assert_int_equal(package->blocks, 5);
    assert_false(package->used[EM_TERM_L2]);
    assert_string_equal(profile.source, "measured");
    assert_false(profile.of[EM_MEMORY].fitted);
    snprintf(line, sizeof line, FIT "measured --as=flop,time --dram --profile=%s", file);
    assert_int_equal(fit(line, out, sizeof out), 0);
    assert_int_equal(em_profile_load(file, &profile), 0);
    assert_true(profile.of[EM_MEMORY].fitted && profile.of[EM_PACKAGE].fitted); /* the other one stays */
    static const struct {
        const char *options, *reason;
    } bad[] = {{"measured --as=time,flop", "flop is in J/FLOP, which is no time"},
               {"measured --as=flop", "1 names for 2 terms"},
               {"measured --as=flop,flop", "'flop'; name each of the 2 terms once"},
               {"measured --as=flop,volts", "'volts'"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(line, sizeof line, FIT "%s --profile=%s", bad[i].options, file);
        assert_int_equal(fit(line, out, sizeof out), JRX_EINVAL);
        assert_has(jrx_last_error(), bad[i].reason);
    }
    snprintf(line, sizeof line,
             "--response=energy_j --no-constant --terms=flop --where=energy_source=estimated --estimated "
             "--as=flop --profile=%s",
             file);
    assert_int_equal(fit(line, out, sizeof out), JRX_EINVAL);
    unlink(file);
#undef FIT
}

static void refusals_of_the_fit_reach_the_caller(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(
        fit("--response=energy_j --no-constant --terms=flop,flop --where=energy_source=measured", out, sizeof out),
        JRX_EINVAL);
    assert_has(jrx_last_error(), "flop, flop depend on each other");
    assert_int_equal(fit("--response=energy_j --no-constant --terms=flop,time_s", out, sizeof out), JRX_EINVAL);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_chosen_and_those_without_a_value_counted),
        cmocka_unit_test(measured_and_estimated_energy_are_never_fitted_together),
        cmocka_unit_test(requests_that_make_no_sense_are_one_line),
        cmocka_unit_test(people_get_a_table_with_verdicts),
        cmocka_unit_test(strict_fails_with_the_term_that_is_not_identified),
        cmocka_unit_test(rows_are_written_in_full_with_empty_fields_for_what_is_missing),
        cmocka_unit_test(json_is_json_with_null_for_what_is_missing),
        cmocka_unit_test(estimates_are_fitted_only_when_asked),
        cmocka_unit_test(a_term_may_be_scaled_and_the_constant_comes_by_itself),
        cmocka_unit_test(coefficients_become_a_profile_that_estimates_read),
        cmocka_unit_test(refusals_of_the_fit_reach_the_caller),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
