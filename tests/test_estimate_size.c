/* Experiment estimate-size on a made run: what is observed, what is estimated, and how far they are apart. */
#include "experiments/experiment.h"
#include "harness/base/error.h"
#include "harness/table.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

extern const struct ex_experiment exp_estimate_size;

struct fixture {
    char base[TREE_PATH];
    struct ex_preset preset;
    struct ex_settings settings;
    struct ex_run run;
    struct ex_claim claim[EX_MAX_CLAIMS];
};

/* Two networks of one subcarrier block, batches 1 and 2; each phase at 1, 2 and 6 units in three repetitions. */
static void start(struct fixture *f, const char *source)
{
    static const char *const phase[] = {"inference", "data", "forward", "backward", "update"};
    static const int unit_ns[] = {100000, 900000, 200000, 400000, 50000};
    char text[8192] = "cell,rep,time_ns,energy_j,energy_source\n";
    tree_new(f->base);
    for (int network = 0; network < 2; network++)
        for (int p = 0; p < 5; p++)
            for (int rep = 0; rep < 3; rep++) {
                const int times = rep == 0 ? 2 : rep == 1 ? 1 : 6; /* the median is 2 */
                snprintf(text + strlen(text), sizeof text - strlen(text), "\"width=%s,batch=%d,%s\",%d,%d,%g,%s\n",
                         network ? "0.25" : "0.125", network + 1, phase[p], rep, times * unit_ns[p],
                         1e-6 * times * unit_ns[p], source);
            }
    tree_put(f->base, "train-infer/samples.csv=%s", text);
    tree_put(f->base, "train-infer/summary.csv=width_ratio,batch\n0.125,1\n0.25,2\n");
    tree_put(f->base, "estimate-size/keep=");
    f->preset = (struct ex_preset){.grid_f = 12, .reps = 3};
    f->settings = (struct ex_settings){.preset = &f->preset, .seed = 1, .threads = 1, .sysfs = ""};
    assert_int_equal(jrx_cache_geometry_parse("32K/8,1M/16,32M/16", &f->settings.caches), 0);
    f->run = (struct ex_run){.experiment = &exp_estimate_size, .settings = &f->settings};
    snprintf(f->run.base, sizeof f->run.base, "%s", f->base);
    snprintf(f->run.dir, sizeof f->run.dir, "%s/estimate-size", f->base);
}

static struct jrx_csv *concluded(struct fixture *f)
{
    char path[PATH_MAX + 16];
    struct jrx_csv *csv;
    assert_int_equal(exp_estimate_size.conclude(&f->run, NULL, f->claim, EX_MAX_CLAIMS), 3);
    snprintf(path, sizeof path, "%s/summary.csv", f->run.dir);
    assert_int_equal(jrx_csv_read(&csv, path, exp_estimate_size.summary), 0);
    assert_int_equal(jrx_csv_rows(csv), 4);
    return csv;
}

static double number(const struct jrx_csv *csv, size_t row, const char *column)
{
    double value;
    assert_int_equal(jrx_csv_real(csv, row, (size_t)jrx_csv_find(csv, column), &value), 0);
    return value;
}

/* Medians 2: inference 0.2 ms, forward, backward and update 0.4 + 0.8 + 0.1 ms; two slots at a time halve them. */
static void a_step_is_the_sum_of_its_parts_for_one_slot(void **state)
{
    (void)state;
    static const double time_ms[] = {0.2, 1.3, 0.1, 0.65};
    struct fixture f;
    start(&f, "measured");
    struct jrx_csv *csv = concluded(&f);
    for (size_t row = 0; row < 4; row++) {
        assert_relative(number(csv, row, "time_ms"), time_ms[row], 1e-12);
        assert_relative(number(csv, row, "energy_mj"), 1e3 * time_ms[row], 1e-12); /* 1 J a ms */
        assert_string_equal(jrx_csv_text(csv, row, (size_t)jrx_csv_find(csv, "step")),
                            row % 2 ? "training" : "inference");
    }
    /* backward has two passes of the forward's FLOP, but none for the input of the first layer */
    assert_in_range((int)(100 * number(csv, 1, "flop") / number(csv, 0, "flop")), 250, 350);
    assert_in_range((int)(100 * number(csv, 3, "flop") / number(csv, 2, "flop")), 250, 350);
    assert_relative(number(csv, 1, "clock_time_ms") / number(csv, 0, "clock_time_ms"),
                    number(csv, 1, "flop") / number(csv, 0, "flop"), 1e-12);
    jrx_csv_free(csv);
    tree_free(f.base);
}

static void claims_are_mean_relative_errors_and_need_a_meter(void **state)
{
    (void)state;
    for (int measured = 0; measured < 2; measured++) {
        struct fixture f;
        start(&f, measured ? "measured" : "estimated");
        struct jrx_csv *csv = concluded(&f);
        double time = 0, access = 0, sheet = 0;
        for (size_t row = 0; row < 4; row++) {
            time += fabs(number(csv, row, "clock_time_ms") / number(csv, row, "time_ms") - 1) / 4;
            access += fabs(number(csv, row, "access_energy_mj") / number(csv, row, "energy_mj") - 1) / 4;
            sheet += fabs(number(csv, row, "clock_energy_mj") / number(csv, row, "energy_mj") - 1) / 4;
        }
        assert_relative(f.claim[0].figure, time, 1e-9);
        assert_relative(f.claim[1].figure, access, 1e-9);
        assert_relative(f.claim[2].figure, access - sheet, 1e-9);
        assert_int_equal(f.claim[1].verdict == EX_NOT_TESTABLE, !measured);
        assert_int_equal(f.claim[2].verdict == EX_NOT_TESTABLE, !measured);
        assert_int_equal(strstr(f.claim[1].note, "says nothing") != NULL, !measured);
        jrx_csv_free(csv);
        tree_free(f.base);
    }
}

static void without_train_infer_there_is_one_clear_line(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, "measured");
    tree_put(f.base, "train-infer/samples.csv=cell\n");
    assert_true(exp_estimate_size.conclude(&f.run, NULL, f.claim, EX_MAX_CLAIMS) < 0);
    assert_non_null(strstr(jrx_last_error(), "train-infer/samples.csv"));
    tree_free(f.base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_the_sum_of_its_parts_for_one_slot),
        cmocka_unit_test(claims_are_mean_relative_errors_and_need_a_meter),
        cmocka_unit_test(without_train_infer_there_is_one_clear_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
