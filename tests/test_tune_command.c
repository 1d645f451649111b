/* joulerx tune as a command, and what measure and list say of the tile file. */
#include "kernels/kernel.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "tests/support/tile_file.h"

/* Every objective by the model meter: what is written of energies is an estimate and says so. */
static void each_objective_says_whose_energies_it_is_about(void **state)
{
    (void)state;
    static const char *const objective[] = {"energy", "edp", "bytes"};
    struct program p;
    static char text[65536];
    program_init(&p);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(program_run(&p,
                                     "tune pw:c32:k32 --grid=24x14 --budget=4 --meter=model --objective=%s "
                                     "--out=%s.csv --results=r%d -q",
                                     objective[i], objective[i], i),
                         0);
        if (!strstr(p.out, "measured;"))
            continue; /* a very slow machine may end before its first repetition */
        says(p.out, "energy: estimated");
        program_slurp(&p, i == 0 ? "r0/tune.csv" : i == 1 ? "r1/tune.csv" : "r2/tune.csv", text, sizeof text);
        says(text, objective[i]);
        says(text, ",estimated,");
        if (program_shell(&p, "test -e %s.csv", objective[i]))
            continue; /* the default stayed */
        snprintf(text, sizeof text, "%s.csv", objective[i]);
        static char rows[65536];
        program_slurp(&p, text, rows, sizeof rows);
        assert_int_equal(!!strstr(rows, ",estimated,"), i < 2);
    }
    program_fini(&p);
}

static void the_command_refuses_what_cannot_be_and_lists_what_it_would_measure(void **state)
{
    (void)state;
    struct program p;
    program_init(&p);
    assert_int_equal(program_run(&p, "tune pw:c16:k16 --budget=0 --out=x.csv"), 2);
    says(p.err, "--budget=0");
    assert_int_equal(program_run(&p, "tune nosuch"), 2);
    says(p.err, "nosuch");
    assert_int_equal(program_run(&p, "tune"), 2);
    assert_int_equal(program_run(&p, "tune pw:c16:k16 --objective=speed"), 2);
    assert_int_equal(program_run(&p, "tune pw:c16:k16 --out=missing/x.csv"), 1);
    says(p.err, "missing/x.csv");
    assert_int_equal(program_run(&p, "tune pw:c32:k32 --grid=24x14 --dry-run --list=3"), 0);
    says(p.out, "(default)");
    says(p.out, "tilings in the model's order");
    assert_int_equal(program_run(&p, "tune pw:c32:k32 --grid=24x14 --dry-run --list=3 --kernel=pointwise_fwd_ref"), 0);
    says(p.out, "1 tilings, which the traffic model does not know");
    says(p.out, "\n     -         -");
    program_fini(&p);
}

static void the_command_measures_and_leaves_its_files(void **state)
{
    (void)state;
    struct program p;
    program_init(&p);
    assert_int_equal(
        program_run(&p, "tune pw:c32:k32 --grid=24x14 --budget=4 --meter=model --out=t.csv --results=r -q"), 0);
    if (strstr(p.out, "measured;")) { /* a very slow machine may end before its first repetition */
        says(p.out, "energy: estimated");
        assert_int_equal(program_shell(&p, "test -s r/tune.csv"), 0);
    }
    assert_int_equal(program_run(&p, "tune pw:c32:k32 --grid=24x14 --budget=4 --out=t.csv --results=r -q"), 2);
    says(p.err, "holds a run already");
    program_fini(&p);
}

/* Whenever the signal comes: before the handler is there, it ends the program with the same status. */
static void an_interrupted_search_says_so_and_leaves_the_tile_file(void **state)
{
    (void)state;
    static char after[4096];
    struct program p;
    char path[TREE_PATH + 16];
    program_init(&p);
    snprintf(path, sizeof path, "%s/kept.csv", p.dir);
    put_file(path, "pointwise_fwd_ref,pw:c16:k16,24x14,1,1,time,f=3,1.5,1.4,1.6,,,,\n");
    assert_int_equal(program_shell(&p,
                                   "timeout --preserve-status -s INT 1.5 %s tune pw:c64:k64 --budget=600 "
                                   "--meter=model --out=kept.csv --results=r -q",
                                   p.path),
                     130);
    program_slurp(&p, "kept.csv", after, sizeof after);
    says(after, "pointwise_fwd_ref,pw:c16:k16,24x14,1,1,time,f=3,1.5,");
    assert_int_equal(program_shell(&p, "wc -l < kept.csv | grep -qx 2"), 0);
    program_fini(&p);
}

/* Without a file the kernel's default, with one its row: in summary.csv, meta.json and `list tiles`. */
static void measure_and_list_say_where_a_tiling_is_from(void **state)
{
    (void)state;
    static char text[65536];
    static const char line[] = "measure --layer=pw:c16:k16 --grid=24x14 --preset=smoke --reps=3 --meter=model -q";
    const char *kernel = kn_best(KN_POINTWISE, KN_FWD)->name;
    struct program p;
    char path[TREE_PATH + 16];
    program_init(&p);
    snprintf(path, sizeof path, "%s/mine.csv", p.dir);
    snprintf(text, sizeof text, "%s,pw:c16:k16,24x14,1,1,time,f=3,1.5,1.4,1.6,,,,\n", kernel);
    put_file(path, text);
    setenv("JOULERX_TILES", "", 1);
    assert_int_equal(program_run(&p, "%s --out=plain", line), 0);
    program_slurp(&p, "plain/measure/summary.csv", text, sizeof text);
    says(text, ",kernel's default,");
    setenv("JOULERX_TILES", path, 1);
    assert_int_equal(program_run(&p, "%s --out=tuned", line), 0);
    program_slurp(&p, "tuned/measure/summary.csv", text, sizeof text);
    says(text, ",tile file,");
    says(text, "f=3,t=14");
    program_slurp(&p, "tuned/meta.json", text, sizeof text);
    says(text, "mine.csv");
    assert_int_equal(program_run(&p, "%s --tile=f=5 --out=asked", line), 0);
    program_slurp(&p, "asked/measure/summary.csv", text, sizeof text);
    says(text, ",asked,");
    assert_int_equal(program_run(&p, "list tiles %s pw:c16:k16", kernel), 0);
    says(p.out, "mine.csv (1 rows)");
    put_file(path, "pointwise_fwd_ref,pw:c16:k16,24x14,1,1,time,f=zz,1,1,1,,,,\n");
    assert_int_equal(program_run(&p, "%s --out=damaged", line), 1);
    says(p.err, "row 1: tile f=zz");
    unsetenv("JOULERX_TILES");
    program_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_objective_says_whose_energies_it_is_about),
        cmocka_unit_test(the_command_refuses_what_cannot_be_and_lists_what_it_would_measure),
        cmocka_unit_test(the_command_measures_and_leaves_its_files),
        cmocka_unit_test(an_interrupted_search_says_so_and_leaves_the_tile_file),
        cmocka_unit_test(measure_and_list_say_where_a_tiling_is_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
