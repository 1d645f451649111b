/*
 * `joulerx run calibrate`: which kernels it takes, what they do; that it gives back the coefficients of a virtual
 * server whose energy follows the program's work (tests/fake/powercap_fs.c, skipped where FUSE is not permitted); and
 * that it fits nothing that is only estimated.
 */
#include "experiments/calibration.h"
#include "harness/base/error.h"
#include "harness/table.h"
#include "tests/support/powercap_fs.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <unistd.h>

static const struct jrx_cache_geometry geometry = {3, 64, {{32768, 8}, {262144, 8}, {1048576, 16}}};

/* ---- the choice ---- */

static int cells_of(int threads, struct ex_candidate *cells)
{
    const struct ex_preset preset = {.grid_f = 48, .reps = 1};
    const struct ex_settings settings = {.preset = &preset, .threads = threads, .caches = geometry};
    return ex_calibration_cells(&settings, cells);
}

static void cells_are_of_all_kinds_and_no_group_has_many(void **state)
{
    (void)state;
    struct ex_candidate cells[EX_CALIBRATION_CELLS];
    int count = cells_of(4, cells), kinds[EX_KINDS] = {0}, levels[EM_LEVELS] = {0}, threads[5] = {0}, zeros = 0;
    assert_in_range(count, 25, EX_CALIBRATION_CELLS);
    for (int i = 0; i < count; i++) {
        char label[128], other[128], group[EX_GROUP_TEXT], mate[EX_GROUP_TEXT];
        int mates = 0;
        ex_candidate_label(&cells[i], label, sizeof label);
        ex_candidate_group(&cells[i], group);
        for (int k = 0; k < count; k++) {
            ex_candidate_label(&cells[k], other, sizeof other);
            assert_true(i == k || strcmp(label, other));
            mates += !cells[k].zero && !strcmp(group, ex_candidate_group(&cells[k], mate));
        }
        assert_in_range(mates, 1, EX_PER_GROUP);
        kinds[cells[i].kind]++;
        threads[cells[i].threads]++;
        zeros += cells[i].zero;
        levels[cells[i].level] += cells[i].kind == EX_READ;
    }
    for (int kind = 0; kind < EX_KINDS; kind++)
        assert_true(kinds[kind] > 0);
    for (int level = 0; level < EM_LEVELS; level++)
        assert_true(levels[level] > 0);
    assert_true(threads[1] > 0 && threads[4] > 0);
    assert_in_range(zeros, 3, EX_TWINS);
}

static void choosing_twice_gives_the_same_cells(void **state)
{
    (void)state;
    struct ex_candidate a[EX_CALIBRATION_CELLS], b[EX_CALIBRATION_CELLS];
    int count = cells_of(2, a);
    assert_int_equal(cells_of(2, b), count);
    for (int i = 0; i < count; i++) {
        char one[128], other[128];
        ex_candidate_label(&a[i], one, sizeof one);
        ex_candidate_label(&b[i], other, sizeof other);
        assert_string_equal(one, other);
    }
}

/* One thread's turns over its arrays as the simulator sees them, the second call counted. */
static void simulate(const struct ex_candidate *c, struct jrx_work *work)
{
    struct jrx_cachesim *sim;
    double *const bytes[] = {&work->l2_bytes, &work->l3_bytes, &work->dram_bytes};
    size_t half = c->kind == EX_COPY ? c->floats / 2 : c->floats;
    assert_int_equal(jrx_cachesim_new(&sim, &geometry), 0);
    for (int pass = 0; pass < 2; pass++) {
        jrx_cachesim_reset_counts(sim);
        for (long turn = 0; turn < ex_candidate_turns(c); turn++)
            for (size_t i = 0; i < half; i += 16) {
                const struct jrx_access access[2] = {{65536 + 4 * i, 64, 0, 0}, {65536 + 4 * (half + i), 64, 1, 1}};
                assert_int_equal(jrx_cachesim_run(sim, access, c->kind == EX_COPY ? 2 : 1), 0);
            }
    }
    work->l1_bytes =
        (double)(jrx_cachesim_read_bytes(sim, JRX_ACCESS_TAGS) + jrx_cachesim_write_bytes(sim, JRX_ACCESS_TAGS));
    for (unsigned level = 0; level < 3; level++) {
        struct jrx_cache_counts n = jrx_cachesim_get(sim, level, JRX_ACCESS_TAGS);
        *bytes[level] = 64 * (double)(n.fetches + n.writebacks);
    }
    jrx_cachesim_free(sim);
}

static void arrays_move_what_the_cache_simulator_says(void **state)
{
    (void)state;
    static struct ex_candidate list[EX_CANDIDATES];
    int count = ex_candidates(&geometry, 48, 1, list), arrays = 0;
    for (int i = 0; i < count; i++) {
        struct jrx_work said, simulated;
        if (!list[i].floats)
            continue;
        arrays++;
        ex_probe_work(&list[i], &geometry, &said);
        simulate(&list[i], &simulated);
        assert_relative(said.l1_bytes, simulated.l1_bytes, 1e-12);
        assert_near(said.l2_bytes, simulated.l2_bytes, 0.01 * said.l1_bytes);
        assert_near(said.l3_bytes, simulated.l3_bytes, 0.01 * said.l1_bytes);
        assert_near(said.dram_bytes, simulated.dram_bytes, 0.01 * said.l1_bytes);
    }
    assert_true(arrays >= 12);
}

/* ---- the program ---- */

struct fixture {
    struct powercap_fs fs;
    struct program p;
    struct jrx_csv *csv;
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
    free(f);
    return 0;
}

#define RUN                                                                                                            \
    "run calibrate --preset=smoke --threads=1 --grid-f=48 --reps=1 --quiet --caches=32K/8,256K/8,1M/16 "               \
    "--out=a "

static void read_file(struct fixture *f, const char *name)
{
    char path[256];
    jrx_csv_free(f->csv);
    f->csv = NULL;
    snprintf(path, sizeof path, "%s/a/calibrate/%s", f->p.dir, name);
    if (jrx_csv_read(&f->csv, path, NULL))
        fail_msg("%s", jrx_last_error());
}

static int exists(const struct fixture *f, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/a/calibrate/%s", f->p.dir, name);
    return !access(path, F_OK);
}

static const char *text(const struct fixture *f, size_t row, const char *column)
{
    int c = jrx_csv_find(f->csv, column);
    if (c < 0)
        fail_msg("%s", jrx_last_error());
    return jrx_csv_text(f->csv, row, (size_t)c);
}

static double real(const struct fixture *f, size_t row, const char *column)
{
    return strtod(text(f, row, column), NULL);
}

/* The server: W, W a busy thread, pJ/FLOP, pJ/byte; noise of 1 % on the energy of each region. What is computed costs
 * so much that it outweighs time on slow machines too. */
static const struct {
    const char *response, *term;
    double value;
} truth[] = {{"package", "time", 5}, {"package", "cpu", 3},  {"package", "flop", 600},
             {"package", "l1", 50},  {"package", "l2", 200}, {"package", "l3", 600},
             {"package", "dram", 0}, {"dram", "time", 0.5},  {"dram", "dram", 3000}};
enum { TRUTHS = sizeof truth / sizeof *truth };

static void check_coefficients(struct fixture *f)
{
    read_file(f, "coefficients.csv");
    assert_int_equal(jrx_csv_rows(f->csv), TRUTHS);
    for (size_t i = 0; i < TRUTHS; i++) {
        assert_string_equal(text(f, i, "response"), truth[i].response);
        assert_string_equal(text(f, i, "term"), truth[i].term);
        assert_string_equal(text(f, i, "energy_source"), "measured");
        if (truth[i].value < real(f, i, "low") || truth[i].value > real(f, i, "high"))
            fail_msg("%s of %s: %g is not in [%g, %g]", truth[i].term, truth[i].response, truth[i].value,
                     real(f, i, "low"), real(f, i, "high"));
        if (truth[i].value > 0) /* and the interval says something */
            assert_true(real(f, i, "high") < 3 * truth[i].value);
    }
}

/*
 * Nine intervals of 95 % miss a truth in a third of all runs, so the noise is drawn from a fixed seed, region by region
 * in the order of the run, however fast the machine is; with this seed no truth is further than 0.55 of the way to an
 * end (of 54 intervals with other seeds, all held theirs).
 */
static void a_server_of_known_coefficients_is_found_out(void **state)
{
    struct fixture *f = *state;
    char work[256], option[300];
    snprintf(work, sizeof work, "%s/work", f->p.dir);
    snprintf(option, sizeof option, "--work=%s", work);
    const char *const options[] = {"--zone=intel-rapl:0,package-0,61035,5",
                                   "--zone=intel-rapl:0:0,dram,15300,0.5",
                                   "--cost=intel-rapl:0,600,0,50,200,600,0,3000",
                                   "--cost=intel-rapl:0:0,0,0,0,0,0,3000,0",
                                   "--noise=0.01",
                                   "--seed=2",
                                   option,
                                   NULL};
    if (powercap_fs_start(&f->fs, options))
        skip_because("%s", f->fs.why);
    assert_int_equal(program_shell(&f->p, "JOULERX_SDE=%s %s " RUN "--sysfs=%s --meter=powercap --counters=none", work,
                                   f->p.path, f->fs.mount),
                     0);
    check_coefficients(f);
    read_file(f, "claims.csv");
    assert_string_equal(text(f, 0, "claim"), "calibrate-left-out");
    assert_true(real(f, 0, "figure_ratio") > 0 && real(f, 0, "figure_ratio") < 0.05);
    /* and the profile serves */
    assert_int_equal(program_run(&f->p, "estimate pw:c256:k256 --profile=a/calibrate/profile.ini --csv"), 0);
    says(f->p.out, "fitted,estimated,");
}

static void estimated_energy_is_not_fitted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(program_run(&f->p, RUN "--meter=model --counters=none"), 0);
    says(f->p.out, "fitting it would return the profile it came from, so nothing is fitted and no profile is written");
    says(f->p.out, "not testable");
    assert_true(exists(f, "summary.csv"));
    assert_false(exists(f, "profile.ini"));
    assert_false(exists(f, "coefficients.csv"));
    assert_false(exists(f, "additivity.csv"));
    read_file(f, "summary.csv");
    for (size_t i = 0; i < jrx_csv_rows(f->csv); i++) {
        assert_string_equal(text(f, i, "energy_source"), "estimated");
        assert_string_equal(text(f, i, "fit_uj"), "");
    }
}

/* What the program declares of itself is additive; a counter that gives about the same whatever is run is not. */
static void counters_that_do_not_add_up_are_left_out(void **state)
{
    struct fixture *f = *state;
    char stub[512];
    assert_int_equal(program_run(&f->p, RUN "--meter=model --counters=sde:::joulerx::flop_declared"), 0);
    read_file(f, "additivity.csv");
    assert_int_equal(jrx_csv_rows(f->csv), 1);
    assert_true(real(f, 0, "a_count") > 0 && real(f, 0, "b_count") > 0);
    assert_near(real(f, 0, "deviation_ratio"), 0, 1e-12);
    assert_string_equal(text(f, 0, "kept"), "1");
    snprintf(stub, sizeof stub, "%.*s/tests/fake/likwid_stub.so", (int)(strstr(f->p.path, "/tests/") - f->p.path),
             f->p.path);
    assert_int_equal(
        program_shell(&f->p, "rm -r a; JOULERX_LIKWID=%s %s " RUN "--meter=model --counters=likwid:ANY_EVENT:PMC0",
                      stub, f->p.path),
        0);
    read_file(f, "additivity.csv");
    assert_true(real(f, 0, "deviation_ratio") > 0.05);
    assert_string_equal(text(f, 0, "kept"), "0");
    says(text(f, 0, "reason"), "off A + B, more than 5 %");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_of_all_kinds_and_no_group_has_many),
        cmocka_unit_test(choosing_twice_gives_the_same_cells),
        cmocka_unit_test(arrays_move_what_the_cache_simulator_says),
        CASE(a_server_of_known_coefficients_is_found_out),
        CASE(estimated_energy_is_not_fitted),
        CASE(counters_that_do_not_add_up_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
