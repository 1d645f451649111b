/* models/receiver: a training as a file: resuming, beginning from another, what is recorded. */
#include "harness/base/error.h"
#include "models/receiver/fields.h"
#include "models/receiver/train.h"
#include "tests/support/small_training.h"
#include "tests/support/test.h"
#include <unistd.h>

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
    first.history.spent = (struct rx_spent){10, 20, 300, JRX_MEASURED};
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
    assert_int_equal(second.history.start_steps, 4);
    assert_float_equal(second.history.spent.processor_s, 20, 0);
    assert_float_equal(second.history.spent.energy_j, 300, 0);
    assert_int_equal(second.history.spent.source, JRX_MEASURED);

    /* what became of it is read from its file alone */
    struct rx_history history;
    int64_t steps;
    assert_int_equal(rx_train_history(path, &history, &steps), 0);
    assert_int_equal(steps, 4);
    assert_int_equal(history.start_steps, 0);
    assert_float_equal(history.spent.energy_j, 300, 0);
    assert_int_equal(history.spent.source, JRX_MEASURED);

    /* killed and resumed it ends where it would have ended; a start of a start counts both */
    run_steps(&second, 2);
    assert_int_equal(rx_train_save(&second, onward), 0);
    assert_int_equal(rx_train_init(&third, &config, NULL, 1), 0);
    assert_int_equal(rx_train_load(&third, onward), 0);
    assert_true(third.history.start == second.history.start && third.history.start != 0);
    assert_int_equal(third.history.start_steps, 4);
    assert_int_equal(rx_train_history(onward, &history, &steps), 0);
    assert_int_equal(steps, 6);
    assert_true(history.start == second.history.start);
    run_steps(&second, 1);
    run_steps(&third, 1);
    assert_same_state(&second, &third);
    rx_train_fini(&third);
    assert_int_equal(rx_train_init(&third, &config, NULL, 1), 0);
    assert_int_equal(rx_train_start(&third, onward), 0);
    assert_int_equal(third.history.start_steps, 6);
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
    assert_int_equal(rx_train_history(path, &history, &steps), JRX_EIO);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_training_resumes_on_the_same_trajectory),
        cmocka_unit_test(a_training_begins_from_a_receiver_as_that_is_used_and_counts_what_it_took),
        cmocka_unit_test(every_number_of_a_configuration_is_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
