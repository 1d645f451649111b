/* The list of networks that a preset means, and the statistics that comparisons of them rest on. */
#include "experiments/quality.h"
#include "harness/base/error.h"
#include "tests/support/test.h"

static void set(struct ex_preset *preset, const char *key, const char *text)
{
    assert_int_equal(ex_preset_set(preset, key, text), 0);
}

static struct ex_preset small(void)
{
    struct ex_preset preset;
    assert_int_equal(ex_preset_read(&preset, "smoke"), 0);
    set(&preset, "widths", "0.125,0.25,0.5");
    set(&preset, "seeds", "2");
    set(&preset, "temperatures", "1,2,4");
    set(&preset, "mixes", "0.3,0.7");
    set(&preset, "teachers", "0.5");
    set(&preset, "shares", "0.5");
    return preset;
}

/* Forward and backward of 16 slots of 2 PRB on one thread of a Zen 5; loss and optimiser take up to a fifth more. */
static void the_share_of_the_peak_is_guessed_as_measured(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        double width, share;
    } measured[] = {{"short3", 0.0625, 0.115}, {"short7", 0.125, 0.229}, {"short5", 0.25, 0.475},
                    {"short3", 0.5, 0.672},    {"short5", 1, 0.759},     {"deeprx", 0.125, 0.45},
                    {"deeprx", 0.5, 0.757},    {"deeprx", 1, 0.815}};
    for (size_t i = 0; i < sizeof measured / sizeof *measured; i++) {
        struct ex_network network = {
            .config.shape = {.body = rx_body_find(measured[i].body), .width = measured[i].width, .rx = 2, .logits = 4}};
        struct nn_net *net = malloc(sizeof *net);
        assert_int_equal(rx_net_init(net, &network.config.shape), 0);
        network.slot_flop = 2 * (double)nn_macs_per_re(net);
        const double ratio = ex_network_share(&network) / measured[i].share;
        assert_true(ratio > 0.78 && ratio < 1.1);
        nn_net_fini(net);
        free(net);
    }
}

static void a_narrow_network_and_a_wide_teacher_take_longer_than_their_flop(void **state)
{
    (void)state;
    struct ex_preset preset = small();
    struct ex_zoo *zoo;
    assert_int_equal(ex_zoo_new(&zoo, &preset, 1), 0);
    const int narrow = ex_zoo_student(zoo, RX_SCRATCH, 0.125, 1), wide = ex_zoo_student(zoo, RX_SCRATCH, 0.5, 1);
    assert_true(ex_network_peak_flop(zoo, narrow) / ex_network_flop(zoo, narrow) >
                2 * ex_network_peak_flop(zoo, wide) / ex_network_flop(zoo, wide));
    const int taught = ex_zoo_student(zoo, RX_DISTILLED, 0.125, 1);
    const double more = ex_network_peak_flop(zoo, taught) - ex_network_peak_flop(zoo, narrow);
    const double teaching = ex_network_flop(zoo, taught) - ex_network_flop(zoo, narrow);
    assert_relative(more, teaching / ex_network_share(&zoo->network[zoo->network[taught].teacher]), 1e-9);
    ex_zoo_free(zoo);
}

static void a_zoo_holds_each_network_once(void **state)
{
    (void)state;
    struct ex_preset preset = small();
    struct ex_zoo *zoo;
    assert_int_equal(ex_zoo_new(&zoo, &preset, 1), 0);
    /* 2 teachers; 3 widths x 2 kinds x 2 seeds; the grid but T=2, mix=0.7, which is the recipe: 5 x 2; the other
     * teacher: 2; half the slots: 2 kinds x 2 */
    assert_int_equal(zoo->count, 2 + 12 + 10 + 2 + 4);
    for (int i = 0; i < zoo->count; i++) {
        assert_true(zoo->network[i].teacher < i);
        assert_true(zoo->network[i].slot_flop > 0);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(zoo->network[i].name, zoo->network[k].name);
    }
    assert_near(zoo->middle, 0.25, 0);
    assert_string_equal(zoo->network[0].name, "teacher");
    int base = ex_zoo_student(zoo, RX_DISTILLED, 0.25, 1);
    assert_string_equal(zoo->network[base].name, "distilled-w0.25-s1");
    /* the same training is the recipe's cell of the grid, the student of the whole teacher, and that of all slots */
    assert_int_equal(ex_zoo_grid(zoo, 2, 0.7, 1), base);
    assert_int_equal(ex_zoo_taught(zoo, 0, 1), base);
    assert_int_equal(ex_zoo_share(zoo, RX_DISTILLED, 1, 1), base);
    int half = ex_zoo_share(zoo, RX_SCRATCH, 0.5, 2);
    assert_int_equal(zoo->network[half].config.schedule.steps, 20);
    assert_int_equal(ex_zoo_student(zoo, RX_SCRATCH, 0.3, 1), -1);
    assert_int_equal(ex_zoo_student(zoo, RX_SCRATCH, 0.25, 3), -1);
    ex_zoo_free(zoo);
}

static void a_pair_differs_in_the_loss_alone(void **state)
{
    (void)state;
    struct ex_preset preset = small();
    struct ex_zoo *zoo;
    assert_int_equal(ex_zoo_new(&zoo, &preset, 7), 0);
    for (int seed = 1; seed <= 2; seed++) {
        struct rx_train_config a = zoo->network[ex_zoo_student(zoo, RX_SCRATCH, 0.5, seed)].config;
        const struct rx_train_config *b = &zoo->network[ex_zoo_student(zoo, RX_DISTILLED, 0.5, seed)].config;
        assert_true(a.loss.mix == 0 && b->loss.mix > 0);
        assert_int_equal(a.seed, b->seed);
        assert_int_equal(a.seed, 6 + seed);
        assert_int_equal(a.schedule.steps, b->schedule.steps);
        assert_near(a.schedule.rate, b->schedule.rate, 0);
        assert_near(a.shape.width, b->shape.width, 0);
    }
    ex_zoo_free(zoo);
}

static void too_many_networks_are_refused(void **state)
{
    (void)state;
    struct ex_preset preset = small();
    struct ex_zoo *zoo;
    set(&preset, "seeds", "50");
    assert_int_equal(ex_zoo_new(&zoo, &preset, 1), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "fewer widths, seeds"));
    assert_null(zoo);
}

/* Three values 1, 2, 4: logarithms 0, l, 2 l with l = ln 2; mean l, sd l, t(0.975, 2) = 4.30265. */
static void intervals_over_trainings_are_t_intervals_of_logarithms(void **state)
{
    (void)state;
    const double values[] = {1, 2, 4}, l = log(2), half = 4.302652729 * l / sqrt(3);
    struct jrx_estimate e = ex_over_seeds(values, 3);
    assert_near(e.value, 2, 1e-12);
    assert_near(e.low, exp(l - half), 1e-8);
    assert_near(e.high, exp(l + half), 1e-6);
    e = ex_over_seeds(values + 1, 1);
    assert_near(e.value, 2, 1e-12);
    assert_true(isnan(e.low) && isnan(e.high));
    e = ex_over_seeds((const double[]){1, 0}, 2); /* no error seen: no ratio */
    assert_true(isnan(e.value) && isnan(e.low));
}

/* ---- made counts ---- */

enum { BITS = 1000 };

/* samples.csv of experiment ber in which receiver r makes errors[r][point] errors in each block, one more in odd ones,
 * one less in even ones. */
static struct jrx_csv *counts(const struct ex_settings *settings, const int errors[][3])
{
    size_t size = 1 << 20, at = 0;
    char *text = malloc(size);
    struct jrx_csv *csv;
    at += (size_t)snprintf(text + at, size - at, "rep,receiver,sinr_db,bits,bit_errors\n");
    for (int r = 0; r < ex_receivers(settings->zoo); r++)
        for (int p = 0; p < 3; p++)
            for (int b = 0; b < EX_BLOCKS; b++)
                at += (size_t)snprintf(text + at, size - at, "%d,%s,%g,%d,%d\n", b, ex_receiver_name(settings->zoo, r),
                                       settings->preset->sinr_db.value[p], BITS,
                                       errors[r][p] + (errors[r][p] ? (b % 2 ? 1 : -1) : 0));
    assert_int_equal(jrx_csv_parse(&csv, text, at, "counts", NULL), 0);
    free(text);
    return csv;
}

static void floors_and_crossings_come_from_the_counts(void **state)
{
    (void)state;
    struct ex_preset preset;
    struct ex_zoo *zoo;
    struct ex_quality quality;
    struct jrx_estimate e;
    assert_int_equal(ex_preset_read(&preset, "smoke"), 0);
    set(&preset, "temperatures", "");
    set(&preset, "teachers", "");
    set(&preset, "shares", "");
    set(&preset, "seeds", "1");
    set(&preset, "sinr_db", "0,10,20");
    assert_int_equal(ex_zoo_new(&zoo, &preset, 1), 0);
    const struct ex_settings settings = {.preset = &preset, .zoo = zoo};
    assert_int_equal(ex_receivers(zoo), 6); /* teacher, scratch, distilled, ls, lmmse, genie */
    static const int errors[6][3] = {{100, 10, 0},    {200, 60, 40},  {200, 30, 20},
                                     {300, 200, 100}, {200, 100, 50}, {100, 1, 0}};
    struct jrx_csv *csv = counts(&settings, errors);
    assert_int_equal(ex_quality_init(&quality, &settings, csv), 0);
    assert_int_equal(ex_floor(&quality), 1);
    assert_int_equal(ex_ber(&quality, 1, 1, 3, &e), 0);
    assert_near(e.value, 100.0 / (2 * BITS), 1e-12);
    assert_true(e.low <= e.value && e.high >= e.value && e.low > 0.049 && e.high < 0.051);
    const int scratch = 1, distilled = 2;
    assert_int_equal(ex_floor_ratio(&quality, &distilled, &scratch, 1, &e), 0);
    assert_near(e.value, 0.5, 1e-12);
    assert_true(e.high < 0.55 && e.low > 0.45);
    /* log BER falls from 0.1 at 0 dB to 0.01 at 10 dB */
    assert_near(ex_sinr_at(&quality, 0, 0.01), 10, 1e-9);
    assert_near(ex_sinr_at(&quality, 0, sqrt(0.001)), 5, 1e-9);
    assert_true(isnan(ex_sinr_at(&quality, 3, 0.01)));
    assert_int_equal(ex_ber_ratio(&quality, 0, 5, 2, 3, &e), 0); /* neither made an error */
    assert_true(isnan(e.value));
    ex_quality_fini(&quality);
    jrx_csv_free(csv);
    static const char few[] = "rep,receiver,sinr_db,bits,bit_errors\n0,ls,0,10,1\n";
    assert_int_equal(jrx_csv_parse(&csv, few, sizeof few - 1, "few", NULL), 0);
    assert_int_equal(ex_quality_init(&quality, &settings, csv), JRX_EFORMAT);
    assert_non_null(strstr(jrx_last_error(), "missing"));
    jrx_csv_free(csv);
    ex_zoo_free(zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_of_the_peak_is_guessed_as_measured),
        cmocka_unit_test(a_narrow_network_and_a_wide_teacher_take_longer_than_their_flop),
        cmocka_unit_test(a_zoo_holds_each_network_once),
        cmocka_unit_test(a_pair_differs_in_the_loss_alone),
        cmocka_unit_test(too_many_networks_are_refused),
        cmocka_unit_test(intervals_over_trainings_are_t_intervals_of_logarithms),
        cmocka_unit_test(floors_and_crossings_come_from_the_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
