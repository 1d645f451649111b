/* models/link: sequences, pilots, constellations, and the slot that is put together from them. */
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "models/link/dmrs.h"
#include "models/link/gold.h"
#include "models/link/normal.h"
#include "models/link/ofdm.h"
#include "models/link/qam.h"
#include "models/link/slot.h"
#include "tests/support/test.h"
#include <complex.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* 38.211, 5.2.1 and 6.4.1.1.1.1: vectors of the two recurrences written out over 0/1 lists, away from this code */
static void gold_sequences_start_as_known(void **state)
{
    (void)state;
    static const struct {
        int n_s, l, n_id;
        uint32_t c_init;
        const char *bits;
    } known[] = {
        {0, 2, 0, 393216, "01100100011110000101000000111000"},
        {0, 11, 0, 1572864, "01011011100000101000001011101010"},
        {0, 2, 1, 1179650, "00001110000001000111100000000000"},
        {3, 2, 1, 17694722, "00111001001101011010111001010110"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        uint8_t c[32];
        assert_int_equal(lk_dmrs_c_init(known[i].n_s, known[i].l, known[i].n_id), known[i].c_init);
        lk_gold(known[i].c_init, 32, c);
        for (int b = 0; b < 32; b++)
            assert_int_equal(c[b], known[i].bits[b] - '0');
    }
}

static void pilots_are_the_gold_bits_in_pairs(void **state)
{
    (void)state;
    float complex r[16];
    uint8_t scratch[32];
    lk_dmrs(0, 2, 0, 16, r, scratch);
    const char *bits = "01100100011110000101000000111000";
    for (int m = 0; m < 16; m++) {
        assert_near(crealf(r[m]), (bits[2 * m] == '1' ? -1 : 1) * M_SQRT1_2, 1e-7);
        assert_near(cimagf(r[m]), (bits[2 * m + 1] == '1' ? -1 : 1) * M_SQRT1_2, 1e-7);
    }
}

/* 38.211, 5.1: the axis levels of facts written out by hand, lowest level first */
static void constellations_follow_the_standard(void **state)
{
    (void)state;
    static const struct {
        int bits;
        double power;
        const char *axis; /* bits of levels -max .. +max in steps of two */
    } known[] = {
        {2, 2, "1 0"},
        {4, 10, "11 10 00 01"},
        {6, 42, "111 110 100 101 001 000 010 011"},
        {8, 170, "1111 1110 1100 1101 1001 1000 1010 1011 0011 0010 0000 0001 0101 0100 0110 0111"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        int bits = known[i].bits, half = bits / 2, levels = 1 << half;
        float complex table[256];
        double power = 0;
        lk_qam_table(bits, table);
        for (int v = 0; v < 1 << bits; v++) {
            int at[2] = {-1, -1};
            for (int axis = 0; axis < 2; axis++)
                for (int l = 0; l < levels; l++) {
                    int same = 1;
                    for (int b = 0; b < half; b++)
                        same &= (known[i].axis[l * (half + 1) + b] - '0') == (v >> (bits - 1 - 2 * b - axis) & 1);
                    if (same)
                        at[axis] = 2 * l - levels + 1;
                }
            assert_near(crealf(table[v]), at[0] / sqrt(known[i].power), 1e-6);
            assert_near(cimagf(table[v]), at[1] / sqrt(known[i].power), 1e-6);
            power += crealf(table[v] * conjf(table[v]));
        }
        assert_near(power / (1 << bits), 1, 1e-6);
    }
}

static void numerology_fills_the_slot(void **state)
{
    (void)state;
    for (int mu = 0; mu < 2; mu++) {
        double scs_hz = 15e3 * (1 << mu), sum = 0;
        for (int t = 0; t < LK_SYMBOLS; t++)
            sum += lk_prefix_s(scs_hz, t) + 1 / scs_hz;
        assert_near(sum, 1e-3 / (1 << mu), 1e-12);
    }
    assert_near(lk_prefix_s(15e3, 0) * 7.68e6, 40, 1e-9); /* samples of a 512-point FFT */
    assert_near(lk_prefix_s(15e3, 7) * 7.68e6, 40, 1e-9);
    assert_near(lk_prefix_s(15e3, 3) * 7.68e6, 36, 1e-9);
    assert_near(lk_prefix_s(30e3, 0) * 15.36e6, 44, 1e-9);
    assert_near(lk_prefix_s(30e3, 7) * 15.36e6, 36, 1e-9);
    assert_near(lk_symbol_middle_s(15e3, 0), (40 + 256) / 7.68e6, 1e-12);
}

static void each_pattern_has_its_pilots_and_its_data_budget(void **state)
{
    (void)state;
    static const int pilots[LK_PATTERNS] = {156, 156, 312, 312, 156, 312, 468, 624, 156, 312, 468, 624};
    struct lk_config config = lk_config_default();
    struct lk_slot slot;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    for (int p = 0; p < LK_PATTERNS; p++) {
        config.patterns = 1u << p;
        lk_slot_draw(&slot, &config, 1, 12);
        const struct lk_pattern *pattern = lk_pattern_get(p);
        int count[3] = {0};
        for (int k = 0; k < slot.f; k++)
            for (int t = 0; t < slot.t; t++) {
                int i = k * slot.t + t, at = -1;
                count[slot.re[i]]++;
                for (int s = 0; s < pattern->symbols; s++)
                    at = pattern->symbol[s] == t ? s : at;
                int want = at < 0                           ? LK_DATA
                           : k % 2 == pattern->comb[at]     ? LK_PILOT
                           : lk_pattern_get(p)->data_beside ? LK_DATA
                                                            : LK_EMPTY;
                assert_int_equal(slot.re[i], want);
                double power = crealf(slot.xp[i] * conjf(slot.xp[i]));
                assert_near(power, want == LK_PILOT ? pattern->data_beside ? 1 : 2 : 0, 1e-6);
                assert_true(slot.x[i] == slot.xp[i] || want == LK_DATA);
            }
        assert_int_equal(count[LK_PILOT], pilots[p]);
        assert_int_equal(count[LK_DATA], 4368 - pilots[p] * (pattern->data_beside ? 1 : 2));
    }
    /* slot 12 is slot 2 of the second frame; pilot m of the comb is r(m) */
    config.patterns = 1 << 1;
    config.dmrs_id = 77;
    lk_slot_draw(&slot, &config, 1, 12);
    float complex r[156];
    uint8_t scratch[312];
    lk_dmrs(2, 2, 77, 156, r, scratch);
    for (int m = 0; m < 156; m++)
        assert_true(slot.xp[(2 * m + 1) * slot.t + 2] == r[m]);
    lk_slot_fini(&slot);
}

/* y = h x + n on every RE, with the bits that the symbol says; deep SNR so that n is small */
static void what_is_heard_is_what_was_sent_through_the_channel(void **state)
{
    (void)state;
    struct lk_config config = lk_config_default();
    config.rx = 3;
    config.prb = 5;
    config.snr_db[0] = config.snr_db[1] = 90;
    static const enum lk_modulation modulations[] = {LK_QPSK, LK_16QAM, LK_64QAM, LK_256QAM};
    for (int m = 0; m < 4; m++) {
        config.modulation = modulations[m];
        struct lk_slot slot;
        assert_int_equal(lk_slot_init(&slot, &config), 0);
        float complex table[256];
        lk_qam_table(slot.bits, table);
        for (uint64_t index = 0; index < 4; index++) {
            lk_slot_draw(&slot, &config, 3, index);
            int res = slot.f * slot.t;
            for (int i = 0; i < res; i++) {
                int value = 0;
                for (int b = 0; b < slot.bits; b++)
                    value = value << 1 | slot.bit[i * slot.bits + b];
                if (slot.re[i] == LK_DATA)
                    assert_true(slot.x[i] == table[value]);
                else
                    assert_int_equal(value, 0);
                for (int a = 0; a < slot.rx; a++)
                    assert_near(cabsf(slot.y[a * res + i] - slot.h[a * res + i] * slot.x[i]), 0, 3e-4);
            }
        }
        lk_slot_fini(&slot);
    }
}

static void a_slot_is_the_same_in_any_thread_and_order(void **state)
{
    (void)state;
    enum { SLOTS = 24 };
    struct lk_config config = lk_config_default();
    config.sir_db[0] = 0, config.sir_db[1] = 36;
    config.interferers = 2;
    struct lk_slot slots[2];
    static float complex first[SLOTS][2 * 312 * 14];
    assert_int_equal(lk_slot_init(&slots[0], &config), 0);
    assert_int_equal(lk_slot_init(&slots[1], &config), 0);
    for (int i = 0; i < SLOTS; i++) {
        lk_slot_draw(&slots[0], &config, 9, (uint64_t)i);
        memcpy(first[i], slots[0].y, sizeof first[i]);
    }
    int differ = 0;
#pragma omp parallel for num_threads(2) reduction(+ : differ) schedule(dynamic)
    for (int k = 0; k < SLOTS; k++) {
        struct lk_slot *slot = &slots[omp_get_thread_num()];
        int i = (k * 7 + 5) % SLOTS;
        lk_slot_draw(slot, &config, 9, (uint64_t)i);
        differ += memcmp(first[i], slot->y, sizeof first[i]) != 0;
    }
    assert_int_equal(differ, 0);
    lk_slot_draw(&slots[0], &config, 10, 0);
    assert_memory_not_equal(first[0], slots[0].y, sizeof first[0]);
    for (int i = 0; i < 2; i++)
        lk_slot_fini(&slots[i]);
}

static void a_slot_is_the_same_with_every_instruction_set(void **state)
{
    (void)state;
    static const int prbs[] = {1, 5, 26}; /* blocks of subcarriers that are whole, and not */
    const char *cap = getenv("JOULERX_ISA");
    char *kept = cap ? strdup(cap) : NULL;
    const int levels = (int)jrx_cpu_isa() + 1;
    for (size_t k = 0; k < sizeof prbs / sizeof *prbs; k++) {
        struct lk_config config = lk_config_default();
        config.prb = prbs[k];
        config.rx = 3;
        config.rx_correlation = 0.5;
        config.sir_db[0] = 0, config.sir_db[1] = 36;
        const size_t n = (size_t)3 * 12 * prbs[k] * LK_SYMBOLS;
        struct lk_slot slot;
        float complex *y = malloc(n * sizeof *y);
        assert_int_equal(lk_slot_init(&slot, &config), 0);
        for (uint64_t i = 0; i < 5; i++)
            for (int isa = 0; isa < levels; isa++) {
                setenv("JOULERX_ISA", jrx_isa_name((enum jrx_isa)isa), 1);
                lk_slot_draw(&slot, &config, 3, i);
                if (isa == 0)
                    memcpy(y, slot.y, n * sizeof *y);
                assert_memory_equal(y, slot.y, n * sizeof *y);
            }
        lk_slot_fini(&slot);
        free(y);
    }
    if (kept)
        setenv("JOULERX_ISA", kept, 1);
    else
        unsetenv("JOULERX_ISA");
    free(kept);
}

/* The vectors' generator is that of harness/base/rng.h: words as they are, normals by Box-Muller in double precision.
 */
static void words_and_normals_in_bulk_are_those_of_the_generator(void **state)
{
    (void)state;
    enum { N = 150 };
    struct jrx_rng rng;
    uint32_t words[N], expected[160];
    float normal[N], sum[N];
    jrx_rng_init(&rng, 0x123456789abcdefULL, 0xfedcba9876543ULL);
    for (int i = 0; i < 160; i++)
        expected[i] = jrx_rng_u32(&rng);
    lk_words(0x123456789abcdefULL, 0xfedcba9876543ULL, N, words);
    assert_memory_equal(words, expected, sizeof words);
    lk_normal(0x123456789abcdefULL, 0xfedcba9876543ULL, N, normal);
    for (int i = 0; i < N; i++)
        sum[i] = (float)i;
    lk_normal_add(0x123456789abcdefULL, 0xfedcba9876543ULL, N, 0.5f, sum);
    for (int i = 0; i < N; i++) { /* of 16: radii from words 0..7, angles from 8..15; four cosines, four sines, twice */
        int group = i / 16 * 16, of = i % 16, pair = of / 8 * 4 + of % 4;
        double u = ((expected[group + pair] & 0x7fffffff) + 0.5) * 0x1p-31;
        double angle = 2 * M_PI * (int32_t)expected[group + 8 + pair] * 0x1p-32;
        double z = sqrt(-2 * log(u)) * (of % 8 < 4 ? cos(angle) : sin(angle));
        assert_near(normal[i], z, 2e-6);
        assert_near(sum[i], i + 0.5 * z, 2e-5);
    }
}

static void configs_that_differ_in_snr_share_bits_channel_and_noise(void **state)
{
    (void)state;
    struct lk_config config = lk_config_default();
    config.snr_db[0] = config.snr_db[1] = 0;
    struct lk_slot low, high;
    assert_int_equal(lk_slot_init(&low, &config), 0);
    assert_int_equal(lk_slot_init(&high, &config), 0);
    lk_slot_draw(&low, &config, 5, 3);
    config.snr_db[0] = config.snr_db[1] = 20;
    config.patterns = 1u << low.pattern;
    lk_slot_draw(&high, &config, 5, 3);
    size_t res = (size_t)low.f * low.t, n = res * (size_t)low.rx;
    assert_memory_equal(low.h, high.h, n * sizeof *low.h);
    assert_memory_equal(low.x, high.x, res * sizeof *low.x);
    for (size_t i = 0; i < n; i++) {
        float complex signal = low.h[i] * low.x[i % res];
        assert_near(cabsf((low.y[i] - signal) - 10 * (high.y[i] - signal)), 0, 2e-5);
    }
    lk_slot_fini(&low);
    lk_slot_fini(&high);
}

static void bad_configs_get_one_line_that_names_the_field(void **state)
{
    (void)state;
    const double nan = NAN;
    struct lk_config c;
    struct lk_slot slot;
#define REFUSED(change, text)                                                                                          \
    c = lk_config_default();                                                                                           \
    change;                                                                                                            \
    assert_int_equal(lk_slot_init(&slot, &c), JRX_EINVAL);                                                             \
    assert_non_null(strstr(jrx_last_error(), text));                                                                   \
    assert_null(strchr(jrx_last_error(), '\n'));                                                                       \
    lk_slot_fini(&slot)
    REFUSED(c.prb = 0, "prb 0; give 1..273");
    REFUSED(c.prb = 274, "prb 274");
    REFUSED(c.rx = 5, "rx 5");
    REFUSED(c.rx = 0, "rx 0");
    REFUSED(c.modulation = (enum lk_modulation)3, "modulation of 3 bits");
    REFUSED(c.carrier_hz = nan, "carrier_hz");
    REFUSED(c.scs_hz = 60e3, "scs_hz 60000");
    REFUSED(c.engine = (enum lk_engine)2, "engine 2");
    REFUSED(c.profiles = 0, "profiles 0x0");
    REFUSED(c.profiles = 1u << LK_PROFILES, "profiles 0x100");
    REFUSED(c.patterns = 0, "patterns 0x0");
    REFUSED(c.patterns = 1u << LK_PATTERNS, "patterns 0x1000");
    REFUSED(c.delay_spread_s[0] = 1e-6, "delay_spread_s 1e-06..3e-07");
    REFUSED(c.delay_spread_s[0] = -1e-9, "delay_spread_s");
    REFUSED(c.delay_spread_s[1] = 2e-6, "cyclic prefix");
    REFUSED(c.doppler_hz[1] = 2000, "doppler_hz 0..2000");
    REFUSED(c.doppler_hz[0] = nan, "doppler_hz");
    REFUSED(c.snr_db[1] = INFINITY, "snr_db -4..inf");
    REFUSED(c.sir_db[0] = 0, "sir_db 0..inf");
    REFUSED(c.sir_db[0] = c.sir_db[1] = nan, "sir_db");
    REFUSED(c.interferers = 4, "interferers 4");
    REFUSED((c.sir_db[0] = c.sir_db[1] = 3, c.interferers = 0), "interferers 0; give 1..3");
    REFUSED(c.rx_correlation = 1, "rx_correlation 1");
    REFUSED(c.dmrs_id = 65536, "dmrs_id 65536");
#undef REFUSED
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gold_sequences_start_as_known),
        cmocka_unit_test(pilots_are_the_gold_bits_in_pairs),
        cmocka_unit_test(constellations_follow_the_standard),
        cmocka_unit_test(numerology_fills_the_slot),
        cmocka_unit_test(each_pattern_has_its_pilots_and_its_data_budget),
        cmocka_unit_test(what_is_heard_is_what_was_sent_through_the_channel),
        cmocka_unit_test(a_slot_is_the_same_in_any_thread_and_order),
        cmocka_unit_test(a_slot_is_the_same_with_every_instruction_set),
        cmocka_unit_test(words_and_normals_in_bulk_are_those_of_the_generator),
        cmocka_unit_test(configs_that_differ_in_snr_share_bits_channel_and_noise),
        cmocka_unit_test(bad_configs_get_one_line_that_names_the_field),
    };
    return cmocka_run_group_tests_name("link_slot", tests, NULL, NULL);
}
