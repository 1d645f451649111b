/* The study's experiments from beginning to end, as users start them: what each needs is run before it, an empty list
 * is nothing to do, a trained teacher can be given. Seconds of training: the numbers mean nothing and are not looked
 * at. */
#include "harness/table.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include <unistd.h>

#define SMALL                                                                                                          \
    "--preset=smoke --student-steps=20 --teacher-steps=20 --slots=1 --sinr-db=9,15 --reps=2 --grid-f=12 "              \
    "--window-s=0.001 --meter=model --counters=none --threads=1 "

static struct program p;

static size_t rows_of(const char *file, const char *column, const char *value)
{
    char path[TREE_PATH + 128];
    struct jrx_csv *csv;
    size_t count = 0;
    snprintf(path, sizeof path, "%s/%s", p.dir, file);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    int at = jrx_csv_find(csv, column);
    assert_true(at >= 0);
    for (size_t row = 0; row < jrx_csv_rows(csv); row++)
        count += !value || !strcmp(jrx_csv_text(csv, row, (size_t)at), value);
    jrx_csv_free(csv);
    return count;
}

static double number(const char *file, size_t row, const char *column)
{
    char path[TREE_PATH + 128];
    struct jrx_csv *csv;
    double value = NAN;
    snprintf(path, sizeof path, "%s/%s", p.dir, file);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    assert_int_equal(jrx_csv_real(csv, row, (size_t)jrx_csv_find(csv, column), &value), 0);
    jrx_csv_free(csv);
    return value;
}

static void each_comparison_runs_what_it_needs_and_ends_with_its_claim(void **state)
{
    (void)state;
    static const char *const claims[] = {"kd-floor", "kd-hyper",       "teacher-size",
                                         "kd-data",  "payback-energy", "payback-time"};
    assert_int_equal(
        program_run(&p, "run student-width temperature teacher-size data-size payback --quiet --out=r " SMALL), 0);
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        says(p.out, claims[i]);
    /* 16 networks (test_zoo counts them), 20 stretches each; and 3 classical receivers, 2 points, 12 blocks */
    assert_int_equal(rows_of("r/learning/samples.csv", "network", NULL), 16 * 20);
    assert_int_equal(rows_of("r/ber/samples.csv", "receiver", NULL), 19 * 2 * 12);
    assert_int_equal(rows_of("r/ber/samples.csv", "receiver", "genie"), 2 * 12);
    assert_int_equal(rows_of("r/student-width/summary.csv", "width_ratio", "0.125"), 1);
    assert_int_equal(rows_of("r/temperature/summary.csv", "mix_ratio", "0.5"), 2);
    assert_int_equal(rows_of("r/teacher-size/summary.csv", "width_ratio", NULL), 2);
    assert_int_equal(rows_of("r/data-size/summary.csv", "share_ratio", NULL), 2);
    assert_int_equal(rows_of("r/payback/summary.csv", "energy_source", "estimated"), 1);
    /* a meter that estimates supports no claim about energy */
    assert_int_equal(rows_of("r/payback/claims.csv", "verdict", "not testable on this machine (no energy meter)"), 1);
}

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* Of the 20 stretches of each of both trainings, so the mean of the two in the middle. */
static double median_processor_ns(const char *first, const char *second)
{
    char path[TREE_PATH + 128];
    struct jrx_csv *csv;
    double value[40];
    int n = 0;
    snprintf(path, sizeof path, "%s/r/learning/samples.csv", p.dir);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    size_t name = (size_t)jrx_csv_find(csv, "network"), column = (size_t)jrx_csv_find(csv, "cpu_time_ns");
    for (size_t row = 0; row < jrx_csv_rows(csv); row++)
        if (!strcmp(jrx_csv_text(csv, row, name), first) || !strcmp(jrx_csv_text(csv, row, name), second)) {
            assert_true(n < 40);
            assert_int_equal(jrx_csv_real(csv, row, column, &value[n++]), 0);
        }
    jrx_csv_free(csv);
    assert_int_equal(n, 40);
    qsort(value, 40, sizeof *value, ascending);
    return (value[19] + value[20]) / 2;
}

static void what_distilling_takes_is_told_in_processor_time(void **state)
{
    (void)state;
    assert_int_equal(rows_of("r/learning/claims.csv", "claim", "distill-time"), 1);
    assert_relative(number("r/learning/claims.csv", 1, "figure_ratio"),
                    median_processor_ns("distilled-w0.125-s1", "distilled-w0.125-s2") /
                        median_processor_ns("scratch-w0.125-s1", "scratch-w0.125-s2"),
                    1e-9);
}

/* In the run of the comparison above: what a slot saves is noise there, and may be less than nothing. */
static void students_that_never_pay_back_are_drawn_as_well(void **state)
{
    (void)state;
    char path[TREE_PATH + 128];
    snprintf(path, sizeof path, "%s/r/payback/summary.csv", p.dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("width_ratio,energy_payback_slots,energy_payback_ci_lo_slots,energy_payback_ci_hi_slots,"
          "energy_payback_whole_slots,energy_source,teacher_processor_source,time_payback_slots,"
          "time_payback_ci_lo_slots,time_payback_ci_hi_slots,time_payback_whole_slots\n"
          "0.125,,,,,estimated,measured,,,,\n"
          "0.25,,,,,estimated,measured,5e4,4e4,6e4,1e5\n",
          file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(program_run(&p, "report r"), 0);
}

static void a_run_says_what_it_will_take_and_keeps_what_could_be_measured(void **state)
{
    (void)state;
    assert_int_equal(program_run(&p, "run student-width --resume=r --threads=1"), 0); /* nothing is left to do */
    says(p.err, "expected: ");
    says(p.err, "J (estimated: profile ");
    assert_int_equal(program_shell(&p, "grep -q '\"meter\": \"model\"' r/doctor.json"), 0);
    assert_int_not_equal(program_shell(&p, "grep -q '\"fix\"' r/doctor.json"), 0); /* they name this machine's paths */
}

/* That two tables hold the same text in a column, row by row. */
static void same_column(const char *a, const char *b, const char *column)
{
    const char *const file[] = {a, b};
    struct jrx_csv *csv[2];
    for (int i = 0; i < 2; i++) {
        char path[TREE_PATH + 128];
        snprintf(path, sizeof path, "%s/%s", p.dir, file[i]);
        assert_int_equal(jrx_csv_read(&csv[i], path, NULL), 0);
    }
    assert_int_equal(jrx_csv_rows(csv[0]), jrx_csv_rows(csv[1]));
    for (size_t row = 0; row < jrx_csv_rows(csv[0]); row++)
        assert_string_equal(jrx_csv_text(csv[0], row, (size_t)jrx_csv_find(csv[0], column)),
                            jrx_csv_text(csv[1], row, (size_t)jrx_csv_find(csv[1], column)));
    jrx_csv_free(csv[0]);
    jrx_csv_free(csv[1]);
}

static void a_killed_training_goes_on_and_learns_the_same(void **state)
{
    (void)state;
    static const char *const columns[] = {"cell", "step", "bce_ratio", "ber_ratio"};
    static const char *const signals[] = {"TERM", "KILL"}; /* said, and not */
    for (int i = 0; i < 2; i++)
        assert_int_equal(program_shell(&p,
                                       "%s run learning --quiet %s >log 2>&1 & job=$!; i=0; "
                                       "while [ $(cat k/learning/samples.csv.part 2>/dev/null | wc -l) -lt %d ] && "
                                       "[ $i -lt 3000 ]; do sleep 0.01; i=$((i+1)); done; kill -%s $job; wait $job; "
                                       "[ -e k/learning/samples.csv.part ]",
                                       p.path, i ? "--resume=k --threads=1" : "--out=k " SMALL, 21 + 20 * i,
                                       signals[i]),
                         0);
    assert_int_equal(program_run(&p, "run learning --quiet --resume=k --threads=1"), 0);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        same_column("r/learning/samples.csv", "k/learning/samples.csv", columns[i]);
}

static void an_empty_list_is_nothing_to_do_and_no_claim(void **state)
{
    (void)state;
    assert_int_equal(program_run(&p, "run temperature --dry-run --temperatures= " SMALL), 0);
    says(p.out, "temperature                      nothing to do in this preset: it lists no temperatures or no mixes");
    assert_int_equal(program_run(&p, "run data-size --dry-run --shares= --teachers= --temperatures= " SMALL), 0);
    says(p.out, "data-size                        nothing to do in this preset");
}

static void a_dry_run_lists_networks_and_every_cell_if_asked(void **state)
{
    (void)state;
    assert_int_equal(program_run(&p, "run data-size --dry-run " SMALL), 0);
    says(p.out, "\n  scratch-w0.125-s2-d0.5         20 stretches ");
    says(p.out, " receivers x 2 SINR points, 12 times each ");
    says(p.out, "\ndata-size                        concludes from learning,ber\n");
    says(p.out, "J (estimated: profile ");
    assert_null(strstr(p.out, "20/20"));
    assert_int_equal(program_run(&p, "run data-size --cells " SMALL), 0);
    says(p.out, "\n  scratch-w0.125-s2-d0.5,20/20   x 1 ");
    says(p.out, "\n  genie,sinr=15dB                x 12 ");
}

static void a_trained_teacher_can_be_given_and_must_fit(void **state)
{
    (void)state;
    assert_int_equal(program_run(&p, "run learning --quiet --out=g --teacher=r/models/teacher.safetensors --seeds=1 "
                                     "--teachers= --shares= --temperatures= " SMALL),
                     0);
    assert_int_equal(rows_of("g/learning/samples.csv", "role", "teacher"), 0);
    assert_int_equal(rows_of("g/learning/samples.csv", "role", "distilled"), 20);
    assert_int_equal(program_shell(&p, "cmp r/models/teacher.safetensors g/models/teacher.safetensors"), 0);
    /* another recipe for the same slots is a teacher as well, and its own recipe is what the run tells of it */
    assert_int_equal(program_run(&p,
                                 "train --preset=smoke --steps=30 --warmup=9 --average=0.9 --width=0.5 --validate=0 "
                                 "--meter=model --threads=1 --quiet two.safetensors"),
                     0);
    assert_int_equal(program_run(&p, "run payback --quiet --out=t --teacher=two.safetensors --seeds=1 --teachers= "
                                     "--shares= --temperatures= " SMALL),
                     0);
    assert_int_equal(rows_of("t/learning/networks.csv", "given", "1"), 1);
    assert_int_equal(rows_of("t/learning/networks.csv", "steps", "30"), 1);
    assert_int_equal(rows_of("t/learning/networks.csv", "warmup_steps", "9"), 1);
    assert_int_equal(rows_of("t/learning/networks.csv", "processor_source", "measured"), 3);
    assert_int_equal(rows_of("t/payback/summary.csv", "teacher_processor_source", "measured"), 1);
    assert_int_equal(program_shell(&p, "rm two.safetensors"), 0);
    assert_int_equal(program_run(&p, "run payback --quiet --resume=t --threads=1"), 0); /* has a copy of it */
    /* one of a run does not know what it took: its FLOP at the mean rate of the others */
    assert_int_equal(rows_of("g/learning/networks.csv", "processor_source", "estimated"), 1);
    double s[3], flop[3];
    for (size_t row = 0; row < 3; row++) {
        s[row] = number("g/learning/networks.csv", row, "processor_s");
        flop[row] = number("g/learning/networks.csv", row, "train_flop");
    }
    assert_relative(s[0], flop[0] * (s[1] + s[2]) / (flop[1] + flop[2]), 1e-9);
    assert_int_equal(program_run(&p, "train --preset=smoke --steps=2 --pilots=1 --validate=0 --quiet one.safetensors"),
                     0);
    assert_int_equal(program_run(&p, "run learning --out=h --teacher=one.safetensors " SMALL), 2);
    says(p.err, "by its pilots");
    assert_int_equal(program_run(&p, "run learning --out=h --teacher=r/models/distilled-w0.125-s1.safetensors " SMALL),
                     2);
    says(p.err, "teacher of its own");
    assert_int_not_equal(program_run(&p, "run learning --out=h --teacher=none.safetensors " SMALL), 0);
    says(p.err, "none.safetensors");
}

static int setup(void **state)
{
    (void)state;
    program_init(&p);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    program_fini(&p);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_comparison_runs_what_it_needs_and_ends_with_its_claim),
        cmocka_unit_test(what_distilling_takes_is_told_in_processor_time),
        cmocka_unit_test(students_that_never_pay_back_are_drawn_as_well),
        cmocka_unit_test(a_run_says_what_it_will_take_and_keeps_what_could_be_measured),
        cmocka_unit_test(a_killed_training_goes_on_and_learns_the_same),
        cmocka_unit_test(an_empty_list_is_nothing_to_do_and_no_claim),
        cmocka_unit_test(a_dry_run_lists_networks_and_every_cell_if_asked),
        cmocka_unit_test(a_trained_teacher_can_be_given_and_must_fit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
