/*
 * What experiments conclude, from tables made for the purpose with numbers worked by hand: verdict, figure, interval.
 * Every block of slots holds the same counts unless it says otherwise, so that intervals are those over trainings.
 */
#include "experiments/quality.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <stdarg.h>
#include <sys/stat.h>

enum { BITS = 100000, USUAL = 1000, RECEIVERS = EX_NETWORKS + EX_CLASSICAL };

static const double ln2 = 0.69314718055994531, t1 = 12.706204736, t2 = 4.3026527297, t11 = 2.2009851601;

struct fixture {
    char root[TREE_PATH];
    struct ex_preset preset;
    struct ex_zoo *zoo;
    struct ex_settings settings;
    int errors[RECEIVERS]; /* of each receiver in each block at each SINR */
    struct ex_claim claim[EX_MAX_CLAIMS];
};

/* A run of preset smoke with the values "key=value", ... NULL. */
static void start(struct fixture *f, ...)
{
    va_list list;
    const char *pair;
    memset(f, 0, sizeof *f);
    tree_new(f->root);
    assert_int_equal(ex_preset_read(&f->preset, "smoke"), 0);
    static const char *const none[] = {"temperatures", "mixes", "teachers", "shares"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(ex_preset_set(&f->preset, none[i], ""), 0);
    va_start(list, f);
    while ((pair = va_arg(list, const char *))) {
        char key[32];
        snprintf(key, sizeof key, "%.*s", (int)strcspn(pair, "="), pair);
        assert_int_equal(ex_preset_set(&f->preset, key, pair + strlen(key) + 1), 0);
    }
    va_end(list);
    assert_int_equal(ex_zoo_new(&f->zoo, &f->preset, 1), 0);
    f->settings = (struct ex_settings){.preset = &f->preset, .zoo = f->zoo};
    for (int i = 0; i < RECEIVERS; i++)
        f->errors[i] = USUAL;
}

static void stop(struct fixture *f)
{
    ex_zoo_free(f->zoo);
    tree_free(f->root);
}

static void put_counts(const struct fixture *f)
{
    char path[TREE_PATH + 32];
    tree_put(f->root, "ber/claims.csv=");
    snprintf(path, sizeof path, "%s/ber/samples.csv", f->root);
    FILE *to = fopen(path, "we");
    assert_non_null(to);
    fprintf(to, "rep,receiver,sinr_db,bits,bit_errors\n");
    for (int r = 0; r < ex_receivers(f->zoo); r++)
        for (int p = 0; p < f->preset.sinr_db.count; p++)
            for (int b = 0; b < EX_BLOCKS; b++)
                fprintf(to, "%d,%s,%g,%d,%d\n", b, ex_receiver_name(f->zoo, r), f->preset.sinr_db.value[p], BITS,
                        f->errors[r]);
    assert_int_equal(fclose(to), 0);
}

/* Lets an experiment conclude from what lies in the folder; how many claims. */
static int conclude(struct fixture *f, const char *name)
{
    const struct ex_experiment *experiment = ex_find(name);
    struct ex_run run = {.experiment = experiment, .settings = &f->settings};
    assert_non_null(experiment);
    snprintf(run.base, sizeof run.base, "%s", f->root);
    snprintf(run.dir, sizeof run.dir, "%s/%s", f->root, name);
    mkdir(run.dir, 0777);
    int count = experiment->conclude(&run, NULL, f->claim, EX_MAX_CLAIMS);
    if (count < 0)
        print_error("%s: %s\n", name, jrx_last_error());
    return count;
}

static void is_claim(const struct ex_claim *claim, const char *id, enum ex_verdict verdict, double figure, double lo,
                     double hi)
{
    assert_string_equal(claim->id, id);
    assert_string_equal(ex_verdict_name(claim->verdict), ex_verdict_name(verdict));
    assert_relative(claim->figure, figure, 1e-6);
    assert_relative(claim->lo, lo, 1e-6);
    assert_relative(claim->hi, hi, 1e-6);
}

/* A number of the summary: column of row. */
static double summary(const struct fixture *f, const char *name, size_t row, const char *column)
{
    char path[TREE_PATH + 64];
    struct jrx_csv *csv;
    double value;
    snprintf(path, sizeof path, "%s/%s/summary.csv", f->root, name);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    int at = jrx_csv_find(csv, column);
    assert_true(at >= 0);
    assert_int_equal(jrx_csv_real(csv, row, (size_t)at, &value), 0);
    jrx_csv_free(csv);
    return value;
}

/* ---- intervals ---- */

/* Two receivers, one training, one point: a makes 110 and 90 errors in turn, b always 100. Without a block of 110 the
 * sum is 1200 - 110, without one of 90 it is 1200 - 90; six of each lie d/2 from their mean, so the error is sqrt(11)
 * d/2. */
static void slots_are_left_out_of_all_receivers_at_once(void **state)
{
    (void)state;
    const double sinr_db = 0, d = log((1200.0 - 90) / (1200 - 110)), half = t11 * sqrt(11) * d / 2;
    double errors[2 * EX_BLOCKS], bits[2 * EX_BLOCKS];
    struct ex_quality quality = {2, 1, &sinr_db, errors, bits};
    struct jrx_estimate e;
    for (int b = 0; b < EX_BLOCKS; b++) {
        errors[b] = b % 2 ? 90 : 110;
        errors[EX_BLOCKS + b] = 100;
        bits[b] = bits[EX_BLOCKS + b] = BITS;
    }
    const struct ex_side side[] = {{1, {0}}, {-1, {1}}};
    ex_contrast(&quality, side, 2, 1, 0, 1, &e);
    assert_relative(e.value, 1, 1e-12);
    assert_relative(e.low, exp(-half), 1e-8);
    assert_relative(e.high, exp(half), 1e-8);
    /* what both see alike is no difference */
    for (int b = 0; b < EX_BLOCKS; b++)
        errors[EX_BLOCKS + b] = errors[b] / 2;
    ex_contrast(&quality, side, 2, 1, 0, 1, &e);
    assert_relative(e.value, 2, 1e-12);
    assert_relative(e.high, 2, 1e-12);
    /* and a bit error rate of one side is one */
    ex_contrast(&quality, side, 1, 1, 0, 1, &e);
    assert_relative(e.value, 100.0 / BITS, 1e-12);
    assert_relative(e.high, 100.0 / BITS * exp(half), 1e-8);
    memset(errors, 0, EX_BLOCKS * sizeof *errors);
    ex_contrast(&quality, side, 2, 1, 0, 1, &e);
    assert_true(isnan(e.value) && isnan(e.low)); /* no error, no ratio */
}

/* Two pairs of trainings with ratios 2 and 8 on slots that change both alike: logarithms l and 3 l, mean 2 l, error l.
 */
static void trainings_and_slots_add_in_squares(void **state)
{
    (void)state;
    const double sinr_db = 0, d = log((1200.0 - 90) / (1200 - 110)), half = hypot(t1 * ln2, t11 * sqrt(11) * d / 2);
    double errors[4 * EX_BLOCKS], bits[4 * EX_BLOCKS];
    struct ex_quality quality = {4, 1, &sinr_db, errors, bits};
    struct jrx_estimate e;
    for (int b = 0; b < EX_BLOCKS; b++)
        for (int r = 0; r < 4; r++) {
            errors[r * EX_BLOCKS + b] = r < 2 ? (b % 2 ? 90 : 110) * (r ? 8 : 2) : 100;
            bits[r * EX_BLOCKS + b] = BITS;
        }
    const struct ex_side side[] = {{1, {0, 1}}, {-1, {2, 3}}};
    ex_contrast(&quality, side, 2, 2, 0, 1, &e);
    assert_relative(e.value, 4, 1e-9);
    assert_relative(e.low, 4 * exp(-half), 1e-7);
    assert_relative(e.high, 4 * exp(half), 1e-7);
}

static double normal(struct jrx_rng *rng)
{
    double a, b;
    jrx_rng_normal2(rng, &a, &b);
    return a;
}

/* 1000 made worlds in which nothing differs but by chance: the pairs by 2 %, the blocks, alike for all pairs, by 30 %.
 * 95 of 100 intervals should hold 1; over trainings alone fewer than 60 do. Deterministic: the seed is fixed. */
static void intervals_hold_the_truth_as_often_as_they_say(void **state)
{
    (void)state;
    enum { WORLDS = 1000, SEEDS = 3 };
    const double sinr_db = 0;
    double errors[2 * SEEDS * EX_BLOCKS], bits[2 * SEEDS * EX_BLOCKS], ratio[SEEDS];
    struct ex_quality quality = {2 * SEEDS, 1, &sinr_db, errors, bits};
    const struct ex_side side[] = {{1, {0, 1, 2}}, {-1, {3, 4, 5}}};
    int both = 0, trainings = 0;
    struct jrx_rng rng;
    jrx_rng_init(&rng, 8, 0);
    for (int world = 0; world < WORLDS; world++) {
        struct jrx_estimate e;
        double block[EX_BLOCKS], sum[SEEDS] = {0};
        for (int b = 0; b < EX_BLOCKS; b++)
            block[b] = exp(0.3 * normal(&rng));
        for (int s = 0; s < SEEDS; s++) {
            const double own = exp(0.02 * normal(&rng));
            for (int b = 0; b < EX_BLOCKS; b++) {
                errors[s * EX_BLOCKS + b] = 1000 * own * block[b] / exp(0.045);
                errors[(SEEDS + s) * EX_BLOCKS + b] = 1000;
                bits[s * EX_BLOCKS + b] = bits[(SEEDS + s) * EX_BLOCKS + b] = BITS;
                sum[s] += errors[s * EX_BLOCKS + b] / 1000 / EX_BLOCKS;
            }
            ratio[s] = sum[s];
        }
        ex_contrast(&quality, side, 2, SEEDS, 0, 1, &e);
        both += e.low < 1 && e.high > 1;
        e = ex_over_seeds(ratio, SEEDS);
        trainings += e.low < 1 && e.high > 1;
    }
    printf("held by %d of %d intervals, by %d over trainings alone\n", both, WORLDS, trainings);
    assert_in_range(both, 930, 990);
    assert_true(trainings < 600);
}

/* ---- claims ---- */

static void pair(struct fixture *f, double width, int seed, int scratch, int distilled)
{
    f->errors[ex_zoo_student(f->zoo, RX_SCRATCH, width, seed)] = scratch;
    f->errors[ex_zoo_student(f->zoo, RX_DISTILLED, width, seed)] = distilled;
}

/* Ratios 0.5 and 0.8 at the two widths: their geometric mean is the root of 0.4, in both trainings. */
static void floors_of_students_are_compared_over_all_widths(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, "widths=0.125,0.25", "seeds=2", NULL);
    for (int seed = 1; seed <= 2; seed++) {
        pair(&f, 0.125, seed, 2000, 1000);
        pair(&f, 0.25, seed, 1000, 800);
    }
    put_counts(&f);
    assert_int_equal(conclude(&f, "student-width"), 1);
    is_claim(f.claim, "kd-floor", EX_SUPPORTED, sqrt(0.4), sqrt(0.4), sqrt(0.4));
    assert_near(summary(&f, "student-width", 0, "distilled_over_scratch_ratio"), 0.5, 1e-9);
    assert_near(summary(&f, "student-width", 1, "distilled_over_scratch_ratio"), 0.8, 1e-9);
    assert_near(summary(&f, "student-width", 1, "distilled_ratio"), 800.0 / BITS, 1e-12);
    /* the second training turns round: logarithms -m and m, error m, t of one degree of freedom */
    pair(&f, 0.125, 2, 1000, 2000);
    pair(&f, 0.25, 2, 800, 1000);
    put_counts(&f);
    assert_int_equal(conclude(&f, "student-width"), 1);
    const double m = -log(0.4) / 2;
    is_claim(f.claim, "kd-floor", EX_INCONCLUSIVE, 1, exp(-t1 * m), exp(t1 * m));
    pair(&f, 0.125, 1, 1000, 2000);
    pair(&f, 0.25, 1, 800, 1000);
    put_counts(&f);
    assert_int_equal(conclude(&f, "student-width"), 1);
    is_claim(f.claim, "kd-floor", EX_REFUTED, sqrt(2.5), sqrt(2.5), sqrt(2.5));
    stop(&f);
}

/* The hot cell is worse by 2, 2 and 4 in three trainings: logarithms l, l, 2 l; mean 4/3 l, error l/3, its variance as
 * of 1/3 + 1/2 trainings instead of 1/3. */
static void cells_of_the_grid_are_chosen_by_the_other_trainings(void **state)
{
    (void)state;
    struct fixture f;
    static const int cold[] = {1000, 1000, 1000}, hot[] = {2000, 2000, 4000};
    start(&f, "temperatures=1,4", "mixes=0.5", "seeds=3", NULL);
    for (int seed = 1; seed <= 3; seed++) {
        f.errors[ex_zoo_grid(f.zoo, 1, 0.5, seed)] = cold[seed - 1];
        f.errors[ex_zoo_grid(f.zoo, 4, 0.5, seed)] = hot[seed - 1];
    }
    put_counts(&f);
    assert_int_equal(conclude(&f, "temperature"), 1);
    const double mean = 4 * ln2 / 3, half = t2 * ln2 / 3 * sqrt(2.5);
    is_claim(f.claim, "kd-hyper", EX_INCONCLUSIVE, exp(mean), exp(mean - half), exp(mean + half));
    assert_near(summary(&f, "temperature", 0, "temperature_ratio"), 1, 0);
    assert_relative(summary(&f, "temperature", 1, "floor_ratio"), exp(mean) * 1000 / BITS, 1e-9);
    assert_relative(summary(&f, "temperature", 1, "over_scratch_ratio"), exp(mean) * 1000 / USUAL, 1e-9);
    f.errors[ex_zoo_grid(f.zoo, 4, 0.5, 3)] = 2000; /* now by 2 in each */
    put_counts(&f);
    assert_int_equal(conclude(&f, "temperature"), 1);
    is_claim(f.claim, "kd-hyper", EX_SUPPORTED, 2, 2, 2);
    stop(&f);
    /* Two trainings that contradict each other. Whoever chose and judged by the same would find 2; each chosen by the
     * other finds a half, twice. */
    start(&f, "temperatures=1,4", "mixes=0.5", "seeds=2", NULL);
    f.errors[ex_zoo_grid(f.zoo, 1, 0.5, 1)] = f.errors[ex_zoo_grid(f.zoo, 4, 0.5, 2)] = 1000;
    f.errors[ex_zoo_grid(f.zoo, 4, 0.5, 1)] = f.errors[ex_zoo_grid(f.zoo, 1, 0.5, 2)] = 2000;
    put_counts(&f);
    assert_int_equal(conclude(&f, "temperature"), 1);
    is_claim(f.claim, "kd-hyper", EX_REFUTED, 0.5, 0.5, 0.5);
    stop(&f);
}

/* Floors by the wide teacher over those by the narrow one: 500/1000 twice; then 500/1000 and 2000/1000. */
static void students_of_the_widest_and_the_narrowest_teacher_are_compared(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, "teachers=0.5", "seeds=2", NULL);
    const int wide = 0, narrow = 1; /* 0.25, and half of it */
    assert_near(f.zoo->network[narrow].width, 0.125, 0);
    f.errors[wide] = 300;
    f.errors[narrow] = 600;
    for (int seed = 1; seed <= 2; seed++) {
        f.errors[ex_zoo_taught(f.zoo, wide, seed)] = 500;
        f.errors[ex_zoo_taught(f.zoo, narrow, seed)] = 1000;
    }
    put_counts(&f);
    assert_int_equal(conclude(&f, "teacher-size"), 1);
    is_claim(f.claim, "teacher-size", EX_SUPPORTED, 0.5, 0.5, 0.5);
    assert_near(summary(&f, "teacher-size", 0, "width_ratio"), 0.125, 0); /* the narrowest first */
    assert_relative(summary(&f, "teacher-size", 0, "teacher_ratio"), 600.0 / BITS, 1e-9);
    assert_relative(summary(&f, "teacher-size", 1, "teacher_ratio"), 300.0 / BITS, 1e-9);
    assert_relative(summary(&f, "teacher-size", 1, "student_ratio"), 500.0 / BITS, 1e-9);
    assert_relative(summary(&f, "teacher-size", 1, "over_scratch_ratio"), 500.0 / USUAL, 1e-9);
    f.errors[ex_zoo_taught(f.zoo, wide, 2)] = 2000;
    put_counts(&f);
    assert_int_equal(conclude(&f, "teacher-size"), 1);
    is_claim(f.claim, "teacher-size", EX_INCONCLUSIVE, 1, exp(-t1 * ln2), exp(t1 * ln2));
    f.errors[ex_zoo_taught(f.zoo, wide, 1)] = 2000;
    put_counts(&f);
    assert_int_equal(conclude(&f, "teacher-size"), 1);
    is_claim(f.claim, "teacher-size", EX_REFUTED, 2, 2, 2);
    stop(&f);
}

static void shares(struct fixture *f, double share, int seed, int scratch, int distilled)
{
    f->errors[ex_zoo_share(f->zoo, RX_SCRATCH, share, seed)] = scratch;
    f->errors[ex_zoo_share(f->zoo, RX_DISTILLED, share, seed)] = distilled;
}

/* With half the slots distillation halves the errors, with all it leaves 0.9: the ratio of ratios is 1.8. */
static void the_gain_with_all_slots_is_compared_to_that_with_the_fewest(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, "shares=0.5", "seeds=2", NULL);
    for (int seed = 1; seed <= 2; seed++) {
        shares(&f, 0.5, seed, 2000, 1000);
        shares(&f, 1, seed, 1000, 900);
    }
    put_counts(&f);
    assert_int_equal(conclude(&f, "data-size"), 1);
    is_claim(f.claim, "kd-data", EX_SUPPORTED, 1.8, 1.8, 1.8);
    assert_relative(summary(&f, "data-size", 0, "distilled_over_scratch_ratio"), 0.5, 1e-9);
    assert_relative(summary(&f, "data-size", 1, "distilled_over_scratch_ratio"), 0.9, 1e-9);
    assert_near(summary(&f, "data-size", 0, "slots"), 80, 0); /* half of 40 steps of 4 */
    shares(&f, 1, 1, 1000, 250); /* one gains more: 0.5 and 1.8, logarithms apart by d: error d/2 */
    put_counts(&f);
    assert_int_equal(conclude(&f, "data-size"), 1);
    const double mean = log(0.5 * 1.8) / 2, half = t1 * log(1.8 / 0.5) / 2;
    is_claim(f.claim, "kd-data", EX_INCONCLUSIVE, exp(mean), exp(mean - half), exp(mean + half));
    shares(&f, 1, 2, 1000, 250);
    put_counts(&f);
    assert_int_equal(conclude(&f, "data-size"), 1);
    is_claim(f.claim, "kd-data", EX_REFUTED, 0.5, 0.5, 0.5);
    stop(&f);
    start(&f, "shares=0.5", "seeds=1", NULL); /* the luck of a single training is not known */
    shares(&f, 0.5, 1, 2000, 1000);
    put_counts(&f);
    assert_int_equal(conclude(&f, "data-size"), 1);
    assert_int_equal(f.claim->verdict, EX_INCONCLUSIVE);
    assert_relative(f.claim->figure, 2, 1e-9);
    assert_true(isnan(f.claim->lo) && isnan(f.claim->hi));
    stop(&f);
}

/* Two pupils. Time: (40 + 60)/2 + 1000/2 = 550 s over 3 - 1 = 2 ms, between 2.9 - 1.1 and 3.1 - 0.9. Energy: (2e5 +
 * 4e5)/2
 * + 4e6/2 = 2.3e6 J over 30 - 10 = 20 mJ, between 29 - 11 and 31 - 9. */
static void put_costs(const struct fixture *f, const char *energy, const char *teacher_energy, const char *teacher_time,
                      const char *student_ms)
{
    tree_put(f->root,
             "learning/networks.csv=network,processor_s,processor_source,energy_j,energy_source\n"
             "teacher,1000,%s,4e6,%s\ndistilled-w0.125-s1,40,measured,2e5,%s\ndistilled-w0.125-s2,60,measured,4e5,%s\n",
             teacher_time, teacher_energy, energy, energy);
    tree_put(f->root,
             "frontier/summary.csv=receiver,time_ms,time_ci_lo_ms,time_ci_hi_ms,energy_mj,energy_ci_lo_mj,"
             "energy_ci_hi_mj,energy_source\nteacher,3,2.9,3.1,30,29,31,%s\ndistilled-w0.125-s1,%s,10,9,11,%s\n",
             energy, student_ms, energy);
}

static void a_student_pays_back_its_training_and_its_share(void **state)
{
    (void)state;
    struct fixture f;
    const double day = 86.4e6;
    start(&f, "seeds=2", NULL);
    put_costs(&f, "measured", "measured", "measured", "1,0.9,1.1");
    assert_int_equal(conclude(&f, "payback"), 2);
    is_claim(&f.claim[0], "payback-energy", EX_REFUTED, 1.15e8 / day, 2.3e6 / 0.022 / day, 2.3e6 / 0.018 / day);
    is_claim(&f.claim[1], "payback-time", EX_SUPPORTED, 275000 / day, 250000 / day, 550 / 1.8e-3 / day);
    assert_near(summary(&f, "payback", 0, "students"), 2, 0);
    assert_relative(summary(&f, "payback", 0, "energy_payback_slots"), 1.15e8, 1e-9);
    assert_relative(summary(&f, "payback", 0, "energy_payback_whole_slots"), 4.3e6 / 0.02, 1e-9);
    assert_relative(summary(&f, "payback", 0, "time_payback_whole_slots"), 1050 / 2e-3, 1e-9);
    assert_relative(summary(&f, "payback", 0, "saved_per_slot_mj"), 20, 1e-9);
    /* energies that a profile made up support nothing and refute nothing */
    put_costs(&f, "estimated", "estimated", "measured", "1,0.9,1.1");
    assert_int_equal(conclude(&f, "payback"), 2);
    is_claim(&f.claim[0], "payback-energy", EX_NOT_TESTABLE, 1.15e8 / day, 2.3e6 / 0.022 / day, 2.3e6 / 0.018 / day);
    assert_int_equal(f.claim[0].source, JRX_ESTIMATED);
    assert_int_equal(f.claim[1].verdict, EX_SUPPORTED);
    stop(&f);
}

static void what_a_teacher_took_and_nobody_measured_decides_nothing(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, "seeds=2", NULL);
    put_costs(&f, "measured", "estimated", "estimated", "1,0.9,1.1");
    assert_int_equal(conclude(&f, "payback"), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f.claim[i].verdict, EX_INCONCLUSIVE);
        assert_int_equal(f.claim[i].source, JRX_ESTIMATED);
        assert_non_null(strstr(f.claim[i].note, "what the teacher took is estimated"));
    }
    assert_relative(f.claim[1].figure, 275000 / 86.4e6, 1e-9);
    stop(&f);
}

static void a_student_that_saves_nothing_never_pays_back(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, "seeds=2", NULL);
    put_costs(&f, "measured", "measured", "measured", "4,3.9,4.1"); /* 4 ms beside the teacher's 3 */
    assert_int_equal(conclude(&f, "payback"), 2);
    assert_int_equal(f.claim[1].verdict, EX_REFUTED);
    assert_true(isnan(f.claim[1].figure));
    assert_non_null(strstr(f.claim[1].note, "never"));
    assert_true(isnan(summary(&f, "payback", 0, "time_payback_slots")));
    put_costs(&f, "measured", "measured", "measured", "2.95,2.85,3.05"); /* it may save or not */
    assert_int_equal(conclude(&f, "payback"), 2);
    assert_int_equal(f.claim[1].verdict, EX_INCONCLUSIVE);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_left_out_of_all_receivers_at_once),
        cmocka_unit_test(trainings_and_slots_add_in_squares),
        cmocka_unit_test(intervals_hold_the_truth_as_often_as_they_say),
        cmocka_unit_test(floors_of_students_are_compared_over_all_widths),
        cmocka_unit_test(cells_of_the_grid_are_chosen_by_the_other_trainings),
        cmocka_unit_test(students_of_the_widest_and_the_narrowest_teacher_are_compared),
        cmocka_unit_test(the_gain_with_all_slots_is_compared_to_that_with_the_fewest),
        cmocka_unit_test(a_student_pays_back_its_training_and_its_share),
        cmocka_unit_test(what_a_teacher_took_and_nobody_measured_decides_nothing),
        cmocka_unit_test(a_student_that_saves_nothing_never_pays_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
