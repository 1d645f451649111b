/* models/link: closed forms, receivers and the evaluator, each against the others. */
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "models/link/demap.h"
#include "models/link/estimate.h"
#include "models/link/qam.h"
#include "models/link/receivers.h"
#include "models/link/theory.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"
#include <float.h>

enum { ORDERS = 4 };
static const int orders[ORDERS] = {2, 4, 6, 8};
static double linear(double db)
{
    return pow(10, db / 10);
}

/* Worked out from the weights of each Q(k ..) away from this code, to four digits: rounded by 5e-4 at the most */
static void closed_forms_give_the_tabulated_rates(void **state)
{
    (void)state;
    static const struct {
        double snr_db, awgn[ORDERS], one[ORDERS], two[ORDERS];
    } known[] = {
        {0,
         {1.587e-1, 2.873e-1, 3.599e-1, 3.955e-1},
         {2.113e-1, 3.205e-1, 3.794e-1, 4.102e-1},
         {1.151e-1, 2.389e-1, 3.204e-1, 3.664e-1}},
        {9,
         {2.413e-3, 7.786e-2, 1.732e-1, 2.552e-1},
         {5.311e-2, 1.383e-1, 2.238e-1, 2.895e-1},
         {8.161e-3, 5.733e-2, 1.408e-1, 2.191e-1}},
        {15,
         {9.361e-9, 4.465e-3, 6.416e-2, 1.417e-1},
         {1.510e-2, 5.163e-2, 1.163e-1, 1.884e-1},
         {6.770e-4, 8.974e-3, 4.758e-2, 1.157e-1}},
        {24,
         {0, 0, 1.584e-4, 2.006e-2},
         {1.979e-3, 7.701e-3, 2.387e-2, 6.130e-2},
         {1.173e-5, 2.105e-4, 2.392e-3, 1.726e-2}},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (int m = 0; m < ORDERS; m++) {
            double snr = linear(known[i].snr_db);
            if (known[i].awgn[m] > 0)
                assert_relative(lk_theory_awgn(orders[m], snr), known[i].awgn[m], 5e-4);
            assert_relative(lk_theory_rayleigh(orders[m], 1, snr), known[i].one[m], 5e-4);
            assert_relative(lk_theory_rayleigh(orders[m], 2, snr), known[i].two[m], 5e-4);
        }
    /* 16QAM by bit: first pair 1/2 Q(x) + 1/2 Q(3x), second pair Q(x) + 1/2 Q(3x) - 1/2 Q(5x) */
    double x = sqrt(3 * linear(10) / 15), q1 = 0.5 * erfc(x * M_SQRT1_2), q3 = 0.5 * erfc(3 * x * M_SQRT1_2),
           q5 = 0.5 * erfc(5 * x * M_SQRT1_2);
    for (int b = 0; b < 2; b++) {
        assert_relative(lk_theory_awgn_bit(4, b, linear(10)), (q1 + q3) / 2, 1e-6);
        assert_relative(lk_theory_awgn_bit(4, 2 + b, linear(10)), q1 + q3 / 2 - q5 / 2, 1e-6);
    }
}

/* 400000 symbols a point, bit errors within 5 standard errors (bits of a symbol counted as one: conservative);
 * 16 comparisons: a false alarm in 1e5 runs, and the seed is fixed. */
static void hard_decisions_of_both_demappers_meet_the_closed_form(void **state)
{
    (void)state;
    const int draws = test_draws(400000);
    for (int m = 0; m < ORDERS; m++)
        for (int exact = 0; exact < 2; exact++) {
            int bits = orders[m];
            double snr = linear(4 + 3.0 * bits), errors = 0;
            float complex table[256];
            float llr[8];
            struct lk_demapper demapper;
            struct jrx_rng rng;
            lk_demapper_init(&demapper, bits, exact);
            lk_qam_table(bits, table);
            jrx_rng_init(&rng, 5, (uint64_t)(10 * m + exact));
            for (int i = 0; i < draws; i++) {
                uint32_t v = jrx_rng_below(&rng, 1u << bits);
                double a, b;
                jrx_rng_normal2(&rng, &a, &b);
                float complex z = table[v] + (float)sqrt(0.5 / snr) * ((float)a + I * (float)b);
                lk_demap(&demapper, z, (float)(1 / snr), llr);
                for (int k = 0; k < bits; k++)
                    errors += (llr[k] > 0) != (v >> (bits - 1 - k) & 1);
            }
            double want = lk_theory_awgn(bits, snr);
            assert_near(errors / draws / bits, want, 5 * sqrt(want / draws));
        }
}

/* Against the definition in double, over all points of the constellation */
static void exact_llrs_are_the_ratio_of_the_likelihoods(void **state)
{
    (void)state;
    for (int m = 0; m < ORDERS; m++) {
        int bits = orders[m];
        float complex table[256];
        struct lk_demapper exact, nearest;
        lk_demapper_init(&exact, bits, 1);
        lk_demapper_init(&nearest, bits, 0);
        lk_qam_table(bits, table);
        for (int i = 0; i < 200; i++) {
            float complex z = (float)(1.4 * sin(3 * i)) + I * (float)(1.4 * cos(5 * i));
            float noise = (float)linear(-20 + 0.15 * i), got[8], near[8];
            lk_demap(&exact, z, noise, got);
            lk_demap(&nearest, z, noise, near);
            for (int b = 0; b < bits; b++) {
                double sum[2] = {0, 0}, best[2] = {-INFINITY, -INFINITY};
                for (int v = 0; v < 1 << bits; v++) {
                    double complex d = (double complex)z - (double complex)table[v];
                    double metric = -creal(d * conj(d)) / (double)noise;
                    int one = v >> (bits - 1 - b) & 1;
                    sum[one] += exp(metric);
                    best[one] = fmax(best[one], metric);
                }
                if (sum[0] > DBL_MIN && sum[1] > DBL_MIN)
                    assert_near(got[b], log(sum[1] / sum[0]), 1e-3 + 1e-4 * fabs(log(sum[1] / sum[0])));
                assert_near(near[b], best[1] - best[0], 1e-4 + 1e-5 * fabs(best[1] - best[0]));
            }
        }
    }
}

static void run(struct lk_evaluation *e)
{
    if (lk_evaluate(e))
        fail_msg("%s", jrx_last_error());
}

/* A closed-form rate lies in the interval of the simulated one, widened from 2 to 4 standard errors */
static void assert_in_interval(const struct lk_result *r, double want)
{
    double middle = r->ber, half = (r->ber_ci_hi - r->ber_ci_lo) / 2;
    assert_near(middle, want, 2 * half);
    assert_true(half < 0.15 * want || test_is_short()); /* and that says something */
}

/*
 * Perfect CSI, any NLOS profile, delay spread and Doppler: each RE is CN(0, 1), so the mean is the two-branch curve.
 * 8 comparisons of 4 standard errors: a false alarm in 2000 runs, and the seed is fixed.
 */
static void every_nlos_profile_gives_the_rayleigh_curve(void **state)
{
    (void)state;
    static const unsigned profiles[] = {1 << LK_TDL_A, 1 << LK_TDL_B, 1 << LK_TDL_C, 1 << LK_TDLC300};
    double snr_db[] = {3, 15};
    for (int i = 0; i < 4; i++) {
        struct lk_evaluation e = {.config = lk_config_default(), .receivers = lk_receiver_get("genie")};
        e.receiver_count = 1;
        e.config.profiles = profiles[i];
        e.config.delay_spread_s[0] = 200e-9;
        e.snr_db = snr_db;
        e.points = 2;
        e.seed = 40 + (uint64_t)i;
        e.slots = test_draws(500);
        run(&e);
        for (int p = 0; p < 2; p++)
            assert_in_interval(&e.results[p], lk_theory_rayleigh(4, 2, linear(snr_db[p])));
        lk_evaluation_fini(&e);
    }
}

/* All four modulations, one and four antennas; 5 comparisons of 4 standard errors: a false alarm in 3000 runs */
static void every_modulation_and_antenna_count_gives_its_curve(void **state)
{
    (void)state;
    for (int m = 0; m < 5; m++) {
        struct lk_evaluation e = {.config = lk_config_default(), .receivers = lk_receiver_get("genie")};
        double snr_db = m == 4 ? 6 : 3 + 2 * orders[m];
        e.receiver_count = 1;
        e.config.profiles = 1 << LK_TDL_A | 1 << LK_TDL_B | 1 << LK_TDL_C;
        e.config.delay_spread_s[0] = 300e-9;
        e.config.modulation = m == 4 ? LK_16QAM : (enum lk_modulation)orders[m];
        e.config.rx = m == 4 ? 4 : 1;
        e.snr_db = &snr_db;
        e.points = 1;
        e.seed = 50 + (uint64_t)m;
        e.slots = test_draws(400);
        run(&e);
        assert_in_interval(e.results, lk_theory_rayleigh((int)e.config.modulation, e.config.rx, linear(snr_db)));
        lk_evaluation_fini(&e);
    }
}

/* Interpolation is exact for a channel that is linear in frequency and time, and noise-free pilots */
static void least_squares_recovers_a_linear_channel(void **state)
{
    (void)state;
    struct lk_config config = lk_config_default();
    config.prb = 3;
    struct lk_slot slot;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    float complex h[2 * 36 * 14];
    for (int p = 0; p < 12; p++) {
        config.patterns = 1u << p;
        lk_slot_draw(&slot, &config, 2, 0);
        int one = p < 2 || p == 4 || p == 8; /* pilot symbol: the channel must stand still */
        for (int a = 0; a < 2; a++)
            for (int k = 0; k < slot.f; k++)
                for (int t = 0; t < slot.t; t++) {
                    int i = (a * slot.f + k) * slot.t + t;
                    float bend = a && p >= 4 && !one ? 0.002f * (float)(k * t) : 0;
                    slot.h[i] = (1 + 0.02f * (float)k - I * 0.03f * (float)k) +
                                (one ? 0 : (float)t * (0.1f * I - 0.05f)) + bend;
                    slot.y[i] = slot.h[i] * slot.x[k * slot.t + t];
                }
        lk_estimate_ls(&slot, h);
        for (int i = 0; i < 2 * slot.f * slot.t; i++)
            assert_near(cabsf(h[i] - slot.h[i]), 0, 1e-5);
    }
    lk_slot_fini(&slot);
}

/* One DMRS symbol cannot follow 400 Hz: LS stays above 5 % at 30 dB, two symbols come below a quarter of that, and the
 * known channel below both. Far from any chance: the paired intervals exclude 0 by a wide margin. */
static void least_squares_floors_at_high_doppler(void **state)
{
    (void)state;
    double ber[2][2], snr_db = 30;
    for (int two = 0; two < 2; two++) {
        struct lk_evaluation e = {.config = lk_config_default()};
        const struct lk_receiver both[] = {*lk_receiver_get("genie"), *lk_receiver_get("ls")};
        e.receivers = both;
        e.receiver_count = 2;
        e.config.patterns = two ? 0xc : 0x3;
        e.config.doppler_hz[0] = e.config.doppler_hz[1] = 300;
        e.config.prb = 6;
        e.snr_db = &snr_db;
        e.points = 1;
        e.seed = 60;
        e.slots = 100;
        run(&e);
        double difference, interval[2];
        assert_int_equal(lk_evaluation_difference(&e, 0, 1, 0, &difference, interval), 0);
        assert_near(difference, e.results[1].ber - e.results[0].ber, 1e-12);
        assert_true(interval[0] > 0 && interval[0] < difference && difference < interval[1]);
        for (int r = 0; r < 2; r++)
            ber[two][r] = e.results[r].ber;
        lk_evaluation_fini(&e);
    }
    assert_true(ber[0][1] > 0.05 && ber[1][1] < ber[0][1] / 4 && ber[1][0] < ber[1][1] / 4);
}

static void results_do_not_depend_on_threads(void **state)
{
    (void)state;
    double snr_db[] = {0, 10};
    struct lk_evaluation e[2];
    for (int i = 0; i < 2; i++) {
        e[i] = (struct lk_evaluation){.config = lk_config_default(), .snr_db = snr_db, .points = 2, .seed = 3};
        e[i].receivers = lk_receivers(&e[i].receiver_count);
        e[i].config.prb = 4;
        e[i].slots = 70;
        e[i].threads = i ? 3 : 1;
        e[i].relative_precision = 0.2;
        run(&e[i]);
    }
    for (int c = 0; c < 2 * e[0].receiver_count; c++) {
        e[1].results[c].time_s = e[0].results[c].time_s;
        assert_memory_equal(&e[0].results[c], &e[1].results[c], sizeof e[0].results[c]);
    }
    for (int i = 0; i < 2; i++)
        lk_evaluation_fini(&e[i]);
}

/* Exact LLRs of a known channel promise what comes true, in every bin with errors enough, 5 standard errors (bits of
 * a slot as independent, which the known channel makes them given the channel); information taken at its word is all
 * there is. */
static void genie_llrs_are_calibrated(void **state)
{
    (void)state;
    double snr_db = 6;
    struct lk_evaluation e = {.config = lk_config_default(), .receivers = lk_receiver_get("genie"), .seed = 8};
    e.receiver_count = 1;
    e.snr_db = &snr_db;
    e.points = 1;
    e.slots = 100;
    run(&e);
    const struct lk_calibration *c = &e.results[0].calibration;
    double bits = 0, errors = 0;
    for (int b = 0; b < LK_LLR_BINS; b++) {
        bits += (double)c->bits[b];
        errors += (double)c->errors[b];
        assert_near((double)c->errors[b], c->promised[b], 5 * sqrt(c->promised[b]) + 1);
    }
    assert_int_equal(bits, e.results[0].bits);
    assert_int_equal(errors, e.results[0].bit_errors);
    assert_near(e.results[0].mi_bits_per_re, e.results[0].mi_matched_bits_per_re, 0.02);
    assert_true(e.results[0].mi_ci_lo < e.results[0].mi_bits_per_re &&
                e.results[0].mi_bits_per_re < e.results[0].mi_ci_hi);
    for (int b = 1; b < LK_LLR_BINS; b++)
        assert_true(lk_llr_bin_edge(b) > lk_llr_bin_edge(b - 1));
    assert_near(lk_llr_bin_edge(1), 1.0 / 16, 0);
    assert_near(lk_llr_bin_edge(LK_LLR_BINS - 1), 4096, 0);
    double by_position = 0;
    for (int b = 0; b < 4; b++)
        by_position += e.results[0].ber_of_bit[b] / 4;
    assert_near(by_position, e.results[0].ber, 1e-12);
    assert_true(isnan(e.results[0].ber_of_bit[4]));
    lk_evaluation_fini(&e);
}

/* 200 samples of 60 slots whose errors are Poisson-like by slot: 95 % intervals hold the truth in 90..99 % of them.
 * Coverage 0.95 less the known small-sample loss of the percentile bootstrap; outside that range once in 1e3 runs. */
static void bootstrap_intervals_cover_as_promised(void **state)
{
    (void)state;
    enum { RUNS = 200, SLOTS = 60 };
    struct jrx_rng rng;
    jrx_rng_init(&rng, 12, 0);
    int hit = 0;
    for (int r = 0; r < RUNS; r++) {
        double errors[SLOTS], bits[SLOTS], interval[2];
        for (int s = 0; s < SLOTS; s++) {
            double a, b;
            jrx_rng_normal2(&rng, &a, &b);
            bits[s] = 100;
            errors[s] = 5 * (a * a + b * b); /* exponential, mean 10 */
        }
        assert_int_equal(lk_bootstrap(errors, bits, SLOTS, 100 + (uint64_t)r, interval), 0);
        hit += interval[0] <= 0.1 && 0.1 <= interval[1];
    }
    assert_in_range(hit, 180, 198);
}

static int stop_after_first(void *context, int64_t done, int64_t planned)
{
    int *calls = context;
    assert_true(done > 0 && done <= planned);
    return ++*calls == 1;
}

static void an_interrupted_run_keeps_what_it_has(void **state)
{
    (void)state;
    int calls = 0;
    struct lk_evaluation e = {.config = lk_config_default(), .receivers = lk_receiver_get("ls"), .seed = 8};
    e.receiver_count = 1;
    e.points = 1;
    e.slots = 1000;
    e.progress = stop_after_first;
    e.context = &calls;
    assert_int_equal(lk_evaluate(&e), JRX_EINTERRUPTED);
    assert_int_equal(calls, 1);
    assert_true(e.results[0].slots > 0 && e.results[0].slots < 1000);
    assert_true(e.results[0].bits > 0 && e.results[0].ber > 0);
    lk_evaluation_fini(&e);
}

static void a_tight_interval_ends_a_point_early(void **state)
{
    (void)state;
    double snr_db = -4;
    struct lk_evaluation e = {.config = lk_config_default(), .receivers = lk_receiver_get("genie"), .seed = 8};
    e.receiver_count = 1;
    e.snr_db = &snr_db;
    e.points = 1;
    e.slots = 5000;
    e.relative_precision = 0.1;
    run(&e);
    assert_int_equal(e.results[0].slots, 64);
    assert_true((e.results[0].ber_ci_hi - e.results[0].ber_ci_lo) / 2 <= 0.1 * e.results[0].ber);
    lk_evaluation_fini(&e);
}

static int say_nan(void *self, const struct lk_slot *slot, float *llr)
{
    (void)self;
    for (int i = 0; i < slot->f * slot->t * slot->bits; i++)
        llr[i] = NAN;
    return 0;
}

static int nan_new(const void *context, const struct lk_config *config, struct lk_detector *detector)
{
    (void)context, (void)config;
    *detector = (struct lk_detector){.name = "broken", .detect = say_nan};
    return 0;
}

static void nan_free(struct lk_detector *detector)
{
    (void)detector;
}

static void bad_evaluations_are_refused_with_a_line(void **state)
{
    (void)state;
    const struct lk_receiver broken = {"broken", nan_new, nan_free, NULL};
    struct lk_evaluation e = {.config = lk_config_default(), .receivers = &broken, .points = 1, .slots = 8};
    e.receiver_count = 1;
    assert_int_equal(lk_evaluate(&e), JRX_EIMPLAUSIBLE);
    assert_non_null(strstr(jrx_last_error(), "receiver broken: LLR nan"));
    assert_null(e.results);
    e.slots = 0;
    assert_int_equal(lk_evaluate(&e), JRX_EINVAL);
    double snr_db = NAN;
    e.slots = 1;
    e.snr_db = &snr_db;
    assert_int_equal(lk_evaluate(&e), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "snr_db"));
    assert_null(lk_receiver_get("zf"));
    assert_non_null(strstr(jrx_last_error(), "no receiver 'zf'; there are genie, genie-maxlog, "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_forms_give_the_tabulated_rates),
        cmocka_unit_test(hard_decisions_of_both_demappers_meet_the_closed_form),
        cmocka_unit_test(exact_llrs_are_the_ratio_of_the_likelihoods),
        cmocka_unit_test(every_nlos_profile_gives_the_rayleigh_curve),
        cmocka_unit_test(every_modulation_and_antenna_count_gives_its_curve),
        cmocka_unit_test(least_squares_recovers_a_linear_channel),
        cmocka_unit_test(least_squares_floors_at_high_doppler),
        cmocka_unit_test(results_do_not_depend_on_threads),
        cmocka_unit_test(genie_llrs_are_calibrated),
        cmocka_unit_test(bootstrap_intervals_cover_as_promised),
        cmocka_unit_test(an_interrupted_run_keeps_what_it_has),
        cmocka_unit_test(a_tight_interval_ends_a_point_early),
        cmocka_unit_test(bad_evaluations_are_refused_with_a_line),
    };
    return cmocka_run_group_tests_name("link_receivers", tests, NULL, NULL);
}
