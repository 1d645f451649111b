/* harness/counter: row 1 of the known traps. A wrap is undone or refused, never guessed, never negative. */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/counter.h"
#include "tests/support/test.h"

/* Intel package zone: 2^32 units of 61.035 uJ, in microjoules */
static const uint64_t range = 262143328850 + 61;

static struct jrx_counter package(void)
{
    return (struct jrx_counter){
        .range = range, .j_per_count = 1e-6, .provable_j = (double)range * 1e-6, .p_max_w = 1000};
}

static void a_counter_that_did_not_move_gives_zero(void **state)
{
    (void)state;
    uint64_t delta = 99;
    assert_int_equal(jrx_counter_delta(123456789, 123456789, range, &delta), 0);
    assert_int_equal(delta, 0);
}

static void one_wrap_is_undone(void **state)
{
    (void)state;
    uint64_t delta;
    assert_int_equal(jrx_counter_delta(range - 10, 25, range, &delta), 0);
    assert_int_equal(delta, 35);
    assert_int_equal(jrx_counter_delta(range - 1, 0, range, &delta), 0);
    assert_int_equal(delta, 1);
    assert_int_equal(jrx_counter_delta(0, range - 1, range, &delta), 0);
    assert_int_equal(delta, range - 1);
}

static void a_count_at_or_past_the_range_is_an_error(void **state)
{
    (void)state;
    uint64_t delta = 7;
    assert_int_equal(jrx_counter_delta(range, 5, range, &delta), JRX_EINVAL);
    assert_int_equal(jrx_counter_delta(5, range, range, &delta), JRX_EINVAL);
    assert_int_equal(jrx_counter_delta(UINT64_MAX, 5, range, &delta), JRX_EINVAL);
    assert_int_equal(delta, 7);
}

static void going_back_without_a_known_range_is_an_error_never_a_number(void **state)
{
    (void)state;
    uint64_t delta = 7;
    assert_int_equal(jrx_counter_delta(10, 9, JRX_RANGE_UNKNOWN, &delta), JRX_EIMPLAUSIBLE);
    assert_non_null(strstr(jrx_last_error(), "not readable"));
    assert_int_equal(jrx_counter_delta(10, 9, JRX_RANGE_NONE, &delta), JRX_EIMPLAUSIBLE);
    assert_int_equal(delta, 7);
    assert_int_equal(jrx_counter_delta(9, 10, JRX_RANGE_UNKNOWN, &delta), 0);
    assert_int_equal(delta, 1);
}

static void the_bound_is_the_range_at_full_power(void **state)
{
    (void)state;
    struct jrx_counter c = package();
    assert_near(jrx_counter_gap_s(&c), 262.143, 0.001);
    assert_near(jrx_counter_period_s(&c), 30, 0);
    c.provable_j = 65536; /* 2^-16 J */
    assert_near(jrx_counter_gap_s(&c), 65.536, 1e-9);
    assert_near(jrx_counter_period_s(&c), 16.384, 1e-9);
    c.provable_j = INFINITY;
    c.p_max_w = INFINITY;
    assert_true(isinf(jrx_counter_gap_s(&c)));
}

static void one_wrap_within_a_window_is_counted(void **state)
{
    (void)state;
    struct jrx_counter c = package();
    struct jrx_tally t;
    jrx_tally_start(&t, range - 5000000, 0);
    assert_int_equal(jrx_tally_add(&t, &c, 7000000, 1000000000), 0);
    assert_near(jrx_tally_j(&t, &c), 12, 1e-9);
    assert_int_equal(t.wraps, 1);
}

/* Two wraps between the ends: right when read in between, refused when not. */
static void two_wraps_within_a_window_are_counted_or_refused(void **state)
{
    (void)state;
    struct jrx_counter c = package();
    struct jrx_tally t;
    const uint64_t half = range / 2 + 1000;
    jrx_tally_start(&t, 0, 0);
    for (uint64_t k = 1; k <= 4; k++)
        assert_int_equal(jrx_tally_add(&t, &c, k * half % range, k * 200000000000), 0);
    assert_int_equal(t.wraps, 2);
    assert_int_equal(t.counts, 4 * half);
    jrx_tally_start(&t, 0, 0);
    assert_int_equal(jrx_tally_add(&t, &c, 4 * half % range, 800000000000), JRX_EMISSED);
    assert_non_null(strstr(jrx_last_error(), "262 s"));
    assert_true(isnan(jrx_tally_j(&t, &c)));
}

static void a_tally_does_not_recover_from_an_error(void **state)
{
    (void)state;
    struct jrx_counter c = package();
    struct jrx_tally t;
    jrx_tally_start(&t, 0, 0);
    assert_int_equal(jrx_tally_add(&t, &c, 5, 900000000000), JRX_EMISSED);
    assert_int_equal(jrx_tally_add(&t, &c, 6, 900000000001), JRX_EMISSED);
    assert_true(isnan(jrx_tally_j(&t, &c)));
    jrx_tally_start(&t, 0, 100);
    assert_int_equal(jrx_tally_add(&t, &c, 5, 99), JRX_EINVAL);
}

/* 24 h at 400 W, 2^-16 J a unit, read every 16.384 s, as the kernel would show it: microjoules, truncated. */
static void a_day_at_400_w_is_right_within_a_unit_a_wrap(void **state)
{
    (void)state;
    const double unit_j = 15258e-9;
    const uint64_t modulus = (uint64_t)4294967296 * 15258 / 1000; /* as jrx_zone_range() finds it */
    struct jrx_counter c = {
        .range = modulus, .j_per_count = 1e-6, .provable_j = (double)modulus * 1e-6, .p_max_w = 1000};
    struct jrx_tally t;
    jrx_tally_start(&t, 0, 0);
    double total_j = 0;
    const uint64_t day_ns = 86400000000000, step_ns = 16384000000;
    for (uint64_t now = step_ns;; now += step_ns) {
        now = now < day_ns ? now : day_ns;
        uint64_t units = (uint64_t)(400e-9 * (double)now / unit_j);
        total_j = (double)units * unit_j;
        assert_int_equal(jrx_tally_add(&t, &c, (uint64_t)((unsigned __int128)(units % 4294967296) * 15258 / 1000), now),
                         0);
        if (now == day_ns)
            break;
    }
    assert_int_equal(t.wraps, (int)(86400 * 400.0 / (4294967296 * unit_j)));
    assert_near(jrx_tally_j(&t, &c), total_j, unit_j * (t.wraps + 1));
}

static void the_gate_refuses_what_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(jrx_counter_plausible(0, 1, 300, 0), 0);
    assert_int_equal(jrx_counter_plausible(300, 1, 300, 0), 0);
    assert_int_equal(jrx_counter_plausible(300.1, 1, 300, 0), JRX_EIMPLAUSIBLE);
    assert_int_equal(jrx_counter_plausible(300.1, 1, 300, 0.2), 0);
    assert_int_equal(jrx_counter_plausible(-1e-9, 1, 300, 10), JRX_EIMPLAUSIBLE);
    assert_int_equal(jrx_counter_plausible(NAN, 1, 300, 10), JRX_EIMPLAUSIBLE);
    assert_int_equal(jrx_counter_plausible(1e9, 0, INFINITY, 0), 0);
}

static void the_clock_goes_forward_and_knows_its_cost(void **state)
{
    (void)state;
    uint64_t last = jrx_clock_ns();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = jrx_clock_ns();
        assert_true(now >= last);
        last = now;
    }
    struct jrx_clock_cost cost;
    jrx_clock_calibrate(&cost);
    assert_true(cost.read_ns > 0 && cost.read_ns < 100000);
    assert_true(cost.resolution_ns >= 1 && cost.resolution_ns < 1e6);
    uint64_t cpu = jrx_clock_thread_ns(), wall = jrx_clock_ns();
    jrx_clock_sleep_until(wall + 20000000);
    assert_true(jrx_clock_ns() - wall >= 19900000);
    assert_true(jrx_clock_thread_ns() - cpu < 10000000); /* asleep, not spinning */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_that_did_not_move_gives_zero),
        cmocka_unit_test(one_wrap_is_undone),
        cmocka_unit_test(a_count_at_or_past_the_range_is_an_error),
        cmocka_unit_test(going_back_without_a_known_range_is_an_error_never_a_number),
        cmocka_unit_test(the_bound_is_the_range_at_full_power),
        cmocka_unit_test(one_wrap_within_a_window_is_counted),
        cmocka_unit_test(two_wraps_within_a_window_are_counted_or_refused),
        cmocka_unit_test(a_tally_does_not_recover_from_an_error),
        cmocka_unit_test(a_day_at_400_w_is_right_within_a_unit_a_wrap),
        cmocka_unit_test(the_gate_refuses_what_cannot_be),
        cmocka_unit_test(the_clock_goes_forward_and_knows_its_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
