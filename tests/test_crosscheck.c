/* harness/crosscheck, row 9 of the known traps: the units of dram. */
#include "harness/base/error.h"
#include "harness/crosscheck.h"
#include "tests/support/fake_meter.h"
#include "tests/support/test.h"

static void judge(struct jrx_warnings *w, enum jrx_domain_kind kind, double a_j, double b_j)
{
    const struct jrx_domain domain = {.name = "it", .kind = kind};
    *w = (struct jrx_warnings){0};
    jrx_crosscheck_judge(w, &domain, "powercap", "perf", a_j, b_j);
}

static void units_that_are_known_to_differ_agree(void **state)
{
    (void)state;
    struct jrx_warnings w;
    judge(&w, JRX_PACKAGE, 100, 100.005); /* 15258 nJ against 2^-16 J: 5.2e-5 */
    assert_int_equal(w.count, 0);
    judge(&w, JRX_DRAM, 153.00, 152.58789);
    assert_int_equal(w.count, 0);
    judge(&w, JRX_DRAM, 152.58789, 153.00);
    assert_int_equal(w.count, 0);
}

static void anything_else_is_a_warning_with_the_ratio(void **state)
{
    (void)state;
    struct jrx_warnings w;
    judge(&w, JRX_PACKAGE, 153.00, 152.58789); /* only dram has two units */
    assert_int_equal(w.count, 1);
    assert_relative(w.item[0].value, 1.0027, 1e-4);
    judge(&w, JRX_DRAM, 61.035, 15.2588);
    assert_non_null(strstr(w.item[0].text, "61 uJ"));
    assert_relative(w.item[0].value, 4, 1e-3);
    judge(&w, JRX_DRAM, 15.3, 61);
    assert_non_null(strstr(w.item[0].text, "15.3 uJ"));
    judge(&w, JRX_PACKAGE, 1, 12);
    assert_int_equal(w.count, 1);
    assert_null(strstr(w.item[0].text, "61 uJ"));
}

/* The same counters under another scale: a second interface to the registers of the first. */
static int read_same(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    return jrx_meter_read(meter->state, domain, reading);
}

static void two_meters_on_the_same_registers_are_compared(void **state)
{
    (void)state;
    static struct fake fake;
    static struct jrx_meter other;
    static const struct jrx_meter_ops ops = {.name = "other", .read = read_same};
    struct jrx_warnings w = {0};
    fake_init(&fake, 2, 100, 1);
    other = fake.meter;
    other.ops = &ops;
    other.state = &fake.meter;
    assert_int_equal(jrx_crosscheck(&w, &fake.meter, &other, 20000000), 2);
    assert_int_equal(w.count, 0);
    other.domain[1].counter.j_per_count *= 4;
    assert_int_equal(jrx_crosscheck(&w, &fake.meter, &other, 20000000), 2);
    assert_int_equal(w.count, 1);
    assert_relative(w.item[0].value, 0.25, 1e-9);
    assert_non_null(strstr(w.item[0].text, "dram-0"));
    snprintf(other.domain[1].name, sizeof other.domain[1].name, "dram-7");
    assert_int_equal(jrx_crosscheck(&w, &fake.meter, &other, 20000000), 1);
    fake.fail_after = 0;
    assert_int_equal(jrx_crosscheck(&w, &fake.meter, &other, 20000000), JRX_EIO);
}

static void a_machine_with_one_interface_compares_nothing(void **state)
{
    (void)state;
    struct jrx_warnings w = {0};
    const struct jrx_meter_config config = {.sysfs = "/nonexistent"};
    assert_int_equal(jrx_crosscheck_kernel(&w, &config), 0);
    assert_int_equal(w.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_that_are_known_to_differ_agree),
        cmocka_unit_test(anything_else_is_a_warning_with_the_ratio),
        cmocka_unit_test(two_meters_on_the_same_registers_are_compared),
        cmocka_unit_test(a_machine_with_one_interface_compares_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
