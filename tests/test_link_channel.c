/* models/link: the fading channel against the tables and covariances it must have. */
#include "models/link/channel.h"
#include "models/link/normal.h"
#include "models/link/ofdm.h"
#include "models/link/slot.h"
#include "models/link/vec.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"

/* Sums, mean delays and RMS delays of TR 38.901, 7.7.2, worked out away from this code */
static void profiles_have_the_published_moments(void **state)
{
    (void)state;
    static const struct {
        int taps;
        double sum, mean, rms;
    } known[] = {{23, 3.467660, 0.8877, 1.0001},
                 {23, 7.093032, 0.7694, 1.0000},
                 {24, 5.874505, 0.7289, 1.0000},
                 {13, 1.075645, 0.1695, 0.9937},
                 {14, 1.110586, 0.1829, 1.0002}};
    for (int p = LK_TDL_A; p <= LK_TDL_E; p++) {
        const struct lk_tdl *tdl = lk_tdl_get((enum lk_profile)p);
        struct lk_tdl_taps taps;
        lk_tdl_scale((enum lk_profile)p, 1, &taps);
        double sum = tdl->los ? pow(10, tdl->los_db / 10) : 0, power = taps.los, mean = 0, square = 0;
        for (int l = 0; l < tdl->taps; l++) {
            sum += pow(10, (double)tdl->power_db[l] / 10);
            power += taps.power[l];
            mean += taps.power[l] * taps.delay_s[l];
            square += taps.power[l] * taps.delay_s[l] * taps.delay_s[l];
        }
        assert_int_equal(tdl->taps, known[p].taps);
        assert_near(sum, known[p].sum, 1e-6);
        assert_near(power, 1, 1e-12);
        assert_near(mean, known[p].mean, 6e-5);
        assert_near(sqrt(square - mean * mean), known[p].rms, 6e-5);
    }
    struct lk_tdl_taps d, e;
    lk_tdl_scale(LK_TDL_D, 1, &d);
    lk_tdl_scale(LK_TDL_E, 1, &e);
    assert_near(10 * log10(d.los / d.power[0]), 13.3, 1e-4);
    assert_near(10 * log10(e.los / e.power[0]), 22.0, 1e-4);
}

/* The delays of TS 38.104 are rounded to 5 ns: the spreads in their names hold within that */
static void simplified_profiles_have_the_spread_in_their_name(void **state)
{
    (void)state;
    static const double spread_s[] = {30e-9, 100e-9, 300e-9};
    for (int p = LK_TDLA30; p <= LK_TDLC300; p++) {
        struct lk_tdl_taps taps;
        lk_tdl_scale((enum lk_profile)p, 1, &taps);
        double mean = 0, square = 0;
        for (int l = 0; l < taps.taps; l++) {
            mean += taps.power[l] * taps.delay_s[l];
            square += taps.power[l] * taps.delay_s[l] * taps.delay_s[l];
        }
        assert_near(sqrt(square - mean * mean), spread_s[p - LK_TDLA30], 5e-9);
    }
}

static void fast_functions_agree_with_libm(void **state)
{
    (void)state;
    for (int i = 0; i <= 20000; i++) {
        double x = exp(-i / 900.0), u = (i - 10000) / 1234.5;
        lk_floats l = lk_log(lk_all((float)x)), c, s;
        lk_turn(lk_all((float)u), &c, &s);
        assert_near(l[0], log((double)(float)x), 3e-7 * fmax(1, fabs(log(x))));
        assert_near(c[0], cos(2 * M_PI * (double)(float)u), 2e-7);
        assert_near(s[3], sin(2 * M_PI * (double)(float)u), 2e-7);
    }
}

/* 4e6 draws, moments within 5 standard errors: a false alarm in 4e5 runs, and the seed is fixed */
static void fast_normals_have_the_right_moments_and_tails(void **state)
{
    (void)state;
    const int draws = test_draws(4000000);
    float *v = malloc((size_t)draws * sizeof *v);
    double sum = 0, square = 0, fourth = 0, lag = 0, beyond = 0;
    lk_normal(11, 5, (size_t)draws, v);
    for (int i = 0; i < draws; i++) {
        double x = (double)v[i];
        sum += x;
        square += x * x;
        fourth += x * x * x * x;
        lag += i >= 4 ? x * (double)v[i - 4] : 0; /* cosine and sine of one pair lie four apart */
        beyond += fabs(x) > 4;
    }
    double p = erfc(4 * M_SQRT1_2);
    assert_near(sum / draws, 0, 5 / sqrt(draws));
    assert_near(square / draws, 1, 5 * sqrt(2.0 / draws));
    assert_near(fourth / draws, 3, 5 * sqrt(96.0 / draws));
    assert_near(lag / draws, 0, 5 / sqrt(draws));
    assert_near(beyond / draws, p, 5 * sqrt(p / draws));
    float part[37];
    lk_normal(11, 5, 37, part);
    assert_memory_equal(part, v, sizeof part);
    free(v);
}

/*
 * Every (profile, lag): |mean of h(k) conj h(k + dk) - R| within 5 standard errors. The sample mean of a product of
 * unit-power CN variables has a standard error of at most sqrt(2 / slots) a part; 64 comparisons, one false alarm in
 * some 2e4 runs, and the seed is fixed.
 */
static void check_covariance(enum lk_profile profile, int slots, double spread_s, double doppler_hz)
{
    enum { F = 60, RX = 2, T = LK_SYMBOLS };
    static const struct {
        int dk, dt;
    } lag[] = {{0, 0}, {1, 0}, {12, 0}, {59, 0}, {0, 1}, {0, 5}, {0, 13}, {24, 9}};
    double complex sum[8] = {0}, cross = 0;
    double time_s[T];
    static float complex gain[RX * LK_MAX_TAPS * T], h[RX * F * T];
    static struct lk_channel channel;
    for (int t = 0; t < T; t++)
        time_s[t] = lk_symbol_middle_s(15e3, t);
    for (int s = 0; s < slots; s++) {
        lk_channel_draw(&channel, profile, RX, spread_s, doppler_hz, 0, 21, 2 * (uint64_t)s);
        lk_channel_gains(&channel, time_s, T, gain);
        lk_channel_response(&channel, gain, F, 15e3, h);
        for (int i = 0; i < 8; i++)
            sum[i] += h[lag[i].dk * T + lag[i].dt] * conjf(h[0]);
        cross += h[F * T] * conjf(h[0]);
    }
    struct lk_tdl_taps taps;
    lk_tdl_scale(profile, spread_s, &taps);
    for (int i = 0; i < 8; i++) {
        double dt_s = time_s[lag[i].dt] - time_s[0];
        double complex want = taps.los * cexp(2 * I * M_PI * 0.7 * doppler_hz * dt_s);
        for (int l = 0; l < taps.taps; l++)
            want += taps.power[l] * j0(2 * M_PI * doppler_hz * dt_s) *
                    cexp(-2 * I * M_PI * taps.delay_s[l] * 15e3 * lag[i].dk);
        assert_near(creal(sum[i]) / slots, creal(want), 5 * sqrt(2.0 / slots));
        assert_near(cimag(sum[i]) / slots, cimag(want), 5 * sqrt(2.0 / slots));
    }
    assert_near(cabs(cross) / slots, 0, 5 * sqrt(2.0 / slots));
}

static void channels_have_the_covariance_of_their_profile(void **state)
{
    (void)state;
    for (int p = 0; p < LK_PROFILES; p++)
        check_covariance((enum lk_profile)p, test_draws(4000), 300e-9, p % 2 ? 500 : 200);
}

/* h is CN(0, 1): |h|^2 exponential. Moments and the chance of a deep fade, 5 standard errors; 40000 slots */
static void coefficients_are_exactly_complex_normal(void **state)
{
    (void)state;
    enum { F = 1 };
    const int slots = test_draws(40000);
    static struct lk_channel channel;
    static float complex gain[LK_MAX_TAPS * LK_SYMBOLS], h[LK_SYMBOLS];
    double time_s[LK_SYMBOLS] = {0}, fourth = 0, deep = 0;
    for (int s = 0; s < slots; s++) {
        lk_channel_draw(&channel, LK_TDL_A, 1, 300e-9, 0, 0, 8, 2 * (uint64_t)s);
        lk_channel_gains(&channel, time_s, LK_SYMBOLS, gain);
        lk_channel_response(&channel, gain, F, 15e3, h);
        double power = pow((double)cabsf(h[0]), 2);
        fourth += power * power;
        deep += power < 0.01;
    }
    double p = 1 - exp(-0.01);
    assert_near(fourth / slots, 2, 5 * sqrt(20.0 / slots)); /* variance of x^2, x exponential: 24 - 4 */
    assert_near(deep / slots, p, 5 * sqrt(p / slots));
}

/* TS 38.104, G.2.3: r^(((i - j) / (n - 1))^2). 5 standard errors of 4000 slots */
static void antennas_are_correlated_as_asked(void **state)
{
    (void)state;
    enum { RX = 4 };
    const int slots = test_draws(4000);
    static struct lk_channel channel;
    static float complex gain[RX * LK_MAX_TAPS];
    double time_s = 0;
    double complex sum[RX] = {0};
    for (int s = 0; s < slots; s++) {
        lk_channel_draw(&channel, LK_TDL_C, RX, 1e-7, 100, 0.9, 4, 2 * (uint64_t)s);
        lk_channel_gains(&channel, &time_s, 1, gain);
        float complex h[RX] = {0};
        for (int a = 0; a < RX; a++)
            for (int l = 0; l < channel.taps.taps; l++)
                h[a] += gain[a * channel.taps.taps + l];
        for (int a = 0; a < RX; a++)
            sum[a] += h[a] * conjf(h[0]);
    }
    for (int a = 0; a < RX; a++) {
        assert_near(creal(sum[a]) / slots, pow(0.9, a * a / 9.0), 5 * sqrt(2.0 / slots));
        assert_near(cimag(sum[a]) / slots, 0, 5 * sqrt(2.0 / slots));
    }
}

/* A flat channel has one tap whatever the profile; phases wrap without loss at the far end of 273 PRB */
static void far_subcarriers_are_as_exact_as_near_ones(void **state)
{
    (void)state;
    enum { F = 3276 };
    static struct lk_channel channel;
    static float complex gain[LK_MAX_TAPS * LK_SYMBOLS], h[F * LK_SYMBOLS];
    double time_s[LK_SYMBOLS] = {0};
    lk_channel_draw(&channel, LK_TDL_B, 1, 400e-9, 0, 0, 1, 0);
    lk_channel_gains(&channel, time_s, LK_SYMBOLS, gain);
    lk_channel_response(&channel, gain, F, 30e3, h);
    for (int k = 0; k < F; k += 25) {
        double complex want = 0;
        for (int l = 0; l < channel.taps.taps; l++)
            want += gain[l * LK_SYMBOLS] * cexp(-2 * I * M_PI * 30e3 * k * channel.taps.delay_s[l]);
        assert_near(cabs(h[k * LK_SYMBOLS] - want), 0, 1e-5);
    }
}

/* SNR, SIR and SINR per RE and antenna, by ensemble average: powers within 5 standard errors of 600 slots, where a
 * slot counts as 12 independent fades of 2 antennas at the least */
static void powers_are_those_declared(void **state)
{
    (void)state;
    struct lk_config config = lk_config_default();
    const int slots = test_draws(600);
    config.snr_db[0] = config.snr_db[1] = 7;
    config.sir_db[0] = config.sir_db[1] = 3;
    config.prb = 13;
    for (config.interferers = 1; config.interferers <= 3; config.interferers += 2) {
        struct lk_slot slot;
        assert_int_equal(lk_slot_init(&slot, &config), 0);
        size_t res = (size_t)slot.f * slot.t, n = res * (size_t)slot.rx;
        double signal = 0, rest = 0;
        for (int s = 0; s < slots; s++) {
            lk_slot_draw(&slot, &config, 17, (uint64_t)s);
            for (size_t i = 0; i < n; i++) {
                signal += pow((double)cabsf(slot.h[i]), 2) / (double)n;
                rest += pow((double)cabsf(slot.y[i] - slot.h[i] * slot.x[i % res]), 2) / (double)n;
            }
        }
        double declared = pow(10, -0.7) + pow(10, -0.3);
        assert_near(slot.noise_power + slot.interference_power, declared, 1e-12);
        assert_near(slot.sinr_db, -10 * log10(declared), 1e-9);
        assert_relative(signal / slots, 1, 5 / sqrt(slots * 2.0));
        assert_relative(rest / slots, declared, 5 / sqrt(slots * 2.0));
        lk_slot_fini(&slot);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_have_the_published_moments),
        cmocka_unit_test(simplified_profiles_have_the_spread_in_their_name),
        cmocka_unit_test(fast_functions_agree_with_libm),
        cmocka_unit_test(fast_normals_have_the_right_moments_and_tails),
        cmocka_unit_test(channels_have_the_covariance_of_their_profile),
        cmocka_unit_test(coefficients_are_exactly_complex_normal),
        cmocka_unit_test(antennas_are_correlated_as_asked),
        cmocka_unit_test(far_subcarriers_are_as_exact_as_near_ones),
        cmocka_unit_test(powers_are_those_declared),
    };
    return cmocka_run_group_tests_name("link_channel", tests, NULL, NULL);
}
