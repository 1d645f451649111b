/* experiments/cmd_fit.c, fit_input.c: what is read from a CSV file, what is refused, and what is printed. */
#include "experiments/command.h"
#include "experiments/fit_input.h"
#include "harness/base/error.h"
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
                                               .y = "energy_j",
                                               .x = "flop,time_s",
                                               .where = {"energy_source=measured"},
                                               .wheres = 1,
                                               .method = EM_WLS};

static void rows_are_chosen_and_those_without_a_value_counted(void **state)
{
    (void)state;
    struct ex_fit_input input;
    struct ex_fit_request request = measured;
    request.x = "1,flop,loads+stores";
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
    request.x = "flop";
    refused(&request, JRX_EINVAL, "source 'measured' and ''");
    unlink(file);
}

static void requests_that_make_no_sense_are_one_line(void **state)
{
    (void)state;
    struct ex_fit_request request = measured;
    request.y = "power_w";
    refused(&request, JRX_EFORMAT, "power_w");
    request = measured;
    request.x = "flop+nothing";
    refused(&request, JRX_EFORMAT, "nothing");
    request.x = "flop,kernel";
    refused(&request, JRX_EFORMAT, "\"a\"");
    request.x = "flop,,time_s";
    refused(&request, JRX_EINVAL, "a term of 0 characters");
    request.x = "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";
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

static void people_get_a_table_with_verdicts(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(fit("--y=energy_j --x=flop,time_s --where=energy_source=measured --group=kernel", out, sizeof out),
                     0);
    assert_has(out, "energy_j by nnls: 6 rows, 5 blocks (kernel), 1 rows without a value left out");
    assert_has(out, "energy_source=measured");
    assert_has(out, "identified");
    assert_has(out, "without g");
    assert_null(strstr(out, "nan"));
    assert_int_equal(
        fit("--y=energy_j --x=flop,time_s --where=energy_source=measured --resamples=0 --residuals", out, sizeof out),
        0);
    assert_has(out, "not identifiable: no interval");
    assert_has(out, "error %");
    assert_null(strstr(out, "nan"));
}

static void strict_fails_with_the_term_that_is_not_identified(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(
        fit("--y=energy_j --x=flop,time_s --where=energy_source=measured --resamples=0 --strict", out, sizeof out),
        JRX_EQUALITY);
    assert_string_equal(jrx_last_error(), "flop is not identifiable: no interval");
}

static void csv_holds_full_precision_and_empty_fields_for_what_is_missing(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(fit("--y=energy_j --x=flop,time_s --where=energy_source=measured --resamples=0 --method=ols --csv",
                         out, sizeof out),
                     0);
    assert_has(out, "y,term,method,verdict,rows,blocks,coefficient,interval_low,interval_high,");
    char *line = strstr(out, "\nenergy_j,time_s,ols,not identifiable: no interval,6,6,");
    assert_non_null(line);
    line += strlen("\nenergy_j,time_s,ols,not identifiable: no interval,6,6,");
    char *end;
    assert_near(strtod(line, &end), 2, 1e-12);
    assert_memory_equal(end, ",,,", 3);
    assert_int_equal(
        fit("--y=energy_j --x=flop --where=energy_source=estimated --csv --residuals --group=kernel", out, sizeof out),
        0);
    assert_string_equal(out, "row,group,y,fit,left_out\n6,\"d, \"\"e\"\"\",44,44,\n");
}

static void json_is_json_with_null_for_what_is_missing(void **state)
{
    (void)state;
    char out[8192];
    assert_int_equal(fit("--y=energy_j --x=flop,time_s --where=energy_source=measured --resamples=0 --json --residuals",
                         out, sizeof out),
                     0);
    json_error_t error;
    json_t *root = json_loads(out, 0, &error);
    assert_non_null(root);
    assert_string_equal(json_string_value(json_object_get(root, "sources")),
                        "energy_source=measured, counter_source=simulated");
    json_t *term = json_array_get(json_object_get(root, "terms"), 0);
    assert_near(json_real_value(json_object_get(term, "coefficient")), 10, 1e-12);
    assert_true(json_is_null(json_array_get(json_object_get(term, "interval"), 0)));
    assert_true(json_is_false(json_object_get(term, "identified")));
    assert_int_equal(json_array_size(json_object_get(root, "residuals")), 6);
    json_decref(root);
}

static void refusals_of_the_fit_reach_the_caller(void **state)
{
    (void)state;
    char out[4096];
    assert_int_equal(fit("--y=energy_j --x=flop,flop --where=energy_source=measured", out, sizeof out), JRX_EINVAL);
    assert_has(jrx_last_error(), "flop, flop depend on each other");
    assert_int_equal(fit("--y=energy_j --x=flop,time_s", out, sizeof out), JRX_EINVAL);
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
        cmocka_unit_test(csv_holds_full_precision_and_empty_fields_for_what_is_missing),
        cmocka_unit_test(json_is_json_with_null_for_what_is_missing),
        cmocka_unit_test(refusals_of_the_fit_reach_the_caller),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
