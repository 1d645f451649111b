/* joulerx tune: the tilings considered and their order, what is chosen, the Pareto front, the tile file. */
#include "experiments/figure.h"
#include "experiments/net_calls.h"
#include "experiments/tiles.h"
#include "experiments/tune_print.h"
#include "experiments/tune_search.h"
#include "harness/base/error.h"
#include "harness/table.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "tests/support/tile_file.h"
#include <glob.h>
#include <unistd.h>

static void scores_price_levels_and_objectives(void **state)
{
    (void)state;
    const double bytes[EX_CACHES + 1] = {1000, 100, 10, 1}, blind[EX_CACHES + 1] = {NAN, 100, 10, NAN};
    assert_near(ex_tune_score(bytes, EX_BY_TIME), 1000 + 200 + 40 + 12, 0);
    assert_near(ex_tune_score(bytes, EX_BY_BYTES), 111, 0);
    assert_near(ex_tune_score(blind, EX_BY_BYTES), 110, 0);
    const double unknown[EX_CACHES + 1] = {NAN, NAN, NAN, NAN};
    assert_true(isnan(ex_tune_score(unknown, EX_BY_TIME)));
    enum ex_objective objective;
    assert_int_equal(ex_objective_parse("edp", &objective), 0);
    assert_int_equal(objective, EX_BY_EDP);
    assert_int_equal(ex_objective_parse("speed", &objective), JRX_EINVAL);
}

static void candidates_are_what_the_kernel_takes_once_each_and_sorted(void **state)
{
    (void)state;
    static const char *const layers[KN_OPS] = {"pw:c48:k32", "dw:c32:m2:d2x3", "conv:c10:k32", "sep:c32:k48:d2x3"};
    static struct ex_candidate candidate[EX_CANDIDATES];
    const struct kn_tile none = {0};
    struct jrx_cache_geometry geometry;
    assert_int_equal(jrx_cache_geometry_parse("48K/12,1M/16,32M/16", &geometry), 0);
    for (int op = 0; !kn_elementwise((enum kn_op)op); op++) { /* those have no tiles */
        const struct kn_kernel *kernel = kn_best((enum kn_op)op, KN_FWD);
        struct ex_cell cell = {.kernel = kernel, .shape = {.n = 1, .f = 24, .t = 14}, .threads = 1};
        enum kn_op parsed;
        int defaults = 0;
        assert_int_equal(kn_layer_parse(layers[op], &parsed, &cell.shape), 0);
        int count = ex_tune_candidates(&cell, &geometry, EX_BY_TIME, candidate, EX_CANDIDATES);
        assert_in_range(count, 10, EX_CANDIDATES - 1);
        struct kn_tile usual = kernel->resolve(&cell.shape, &none);
        for (int i = 0; i < count; i++) {
            struct kn_tile again = kernel->resolve(&cell.shape, &candidate[i].tile);
            assert_int_equal(kernel->supports(&cell.shape, &candidate[i].tile), 0);
            assert_memory_equal(&again, &candidate[i].tile, sizeof again);
            assert_int_equal(candidate[i].rank, i + 1);
            defaults += !memcmp(&usual, &candidate[i].tile, sizeof usual);
            for (int k = 0; k < i; k++)
                assert_memory_not_equal(&candidate[k].tile, &candidate[i].tile, sizeof usual);
            assert_true(i == 0 || candidate[i - 1].score <= candidate[i].score);
        }
        assert_int_equal(defaults, 1);
        assert_int_equal(ex_tune_candidates(&cell, &geometry, EX_BY_TIME, candidate, 5), 5);
    }
}

static void three_quarters_are_the_best_and_one_is_spread(void **state)
{
    (void)state;
    struct ex_candidate candidate[100] = {0};
    for (int i = 0; i < 100; i++)
        candidate[i].tile.oc = i + 1;
    const struct kn_tile always = {.oc = 50};
    assert_int_equal(ex_tune_choose(candidate, 100, 16, &always), 17);
    for (int i = 0; i < 12; i++)
        assert_true(candidate[i].chosen);
    assert_true(candidate[33].chosen && candidate[55].chosen && candidate[77].chosen && candidate[99].chosen);
    assert_true(candidate[49].chosen && !candidate[12].chosen);
    assert_int_equal(ex_tune_choose(candidate, 5, 16, NULL), 5); /* fewer than wanted: all */
}

static void the_front_is_what_nothing_beats(void **state)
{
    (void)state;
    const double time[] = {1, 2, 3, 2, 1, NAN}, energy[] = {3, 2, 1, 3, 3, 0}, bytes[] = {5, 5, 5, 5, 6, 0};
    const int want[] = {1, 1, 1, 0, 0, 0};
    int front[6];
    ex_pareto(6, time, energy, bytes, front);
    assert_memory_equal(front, want, sizeof want);
    const double unknown[] = {NAN, NAN, NAN};
    const int two[] = {1, 0, 0};
    ex_pareto(3, time, unknown, bytes, front);
    assert_memory_equal(front, two, sizeof two);
}

/* ---- what is said ----------------------------------------------------------------------------------------------- */

/* Three tilings of a layer. */
static const struct ex_tuned tuned[] = {
    {{.oc = 32}, 1, 8, 3e6, 1, 10, 1, 0}, {{.oc = 64}, 2, 9, 2e6, 2, 20, 2, 1}, {{.oc = 16}, 4, 9, 4e6, 4, 40, 9, 0}};
static const struct ex_gain gain = {{.oc = 32}, 2, 1.9, 2.1, 1};

static struct ex_cell tuned_cell(void)
{
    return (struct ex_cell){
        .kernel = kn_best(KN_POINTWISE, KN_FWD), .shape = {1, 64, 64, 312, 14, 1, 1, 0}, .threads = 1};
}

static void estimated_energy_and_simulated_bytes_are_never_called_measured(void **state)
{
    (void)state;
    static const char *const called[EX_OBJECTIVES] = {"measured time", "estimated energy", "estimated edp",
                                                      "simulated bytes"};
    const struct ex_cell cell = tuned_cell();
    for (int i = 0; i < EX_OBJECTIVES; i++) {
        const struct ex_tuned_layer layer = {&cell, 9, tuned, 3, &gain, "estimated", (enum ex_objective)i};
        char text[4096] = "", want[80];
        FILE *to = fmemopen(text, sizeof text, "w");
        assert_non_null(to);
        assert_int_equal(ex_tuned_print(to, &layer), 0);
        fclose(to);
        snprintf(want, sizeof want, "model and %s", called[i]);
        says(text, want);
        snprintf(want, sizeof want, "chosen: %s of the default", called[i]);
        says(text, want);
    }
}

static void the_report_names_sources_front_and_gain(void **state)
{
    (void)state;
    const struct ex_cell cell = tuned_cell();
    const struct ex_tuned_layer layer = {&cell, 9, tuned, 3, &gain, "estimated", EX_BY_TIME};
    struct ex_tuned_table table = {0};
    char text[4096] = "", dir[] = "/tmp/joulerx-tuned-XXXXXX", path[128];
    struct jrx_csv *csv;
    double ratio[3];
    FILE *to = fmemopen(text, sizeof text, "w");
    assert_non_null(to);
    assert_int_equal(ex_tuned_print(to, &layer), 0);
    fclose(to);
    says(text, "9 tilings, 3 measured; rank correlation of model and measured time 1.00");
    says(text, "energy: estimated, bytes between cache levels: simulated");
    says(text, "oc=64  (default)");
    says(text, "chosen: measured time of the default is 2.000 times [1.900, 2.100] that of oc=32");
    assert_null(strstr(text, "oc=16"));
    assert_non_null(mkdtemp(dir));
    assert_int_equal(ex_tuned_add(&table, &layer), 0);
    setenv("JOULERX_HOME", "/nowhere", 1); /* no figure, and no failure for that */
    assert_int_equal(ex_tuned_finish(&table, dir), 0);
    unsetenv("JOULERX_HOME");
    snprintf(path, sizeof path, "%s/tune.csv", dir);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    assert_int_equal(jrx_csv_column(csv, "time_ratio", ratio), 0);
    assert_near(ratio[0], 0.5, 0);
    assert_near(ratio[2], 2, 0);
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "role")), "chosen");
    assert_string_equal(jrx_csv_text(csv, 1, (size_t)jrx_csv_find(csv, "role")), "default");
    assert_string_equal(jrx_csv_text(csv, 2, (size_t)jrx_csv_find(csv, "front")), "0");
    jrx_csv_free(csv);
    free(table.row);
    unlink(path);
    rmdir(dir);
}

/* ---- the tile file ---------------------------------------------------------------------------------------------- */

static void rows_come_back_and_are_used_for_their_call_only(void **state)
{
    (void)state;
    char dir[] = "/tmp/joulerx-tiles-XXXXXX", path[128];
    struct ex_tiles tiles;
    enum ex_tile_from from;
    const struct kn_kernel *kernel = kn_best(KN_POINTWISE, KN_FWD);
    struct kn_shape shape = {1, 64, 64, 312, 14, 1, 1, 0};
    struct ex_tile_row row = {.layer = "pw:c64:k64", .objective = "time", .f = 312, .t = 14, .n = 1, .threads = 1};
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/x.csv", dir);
    snprintf(row.kernel, sizeof row.kernel, "%s", kernel->name);
    row.tile.f = 24;
    row.gain_ratio = 1.25;
    row.gain_ci_lo_ratio = row.gain_ci_hi_ratio = NAN;
    assert_int_equal(ex_tiles_read_file(&tiles, path), 0); /* not there: nothing known */
    assert_int_equal(tiles.rows + tiles.found, 0);
    assert_int_equal(ex_tiles_put(&tiles, &row), 0);
    row.tile.f = 6;
    assert_int_equal(ex_tiles_put(&tiles, &row), 0); /* the same call again */
    assert_int_equal(tiles.rows, 1);
    assert_int_equal(ex_tiles_write(&tiles), 0);
    ex_tiles_fini(&tiles);
    setenv("JOULERX_TILES", path, 1);
    assert_int_equal(ex_tiles_read(&tiles), 0);
    assert_int_equal(tiles.rows, 1);
    assert_near(tiles.row[0].gain_ratio, 1.25, 0);
    assert_int_equal(ex_tiles_get(&tiles, kernel, &shape, 1, &from).f, 6);
    assert_int_equal(from, EX_TILE_FILE);
    tiles.l2_bytes = 1 << 20;
    assert_int_equal(ex_tiles_get(&tiles, kernel, &shape, 2, &from).f, 0); /* more threads: another call */
    assert_int_equal(from, EX_TILE_KERNEL);
    shape.n = 2;
    assert_int_equal(ex_tiles_get(&tiles, kernel, &shape, 1, NULL).f, 0);
    assert_int_equal(ex_tiles_drop(&tiles, &row), 1);
    assert_int_equal(ex_tiles_drop(&tiles, &row), 0);
    ex_tiles_fini(&tiles);
    setenv("JOULERX_TILES", "", 1);
    assert_int_equal(ex_tiles_read(&tiles), 0);
    assert_int_equal(tiles.rows, 0);
    unsetenv("JOULERX_TILES");
    unlink(path);
    rmdir(dir);
}

static void a_damaged_tile_file_gets_one_clear_line(void **state)
{
    (void)state;
    static const struct {
        const char *row, *says;
    } bad[] = {{"pointwise_fwd_ref,pw:c16:k16,8x14,1,1,time,f=zz,1,1,1,,,,\n", "'f=zz' is not understood"},
               {"pointwise_fwd_rev,pw:c16:k16,8x14,1,1,time,f=2,1,1,1,,,,\n", "pointwise_fwd_rev"},
               {"pointwise_fwd_ref,dw:c16,8x14,1,1,time,f=2,1,1,1,,,,\n", "no call of pointwise_fwd_ref"},
               {"pointwise_fwd_ref,pw:c16:k16,8by14,1,1,time,f=2,1,1,1,,,,\n", "grid 8by14"},
               {"pointwise_fwd_ref,pw:c16:k16,8x14,0,1,time,f=2,1,1,1,,,,\n", "batch"},
               {"pointwise_fwd_ref,pw:c16:k16,8x14,1,1,time,f=2,much,1,1,,,,\n", "much"},
               {"pointwise_fwd_ref,pw:c16:k16\n", "fields"}};
    char path[] = "/tmp/joulerx-tiles-XXXXXX";
    struct ex_tiles tiles;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_file(path, bad[i].row);
        assert_int_equal(ex_tiles_read_file(&tiles, path), JRX_EFORMAT);
        says(jrx_last_error(), bad[i].says);
        says(jrx_last_error(), path);
        assert_null(strchr(jrx_last_error(), '\n'));
    }
    put_file(path, "pointwise_fwd_ref,pw:c16:k16,8x14,1,1,time,f=2,1,1,1,,,,\n");
    assert_int_equal(ex_tiles_read_file(&tiles, path), 0);
    ex_tiles_fini(&tiles);
    unlink(path);
}

/* Each names its machine, and every row a gain that its own measurement is sure of. */
static void the_files_of_the_checkout_are_whole(void **state)
{
    (void)state;
    char pattern[PATH_MAX], name[80];
    glob_t files;
    if (ex_home_path("kernels/tiles/*.csv", pattern, sizeof pattern) || glob(pattern, 0, NULL, &files))
        skip_because("no tile files above the tests");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct ex_tiles tiles;
        assert_int_equal(ex_tiles_read_file(&tiles, files.gl_pathv[i]), 0);
        for (int k = 0; k < tiles.rows; k++) {
            snprintf(name, sizeof name, "/%s.csv", tiles.row[k].machine);
            says(files.gl_pathv[i], name);
            assert_true(tiles.row[k].gain_ci_lo_ratio > 1 && *tiles.row[k].date && *tiles.row[k].commit);
        }
        ex_tiles_fini(&tiles);
    }
    globfree(&files);
}

/*
 * Pointwise 256 to 512: a row of 14 pixels of 16 blocks of inputs and 2 (or 1) of results takes 14 * 64 B a block, the
 * weights of a block of results 256 * 16 * 4 B.
 */
static void small_caches_get_smaller_tiles(void **state)
{
    (void)state;
    const struct kn_kernel *kernel = kn_best(KN_POINTWISE, KN_FWD);
    const struct kn_shape shape = {1, 256, 512, 312, 14, 1, 1, 0};
    const struct kn_tile none = {0};
    const struct kn_tile usual = kernel->resolve(&shape, &none);
    double blocks = usual.oc / 16., row = 14 * 64. * (16 + blocks), weights = 256 * 64. * blocks;
    assert_true(usual.f > 3);
    assert_int_equal(ex_tile_for_cache(kernel, &shape, 16 << 20).f, 0);
    assert_int_equal(ex_tile_for_cache(kernel, &shape, 2 * (weights + 3 * row)).f, 3);
    assert_int_equal(ex_tile_for_cache(kernel, &shape, 2 * (weights + 3 * row) - 1).f, 2);
    assert_int_equal(ex_tile_for_cache(kernel, &shape, 1024).f, 1);
    assert_int_equal(ex_tile_for_cache(kernel, &shape, NAN).f, 0);
}

/* Another CPU, with 128 KiB of second level: half of it holds 2 or 3 rows of pointwise 256 to 512, not the
 * default's 12. A network gets them, too; gradients of weights do not, whose rows decide an order of adding. */
static void a_machine_without_a_file_gets_tiles_by_its_caches_and_says_so(void **state)
{
    (void)state;
    struct program p;
    struct ex_tiles tiles;
    enum ex_tile_from from;
    char path[TREE_PATH + 16], said[PATH_MAX];
    const struct kn_shape shape = {1, 256, 512, 312, 14, 1, 1, 0};
    const struct ex_net_call forward = {kn_best(KN_POINTWISE, KN_FWD), shape, 1, 1},
                             weights = {kn_best(KN_POINTWISE, KN_BWD_WEIGHTS), shape, 1, 1};
    program_init(&p);
    snprintf(path, sizeof path, "%s/cpuinfo", p.dir);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    fprintf(to, "vendor_id\t: NobodysCPU\ncpu family\t: 3\nmodel\t\t: 7\n");
    assert_int_equal(fclose(to), 0);
    unsetenv("JOULERX_TILES");
    setenv("HWLOC_SYNTHETIC", "pack:1 l3:1(size=4194304) l2:1(size=131072) l1d:1(size=32768) core:1 pu:1", 1);
    assert_int_equal(ex_tiles_read_for(&tiles, p.dir), 0);
    unsetenv("HWLOC_SYNTHETIC");
    assert_string_equal(tiles.machine, "NobodysCPU-3-7");
    assert_int_equal(tiles.found + tiles.rows, 0);
    says(ex_tiles_say(&tiles, said, sizeof said),
         "no file for NobodysCPU-3-7; defaults, fitted to a second level of 128 KiB");
    assert_in_range(ex_tiles_get(&tiles, forward.kernel, &shape, 1, &from).f, 1, 3);
    assert_int_equal(from, EX_TILE_CACHES);
    assert_in_range(ex_net_call_tile(&tiles, &forward, &from).f, 1, 3);
    assert_int_equal(ex_net_call_tile(&tiles, &weights, &from).f, 0);
    assert_int_equal(from, EX_TILE_KERNEL);
    ex_tiles_fini(&tiles);
    program_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_price_levels_and_objectives),
        cmocka_unit_test(candidates_are_what_the_kernel_takes_once_each_and_sorted),
        cmocka_unit_test(three_quarters_are_the_best_and_one_is_spread),
        cmocka_unit_test(the_front_is_what_nothing_beats),
        cmocka_unit_test(the_report_names_sources_front_and_gain),
        cmocka_unit_test(estimated_energy_and_simulated_bytes_are_never_called_measured),
        cmocka_unit_test(rows_come_back_and_are_used_for_their_call_only),
        cmocka_unit_test(a_damaged_tile_file_gets_one_clear_line),
        cmocka_unit_test(the_files_of_the_checkout_are_whole),
        cmocka_unit_test(small_caches_get_smaller_tiles),
        cmocka_unit_test(a_machine_without_a_file_gets_tiles_by_its_caches_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
