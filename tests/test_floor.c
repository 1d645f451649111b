/*
 * The claim of DeepRx in small: with one pilot symbol and high Doppler a receiver that interpolates pilots has an error
 * floor, one that has learnt does not stop there. Five seconds of training.
 */
#include "models/link/receivers.h"
#include "models/receiver/presets.h"
#include "models/receiver/train.h"
#include "tests/support/test.h"

enum { STEPS = 1200, SLOTS = 96 };

static void settle(struct lk_config *link)
{
    link->patterns = 0x3; /* DeepRx's two with one DMRS symbol */
    link->doppler_hz[0] = 400;
    link->doppler_hz[1] = 500;
    link->delay_spread_s[0] = 10e-9;
    link->delay_spread_s[1] = 50e-9;
    link->snr_db[0] = link->snr_db[1] = 20;
}

static void a_tiny_network_gets_below_the_floor_of_ls_and_lmmse_with_one_pilot(void **state)
{
    (void)state;
    static const double snr_db[] = {20, 40};
    if (getenv("JOULERX_TEST_FAST"))
        skip_because("a training of 1200 steps; runs without JOULERX_TEST_FAST");
    struct rx_train train;
    struct rx_train_config config = rx_preset_config(rx_preset_find("quick"), RX_SCRATCH, 1);
    config.batch = config.micro = 16;
    config.schedule = (struct nn_schedule){.rate = 1e-2, .warmup = STEPS / 50, .hold = STEPS / 2, .steps = STEPS};
    settle(&config.link);
    assert_int_equal(rx_train_init(&train, &config, NULL, 1), 0);
    assert_true(nn_parameters(&train.student.net) < 20000); /* DeepRx has 1.2 million */
    for (int i = 0; i < STEPS; i++)
        assert_int_equal(rx_train_step(&train), 0);
    /* judged on channels it was not trained on, TDL-A and E */
    const struct rx_receiver learnt = rx_train_receiver(&train);
    const struct lk_receiver receivers[] = {*lk_receiver_get("ls"), rx_lk_receiver(&learnt, "network")};
    struct lk_evaluation e = {.config = rx_validation_link(&config.link),
                              .receivers = receivers,
                              .receiver_count = 2,
                              .snr_db = snr_db,
                              .points = 2,
                              .seed = 1000000007,
                              .slots = SLOTS,
                              .threads = 1};
    assert_int_equal(lk_evaluate(&e), 0);
    for (int point = 0; point < 2; point++) {
        const double ls = e.results[2 * point].ber, network = e.results[2 * point + 1].ber;
        double difference, interval[2];
        printf("at %g dB: LS and LMMSE %.4f, network %.4f\n", snr_db[point], ls, network);
        assert_true(ls > 0.14);
        assert_true(network < 0.7 * ls);
        assert_int_equal(lk_evaluation_difference(&e, point, 1, 0, &difference, interval), 0);
        assert_true(interval[1] < 0); /* paired, 95 % over slots */
    }
    assert_relative(e.results[2].ber, e.results[0].ber, 0.1); /* 20 dB more do not help: a floor */
    lk_evaluation_fini(&e);
    rx_train_fini(&train);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tiny_network_gets_below_the_floor_of_ls_and_lmmse_with_one_pilot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
