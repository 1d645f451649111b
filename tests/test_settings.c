/* models/receiver: what users set of a training, by name; the recipes. */
#include "harness/base/error.h"
#include "models/receiver/fields.h"
#include "models/receiver/presets.h"
#include "tests/support/test.h"
#include <unistd.h>

static struct rx_train_config paper(enum rx_role role)
{
    return rx_preset_config(rx_preset_find("paper"), role, 1);
}

/* Value of `key` in what a checkpoint of this configuration would record. */
static void recorded(const struct rx_train_config *config, const char *key, char *text, size_t size)
{
    struct rx_train train = {.config = *config};
    struct rx_fields fields;
    rx_fields_fill(&fields, &train);
    *text = 0;
    for (int i = 0; i < fields.count; i++)
        if (!strcmp(fields.pair[i].key, key))
            snprintf(text, size, "%s", fields.pair[i].value);
}

/* Fields that two configurations would record differently. */
static int moved(const struct rx_train_config *a, const struct rx_train_config *b)
{
    struct rx_train ta = {.config = *a}, tb = {.config = *b};
    struct rx_fields fa, fb;
    int count = 0;
    rx_fields_fill(&fa, &ta);
    rx_fields_fill(&fb, &tb);
    for (int i = 0; i < fa.count; i++)
        count += strcmp(fa.pair[i].value, fb.pair[i].value) != 0;
    return count;
}

static void what_is_set_is_recorded_and_nothing_else_moves(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } all[] = {{"body", "short5"},       {"width", "0.375"},    {"blocks", "4"},      {"multiplier", "3"},
               {"logits", "4"},          {"steps", "15000"},    {"warmup", "123"},    {"hold", "4567"},
               {"rate", "0.125"},        {"batch", "96"},       {"micro", "12"},      {"optimiser", "adamw"},
               {"decay", "0.5"},         {"beta1", "0.75"},     {"beta2", "0.875"},   {"epsilon", "0.0625"},
               {"clip", "2.5"},          {"average", "0.9375"}, {"momentum", "0.25"}, {"snr-weight", "yes"},
               {"checkpointing", "yes"}, {"precision", "bf16"}, {"mix", "0.5"},       {"temperature", "4"},
               {"hint", "0.75"}};
    int count = 0;
    while (rx_setting(count))
        count++;
    assert_int_equal(count, sizeof all / sizeof *all); /* a new setting belongs in this test */
    for (int i = 0; i < count; i++) {
        struct rx_train_config changed = paper(RX_DISTILLED), before = changed;
        char text[64];
        assert_string_equal(rx_setting(i)->name, all[i].name);
        assert_int_equal(rx_setting_set(&changed, all[i].name, all[i].text), 0);
        recorded(&changed, all[i].name, text, sizeof text);
        assert_string_equal(text, all[i].text);
        assert_int_equal(moved(&before, &changed),
                         strcmp(all[i].name, "steps") ? 1 : 3); /* warm-up and plateau go with the steps */
    }
}

static void a_configuration_comes_back_from_its_checkpoint(void **state)
{
    (void)state;
    struct rx_train train;
    struct rx_train_config config = rx_preset_config(rx_preset_find("smoke"), RX_SCRATCH, 12345678901234567u), back;
    char path[] = "/tmp/joulerx-test-XXXXXX";
    close(mkstemp(path));
    config.link.sir_db[0] = 3;
    config.link.sir_db[1] = 4;
    config.link.mixture = 1 << LK_QPSK | 1 << LK_16QAM;
    config.snr_weight = 1;
    config.optimiser = NN_LAMB;
    for (int interferer = 1; interferer >= 0; interferer--) {
        config.link.sir_db[1] = interferer ? 4 : INFINITY;
        config.link.sir_db[0] = interferer ? 3 : INFINITY;
        assert_int_equal(rx_train_init(&train, &config, NULL, 1), 0);
        assert_int_equal(rx_train_save(&train, path), 0);
        assert_int_equal(rx_config_load(&back, path), 0);
        assert_int_equal(moved(&config, &back), 0);
        rx_train_fini(&train);
    }
    unlink(path);
    assert_int_equal(rx_config_load(&back, path), JRX_EIO);
}

static void steps_stretch_the_schedule(void **state)
{
    (void)state;
    struct rx_train_config c = paper(RX_TEACHER);
    assert_int_equal(rx_setting_set(&c, "steps", "3000"), 0);
    assert_int_equal(c.schedule.warmup, 80);
    assert_int_equal(c.schedule.hold, 900);
    assert_int_equal(rx_train_config_check(&c), 0);
}

static void nonsense_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"optimiser", "sgd"}, {"width", "0"},   {"width", "1x"},     {"width", "nan"},   {"blocks", "1.5"},
        {"steps", "0"},       {"body", "long"}, {"snr-weight", "1"}, {"average", "1"},   {"mix", "-0.1"},
        {"batch", ""},        {"logits", "17"}, {"seed", "4"},       {"multiplier", "5"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rx_train_config c = paper(RX_TEACHER), before = c;
        assert_int_equal(rx_setting_set(&c, bad[i][0], bad[i][1]), JRX_EINVAL);
        assert_int_equal(moved(&c, &before), 0);
        assert_non_null(strstr(jrx_last_error(), strcmp(bad[i][0], "body") ? bad[i][0] : "short7"));
    }
}

/* Honkala, Korpi, Huttunen 2021, section on training: the numbers, one by one. */
static void the_recipe_of_the_paper_is_the_published_one(void **state)
{
    (void)state;
    struct rx_train_config c = paper(RX_TEACHER);
    assert_string_equal(c.shape.body->name, "deeprx");
    assert_near(c.shape.width, 1, 0);
    assert_int_equal(c.link.prb, 26);
    assert_int_equal(c.link.rx, 2);
    assert_int_equal(c.link.modulation, LK_16QAM);
    assert_int_equal(c.link.profiles, 1 << LK_TDL_B | 1 << LK_TDL_C | 1 << LK_TDL_D);
    assert_int_equal(c.link.patterns, 0xf);
    const double *range[] = {c.link.snr_db, c.link.sir_db, c.link.doppler_hz, c.link.delay_spread_s};
    const double want[][2] = {{-4, 32}, {0, 36}, {0, 500}, {10e-9, 300e-9}};
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 2; k++)
            assert_near(range[i][k], want[i][k], 0);
    assert_int_equal(c.link.interferers, 1);
    assert_int_equal(c.optimiser, NN_LAMB);
    assert_near(c.schedule.rate, 1e-2, 0);
    assert_near(c.adamw.decay, 1e-4, 0);
    assert_int_equal(c.schedule.warmup, 800);
    assert_int_equal(c.schedule.hold, 9000);
    assert_int_equal(c.schedule.steps, 30000);
    assert_int_equal(c.batch, 80);
}

static void nothing_is_validated_on_what_it_was_trained_on(void **state)
{
    (void)state;
    for (const struct rx_preset *preset = rx_presets(); preset->name; preset++) {
        struct rx_train_config c = preset->common, validation = c;
        c.shape.body = validation.shape.body = rx_bodies();
        validation.link = rx_validation_link(&c.link);
        assert_int_equal(validation.link.profiles, 1 << LK_TDL_A | 1 << LK_TDL_E);
        assert_int_equal(c.link.profiles & validation.link.profiles, 0);
        assert_int_equal(moved(&c, &validation), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_set_is_recorded_and_nothing_else_moves),
        cmocka_unit_test(a_configuration_comes_back_from_its_checkpoint),
        cmocka_unit_test(steps_stretch_the_schedule),
        cmocka_unit_test(nonsense_is_refused_by_name),
        cmocka_unit_test(the_recipe_of_the_paper_is_the_published_one),
        cmocka_unit_test(nothing_is_validated_on_what_it_was_trained_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
