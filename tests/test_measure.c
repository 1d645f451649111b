/* joulerx measure: the files that a sweep writes and what they say. */
#include "experiments/command.h"
#include "experiments/measured_summary.h"
#include "harness/base/error.h"
#include "harness/table.h"
#include "tests/support/test.h"
#include <ftw.h>
#include <limits.h>
#include <sys/wait.h>
#include <unistd.h>

extern const struct ex_command cmd_measure;

static char dir[] = "/tmp/joulerx-measure-XXXXXX";

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static int setup(void **state)
{
    (void)state;
    return !mkdtemp(dir);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* With the model meter and almost no time, in a child with its message in <dir>/said; out: a folder below `dir`.
 * Returns the exit status. */
static int measure(const char *out, const char *layer, const char *kernel, const char *tile)
{
    char text[5][PATH_MAX];
    snprintf(text[0], sizeof *text, "--out=%s/%s", dir, out);
    snprintf(text[1], sizeof *text, "--layer=%s", layer);
    snprintf(text[2], sizeof *text, "--kernel=%s", kernel);
    snprintf(text[3], sizeof *text, "--tile=%s", tile);
    snprintf(text[4], sizeof *text, "%s/said", dir);
    char *argv[] = {"joulerx measure", text[0],          text[1],    text[2],        text[3],
                    "--meter=model",   "--preset=smoke", "--reps=3", "--grid=24x14", "--caches=4K/4,32K/8,1M/16",
                    "--quiet",         "--csv",          NULL};
    fflush(NULL);
    pid_t child = fork();
    if (!child) {
        int status = freopen(text[4], "w", stdout) ? cmd_measure.run((int)(sizeof argv / sizeof *argv) - 1, argv) : 1;
        if (status)
            printf("%s\n", jrx_last_error());
        fflush(NULL);
        _exit(jrx_exit_status(status));
    }
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the last one printed last, in line[512]. */
static const char *said(char *line)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/said", dir);
    FILE *from = fopen(path, "re");
    *line = 0;
    while (from && fgets(line, 512, from))
        ;
    if (from)
        fclose(from);
    return line;
}

static struct jrx_csv *table(const char *out, const char *name)
{
    struct jrx_csv *csv;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s/measure/%s.csv", dir, out, name);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    return csv;
}

static const char *text(const struct jrx_csv *csv, size_t row, const char *column)
{
    int at = jrx_csv_find(csv, column);
    assert_true(at >= 0);
    return jrx_csv_text(csv, row, (size_t)at);
}

static double number(const struct jrx_csv *csv, size_t row, const char *column)
{
    return *text(csv, row, column) ? strtod(text(csv, row, column), NULL) : (double)NAN;
}

static void a_sweep_writes_samples_a_summary_and_traffic(void **state)
{
    (void)state;
    char line[512];
    int status = measure("sweep", "pw:c32:k48", "pointwise_fwd_baseline", "f=2,24,order=goi,ogi");
    if (status == 3)
        skip_because("%s", said(line)); /* no gnuplot */
    assert_int_equal(status, 0);
    struct jrx_csv *samples = table("sweep", "samples"), *summary = table("sweep", "summary"),
                   *traffic = table("sweep", "traffic");
    assert_int_equal(jrx_csv_rows(samples), (4 + 1) * 3);
    assert_int_equal(jrx_csv_rows(summary), 4 + 1);
    assert_string_equal(text(summary, 0, "kernel"), "peak");
    for (size_t row = 1; row < 5; row++) {
        double flop = 2. * 32 * 48 * 24 * 14, time = number(summary, row, "time_ms");
        assert_near(number(summary, row, "flop"), flop, 0);
        assert_relative(number(summary, row, "rate_flop_per_s"), flop / (time * 1e-3), 1e-12);
        assert_true(number(summary, row, "time_ci_lo_ms") <= time && time <= number(summary, row, "time_ci_hi_ms"));
        assert_true(number(summary, row, "peak_ratio") > 0 && number(summary, row, "peak_ratio") < 1.5);
        assert_string_equal(text(summary, row, "energy_source"), "estimated");
        assert_true(number(summary, row, "edp_mj_per_hz") > 0);
        assert_true(number(summary, row, "sim_l2_bytes") > number(summary, row, "sim_l3_bytes"));
        assert_true(isnan(number(summary, row, "counted_l2_bytes")) ||
                    strcmp(text(summary, row, "counted_source"), "simulated"));
    }
    /* by tensor: what the summary says in one number */
    double l2 = 0;
    for (size_t row = 0; row < jrx_csv_rows(traffic); row++)
        if (!strcmp(text(traffic, row, "cell"), text(summary, 1, "cell")) && !strcmp(text(traffic, row, "level"), "l2"))
            l2 += number(traffic, row, "sim_bytes");
    assert_near(l2, number(summary, 1, "sim_l2_bytes"), 0);
    jrx_csv_free(samples);
    jrx_csv_free(summary);
    jrx_csv_free(traffic);
}

static void openblas_has_no_simulated_counters_in_any_file(void **state)
{
    (void)state;
    char line[512];
    int status = measure("blas", "pw:c32:k48", "pointwise_fwd_blas", "default");
    if (status == 3)
        skip_because("%s", said(line));
    assert_int_equal(status, 0);
    struct jrx_csv *samples = table("blas", "samples"), *summary = table("blas", "summary"),
                   *traffic = table("blas", "traffic");
    static const char *const sampled[] = {"sim_l1_bytes", "sim_l2_bytes", "sim_l3_bytes", "sim_dram_bytes"};
    static const char *const summed[] = {"sim_l1_bytes",        "sim_l2_bytes",        "sim_l3_bytes",
                                         "sim_dram_bytes",      "sim_l1_misses_count", "sim_l2_misses_count",
                                         "sim_l3_misses_count", "sim_error_ratio",     "model_l2_bytes"};
    for (size_t row = 0; row < jrx_csv_rows(samples); row++)
        for (size_t i = 0; i < 4 && strcmp(text(samples, row, "kernel"), "peak"); i++)
            assert_string_equal(text(samples, row, sampled[i]), "");
    assert_int_equal(jrx_csv_rows(summary), 2);
    for (size_t i = 0; i < sizeof summed / sizeof *summed; i++)
        assert_string_equal(text(summary, 1, summed[i]), "");
    assert_true(number(summary, 1, "time_ms") > 0);
    assert_int_equal(jrx_csv_rows(traffic), 0);
    jrx_csv_free(samples);
    jrx_csv_free(summary);
    jrx_csv_free(traffic);
}

static void an_impossible_tiling_is_refused_before_anything_is_measured(void **state)
{
    (void)state;
    assert_int_equal(measure("never", "pw:c32:k48", "pointwise_fwd_baseline", "order=igo"), 2);
    char path[PATH_MAX], line[512];
    assert_non_null(strstr(said(line), "goi, gio, ogi"));
    snprintf(path, sizeof path, "%s/never", dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* What is printed of a run with the share of the peak of its kernel replaced, in text[4096]. */
static void print_share(const char *share, char *text)
{
    char path[PATH_MAX], header[4096], *rest = header;
    snprintf(path, sizeof path, "%s/shares/measure/summary.csv", dir);
    FILE *csv = fopen(path, "r+");
    assert_non_null(csv);
    assert_non_null(fgets(header, sizeof header, csv));
    fseek(csv, 0, SEEK_CUR);
    for (char *column; (column = strsep(&rest, ",\n")) && rest;)
        fprintf(csv, "%s%s", !strcmp(column, "peak_ratio") ? share : "", *rest ? "," : "\n");
    fflush(csv);
    assert_int_equal(ftruncate(fileno(csv), ftell(csv)), 0);
    fclose(csv);
    snprintf(path, sizeof path, "%s/shares/measure", dir);
    FILE *to = fmemopen(text, 4096, "w");
    assert_int_equal(ex_summary_print(to, path), 0);
    fclose(to);
}

static void a_share_above_the_peak_is_remarked_on(void **state)
{
    (void)state;
    char text[4096];
    assert_int_equal(measure("shares", "pw:c16:k16", "pointwise_fwd_ref", "default"), 0);
    print_share("0.97", text);
    assert_null(strstr(text, "above 100 %"));
    print_share("2.0", text);
    assert_non_null(strstr(text, "200.0"));
    assert_non_null(strstr(text, "above 100 %"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_above_the_peak_is_remarked_on),
        cmocka_unit_test(a_sweep_writes_samples_a_summary_and_traffic),
        cmocka_unit_test(openblas_has_no_simulated_counters_in_any_file),
        cmocka_unit_test(an_impossible_tiling_is_refused_before_anything_is_measured),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
