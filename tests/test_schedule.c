/* harness/schedule and harness/calibrate: the order of a run, and how long a window must be. */
#include "harness/base/error.h"
#include "harness/calibrate.h"
#include "harness/clock.h"
#include "harness/schedule.h"
#include "tests/support/test.h"

enum { CELLS = 7, REPS = 5 };

static void each_block_holds_every_cell_once(void **state)
{
    (void)state;
    struct jrx_step s[CELLS * REPS];
    assert_int_equal(jrx_schedule(s, CELLS, REPS, JRX_SHUFFLED, 42), 0);
    int moved = 0;
    for (int b = 0; b < REPS; b++) {
        unsigned seen = 0;
        for (int i = 0; i < CELLS; i++) {
            assert_int_equal(s[b * CELLS + i].rep, b);
            seen |= 1u << s[b * CELLS + i].cell;
            moved += s[b * CELLS + i].cell != (uint32_t)i;
        }
        assert_int_equal(seen, (1u << CELLS) - 1);
    }
    assert_true(moved > CELLS * REPS / 2);
}

static void the_seed_makes_the_order_and_more_repetitions_keep_it(void **state)
{
    (void)state;
    struct jrx_step a[CELLS * REPS], b[CELLS * 2], c[CELLS * REPS];
    jrx_schedule(a, CELLS, REPS, JRX_SHUFFLED, 42);
    jrx_schedule(b, CELLS, 2, JRX_SHUFFLED, 42);
    jrx_schedule(c, CELLS, REPS, JRX_SHUFFLED, 43);
    assert_memory_equal(a, b, sizeof b);
    assert_true(memcmp(a, c, sizeof a) != 0);
}

/* Each of the 7 cells first in a block with probability 1/7: 2000 blocks, within 5 standard deviations. */
static void every_cell_is_as_often_first(void **state)
{
    (void)state;
    enum { BLOCKS = 2000 };
    static struct jrx_step s[CELLS * BLOCKS];
    int first[CELLS] = {0};
    jrx_schedule(s, CELLS, BLOCKS, JRX_SHUFFLED, 1);
    for (int b = 0; b < BLOCKS; b++)
        first[s[b * CELLS].cell]++;
    for (int c = 0; c < CELLS; c++)
        assert_near(first[c], BLOCKS / 7.0, 5 * sqrt(BLOCKS / 7.0 * 6 / 7));
}

static void plain_orders_are_as_named(void **state)
{
    (void)state;
    struct jrx_step s[6];
    const struct jrx_step blocked[] = {{0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}, {2, 1}};
    const struct jrx_step sequential[] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 1}};
    assert_int_equal(jrx_schedule(s, 3, 2, JRX_BLOCKED, 9), 0);
    assert_memory_equal(s, blocked, sizeof s);
    assert_int_equal(jrx_schedule(s, 3, 2, JRX_SEQUENTIAL, 9), 0);
    assert_memory_equal(s, sequential, sizeof s);
    enum jrx_order order;
    assert_int_equal(jrx_order_parse("sequential", &order), 0);
    assert_int_equal(order, JRX_SEQUENTIAL);
    assert_string_equal(jrx_order_name(JRX_SHUFFLED), "shuffled");
    assert_int_equal(jrx_order_parse("random", &order), JRX_EINVAL);
}

static void an_impossible_plan_is_refused(void **state)
{
    (void)state;
    assert_int_equal(jrx_schedule(NULL, 0, 5, JRX_SHUFFLED, 1), JRX_EINVAL);
    assert_int_equal(jrx_schedule(NULL, 5, 0, JRX_SHUFFLED, 1), JRX_EINVAL);
    assert_int_equal(jrx_schedule(NULL, 70000, 70000, JRX_SHUFFLED, 1), JRX_EINVAL);
}

static void iterations_fill_time_and_ticks(void **state)
{
    (void)state;
    struct jrx_calibration want = {.min_time_ns = 50000000, .tick_ns = 1000000, .min_ticks = 100};
    assert_int_equal(jrx_calibrate_iters(&want, 1e6), 105); /* 100 ticks of 1 ms, 5 % to spare */
    want.min_ticks = 10;
    assert_int_equal(jrx_calibrate_iters(&want, 1e6), 53); /* 50 ms */
    want.tick_ns = 0;
    assert_int_equal(jrx_calibrate_iters(&want, 1e12), 1);
    assert_int_equal(jrx_calibrate_iters(&want, 0), 525000000); /* too short to be timed: 0.1 ns */
}

struct work {
    uint64_t ns;
    unsigned calls;
};

static void spin(void *arg)
{
    struct work *w = arg;
    uint64_t until = jrx_clock_ns() + w->ns;
    w->calls++;
    while (jrx_clock_ns() < until)
        ;
}

static void calibrated_windows_are_long_enough(void **state)
{
    (void)state;
    struct work w = {.ns = 20000};
    struct jrx_region region = {.fn = spin, .ctx = &w};
    struct jrx_calibration want = {.min_time_ns = 20000000};
    uint64_t iters = 0;
    double iter_ns;
    assert_int_equal(jrx_calibrate(&region, &want, &iters, &iter_ns), 0);
    assert_true(iter_ns >= 20000);
    uint64_t start = jrx_clock_ns();
    for (uint64_t i = 0; i < iters; i++)
        spin(&w);
    /* the machine may have been busier while calibrating, by a factor of 4 at most */
    assert_true(jrx_clock_ns() - start > 5000000);
    assert_true(iters <= 1050);
}

static void a_slow_region_is_run_twice_at_most(void **state)
{
    (void)state;
    struct work w = {.ns = 5000000};
    struct jrx_region region = {.fn = spin, .ctx = &w};
    struct jrx_calibration want = {.min_time_ns = 20000000};
    uint64_t iters = 0;
    assert_int_equal(jrx_calibrate(&region, &want, &iters, NULL), 0);
    assert_true(w.calls <= 2);
    assert_true(iters >= 1 && iters <= 5);
    want = (struct jrx_calibration){.min_time_ns = 1000000000000, .max_time_ns = 1000000};
    w.calls = 0;
    assert_int_equal(jrx_calibrate(&region, &want, &iters, NULL), 0);
    assert_int_equal(w.calls, 1);
    assert_int_equal(jrx_calibrate(&(struct jrx_region){0}, &want, &iters, NULL), JRX_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_block_holds_every_cell_once),
        cmocka_unit_test(the_seed_makes_the_order_and_more_repetitions_keep_it),
        cmocka_unit_test(every_cell_is_as_often_first),
        cmocka_unit_test(plain_orders_are_as_named),
        cmocka_unit_test(an_impossible_plan_is_refused),
        cmocka_unit_test(iterations_fill_time_and_ticks),
        cmocka_unit_test(calibrated_windows_are_long_enough),
        cmocka_unit_test(a_slow_region_is_run_twice_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
