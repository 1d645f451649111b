/* Presets: the files of the checkout, files of one's own, options on top, and session.json. */
#include "experiments/preset.h"
#include "experiments/runner.h"
#include "harness/base/error.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

static const char whole[] =
    "[preset]\nabout = mine\n[run]\nwindow_s = 0.5\nreps = 4\ngrid_f = 24\nrecipe = smoke\n"
    "widths = 0.25,0.5\nseeds = 2\ntemperatures = 1,4\nmixes = 0.5\nteachers =\nshares = 0.5\n"
    "teacher_steps = 0\nstudent_steps = 60\nteacher =\nsinr_db = -4:4:28\npilots = 2\nslots = 7\nevidence = yes\n";

static void the_committed_presets_can_be_read(void **state)
{
    (void)state;
    const char *const names[] = {"quick", "study", "paper", "smoke"};
    struct ex_preset preset;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ex_preset_read(&preset, names[i]), 0);
        assert_string_equal(preset.name, names[i]);
        assert_true(strlen(preset.about) > 10);
        assert_int_equal(preset.evidence, i < 3);
    }
    assert_int_equal(ex_preset_read(&preset, "none"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "quick"));
}

static void a_file_of_ones_own_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    char root[TREE_PATH], path[TREE_PATH + 16];
    struct ex_preset preset;
    tree_new(root);
    snprintf(path, sizeof path, "%s/mine.ini", root);
    assert_int_equal(ex_preset_read(&preset, path), JRX_EINVAL);
    tree_put(root, "mine.ini=%s", whole);
    assert_int_equal(ex_preset_read(&preset, path), 0);
    assert_near(preset.window_s, 0.5, 0);
    assert_int_equal(preset.reps, 4);
    assert_int_equal(preset.grid_f, 24);
    assert_string_equal(preset.recipe, "smoke");
    assert_int_equal(preset.slots, 7);
    assert_int_equal(preset.widths.count, 2);
    assert_near(preset.widths.value[1], 0.5, 0);
    assert_int_equal(preset.teachers.count, 0);
    assert_int_equal(preset.sinr_db.count, 9);
    assert_near(preset.sinr_db.value[0], -4, 0);
    assert_near(preset.sinr_db.value[8], 28, 0);
    assert_string_equal(preset.teacher, "");
    tree_put(root, "mine.ini=%.*s", (int)(strstr(whole, "slots") - whole), whole);
    assert_int_equal(ex_preset_read(&preset, path), JRX_EFORMAT);
    assert_non_null(strstr(jrx_last_error(), "slots is missing"));
    tree_put(root, "mine.ini=%sspeed = 3\n", whole);
    assert_int_equal(ex_preset_read(&preset, path), JRX_EFORMAT);
    assert_non_null(strstr(jrx_last_error(), "line 21: speed: not a value of a preset"));
    tree_put(root, "mine.ini=%sreps = 5\nspeed = 3\n", whole); /* the first mistake is told of */
    assert_int_equal(ex_preset_read(&preset, path), JRX_EFORMAT);
    assert_non_null(strstr(jrx_last_error(), "line 21: reps: given twice"));
    tree_put(root, "mine.ini=[rum]\nreps = 5\nslots = 3\n");
    assert_int_equal(ex_preset_read(&preset, path), JRX_EFORMAT);
    assert_non_null(strstr(jrx_last_error(), "line 2: [rum] reps"));
    tree_free(root);
}

static void values_out_of_range_are_named(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"reps", "0"},        {"reps", "2.5"},      {"reps", "many"},       {"grid_f", "13"}, {"window_s", "61"},
        {"recipe", "no"},     {"evidence", "1"},    {"reps", ""},           {"widths", ""},   {"widths", "0.5,0.25"},
        {"widths", "0.5,"},   {"shares", "1"},      {"mixes", "0"},         {"pilots", "3"},  {"sinr_db", "0:3"},
        {"sinr_db", "0:0:9"}, {"sinr_db", "9:3:0"}, {"sinr_db", "0:0.1:20"}};
    struct ex_preset preset;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ex_preset_set(&preset, bad[i][0], bad[i][1]), JRX_EINVAL);
    assert_int_equal(ex_preset_set(&preset, "grid_f", "13"), JRX_EINVAL);
    assert_string_equal(jrx_last_error(), "grid_f = 13: not a multiple of 12 from 12 to 3276");
}

static void lists_of_numbers_come_as_values_or_as_a_range(void **state)
{
    (void)state;
    struct ex_preset preset = {.reps = 0};
    assert_int_equal(ex_preset_set(&preset, "sinr_db", "0:3:10"), 0);
    assert_int_equal(preset.sinr_db.count, 4); /* 0, 3, 6, 9 */
    assert_near(preset.sinr_db.value[3], 9, 0);
    assert_int_equal(ex_preset_set(&preset, "sinr_db", "-4,0,1.5"), 0);
    assert_int_equal(preset.sinr_db.count, 3);
    assert_near(preset.sinr_db.value[2], 1.5, 0);
    assert_int_equal(ex_preset_set(&preset, "shares", ""), 0);
    assert_int_equal(preset.shares.count, 0);
    assert_int_equal(ex_preset_set(&preset, "sinr_db", "3,1"), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "sinr_db = 3,1: neither"));
}

static void options_stand_in_for_values_of_the_file(void **state)
{
    (void)state;
    struct ex_preset preset;
    struct ex_session_options options = {.preset = "smoke"};
    options.changed[EX_PRESET_reps] = "5";
    assert_int_equal(ex_options_preset(&options, &preset), 0);
    assert_int_equal(preset.reps, 5);
    assert_int_equal(preset.slots, 4);
    options.changed[EX_PRESET_slots] = "-1";
    assert_int_equal(ex_options_preset(&options, &preset), JRX_EINVAL);
}

static void a_resumed_run_finds_every_value_again(void **state)
{
    (void)state;
    struct ex_preset preset, again;
    assert_int_equal(ex_preset_read(&preset, "quick"), 0);
    assert_int_equal(ex_preset_set(&preset, "window_s", "0.1"), 0);
    json_t *object = ex_preset_json(&preset);
    assert_int_equal(ex_preset_unpack(&again, object), 0);
    assert_near(again.window_s, 0.1, 0);
    assert_int_equal(again.reps, preset.reps);
    assert_int_equal(again.grid_f, preset.grid_f);
    assert_int_equal(again.slots, preset.slots);
    assert_int_equal(again.evidence, preset.evidence);
    assert_string_equal(again.recipe, preset.recipe);
    assert_int_equal(again.sinr_db.count, preset.sinr_db.count);
    assert_near(again.sinr_db.value[3], preset.sinr_db.value[3], 0);
    assert_int_equal(again.shares.count, 0);
    json_object_del(object, "slots");
    assert_int_equal(ex_preset_unpack(&again, object), JRX_EFORMAT);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_committed_presets_can_be_read),
        cmocka_unit_test(a_file_of_ones_own_is_read_whole_or_not_at_all),
        cmocka_unit_test(values_out_of_range_are_named),
        cmocka_unit_test(lists_of_numbers_come_as_values_or_as_a_range),
        cmocka_unit_test(options_stand_in_for_values_of_the_file),
        cmocka_unit_test(a_resumed_run_finds_every_value_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
