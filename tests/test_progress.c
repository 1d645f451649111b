/* harness/progress: what is shown where, and the time left. The clock is the test's. */
#include "harness/progress.h"
#include "tests/support/test.h"

static uint64_t now;
static uint64_t fake_ns(void)
{
    return now;
}

struct shown {
    char *text;
    size_t bytes;
    FILE *to;
    struct jrx_progress p;
};

static void start(struct shown *s, enum jrx_progress_style style)
{
    s->text = NULL;
    s->to = open_memstream(&s->text, &s->bytes);
    assert_non_null(s->to);
    jrx_progress_init(&s->p, s->to, style);
    s->p.now_ns = fake_ns;
}

static void end(struct shown *s)
{
    fclose(s->to);
    free(s->text);
}

static void item(struct jrx_progress *p, const char *name, double seconds, const char *result)
{
    jrx_progress_item(p, name);
    now += (uint64_t)(seconds * 1e9);
    jrx_progress_done(p, result);
}

static void off_a_terminal_each_item_is_one_plain_line(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_AUTO); /* a memory stream is no terminal */
    jrx_progress_plan(&s.p, "tiling", 3, NAN);
    jrx_progress_enter(&s.p, 0);
    item(&s.p, "conv oc=16", 2, "3.71 mJ");
    item(&s.p, "conv oc=32", 4, NULL);
    jrx_progress_say(&s.p, "warning: noisy");
    item(&s.p, "conv oc=64", 3, "");
    jrx_progress_fini(&s.p);
    fflush(s.to);
    assert_string_equal(s.text, "1/3  tiling  conv oc=16  3.71 mJ  4 s left\n"
                                "2/3  tiling  conv oc=32  3 s left\n"
                                "warning: noisy\n"
                                "3/3  tiling  conv oc=64  0 s left\n");
    end(&s);
}

static void quiet_says_nothing(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_QUIET);
    jrx_progress_plan(&s.p, "a", 1, 1);
    item(&s.p, "x", 1, "y");
    jrx_progress_say(&s.p, "warning");
    jrx_progress_fini(&s.p);
    fflush(s.to);
    assert_int_equal(s.bytes, 0);
    end(&s);
}

static void the_bar_is_redrawn_on_one_line_and_taken_away(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_BAR);
    jrx_progress_plan(&s.p, "a", 2, 10);
    jrx_progress_item(&s.p, "x");
    fflush(s.to);
    assert_string_equal(s.text, "\r[>                   ] 0/2  a  x  20 s left\033[K");
    now += 4000000000u;
    jrx_progress_done(&s.p, "1 J");
    fflush(s.to);
    assert_non_null(strstr(s.text, "\r[==========>         ] 1/2  a  x  1 J  4 s left\033[K"));
    jrx_progress_say(&s.p, "warning");
    fflush(s.to);
    assert_non_null(strstr(s.text, "\r\033[Kwarning\n\r[====="));
    item(&s.p, "y", 4, "");
    jrx_progress_fini(&s.p);
    fflush(s.to);
    assert_non_null(strstr(s.text, "[====================] 2/2"));
    assert_string_equal(s.text + s.bytes - 4, "\r\033[K");
    assert_null(strstr(s.text, "\033[3")); /* no colour */
    end(&s);
}

static void a_bar_is_never_wider_than_the_terminal(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_BAR);
    s.p.width = 40;
    jrx_progress_plan(&s.p, "\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5\xc2\xb5", 2, 10);
    jrx_progress_item(&s.p, "a name that is much too long for it");
    fflush(s.to);
    size_t columns = 0;
    for (const char *c = s.text + 1; *c != '\033'; c++)
        columns += ((unsigned char)*c & 0xC0) != 0x80;
    assert_int_equal(columns, 39);
    end(&s);
}

static void time_left_is_measured_where_it_can_be_and_planned_elsewhere(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_QUIET);
    jrx_progress_plan(&s.p, "a", 4, 10);
    jrx_progress_plan(&s.p, "b", 5, 2);
    assert_near(jrx_progress_left_s(&s.p), 50, 1e-12);
    jrx_progress_enter(&s.p, 0);
    item(&s.p, "x", 20, ""); /* twice as long as planned: b is taken to be so too */
    assert_near(jrx_progress_left_s(&s.p), 3 * 20 + 5 * 4, 1e-9);
    item(&s.p, "x", 30, "");
    assert_near(jrx_progress_left_s(&s.p), 2 * 25 + 5 * 2 * 2.5, 1e-9);
    jrx_progress_enter(&s.p, 1);
    item(&s.p, "y", 1, "");
    assert_near(jrx_progress_left_s(&s.p), 2 * 25 + 4 * 1, 1e-9);
    jrx_progress_plan(&s.p, "c", 1, NAN);
    assert_true(isnan(jrx_progress_left_s(&s.p)));
    end(&s);
}

static void resumed_items_count_but_have_no_time(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_QUIET);
    jrx_progress_plan(&s.p, "a", 10, NAN);
    jrx_progress_enter(&s.p, 0);
    jrx_progress_skip(&s.p, 7, 7);
    item(&s.p, "x", 5, "");
    assert_near(jrx_progress_left_s(&s.p), 10, 1e-9);
    jrx_progress_skip(&s.p, 100, 100);
    assert_int_equal(s.p.group[0].done, 10);
    assert_near(jrx_progress_left_s(&s.p), 0, 0);
    end(&s);
}

static void items_that_take_longer_weigh_more_in_the_time_left(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_QUIET);
    jrx_progress_plan(&s.p, "a", 4, 10); /* of weights 0.5, 1.5, 1 and 1: they add up to 4 */
    jrx_progress_plan(&s.p, "b", 1, 3);
    jrx_progress_enter(&s.p, 0);
    jrx_progress_skip(&s.p, 1, 0.5);
    assert_near(jrx_progress_left_s(&s.p), 3.5 * 10 + 3, 1e-9);
    jrx_progress_item(&s.p, "x");
    jrx_progress_weigh(&s.p, 1.5);
    now += 30000000000u; /* 20 s an item of weight 1: twice as planned */
    jrx_progress_done(&s.p, "");
    assert_near(jrx_progress_left_s(&s.p), 2 * 20 + 6, 1e-9);
    end(&s);
}

static void durations_are_short_words(void **state)
{
    (void)state;
    char text[16];
    assert_string_equal(jrx_progress_duration(8.4, text), "8 s");
    assert_string_equal(jrx_progress_duration(99.4, text), "99 s");
    assert_string_equal(jrx_progress_duration(100, text), "2 min");
    assert_string_equal(jrx_progress_duration(14 * 60 + 5, text), "14 min");
    assert_string_equal(jrx_progress_duration(2 * 3600, text), "2.0 h");
    assert_string_equal(jrx_progress_duration(5 * 86400, text), "5 days");
    assert_string_equal(jrx_progress_duration(1e30, text), "99999 days");
    assert_string_equal(jrx_progress_duration(NAN, text), "");
}

static void more_groups_than_there_is_room_for_still_add_up(void **state)
{
    (void)state;
    struct shown s;
    start(&s, JRX_PROGRESS_QUIET);
    for (int i = 0; i < JRX_PROGRESS_GROUPS + 10; i++)
        jrx_progress_plan(&s.p, "g", 1, 1);
    assert_near(jrx_progress_left_s(&s.p), JRX_PROGRESS_GROUPS + 10, 1e-9);
    struct jrx_progress zero = {0};
    jrx_progress_fini(&zero);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(off_a_terminal_each_item_is_one_plain_line),
        cmocka_unit_test(quiet_says_nothing),
        cmocka_unit_test(the_bar_is_redrawn_on_one_line_and_taken_away),
        cmocka_unit_test(a_bar_is_never_wider_than_the_terminal),
        cmocka_unit_test(time_left_is_measured_where_it_can_be_and_planned_elsewhere),
        cmocka_unit_test(resumed_items_count_but_have_no_time),
        cmocka_unit_test(items_that_take_longer_weigh_more_in_the_time_left),
        cmocka_unit_test(durations_are_short_words),
        cmocka_unit_test(more_groups_than_there_is_room_for_still_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
