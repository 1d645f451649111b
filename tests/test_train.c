/* models/receiver: the trajectory of a training, its loss, its memory. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/receiver/train.h"
#include "tests/support/short_form.h"
#include "tests/support/small_training.h"
#include "tests/support/test.h"

static void the_trajectory_does_not_depend_on_threads(void **state)
{
    (void)state;
    for (int micro = 2; micro <= 6; micro += 4) { /* three pieces; the batch as one, shared out within the kernels */
        struct rx_train train[3];
        struct rx_train_config config = tiny();
        config.micro = micro;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(rx_train_init(&train[i], &config, NULL, i + 1), 0);
            run_steps(&train[i], 4);
        }
        for (int i = 1; i < 3; i++) {
            assert_same_state(&train[0], &train[i]);
            assert_true(train[0].last.loss == train[i].last.loss);
            rx_train_fini(&train[i]);
        }
        rx_train_fini(&train[0]);
    }
}

static void checkpointing_takes_less_memory_and_changes_no_bit(void **state)
{
    (void)state;
    struct rx_train train[2];
    struct rx_train_config config = tiny();
    for (int i = 0; i < 2; i++) {
        config.checkpointing = i;
        assert_int_equal(rx_train_init(&train[i], &config, NULL, 2), 0);
        run_steps(&train[i], 4);
    }
    assert_same_state(&train[0], &train[1]);
    assert_true(train[1].bytes < train[0].bytes);
    rx_train_fini(&train[0]);
    rx_train_fini(&train[1]);
}

static void one_network_trains_on_all_modulations_with_1_to_4_antennas(void **state)
{
    (void)state;
    for (int rx = 1; rx <= LK_MAX_RX; rx++) {
        struct rx_train_config config = tiny();
        struct rx_train a, b;
        struct lk_slot slot;
        uint64_t bits = 0;
        config.shape.rx = config.link.rx = rx;
        config.link.modulation = LK_256QAM;
        config.link.mixture = 1 << LK_QPSK | 1 << LK_16QAM | 1 << LK_64QAM | 1 << LK_256QAM;
        assert_int_equal(rx_train_init(&a, &config, NULL, 1), 0);
        assert_int_equal(rx_train_init(&b, &config, NULL, 2), 0);
        assert_int_equal(nn_channels(&a.student.net, 0), 2 * (2 * rx + 1));
        run_steps(&a, 2);
        run_steps(&b, 2);
        const size_t bytes = a.student.net.parameter_floats * sizeof(float);
        assert_memory_equal(a.student.parameters, b.student.parameters, bytes);
        assert_int_equal(lk_slot_init(&slot, &config.link), 0);
        for (int i = config.batch; i < 2 * config.batch; i++) { /* those of the second step */
            lk_slot_draw(&slot, &config.link, config.seed, (uint64_t)i);
            for (int p = 0; p < 12 * LK_SYMBOLS; p++)
                bits += slot.re[p] == LK_DATA ? (uint64_t)slot.bits : 0;
        }
        assert_int_equal(a.last.bits, bits);
        /* outputs 6 and 7 have learnt from the 256QAM slots alone: their bias moved away from its starting value 0 */
        const struct nn_layer *head = &a.student.net.layer[a.student.net.output - 1];
        for (int k = 0; k < KN_LANES; k++)
            assert_int_equal(a.student.parameters[head->bias + (size_t)k] != 0, k < RX_LOGITS);
        lk_slot_fini(&slot);
        rx_train_fini(&a);
        rx_train_fini(&b);
    }
}

static void the_loss_falls(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_train_config config = tiny();
    if (test_is_short())
        skip_because("a training of 250 steps; runs without JOULERX_TEST_FAST");
    config.shape.width = 0.5;
    config.link.snr_db[0] = config.link.snr_db[1] = 20;
    config.link.doppler_hz[1] = 5;
    config.link.delay_spread_s[1] = 20e-9;
    config.schedule = (struct nn_schedule){.rate = 5e-3, .warmup = 10, .hold = 250, .steps = 250};
    assert_int_equal(rx_train_init(&train, &config, NULL, 2), 0);
    run_steps(&train, 1);
    double start = train.last.loss / (double)train.last.bits;
    run_steps(&train, 249);
    double end = train.last.loss / (double)train.last.bits;
    /* a guess costs ln 2 = 0.693; two bits of four show in |y| alone, so 0.66 is well within reach */
    assert_true(start > 0.69);
    assert_true(end < 0.66);
    rx_train_fini(&train);
}

/* 16QAM over a quiet channel, always the same two slots, by way of a config that can draw no others: seed and step are
 * fixed by resetting the step. A network that learns them by heart makes no error. */
static void a_slot_can_be_learnt_by_heart(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_train_config config = tiny();
    config.shape.width = 0.5;
    config.batch = config.micro = 1;
    config.schedule = (struct nn_schedule){.rate = 1e-2, .warmup = 10, .hold = 400, .steps = 400};
    config.link.snr_db[0] = config.link.snr_db[1] = 0; /* LS and MMSE fail here: nothing but memory helps */
    assert_int_equal(rx_train_init(&train, &config, NULL, 2), 0);
    int step = 0;
    for (; step < 400 && (step == 0 || train.last.errors); step++) {
        assert_int_equal(rx_train_step(&train), 0);
        if (step == 0)
            assert_true(train.last.errors > train.last.bits / 10);
        train.step = 0; /* slot 0 again; the optimiser takes every step for its first */
    }
    assert_int_equal(train.last.errors, 0);
    rx_train_fini(&train);
}

static void distillation_with_mix_0_is_training_alone(void **state)
{
    (void)state;
    struct rx_train alone, taught;
    struct rx_receiver teacher;
    struct rx_train_config config = tiny();
    assert_int_equal(
        rx_receiver_init(
            &teacher, &(struct rx_shape){.body = rx_body_find("short5"), .width = 0.125, .rx = 2, .logits = RX_LOGITS},
            9),
        0);
    assert_int_equal(rx_train_init(&alone, &config, NULL, 1), 0);
    config.loss = (struct nn_loss){1e-300, 3}; /* a teacher that is asked, and has no say */
    assert_int_equal(rx_train_init(&taught, &config, &teacher, 2), 0);
    assert_non_null(taught.teacher);
    run_steps(&alone, 6);
    run_steps(&taught, 6);
    assert_same_state(&alone, &taught);
    rx_train_fini(&alone);
    rx_train_fini(&taught);
    rx_receiver_fini(&teacher);
}

static void weighing_slots_by_snr_changes_the_loss_and_not_the_errors(void **state)
{
    (void)state;
    struct rx_train plain, weighed;
    struct rx_train_config config = tiny();
    struct lk_slot slot = {.snr_db = 10 * log10(3)};
    assert_near(rx_slot_weight(&config, &slot), 1, 0);
    assert_int_equal(rx_train_init(&plain, &config, NULL, 1), 0);
    config.snr_weight = 1;
    assert_near(rx_slot_weight(&config, &slot), 2, 1e-12); /* log2(1 + 3) */
    assert_int_equal(rx_train_init(&weighed, &config, NULL, 2), 0);
    run_steps(&plain, 1);
    run_steps(&weighed, 1);
    assert_int_equal(plain.last.errors, weighed.last.errors);
    assert_near(plain.last.weight, (double)plain.last.bits, 0);
    assert_true(weighed.last.weight > 2 * plain.last.weight); /* -4 to 32 dB: 5 on average */
    run_steps(&plain, 1);
    run_steps(&weighed, 1);
    assert_true(memcmp(plain.student.parameters, weighed.student.parameters, 64) != 0);
    rx_train_fini(&plain);
    rx_train_fini(&weighed);
}

/* The adapter's part of the loss against a difference of losses: its bias b of channel 0 moves it by
 * 2 hint bits / C * sum over REs of (map - teacher's). */
static double hint_loss_at(const struct rx_train_config *config, const struct rx_receiver *teacher, float bias,
                           double *gradient)
{
    struct rx_train train;
    assert_int_equal(rx_train_init(&train, config, teacher, 1), 0);
    const struct nn_layer *hint = &train.student.net.layer[train.student.net.side - 1];
    assert_string_equal(hint->name, "hint");
    train.student.parameters[hint->bias] = bias;
    assert_int_equal(rx_train_step(&train), 0);
    *gradient = train.gradient[0][hint->bias] * train.last.weight;
    const double loss = train.last.loss;
    rx_train_fini(&train);
    return loss;
}

static void hints_pull_the_last_map_towards_the_teachers(void **state)
{
    (void)state;
    struct rx_receiver teacher;
    struct rx_train_config config = tiny();
    double slope, unused;
    config.batch = config.micro = 2;
    config.hint = 0.5;
    assert_int_equal(
        rx_receiver_init(
            &teacher, &(struct rx_shape){.body = rx_body_find("short5"), .width = 0.25, .rx = 2, .logits = RX_LOGITS},
            9),
        0);
    hint_loss_at(&config, &teacher, 0.25f, &slope);
    const double up = hint_loss_at(&config, &teacher, 0.375f, &unused);
    const double down = hint_loss_at(&config, &teacher, 0.125f, &unused);
    assert_relative(slope, (up - down) / 0.25, 1e-4); /* a square: central differences are exact but for rounding */
    rx_receiver_fini(&teacher);
}

static void the_memory_is_known_before_it_is_taken(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_train_config config = tiny();
    assert_int_equal(rx_train_init(&train, &config, NULL, 2), 0);
    assert_int_equal(train.bytes, rx_train_bytes(&config, NULL, 2));
    assert_true(train.bytes >= 2 * train.student.net.parameter_floats * sizeof(float));
    assert_true(rx_train_bytes(&config, NULL, 1) < train.bytes);
    config.batch = 0;
    assert_int_equal(rx_train_bytes(&config, NULL, 1), 0);
    rx_train_fini(&train);
}

/* The teacher's share of the loss is nothing else than soft-label cross-entropy: by the sums of two trainings. */
static void distillation_uses_the_teacher_in_inference_mode(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_receiver teacher;
    struct nn_context context;
    struct lk_slot slot[2];
    struct rx_train_config config = tiny();
    config.loss = (struct nn_loss){1, 1};
    config.batch = config.micro = 2;
    assert_int_equal(
        rx_receiver_init(
            &teacher, &(struct rx_shape){.body = rx_body_find("short5"), .width = 0.125, .rx = 2, .logits = RX_LOGITS},
            9),
        0);
    for (size_t i = 0; i < teacher.net.statistic_floats; i++)
        teacher.statistics[i] = teacher.statistics[i] > 0 ? 2.0f : 0;
    assert_int_equal(rx_train_init(&train, &config, &teacher, 1), 0);
    assert_int_equal(nn_context_init(&context, &teacher.net, NN_INFERENCE, 2, 12, LK_SYMBOLS, 1), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lk_slot_init(&slot[i], &config.link), 0);
        lk_slot_draw(&slot[i], &config.link, config.seed, (uint64_t)i);
    }
    run_steps(&train, 1);
    const float *want = rx_receiver_run(&teacher, &context, slot);
    double sum = 0, floor = 0;
    uint64_t bits = 0;
    for (int i = 0; i < 2; i++)
        for (int p = 0; p < 12 * LK_SYMBOLS; p++)
            for (int b = 0; b < 4 && slot[i].re[p] == LK_DATA; b++, bits++) {
                double z = want[(i * 12 * LK_SYMBOLS + p) * KN_LANES + b], q = 1 / (1 + exp(-z));
                floor -= q * log(q) + (1 - q) * log1p(-q); /* the teacher's own entropy: what no student can undercut */
            }
    sum = train.last.loss;
    assert_int_equal(bits, train.last.bits);
    assert_true(sum > floor && sum < floor + 3.0 * (double)bits);
    for (int i = 0; i < 2; i++)
        lk_slot_fini(&slot[i]);
    nn_context_fini(&context);
    rx_train_fini(&train);
    rx_receiver_fini(&teacher);
}

static void impossible_trainings_are_refused(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_train_config good = tiny(), bad[8];
    for (int i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].micro = 4;
    bad[1].batch = 0;
    bad[2].schedule.hold = 7;
    bad[3].schedule.rate = 0;
    bad[4].loss = (struct nn_loss){1.5, 1};
    bad[5].loss = (struct nn_loss){0.5, 0};
    bad[6].shape.rx = 1;
    bad[7].momentum = 0;
    for (int i = 0; i < 8; i++)
        assert_int_equal(rx_train_init(&train, &bad[i], NULL, 1), JRX_EINVAL);
    bad[0] = good;
    bad[0].loss.mix = 0.5; /* without a teacher */
    assert_int_equal(rx_train_init(&train, &bad[0], NULL, 1), JRX_EINVAL);
    assert_int_equal(rx_train_init(&train, &good, NULL, 0), JRX_EINVAL);
}

static void a_training_that_diverges_says_so(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_train_config config = tiny();
    config.schedule.rate = 1e38;
    config.schedule.warmup = 0;
    assert_int_equal(rx_train_init(&train, &config, NULL, 1), 0);
    int status = 0;
    for (int i = 0; i < 6 && !status; i++)
        status = rx_train_step(&train);
    assert_int_equal(status, JRX_EIMPLAUSIBLE);
    rx_train_fini(&train);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_trajectory_does_not_depend_on_threads),
        cmocka_unit_test(checkpointing_takes_less_memory_and_changes_no_bit),
        cmocka_unit_test(one_network_trains_on_all_modulations_with_1_to_4_antennas),
        cmocka_unit_test(the_loss_falls),
        cmocka_unit_test(a_slot_can_be_learnt_by_heart),
        cmocka_unit_test(distillation_with_mix_0_is_training_alone),
        cmocka_unit_test(weighing_slots_by_snr_changes_the_loss_and_not_the_errors),
        cmocka_unit_test(hints_pull_the_last_map_towards_the_teachers),
        cmocka_unit_test(the_memory_is_known_before_it_is_taken),
        cmocka_unit_test(distillation_uses_the_teacher_in_inference_mode),
        cmocka_unit_test(impossible_trainings_are_refused),
        cmocka_unit_test(a_training_that_diverges_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
