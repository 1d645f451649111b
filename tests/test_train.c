/* models/receiver: planes, labels, training, resuming, detecting. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/receiver/fields.h"
#include "models/receiver/presets.h"
#include "models/receiver/train.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"
#include <unistd.h>

static struct rx_train_config tiny(void)
{
    struct rx_train_config c = {.shape = {.body = rx_body_find("short3"), .width = 0.125, .rx = 2, .logits = RX_LOGITS},
                                .link = lk_config_default(),
                                .seed = 3,
                                .batch = 6,
                                .micro = 2,
                                .schedule = {.rate = 5e-3, .warmup = 2, .hold = 4, .steps = 6},
                                .adamw = nn_adamw_default(),
                                .momentum = 0.1,
                                .loss = {0, 1}};
    c.link.prb = 1;
    return c;
}

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

static void run_steps(struct rx_train *train, int steps)
{
    for (int i = 0; i < steps; i++)
        assert_int_equal(rx_train_step(train), 0);
}

static void assert_same_state(const struct rx_train *a, const struct rx_train *b)
{
    const size_t parameters = a->student.net.parameter_floats * sizeof(float);
    assert_int_equal(a->step, b->step);
    assert_memory_equal(a->student.parameters, b->student.parameters, parameters);
    assert_memory_equal(a->m, b->m, parameters);
    assert_memory_equal(a->v, b->v, parameters);
    assert_memory_equal(a->student.statistics, b->student.statistics, a->student.net.statistic_floats * sizeof(float));
    if (a->average)
        assert_memory_equal(a->average, b->average, parameters);
}

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

/* The tensors of a receiver against those of the same name in a block of another network. */
static void assert_same_numbers(const struct rx_receiver *receiver, const struct nn_net *net, const float *block)
{
    float got[4096], want[4096];
    int found = 0;
    for (int i = 0; i < receiver->net.tensors; i++)
        for (int k = 0; k < net->tensors; k++)
            if (!net->tensor[k].statistic && !strcmp(receiver->net.tensor[i].name, net->tensor[k].name)) {
                nn_tensor_unpack(&receiver->net, &receiver->net.tensor[i], receiver->parameters, got);
                nn_tensor_unpack(net, &net->tensor[k], block, want);
                assert_memory_equal(got, want, nn_tensor_size(&net->tensor[k]) * sizeof *got);
                found++;
            }
    assert_true(found > 10);
}

static void a_killed_training_resumes_on_the_same_trajectory(void **state)
{
    (void)state;
    char path[] = "/tmp/jrx-train-XXXXXX";
    struct rx_train whole, first, second;
    struct rx_receiver teacher, loaded;
    struct rx_train_config config = tiny();
    close(mkstemp(path));
    assert_int_equal(
        rx_receiver_init(
            &teacher, &(struct rx_shape){.body = rx_body_find("short3"), .width = 0.25, .rx = 2, .logits = RX_LOGITS},
            9),
        0);
    config.loss = (struct nn_loss){0.5, 2};
    config.optimiser = NN_LAMB;
    config.clip = 0.5;
    config.average = 0.9;
    config.hint = 0.1;
    assert_int_equal(rx_train_init(&whole, &config, &teacher, 2), 0);
    assert_int_equal(rx_train_init(&first, &config, &teacher, 1), 0);
    assert_int_equal(rx_train_init(&second, &config, &teacher, 2), 0);
    run_steps(&whole, 6);
    run_steps(&first, 3);
    assert_int_equal(rx_train_save(&first, path), 0);
    assert_int_equal(rx_train_load(&second, path), 0);
    assert_int_equal(second.step, 3);
    run_steps(&second, 3);
    assert_same_state(&whole, &second);
    assert_int_equal(rx_train_step(&second), JRX_EINVAL); /* the schedule is at its end */
    assert_int_equal(rx_train_save(&second, path), 0);
    assert_int_equal(rx_receiver_load(&loaded, path), 0);
    assert_same_numbers(&loaded, &whole.student.net, whole.average); /* of the average, without the adapter */
    assert_int_equal(nn_parameters(&loaded.net), nn_parameters(&whole.student.net) - 8 * 16 - 16);
    rx_receiver_fini(&loaded);

    /* another configuration, another teacher */
    rx_train_fini(&first);
    config.schedule.rate = 6e-3;
    assert_int_equal(rx_train_init(&first, &config, &teacher, 1), 0);
    assert_int_equal(rx_train_load(&first, path), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "rate 0.005"));
    rx_train_fini(&first);
    config.schedule.rate = 5e-3;
    teacher.parameters[0] += 1;
    assert_int_equal(rx_train_init(&first, &config, &teacher, 1), 0);
    assert_int_equal(rx_train_load(&first, path), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "teacher"));
    rx_train_fini(&first);
    rx_train_fini(&second);
    rx_train_fini(&whole);
    rx_receiver_fini(&teacher);
    unlink(path);
}

static void a_training_begins_from_a_receiver_as_that_is_used_and_counts_what_it_took(void **state)
{
    (void)state;
    char path[] = "/tmp/test_train_start_XXXXXX", onward[] = "/tmp/test_train_start_XXXXXX";
    struct rx_train first, second, third;
    struct rx_train_config config = tiny();
    close(mkstemp(path));
    close(mkstemp(onward));
    config.average = 0.5;
    assert_int_equal(rx_train_init(&first, &config, NULL, 1), 0);
    run_steps(&first, 4);
    first.spent = (struct rx_spent){10, 20, 300, JRX_MEASURED};
    assert_int_equal(rx_train_save(&first, path), 0);

    config.seed++;
    assert_int_equal(rx_train_init(&second, &config, NULL, 1), 0);
    assert_int_equal(rx_train_start(&second, path), 0);
    const size_t bytes = first.student.net.parameter_floats * sizeof(float);
    assert_memory_equal(second.student.parameters, first.average, bytes);
    assert_memory_equal(second.average, first.average, bytes);
    assert_memory_equal(second.student.statistics, first.average_statistics,
                        first.student.net.statistic_floats * sizeof(float));
    assert_int_equal(second.step, 0);
    assert_int_equal(second.start_steps, 4);
    assert_float_equal(second.spent.processor_s, 20, 0);
    assert_float_equal(second.spent.energy_j, 300, 0);
    assert_int_equal(second.spent.source, JRX_MEASURED);

    /* killed and resumed it ends where it would have ended; a start of a start counts both */
    run_steps(&second, 2);
    assert_int_equal(rx_train_save(&second, onward), 0);
    assert_int_equal(rx_train_init(&third, &config, NULL, 1), 0);
    assert_int_equal(rx_train_load(&third, onward), 0);
    assert_true(third.start == second.start && third.start != 0);
    assert_int_equal(third.start_steps, 4);
    run_steps(&second, 1);
    run_steps(&third, 1);
    assert_same_state(&second, &third);
    rx_train_fini(&third);
    assert_int_equal(rx_train_init(&third, &config, NULL, 1), 0);
    assert_int_equal(rx_train_start(&third, onward), 0);
    assert_int_equal(third.start_steps, 6);
    rx_train_fini(&third);

    config.shape.width *= 2;
    assert_int_equal(rx_train_init(&third, &config, NULL, 1), 0);
    assert_int_equal(rx_train_start(&third, path), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "the two must be the same"));
    rx_train_fini(&third);
    rx_train_fini(&second);
    rx_train_fini(&first);
    unlink(path);
    unlink(onward);
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

static void every_number_of_a_configuration_is_recorded(void **state)
{
    (void)state;
    struct rx_train train = {.config = tiny()};
    struct rx_fields before, after;
    unsigned char *byte = (unsigned char *)&train.config;
    rx_fields_fill(&before, &train);
    int unseen = 0;
    for (size_t i = 0; i < sizeof train.config; i++) {
        if (i - offsetof(struct rx_train_config, shape.body) < sizeof(void *) ||
            i - offsetof(struct rx_train_config, tilings) < sizeof(void *)) /* which change no bit */
            continue;
        byte[i] ^= 1;
        rx_fields_fill(&after, &train);
        byte[i] ^= 1;
        int same = 1;
        for (int k = 0; k < before.count; k++)
            same &= !strcmp(before.pair[k].value, after.pair[k].value);
        unseen += same;
    }
    assert_true(unseen <= 5 * 4); /* the gaps that alignment leaves */
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
        cmocka_unit_test(input_planes_are_y_pilots_and_their_products),
        cmocka_unit_test(labels_are_the_bits_of_data_elements),
        cmocka_unit_test(a_mixed_slot_is_the_slot_of_its_modulation),
        cmocka_unit_test(a_training_begins_from_a_receiver_as_that_is_used_and_counts_what_it_took),
        cmocka_unit_test(one_network_trains_on_all_modulations_with_1_to_4_antennas),
        cmocka_unit_test(the_trajectory_does_not_depend_on_threads),
        cmocka_unit_test(checkpointing_takes_less_memory_and_changes_no_bit),
        cmocka_unit_test(a_killed_training_resumes_on_the_same_trajectory),
        cmocka_unit_test(every_number_of_a_configuration_is_recorded),
        cmocka_unit_test(the_loss_falls),
        cmocka_unit_test(a_slot_can_be_learnt_by_heart),
        cmocka_unit_test(distillation_with_mix_0_is_training_alone),
        cmocka_unit_test(weighing_slots_by_snr_changes_the_loss_and_not_the_errors),
        cmocka_unit_test(hints_pull_the_last_map_towards_the_teachers),
        cmocka_unit_test(the_memory_is_known_before_it_is_taken),
        cmocka_unit_test(distillation_uses_the_teacher_in_inference_mode),
        cmocka_unit_test(a_receiver_detects_any_number_of_prb),
        cmocka_unit_test(presets_are_possible_and_pair_the_students),
        cmocka_unit_test(the_quick_preset_stays_quick),
        cmocka_unit_test(impossible_trainings_are_refused),
        cmocka_unit_test(a_training_that_diverges_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
