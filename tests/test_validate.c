/* models/receiver: validation, what a training has cost so far, what it is to be used as. */
#include "harness/base/error.h"
#include "models/receiver/presets.h"
#include "models/receiver/validate.h"
#include "tests/support/test.h"
#include <unistd.h>

static struct rx_train_config smoke(void)
{
    struct rx_train_config c = rx_preset_config(rx_preset_find("smoke"), RX_SCRATCH, 3);
    c.link.prb = 2;
    return c;
}

/* The evaluator of models/link is another piece of code on the same slots: not one bit may be judged otherwise. */
static void validation_counts_what_the_evaluator_counts_at_any_number_of_threads(void **state)
{
    (void)state;
    enum { SLOTS = 11 };
    struct rx_train train;
    struct rx_train_config config = smoke();
    const struct lk_config link = rx_validation_link(&config.link);
    assert_int_equal(rx_train_init(&train, &config, NULL, 1), 0);
    for (int i = 0; i < 10; i++)
        assert_int_equal(rx_train_step(&train), 0);
    const struct lk_receiver receiver = rx_lk_receiver(&train.student, "student");
    struct lk_evaluation e = {.config = link,
                              .receivers = &receiver,
                              .receiver_count = 1,
                              .points = 1,
                              .seed = RX_VALIDATION_SEED,
                              .slots = SLOTS,
                              .threads = 1};
    assert_int_equal(lk_evaluate(&e), 0);
    for (int threads = 1; threads <= 3; threads++) {
        struct rx_validation v;
        assert_int_equal(rx_validation_init(&v, &train.student.net, &link, RX_VALIDATION_SEED, SLOTS, threads), 0);
        for (int look = 0; look < 2; look++) {
            const struct nn_loss_sum sum = rx_validate(&v, &train.student);
            assert_int_equal(sum.bits, e.results[0].bits);
            assert_int_equal(sum.errors, e.results[0].bit_errors);
            /* information = bits - cross-entropy, of LLRs taken at their word */
            assert_relative(4 * (1 - sum.bce / (double)sum.bits / log(2)), e.results[0].mi_bits_per_re, 1e-4);
        }
        rx_validation_fini(&v);
    }
    lk_evaluation_fini(&e);
    rx_train_fini(&train);
}

static void a_student_with_hints_and_averages_is_validated_as_it_will_be_used(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_receiver teacher, loaded;
    struct rx_validation v, other;
    struct rx_train_config config = smoke();
    const struct rx_shape wide = {.body = rx_body_find("short3"), .width = 0.5, .rx = 2, .logits = RX_LOGITS};
    char path[] = "/tmp/joulerx-test-XXXXXX";
    close(mkstemp(path));
    config.hint = 0.1;
    config.average = 0.5;
    assert_int_equal(rx_receiver_init(&teacher, &wide, 9), 0);
    assert_int_equal(rx_train_init(&train, &config, &teacher, 1), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(rx_train_step(&train), 0);
    const struct rx_receiver now = rx_train_receiver(&train);
    assert_ptr_equal(now.parameters, train.average);
    assert_int_equal(rx_train_save(&train, path), 0);
    assert_int_equal(rx_receiver_load(&loaded, path), 0);
    assert_int_equal(rx_validation_init(&v, &train.student.net, &config.link, 1, 5, 1), 0);
    assert_int_equal(rx_validation_init(&other, &loaded.net, &config.link, 1, 5, 1), 0);
    const struct nn_loss_sum a = rx_validate(&v, &now), b = rx_validate(&other, &loaded),
                             raw = rx_validate(&v, &train.student);
    assert_int_equal(a.errors, b.errors);
    assert_relative(a.bce, b.bce, 1e-12);
    assert_true(fabs(raw.bce / b.bce - 1) > 1e-9);
    rx_validation_fini(&v);
    rx_validation_fini(&other);
    rx_receiver_fini(&loaded);
    rx_train_fini(&train);
    rx_receiver_fini(&teacher);
    unlink(path);
}

static void impossible_validations_are_refused(void **state)
{
    (void)state;
    struct rx_receiver receiver;
    struct rx_validation v;
    struct rx_train_config config = smoke();
    assert_int_equal(rx_receiver_init(&receiver, &config.shape, 1), 0);
    assert_int_equal(rx_validation_init(&v, &receiver.net, &config.link, 1, 0, 1), JRX_EINVAL);
    assert_int_equal(rx_validation_init(&v, &receiver.net, &config.link, 1, 1, 0), JRX_EINVAL);
    config.link.prb = 0;
    assert_int_equal(rx_validation_init(&v, &receiver.net, &config.link, 1, 1, 1), JRX_EINVAL);
    rx_receiver_fini(&receiver);
}

static void a_step_of_distillation_also_counts_the_teachers_inference(void **state)
{
    (void)state;
    struct rx_train alone, taught;
    struct rx_receiver teacher;
    struct rx_train_config config = smoke();
    const struct rx_shape wide = {.body = rx_body_find("short3"), .width = 0.5, .rx = 2, .logits = RX_LOGITS};
    assert_int_equal(rx_receiver_init(&teacher, &wide, 9), 0);
    assert_int_equal(rx_train_init(&alone, &config, NULL, 1), 0);
    config.loss = (struct nn_loss){0.5, 2};
    assert_int_equal(rx_train_init(&taught, &config, &teacher, 1), 0);
    const double inference = nn_forward_flop(&teacher.net, config.batch, 24, LK_SYMBOLS);
    assert_relative(rx_step_flop(&alone), 3 * nn_forward_flop(&alone.student.net, config.batch, 24, LK_SYMBOLS), 1e-12);
    assert_relative(rx_step_flop(&taught) - rx_step_flop(&alone), inference, 1e-9);
    assert_true(inference > rx_step_flop(&alone)); /* a wide teacher is the larger part */
    rx_train_fini(&alone);
    rx_train_fini(&taught);
    rx_receiver_fini(&teacher);
}

static void what_was_spent_goes_on_with_the_checkpoint(void **state)
{
    (void)state;
    static const struct rx_spent spent[] = {
        {1.25, 2.5, 30.5, JRX_ESTIMATED}, {0.1, 0.2, 2, JRX_MEASURED}, {3, NAN, NAN, JRX_REPLAYED}};
    struct rx_train_config config = smoke();
    char path[] = "/tmp/joulerx-test-XXXXXX";
    close(mkstemp(path));
    for (size_t i = 0; i < sizeof spent / sizeof *spent; i++) {
        struct rx_train a, b;
        assert_int_equal(rx_train_init(&a, &config, NULL, 1), 0);
        assert_int_equal(rx_train_init(&b, &config, NULL, 1), 0);
        a.history.spent = spent[i];
        assert_int_equal(rx_train_save(&a, path), 0);
        assert_int_equal(rx_train_load(&b, path), 0);
        assert_near(b.history.spent.time_s, spent[i].time_s, 0);
        assert_int_equal(isnan(b.history.spent.processor_s), isnan(spent[i].processor_s));
        assert_true(isnan(spent[i].processor_s) || b.history.spent.processor_s == spent[i].processor_s);
        assert_int_equal(isnan(b.history.spent.energy_j), isnan(spent[i].energy_j)); /* missing is not 0 */
        assert_true(isnan(spent[i].energy_j) || b.history.spent.energy_j == spent[i].energy_j);
        assert_int_equal(b.history.spent.source, spent[i].source);
        rx_train_fini(&a);
        rx_train_fini(&b);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validation_counts_what_the_evaluator_counts_at_any_number_of_threads),
        cmocka_unit_test(a_student_with_hints_and_averages_is_validated_as_it_will_be_used),
        cmocka_unit_test(impossible_validations_are_refused),
        cmocka_unit_test(a_step_of_distillation_also_counts_the_teachers_inference),
        cmocka_unit_test(what_was_spent_goes_on_with_the_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
