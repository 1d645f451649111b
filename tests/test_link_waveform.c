/* models/link: the waveform engine against the grid engine, and against theory where they must differ. */
#include "models/link/channel.h"
#include "models/link/ofdm.h"
#include "models/link/slot.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"

static struct lk_config still(void)
{
    struct lk_config config = lk_config_default();
    config.engine = LK_WAVEFORM;
    config.doppler_hz[0] = config.doppler_hz[1] = 0;
    config.delay_spread_s[0] = config.delay_spread_s[1] = 100e-9;
    config.snr_db[0] = config.snr_db[1] = 100;
    return config;
}

/* Mean over REs and antennas of |y - h x|^2 of one slot */
static double residual(const struct lk_slot *slot)
{
    size_t res = (size_t)slot->f * slot->t, n = res * (size_t)slot->rx;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += pow((double)cabsf(slot->y[i] - slot->h[i] * slot->x[i % res]), 2);
    return sum / (double)n;
}

static void samples_of_a_slot_fill_a_millisecond(void **state)
{
    (void)state;
    for (int size = 128; size <= 4096; size *= 2)
        for (int mu = 0; mu < 2; mu++) {
            int sum = 0;
            for (int t = 0; t < LK_SYMBOLS; t++)
                sum += lk_prefix_samples(15e3 * (1 << mu), t, size) + size;
            assert_int_equal(sum, lk_slot_samples(size));
        }
    assert_int_equal(lk_fft_size(312), 512);
    assert_int_equal(lk_fft_size(12), 128);
    assert_int_equal(lk_fft_size(3276), 4096);
}

/* Delays within the prefix, no Doppler: y = h x to the accuracy of single precision, fractional delays included */
static void a_channel_that_stands_still_multiplies(void **state)
{
    (void)state;
    struct lk_config config = still();
    static const int prbs[] = {1, 26, 60};
    for (int i = 0; i < (test_is_short() ? 1 : 3); i++)
        for (int mu = 0; mu < 2; mu++)
            for (int p = 0; p < LK_PROFILES; p++) {
                if (p == LK_TDLC300 && mu == 1)
                    continue; /* 2.6 us are beyond the prefix at 30 kHz */
                struct lk_slot slot;
                config.prb = prbs[i];
                config.scs_hz = 15e3 * (1 << mu);
                config.profiles = 1u << p;
                assert_int_equal(lk_slot_init(&slot, &config), 0);
                lk_slot_draw(&slot, &config, 4, (uint64_t)i);
                assert_true(residual(&slot) < 2e-10); /* 1e-10 of it noise */
                lk_slot_fini(&slot);
            }
}

/* Same bits, channel, interferer and noise; what is left at 5 Hz is -67 dB of interference between carriers */
static void engines_agree_where_nothing_moves_much(void **state)
{
    (void)state;
    struct lk_config config = still();
    config.doppler_hz[0] = config.doppler_hz[1] = 5;
    config.snr_db[0] = config.snr_db[1] = 10;
    config.sir_db[0] = config.sir_db[1] = 3;
    config.interferers = 2;
    struct lk_slot wave, grid;
    assert_int_equal(lk_slot_init(&wave, &config), 0);
    config.engine = LK_GRID;
    assert_int_equal(lk_slot_init(&grid, &config), 0);
    for (uint64_t index = 0; index < 4; index++) {
        double sum = 0;
        lk_slot_draw(&grid, &config, 6, index);
        config.engine = LK_WAVEFORM;
        lk_slot_draw(&wave, &config, 6, index);
        config.engine = LK_GRID;
        size_t n = (size_t)grid.rx * grid.f * grid.t;
        assert_memory_equal(grid.h, wave.h, n * sizeof *grid.h);
        for (size_t i = 0; i < n; i++)
            sum += pow((double)cabsf(grid.y[i] - wave.y[i]), 2) / (double)n;
        assert_true(sum < 1e-6);
    }
    lk_slot_fini(&wave);
    lk_slot_fini(&grid);
}

/*
 * Power that the other `used` subcarriers leak into one at distance m, from the autocorrelation J0 of the samples:
 * (1 / N^2) sum over |d| < N of (N - |d|) J0(2 pi f_D d Ts) cos(2 pi m d / N); summed over m, averaged over the band.
 */
static double leaked_power(int size, int used, double doppler_hz, double scs_hz)
{
    double sum = 0;
    for (int m = 1; m < used; m++) {
        double power = size;
        for (int d = 1; d < size; d++)
            power += 2 * (size - d) * j0(2 * M_PI * doppler_hz * d / (scs_hz * size)) * cos(2 * M_PI * m * d / size);
        sum += 2.0 * (used - m) / used * power / size / size;
    }
    return sum;
}

/* Jakes: 1 - (1/N + 2/N^2 sum (N - d) J0(..)), all subcarriers in use; published rounded to 0.1 dB */
static void leakage_formula_gives_the_known_levels(void **state)
{
    (void)state;
    static const double known[][2] = {{50, -47.4}, {100, -41.4}, {200, -35.3}, {300, -31.8}, {500, -27.4}};
    for (int i = 0; i < 5; i++) {
        double kept = 1.0 / 512;
        for (int d = 1; d < 512; d++)
            kept += 2.0 * (512 - d) / 512 / 512 * j0(2 * M_PI * known[i][0] * d / 7.68e6);
        assert_near(10 * log10(1 - kept), known[i][1], 0.06);
    }
}

/*
 * One flat path: what the waveform engine adds to h x is the leaked power. A slot and antenna count as one exponential
 * variable at the worst: 5 standard errors of 4 * 800; 5 comparisons, a false alarm in 3e5 runs, and the seed is
 * fixed. h is taken at mid-symbol, not as the mean over it: below 0.1 % of the power here.
 */
static void doppler_leaks_what_theory_says(void **state)
{
    (void)state;
    const int slots = test_draws(800);
    static const double doppler_hz[] = {50, 100, 200, 300, 500};
    struct lk_config config = still();
    config.prb = 5;
    config.rx = 4;
    config.profiles = 1 << LK_TDL_A;
    config.delay_spread_s[0] = config.delay_spread_s[1] = 0;
    config.patterns = 1;
    struct lk_slot slot;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    for (int i = 0; i < 5; i++) {
        config.doppler_hz[0] = config.doppler_hz[1] = doppler_hz[i];
        double sum = 0;
        for (int s = 0; s < slots; s++) {
            lk_slot_draw(&slot, &config, 30, (uint64_t)(s + slots * i));
            sum += residual(&slot) / slots;
        }
        assert_relative(sum, leaked_power(128, 60, doppler_hz[i], 15e3), 5 / sqrt(4.0 * slots));
    }
    lk_slot_fini(&slot);
}

/*
 * Static taps that come e samples after the prefix: e samples of the symbol before, and e of its own missing: 2 e / N
 * of the tap's power. A tenth is allowed for what falls outside the band of used subcarriers (12 of 14 symbols; the
 * first has silence before it) and for chance: one slot averages over 312 subcarriers, 150 slots over the fading.
 */
static void paths_beyond_the_prefix_spill_into_the_next_symbol(void **state)
{
    (void)state;
    const int slots = test_draws(150);
    struct lk_config config = still();
    config.profiles = 1 << LK_TDL_E;
    config.delay_spread_s[0] = config.delay_spread_s[1] = 600e-9;
    config.rx = 4;
    config.prb = 10;
    struct lk_tdl_taps taps;
    lk_tdl_scale(LK_TDL_E, 600e-9, &taps);
    double want = 0, sum = 0;
    for (int l = 0; l < taps.taps; l++) {
        double late_s = taps.delay_s[l] - lk_prefix_s(15e3, 1), after_s = taps.delay_s[l] - lk_prefix_s(15e3, 0);
        want += taps.power[l] * 15e3 * 2 * (12 * fmax(0, late_s) + fmax(0, after_s) * 1 + fmax(0, after_s) * 0.5) /
                LK_SYMBOLS;
    }
    struct lk_slot slot;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    for (int s = 0; s < slots; s++) {
        lk_slot_draw(&slot, &config, 31, (uint64_t)s);
        sum += residual(&slot) / slots;
    }
    assert_relative(sum, want, test_is_short() ? 0.5 : 0.1); /* 7 slots: the fading itself */
    lk_slot_fini(&slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_of_a_slot_fill_a_millisecond),
        cmocka_unit_test(a_channel_that_stands_still_multiplies),
        cmocka_unit_test(engines_agree_where_nothing_moves_much),
        cmocka_unit_test(leakage_formula_gives_the_known_levels),
        cmocka_unit_test(doppler_leaks_what_theory_says),
        cmocka_unit_test(paths_beyond_the_prefix_spill_into_the_next_symbol),
    };
    return cmocka_run_group_tests_name("link_waveform", tests, NULL, NULL);
}
