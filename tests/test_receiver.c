/* models/receiver: planes, labels, detecting, presets. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/receiver/fields.h"
#include "models/receiver/presets.h"
#include "models/receiver/train.h"
#include "tests/support/test.h"

static void input_planes_are_y_pilots_and_their_products(void **state)
{
    (void)state;
    enum { PIXELS = 12 * LK_SYMBOLS };
    struct lk_config config = lk_config_default();
    struct lk_slot slot;
    config.prb = 1;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    lk_slot_draw(&slot, &config, 1, 2);
    float *input = jrx_alloc(2 * PIXELS * KN_LANES * sizeof *input);
    memset(input, 0x55, 2 * PIXELS * KN_LANES * sizeof *input);
    rx_fill_input(&slot, 1, input);
    double power = 0;
    for (int i = 0; i < 2 * PIXELS; i++)
        power += pow(crealf(slot.y[i]), 2) + pow(cimagf(slot.y[i]), 2);
    const float gain = (float)(1 / sqrt(power / (2 * PIXELS)));
    int pilots = 0;
    for (int p = 0; p < PIXELS; p++) {
        const float *plane = input + (PIXELS + p) * KN_LANES;
        const float complex x = slot.xp[p];
        for (int a = 0; a < 2; a++) {
            const float complex y = gain * slot.y[a * PIXELS + p];
            assert_near(plane[a], crealf(y), 1e-6);
            assert_near(plane[2 + a], cimagf(y), 1e-6);
            /* Y conj(Xp), written out */
            assert_near(plane[6 + a], crealf(y) * crealf(x) + cimagf(y) * cimagf(x), 1e-6);
            assert_near(plane[8 + a], cimagf(y) * crealf(x) - crealf(y) * cimagf(x), 1e-6);
        }
        assert_near(plane[4], crealf(x), 0);
        assert_near(plane[5], cimagf(x), 0);
        for (int k = 10; k < KN_LANES; k++)
            assert_near(plane[k], 0, 0);
        pilots += slot.re[p] == LK_PILOT;
        assert_true(slot.re[p] == LK_PILOT || (plane[4] == 0 && plane[6] == 0));
    }
    assert_true(pilots >= 6);
    free(input);
    lk_slot_fini(&slot);
}

static void labels_are_the_bits_of_data_elements(void **state)
{
    (void)state;
    enum { PIXELS = 12 * LK_SYMBOLS };
    struct lk_config config = lk_config_default();
    struct lk_slot slot;
    static uint8_t label[2 * PIXELS * KN_LANES];
    config.prb = 1;
    config.modulation = LK_64QAM;
    assert_int_equal(lk_slot_init(&slot, &config), 0);
    lk_slot_draw(&slot, &config, 1, 2);
    rx_fill_labels(&slot, 1, label);
    for (int p = 0; p < PIXELS; p++)
        for (int b = 0; b < KN_LANES; b++)
            assert_int_equal(label[(PIXELS + p) * KN_LANES + b],
                             slot.re[p] == LK_DATA && b < 6 ? slot.bit[p * 6 + b] : NN_NO_BIT);
    lk_slot_fini(&slot);
}

/* Which modulation a slot of the mixture has is one more draw, and moves no other. */
static void a_mixed_slot_is_the_slot_of_its_modulation(void **state)
{
    (void)state;
    enum { SLOTS = 64, PIXELS = 12 * LK_SYMBOLS };
    struct lk_config config = lk_config_default(), pure = config;
    struct lk_slot mixed, alone;
    static uint8_t label[PIXELS * KN_LANES];
    int seen[LK_MAX_BITS + 1] = {0};
    config.prb = pure.prb = 1;
    config.sir_db[0] = pure.sir_db[0] = 0;
    config.sir_db[1] = pure.sir_db[1] = 36;
    config.modulation = LK_256QAM;
    config.mixture = 1 << LK_QPSK | 1 << LK_16QAM | 1 << LK_64QAM | 1 << LK_256QAM;
    assert_int_equal(lk_slot_init(&mixed, &config), 0);
    for (uint64_t i = 0; i < SLOTS; i++) {
        lk_slot_draw(&mixed, &config, 5, i);
        seen[mixed.bits]++;
        pure.modulation = (enum lk_modulation)mixed.bits;
        assert_int_equal(lk_slot_init(&alone, &pure), 0);
        lk_slot_draw(&alone, &pure, 5, i);
        assert_memory_equal(mixed.y, alone.y, 2 * PIXELS * sizeof *mixed.y);
        assert_memory_equal(mixed.bit, alone.bit, (size_t)(PIXELS * mixed.bits));
        rx_fill_labels(&mixed, 0, label);
        for (int p = 0; p < PIXELS; p++)
            for (int b = 0; b < KN_LANES; b++) /* outputs that the modulation does not use are masked */
                assert_int_equal(label[p * KN_LANES + b] == NN_NO_BIT, mixed.re[p] != LK_DATA || b >= mixed.bits);
        lk_slot_fini(&alone);
    }
    for (int bits = 2; bits <= LK_MAX_BITS; bits += 2)
        assert_true(seen[bits] >= 4); /* of 64, 16 expected: less than 4 in 1 of 10000 seeds */
    lk_slot_fini(&mixed);
}

static void a_receiver_detects_any_number_of_prb(void **state)
{
    (void)state;
    struct rx_receiver receiver;
    struct lk_detector detector;
    struct lk_config config = lk_config_default();
    struct lk_slot slot;
    assert_int_equal(
        rx_receiver_init(
            &receiver, &(struct rx_shape){.body = rx_body_find("short3"), .width = 0.125, .rx = 2, .logits = RX_LOGITS},
            1),
        0);
    struct lk_receiver as = rx_lk_receiver(&receiver, "student");
    for (int prb = 1; prb <= 26; prb += 25) {
        config.prb = prb;
        assert_int_equal(lk_slot_init(&slot, &config), 0);
        lk_slot_draw(&slot, &config, 1, 1);
        assert_int_equal(as.detector_new(as.context, &config, &detector), 0);
        size_t count = (size_t)slot.f * LK_SYMBOLS * 4;
        float *llr = jrx_alloc(count * sizeof *llr);
        assert_int_equal(detector.detect(detector.self, &slot, llr), 0);
        size_t data = 0, zeros = 0; /* a network that has not been trained may say exactly 0 now and then */
        for (size_t i = 0; i < count; i++) {
            assert_true(isfinite(llr[i]) && (slot.re[i / 4] == LK_DATA || llr[i] == 0));
            data += slot.re[i / 4] == LK_DATA;
            zeros += slot.re[i / 4] == LK_DATA && llr[i] == 0;
        }
        assert_true(data > count / 2 && zeros < data / 10);
        as.detector_free(&detector);
        as.detector_free(&detector);
        free(llr);
        lk_slot_fini(&slot);
    }
    config.rx = 1;
    assert_int_equal(as.detector_new(as.context, &config, &detector), JRX_EINVAL);
    rx_receiver_fini(&receiver);
}

static void presets_are_possible_and_pair_the_students(void **state)
{
    (void)state;
    for (const struct rx_preset *preset = rx_presets(); preset->name; preset++) {
        assert_ptr_equal(rx_preset_find(preset->name), preset);
        struct rx_train_config c[RX_ROLES];
        for (int role = 0; role < RX_ROLES; role++) {
            c[role] = rx_preset_config(preset, (enum rx_role)role, 7);
            assert_int_equal(rx_train_config_check(&c[role]), 0);
        }
        assert_true(c[RX_SCRATCH].loss.mix == 0 && c[RX_DISTILLED].loss.mix > 0);
        assert_int_equal(c[RX_SCRATCH].seed, c[RX_DISTILLED].seed);
        assert_int_not_equal(c[RX_SCRATCH].seed, c[RX_TEACHER].seed);
        c[RX_DISTILLED].loss = c[RX_SCRATCH].loss;
        struct rx_train a = {.config = c[RX_SCRATCH]}, b = {.config = c[RX_DISTILLED]};
        struct rx_fields fa, fb;
        rx_fields_fill(&fa, &a);
        rx_fields_fill(&fb, &b);
        for (int i = 0; i < fa.count; i++)
            assert_string_equal(fa.pair[i].value, fb.pair[i].value);
    }
    assert_null(rx_preset_find("slow"));
    assert_non_null(strstr(jrx_last_error(), "quick"));
}

/* 60 TFLOP: some five minutes on two cores of 110 GFLOP/s each. Whoever makes the preset larger must mean it. */
static void the_quick_preset_stays_quick(void **state)
{
    (void)state;
    const struct rx_preset *quick = rx_preset_find("quick");
    double flop = 0, teaching = 0;
    for (int role = 0; role < RX_ROLES; role++) {
        struct rx_train_config c = rx_preset_config(quick, (enum rx_role)role, 1);
        struct nn_net net;
        assert_int_equal(rx_net_init(&net, &c.shape), 0);
        double forward = nn_forward_flop(&net, c.batch, c.link.prb * LK_PRB_SUBCARRIERS, LK_SYMBOLS);
        teaching = role == RX_TEACHER ? forward : teaching;
        flop += (double)c.schedule.steps * (3 * forward + (role == RX_DISTILLED ? teaching : 0));
        nn_net_fini(&net);
    }
    assert_true(flop > 1e12 && flop < 60e12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_planes_are_y_pilots_and_their_products),
        cmocka_unit_test(labels_are_the_bits_of_data_elements),
        cmocka_unit_test(a_mixed_slot_is_the_slot_of_its_modulation),
        cmocka_unit_test(a_receiver_detects_any_number_of_prb),
        cmocka_unit_test(presets_are_possible_and_pair_the_students),
        cmocka_unit_test(the_quick_preset_stays_quick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
