/*
 * `joulerx run`, the program itself: what it writes about each measured region. Energy is that of the powercap
 * stand-in, whose power is known; counters are what the program publishes of itself, through PAPI's real code path.
 */
#include "experiments/tiling.h"
#include "harness/table.h"
#include "tests/support/powercap_fs.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <jansson.h>
#include <unistd.h>

struct fixture {
    struct powercap_fs fs;
    struct program p;
    struct jrx_csv *csv;
    json_t *meta;
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
    jrx_csv_free(f->csv);
    json_decref(f->meta);
    free(f);
    return 0;
}

static void start_or_skip(struct fixture *f)
{
    static const char *const options[] = {"--zone=intel-rapl:0,package-0,61035,80",
                                          "--zone=intel-rapl:0:0,core,61035,60", "--zone=intel-rapl:0:1,dram,15300,20",
                                          "--zone=intel-rapl:1,psys,61035,150", NULL};
    if (powercap_fs_start(&f->fs, options))
        skip_because("%s", f->fs.why);
}

/* Reads what run `out` wrote of tiling. */
static void read_run(struct fixture *f, const char *out)
{
    char path[256];
    json_error_t error;
    jrx_csv_free(f->csv);
    json_decref(f->meta);
    snprintf(path, sizeof path, "%s/%s/tiling/samples.csv", f->p.dir, out);
    assert_int_equal(jrx_csv_read(&f->csv, path, NULL), 0);
    snprintf(path, sizeof path, "%s/%s/meta.json", f->p.dir, out);
    f->meta = json_load_file(path, 0, &error);
    assert_non_null(f->meta);
}

static double at(const struct fixture *f, size_t row, const char *column)
{
    double value = NAN;
    int c = jrx_csv_find(f->csv, column);
    if (c < 0 || jrx_csv_real(f->csv, row, (size_t)c, &value))
        fail_msg("%s", column);
    return value;
}

static const char *text_at(const struct fixture *f, size_t row, const char *column)
{
    int c = jrx_csv_find(f->csv, column);
    assert_true(c >= 0);
    return jrx_csv_text(f->csv, row, (size_t)c);
}

#define RUN "run tiling --preset=smoke --grid-f=12 --reps=1 --quiet --threads=1 --caches=32K/8,1M/16,4M/16 --out=%s "

/* The stand-in draws 100 W whatever runs: all of it is idle power, and nothing is left above either. */
static void check_views(const struct fixture *f, size_t row)
{
    double time_s = 1e-9 * at(f, row, "time_ns"), gross_j = at(f, row, "energy_j");
    assert_string_equal(text_at(f, row, "energy_source"), "measured");
    assert_string_equal(text_at(f, row, "status"), "ok");
    assert_near(gross_j, 100 * time_s, 6 * at(f, row, "energy_uncertainty_j"));
    assert_near(at(f, row, "idle_w"), 100, 6 * at(f, row, "idle_uncertainty_w"));
    assert_near(at(f, row, "active_w"), 100, 6 * at(f, row, "active_uncertainty_w"));
    assert_near(at(f, row, "above_idle_j"), gross_j - at(f, row, "idle_w") * time_s, 1e-12);
    assert_near(at(f, row, "above_active_j"), gross_j - at(f, row, "active_w") * time_s, 1e-12);
    assert_relative(at(f, row, "above_idle_uncertainty_j"),
                    hypot(at(f, row, "energy_uncertainty_j"), at(f, row, "idle_uncertainty_w") * time_s), 1e-9);
    assert_true(at(f, row, "above_active_uncertainty_j") >= at(f, row, "energy_uncertainty_j"));
}

static void check_domains(const struct fixture *f, size_t row)
{
    static const struct {
        const char *name;
        double w;
    } domains[] = {{"package_0", 80}, {"core_0", 60}, {"dram_0", 20}, {"psys", 150}};
    double time_s = 1e-9 * at(f, row, "time_ns");
    for (int d = 0; d < 4; d++) {
        char column[80], uncertainty[80];
        snprintf(column, sizeof column, "energy_%s_j", domains[d].name);
        snprintf(uncertainty, sizeof uncertainty, "energy_%s_uncertainty_j", domains[d].name);
        assert_near(at(f, row, column), domains[d].w * time_s, 6 * at(f, row, uncertainty));
    }
    assert_near(at(f, row, "energy_j"), at(f, row, "energy_package_0_j") + at(f, row, "energy_dram_0_j"), 1e-9);
}

static void each_row_has_every_domain_and_gross_energy_beside_what_is_above_idle_and_active(void **state)
{
    struct fixture *f = *state;
    start_or_skip(f);
    assert_int_equal(program_run(&f->p, RUN "--sysfs=%s --meter=powercap", "a", f->fs.mount), 0);
    read_run(f, "a");
    assert_int_equal(jrx_csv_rows(f->csv), EX_TILING_CELLS);
    for (size_t row = 0; row < EX_TILING_CELLS; row++) {
        check_views(f, row);
        check_domains(f, row);
    }
}

/* A set of our own, of what the program publishes: the truth check and the rows can then be exact. */
static const char set[] = "[set]\nname = ours\nabout = what the program declares\nvendor = x\nfamily = 1\nmodels = 1\n"
                          "pmu = x\nslots = 1\n[flop]\nformula = %s * sde:::joulerx::flop_declared\nsource = x\n";

static void write_set(struct fixture *f, const char *factor)
{
    char path[256];
    snprintf(path, sizeof path, "%s/ours.ini", f->p.dir);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fprintf(to, set, factor);
    fclose(to);
}

/* Rows of a run whose counts were taken at the speed of the window, which on a busy machine may be none. */
static int check_counts(struct fixture *f)
{
    int counted = 0;
    for (size_t row = 0; row < jrx_csv_rows(f->csv); row++) {
        assert_true(isnan(at(f, row, "counted_l2_read_bytes"))); /* not in this set: empty, not 0 */
        if (strcmp(text_at(f, row, "counted_status"), "ok")) {
            assert_true(isnan(at(f, row, "counted_flop")));
            says(text_at(f, row, "counted_status"), "apart");
            continue;
        }
        counted++;
        assert_near(at(f, row, "counted_flop"), at(f, row, "flop"), 0);
        assert_string_equal(text_at(f, row, "counted_source"), "estimated"); /* declared is never called measured */
    }
    return counted;
}

static void counts_stand_beside_energy_with_their_source_and_ratio_to_truth(void **state)
{
    struct fixture *f = *state;
    int counted = 0;
    write_set(f, "1");
    for (int i = 0; i < 6 && !counted; i++) {
        char out[8];
        snprintf(out, sizeof out, "c%d", i);
        assert_int_equal(program_run(&f->p, RUN "--meter=model --counters=./ours.ini", out), 0);
        read_run(f, out);
        counted = check_counts(f);
    }
    if (!counted)
        skip_because("the machine is too busy: in six runs no count took as long as its window");
    const json_t *truth = json_object_get(f->meta, "truth");
    assert_int_equal(json_array_size(truth), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *one = json_array_get(truth, i);
        assert_string_equal(json_string_value(json_object_get(one, "metric")), "flop");
        assert_near(json_number_value(json_object_get(one, "ratio")), 1, 0);
    }
    says(json_string_value(json_object_get(json_object_get(f->meta, "hardware_counters"), "set")), "ours");
}

static void a_counter_that_is_off_on_known_work_is_a_warning(void **state)
{
    struct fixture *f = *state;
    write_set(f, "2");
    assert_int_equal(
        program_run(&f->p,
                    "run tiling --preset=smoke --grid-f=12 --reps=1 --caches=32K/8,1M/16,4M/16 --out=d --meter=model "
                    "--counters=./ours.ini"),
        0);
    says(f->p.err, "= 2.0000 estimated");
    read_run(f, "d");
    const json_t *warnings = json_object_get(f->meta, "warnings");
    int found = 0;
    for (size_t i = 0; i < json_array_size(warnings); i++)
        found += !strcmp(json_string_value(json_object_get(json_array_get(warnings, i), "code")), "counter_truth");
    assert_int_equal(found, 2);
}

static void loose_events_get_columns_of_their_own(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p,
                                 RUN "--meter=model "
                                     "--counters=sde:::joulerx::l2_bytes_simulated,sde:::joulerx::l3_bytes_simulated",
                                 "e"),
                     0);
    read_run(f, "e");
    for (size_t row = 0; row < jrx_csv_rows(f->csv); row++) {
        if (strcmp(text_at(f, row, "counted_status"), "ok"))
            continue;
        assert_near(at(f, row, "counted_sde_joulerx_l2_bytes_simulated_count"), at(f, row, "sim_l2_bytes"), 0);
        assert_near(at(f, row, "counted_sde_joulerx_l3_bytes_simulated_count"), at(f, row, "sim_l3_bytes"), 0);
        assert_string_equal(text_at(f, row, "counted_source"), "simulated");
    }
}

static void counters_that_were_asked_for_and_are_not_there_end_the_run(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p, RUN "--meter=model --counters=./none.ini", "f"), 2);
    says(f->p.err, "./none.ini");
    assert_int_equal(program_run(&f->p, RUN "--meter=model --counters=no_such_event", "f"), 2);
    says(f->p.err, "no_such_event");
    assert_int_equal(program_run(&f->p, RUN "--meter=model --counters=none", "f"), 0);
    read_run(f, "f");
    assert_true(isnan(at(f, 0, "counted_flop")));
    assert_string_equal(text_at(f, 0, "counted_status"), "");
    /* where a run was begun with these, it goes on with these */
    assert_int_equal(program_run(&f->p, "run tiling --quiet --resume=f --counters=skx"), 2);
    says(f->p.err, "--counters=skx");
    assert_int_equal(program_run(&f->p, "run tiling --quiet --resume=f --caches=48K/12"), 2);
    says(f->p.err, "--caches=48K/12");
}

static void the_simulated_cache_is_the_one_that_was_given(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        program_run(&f->p,
                    "run tiling --preset=smoke --grid-f=12 --reps=1 --quiet --meter=model --out=small --caches=4K/4"),
        0);
    assert_int_equal(
        program_run(&f->p,
                    "run tiling --preset=smoke --grid-f=12 --reps=1 --quiet --meter=model --out=large --caches=64M/16"),
        0);
    read_run(f, "small");
    double small = at(f, 0, "sim_dram_bytes");
    read_run(f, "large");
    assert_true(small > 0);
    assert_near(at(f, 0, "sim_dram_bytes"), 0, 0); /* all of it fits */
    assert_int_equal(program_run(&f->p, "run tiling --preset=smoke --caches=large"), 2);
    says(f->p.err, "caches \"large\"");
}

/* A meter that showed 100 W for `ms` milliseconds, as `joulerx record` writes it. */
static void write_recording(const struct fixture *f, const char *name, long ms)
{
    char path[TREE_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", f->p.dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "{\"joulerx_recording\": 1, \"meter\": \"powercap\", \"source\": \"measured\", \"tick_ns\": 1000000, "
                  "\"domains\": [{\"name\": \"package-0\", \"kind\": \"package\", \"socket\": 0, \"in_total\": true, "
                  "\"range\": null, \"j_per_count\": 1e-6, \"provable_j\": null, \"p_max_w\": null}]}\n");
    for (long i = 0; i < ms; i++)
        fprintf(file, "[0, %ld, %ld, %ld]\n", i * 1000000, i * 1000000 + 500, i * 100000);
    assert_int_equal(fclose(file), 0);
}

static void a_recording_gives_energies_that_are_called_replayed(void **state)
{
    struct fixture *f = *state;
    write_recording(f, "long.jsonl", 300000);
    assert_int_equal(program_run(&f->p, RUN "--recording=long.jsonl", "g"), 0);
    read_run(f, "g");
    for (size_t row = 0; row < jrx_csv_rows(f->csv); row++) {
        assert_string_equal(text_at(f, row, "energy_source"), "replayed");
        assert_string_equal(text_at(f, row, "meter"), "replay");
        assert_string_equal(text_at(f, row, "status"), "ok");
        assert_near(at(f, row, "energy_j"), 100e-9 * at(f, row, "time_ns"), 6 * at(f, row, "energy_uncertainty_j"));
    }
    /* shorter than the run: that is said, and nothing is made up */
    write_recording(f, "short.jsonl", 20);
    assert_int_equal(program_run(&f->p, RUN "--recording=short.jsonl", "h"), 3);
    says(f->p.err, "the recording is over after 0.019 s");
    assert_int_equal(program_run(&f->p, RUN "--meter=replay", "i"), 3);
    says(f->p.err, "--recording=FILE");
}

static void a_recording_that_is_interrupted_is_whole(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_shell(&f->p,
                                   "%s record --meter=model --time=600s -o r.jsonl & p=$!; "
                                   "until [ -s r.jsonl ]; do sleep 0.05; done; kill $p; wait $p",
                                   f->p.path),
                     130);
    assert_int_equal(program_run(&f->p, "stat --recording=r.jsonl"), 0);
    says(f->p.out, "estimated");
}

/* As under `likwid-perfctr -m`: it sets LIKWID_MODE, and a library of ours notes what it is told. */
static void every_measured_region_is_a_marker_region_of_its_cell(void **state)
{
    struct fixture *f = *state;
    char stub[512], notes[16384], first[128];
    snprintf(stub, sizeof stub, "%.*s/tests/fake/likwid_stub.so", (int)(strstr(f->p.path, "/tests/") - f->p.path),
             f->p.path);
    assert_int_equal(program_shell(&f->p,
                                   "LIKWID_MODE=1 JOULERX_LIKWID=%s JOULERX_STUB_LOG=notes %s " RUN "--meter=model",
                                   stub, f->p.path, "m"),
                     0);
    program_slurp(&f->p, "notes", notes, sizeof notes);
    read_run(f, "m");
    int starts = 0, stops = 0;
    for (const char *line = notes; *line; line = strchr(line, '\n') + 1) {
        starts += !strncmp(line, "start ", 6);
        stops += !strncmp(line, "stop ", 5);
        assert_true(starts - stops == 0 || starts - stops == 1);
    }
    assert_int_equal(starts, EX_TILING_CELLS);
    assert_int_equal(stops, EX_TILING_CELLS);
    snprintf(first, sizeof first, "init \nthread \nstart tiling_%s\n", text_at(f, 0, "cell"));
    for (char *c = first; *c; c++)
        *c = *c == ',' || *c == '-' ? '_' : *c;
    assert_int_equal(strncmp(notes, first, strlen(first)), 0);
    says(notes, "close \n");
    /* asked for and not there */
    assert_int_equal(program_shell(&f->p, "LIKWID_MODE=1 JOULERX_LIKWID=/none %s " RUN "--meter=model", f->p.path, "n"),
                     3);
    says(f->p.err, "likwid markers");
}

static void strict_refuses_before_anything_is_measured(void **state)
{
    struct fixture *f = *state;
    tree_put(f->p.dir, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor=powersave\n");
    assert_int_equal(program_run(&f->p, RUN "--sysfs=%s/sys --strict", "i", f->p.dir), 4);
    says(f->p.err, "--strict");
    char left[256];
    snprintf(left, sizeof left, "%s/i", f->p.dir);
    assert_int_not_equal(access(left, F_OK), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_row_has_every_domain_and_gross_energy_beside_what_is_above_idle_and_active),
        CASE(counts_stand_beside_energy_with_their_source_and_ratio_to_truth),
        CASE(a_counter_that_is_off_on_known_work_is_a_warning),
        CASE(loose_events_get_columns_of_their_own),
        CASE(counters_that_were_asked_for_and_are_not_there_end_the_run),
        CASE(the_simulated_cache_is_the_one_that_was_given),
        CASE(a_recording_gives_energies_that_are_called_replayed),
        CASE(a_recording_that_is_interrupted_is_whole),
        CASE(every_measured_region_is_a_marker_region_of_its_cell),
        CASE(strict_refuses_before_anything_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
