/* The powercap meter on trees that do not move: what is found, what is refused, and in which words. */
#include "harness/base/error.h"
#include "harness/meter.h"
#include "harness/meters/zones.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <sys/stat.h>
#include <unistd.h>

static const char intel[] = "262143328850"; /* 2^32 units of 61.035 uJ */
static const char amd[] = "65532610987";    /* 2^32 units of 15.258 uJ */

struct fixture {
    char root[TREE_PATH];
    struct jrx_meter_config config;
    struct jrx_meter meter;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    tree_new(f->root);
    f->config.sysfs = f->root;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    jrx_meter_close(&f->meter);
    tree_free(f->root);
    free(f);
    return 0;
}

static int open_meter(struct fixture *f)
{
    return jrx_meter_open(&f->meter, "powercap", &f->config);
}

static const struct jrx_domain *find(const struct fixture *f, const char *name)
{
    for (size_t d = 0; d < f->meter.domains; d++)
        if (!strcmp(f->meter.domain[d].name, name))
            return &f->meter.domain[d];
    return NULL;
}

static uint64_t count_of(struct fixture *f, const char *name)
{
    const struct jrx_domain *domain = find(f, name);
    struct jrx_reading reading;
    assert_non_null(domain);
    assert_int_equal(jrx_meter_read(&f->meter, (size_t)(domain - f->meter.domain), &reading), 0);
    assert_true(reading.after_ns >= reading.before_ns);
    return reading.count;
}

static unsigned in_total(const struct fixture *f)
{
    unsigned n = 0;
    for (size_t d = 0; d < f->meter.domains; d++)
        n += f->meter.domain[d].in_total;
    return n;
}

static void ranges_are_the_kernels_modulus(void **state)
{
    (void)state;
    /* 2^32 times the unit in nJ, over 1000: what the register really wraps at */
    assert_int_equal(jrx_zone_range(262143328850), 262143328911);         /* 61035 nJ */
    assert_int_equal(jrx_zone_range(65532610987), 65532611002);           /* 15258 nJ, rounded down */
    assert_int_equal(jrx_zone_range(65712999613), 65712999628);           /* 15300 nJ: DRAM of HSX, SKX, ICX */
    assert_int_equal(jrx_zone_range(4294967295000000), 4294967296000000); /* 1 J: psys of SPR */
    assert_int_equal(jrx_zone_range(1000), 1001);                         /* not of that form */
}

static void one_package_with_its_parts(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "1000");
    tree_zone(f->root, "intel-rapl:0:0", "core", intel, "400");
    tree_zone(f->root, "intel-rapl:0:1", "uncore", intel, "100");
    tree_zone(f->root, "intel-rapl:0:2", "dram", "65712999613", "77");
    tree_put(f->root, "class/powercap/intel-rapl/enabled=1\n");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(f->meter.source, JRX_MEASURED);
    assert_int_equal(f->meter.domains, 4);
    assert_int_equal(in_total(f), 2); /* package and dram; core and uncore are inside the package */
    assert_true(find(f, "package-0")->in_total && find(f, "dram-0")->in_total);
    assert_int_equal(count_of(f, "core-0"), 400);
    assert_int_equal(find(f, "dram-0")->counter.range, 65712999628);
    assert_near(find(f, "dram-0")->counter.j_per_count, 1e-6, 0);
    assert_int_equal(f->meter.warnings.count, 0);
}

/* row 2 */
static void psys_between_two_packages_does_not_hide_the_second(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "10");
    tree_zone(f->root, "intel-rapl:1", "psys", intel, "99");
    tree_zone(f->root, "intel-rapl:2", "package-1", intel, "20");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(f->meter.domains, 3);
    assert_int_equal(count_of(f, "package-1"), 20);
    assert_int_equal(find(f, "package-1")->socket, 1);
    assert_int_equal(find(f, "psys")->socket, -1);
    assert_false(find(f, "psys")->in_total);
    assert_int_equal(in_total(f), 2);
}

/* row 2 */
static void zone_numbers_are_hexadecimal_and_sparse(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:a", "package-10", intel, "10");
    tree_zone(f->root, "intel-rapl:c", "package-12", intel, "12");
    tree_zone(f->root, "intel-rapl:c:b", "dram", intel, "120");
    tree_zone(f->root, "intel-rapl:9", "package-2", intel, "2");
    assert_int_equal(open_meter(f), 0);
    assert_string_equal(f->meter.domain[0].name, "package-2");
    assert_string_equal(f->meter.domain[1].name, "package-10");
    assert_int_equal(count_of(f, "dram-12"), 120);
    assert_int_equal(in_total(f), 4);
}

/* row 3 */
static void mmio_duplicates_are_counted_once(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl-mmio:0", "package-0", intel, "500");
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "1000");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(f->meter.domains, 1);
    assert_int_equal(count_of(f, "package-0"), 1000);
    const struct jrx_warning *w = jrx_warning_find(&f->meter.warnings, "duplicate_zone");
    assert_non_null(w);
    assert_non_null(strstr(w->text, "intel-rapl-mmio:0 repeats intel-rapl:0"));
}

static void mmio_alone_is_used(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl-mmio:0", "package-0", intel, "500");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(count_of(f, "package-0"), 500);
}

/* row 4 */
static void twelve_dies_that_tick_identically_are_one_package(void **state)
{
    struct fixture *f = *state;
    for (int die = 0; die < 12; die++) {
        char zone[32], name[32];
        snprintf(zone, sizeof zone, "intel-rapl:%x", die);
        snprintf(name, sizeof name, "package-0-die-%d", die);
        tree_zone(f->root, zone, name, amd, "123456789");
    }
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(f->meter.domains, 1);
    assert_int_equal(in_total(f), 1);
    assert_int_equal(count_of(f, "package-0"), 123456789);
    assert_non_null(jrx_warning_find(&f->meter.warnings, "identical_dies"));
}

/* row 5 */
static void dies_that_tick_on_their_own_are_both_summed(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0-die-0", intel, "111111");
    tree_zone(f->root, "intel-rapl:1", "package-0-die-1", intel, "222222");
    tree_zone(f->root, "intel-rapl:1:0", "dram", intel, "33");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(in_total(f), 3);
    assert_int_equal(count_of(f, "package-0-die-1"), 222222);
    assert_int_equal(count_of(f, "dram-0-die-1"), 33);
    assert_null(jrx_warning_find(&f->meter.warnings, "identical_dies"));
}

/* row 6 */
static void the_core_zone_of_amd_is_called_one_core(void **state)
{
    struct fixture *f = *state;
    tree_put(f->root, "devices/system/cpu/modalias=cpu:type:x86,ven0002fam0019mod0011:feature:,0000\n");
    tree_put(f->root, "devices/system/cpu/cpu0/topology/physical_package_id=0\n");
    tree_zone(f->root, "intel-rapl:0", "package-0", amd, "1000");
    tree_zone(f->root, "intel-rapl:0:0", "core", amd, "5");
    assert_int_equal(open_meter(f), 0);
    assert_false(find(f, "core-0")->in_total);
    const struct jrx_warning *w = jrx_warning_find(&f->meter.warnings, "one_core");
    assert_non_null(w);
    assert_non_null(strstr(w->text, "core-0 is one core, CPU 0"));
}

static void the_core_zone_of_intel_is_all_cores(void **state)
{
    struct fixture *f = *state;
    tree_put(f->root, "devices/system/cpu/modalias=cpu:type:x86,ven0000fam0006mod0055:feature:,0000\n");
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "1000");
    tree_zone(f->root, "intel-rapl:0:0", "core", intel, "5");
    assert_int_equal(open_meter(f), 0);
    assert_null(jrx_warning_find(&f->meter.warnings, "one_core"));
}

static void reads_come_from_a_cpu_of_the_package(void **state)
{
    struct fixture *f = *state;
    for (int cpu = 0; cpu < 4; cpu++)
        tree_put(f->root, "devices/system/cpu/cpu%d/topology/physical_package_id=%d\n", cpu, cpu % 2 ? 3 : 0);
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "1");
    tree_zone(f->root, "intel-rapl:1", "package-3", intel, "2");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(find(f, "package-0")->cpu, 0);
    assert_int_equal(find(f, "package-3")->cpu, 1);
}

/* row 8 */
static void four_dram_zones_keep_their_packages(void **state)
{
    struct fixture *f = *state;
    for (int p = 0; p < 4; p++) {
        char zone[32], name[32], energy[32];
        snprintf(zone, sizeof zone, "intel-rapl:%d", p);
        snprintf(name, sizeof name, "package-%d", p);
        tree_zone(f->root, zone, name, intel, "1");
        snprintf(zone, sizeof zone, "intel-rapl:%d:0", p);
        snprintf(energy, sizeof energy, "%d", 100 + p);
        tree_zone(f->root, zone, "dram", intel, energy);
    }
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(in_total(f), 8);
    for (int p = 0; p < 4; p++) {
        char name[32];
        snprintf(name, sizeof name, "dram-%d", p);
        assert_int_equal(count_of(f, name), 100 + p);
    }
}

/* row 1 */
static void a_zone_without_a_range_is_read_and_its_wrap_refused(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0", "", "1000");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(find(f, "package-0")->counter.range, JRX_RANGE_UNKNOWN);
    assert_near(find(f, "package-0")->counter.provable_j, 65536, 0);
    assert_non_null(jrx_warning_find(&f->meter.warnings, "range_unknown"));
}

static void refused(struct fixture *f, int code, const char *words)
{
    assert_int_equal(open_meter(f), code);
    if (!strstr(jrx_last_error(), words))
        fail_msg("'%s' does not say '%s'", jrx_last_error(), words);
    assert_int_equal(f->meter.domains, 0);
}

/* row 12 */
static void no_tree_names_the_module(void **state)
{
    refused(*state, JRX_EUNAVAILABLE, "modprobe intel_rapl_msr");
}

/* row 7 */
static void an_empty_tree_is_told_from_no_tree(void **state)
{
    struct fixture *f = *state;
    tree_put(f->root, "class/powercap/intel-rapl/enabled=1\n");
    refused(f, JRX_EUNAVAILABLE, "is empty");
}

/* row 7 */
static void links_to_nothing_name_the_container_mask(void **state)
{
    struct fixture *f = *state;
    tree_link(f->root, "class/powercap/intel-rapl:0", "../../devices/virtual/powercap/intel-rapl/intel-rapl:0");
    refused(f, JRX_EUNAVAILABLE, "systempaths=unconfined");
}

static void psys_alone_is_not_enough(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "psys", intel, "1");
    refused(f, JRX_EUNAVAILABLE, "no package");
}

/* row 7 */
static void text_that_is_no_number_is_never_a_zero(void **state)
{
    static const char *const bad[] = {"", "12x", "-5", "0x10", " 7", "99999999999999999999999", "nan"};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tree_zone(f->root, "intel-rapl:0", "package-0", intel, bad[i]);
        assert_int_equal(open_meter(f), JRX_EFORMAT);
    }
}

static void a_broken_zone_that_no_total_needs_is_left_out(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "5");
    tree_zone(f->root, "intel-rapl:0:0", "core", intel, "garbage");
    tree_zone(f->root, "intel-rapl:0:1", "gpu-thing", intel, "5");
    assert_int_equal(open_meter(f), 0);
    assert_int_equal(f->meter.domains, 1);
    assert_non_null(jrx_warning_find(&f->meter.warnings, "zone_left_out"));
    assert_non_null(jrx_warning_find(&f->meter.warnings, "unknown_zone"));
}

/* row 7 */
static void a_vanished_zone_is_an_error_with_a_name(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "5");
    tree_zone(f->root, "intel-rapl:0:0", "dram", intel, "5");
    char path[128];
    snprintf(path, sizeof path, "%s/class/powercap/intel-rapl:0:0/energy_uj", f->root);
    assert_int_equal(unlink(path), 0);
    refused(f, JRX_EUNAVAILABLE, "intel-rapl:0:0 is gone");
}

static int open_as_ordinary_user(struct fixture *f)
{
    int root = !geteuid();
    if (root && seteuid(65534))
        skip_because("this root cannot become another user");
    int status = open_meter(f);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    return status;
}

/* row 7: what an ordinary user sees since Linux 5.10; and the advice helps */
static void an_unreadable_counter_names_the_permission(void **state)
{
    struct fixture *f = *state;
    char path[128];
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "5");
    snprintf(path, sizeof path, "%s/class/powercap/intel-rapl:0/energy_uj", f->root);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(open_as_ordinary_user(f), JRX_EPERMISSION);
    assert_non_null(strstr(jrx_last_error(), "chmod a+r"));
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(open_as_ordinary_user(f), 0);
}

static void automatic_choice_falls_back_to_the_model_and_says_why(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(jrx_meter_open(&f->meter, "auto", &f->config), 0);
    assert_string_equal(f->meter.ops->name, "model");
    assert_int_equal(f->meter.source, JRX_ESTIMATED);
    assert_non_null(jrx_warning_find(&f->meter.warnings, "estimated"));
    const struct jrx_warning *w = jrx_warning_find(&f->meter.warnings, "meter_passed_over");
    assert_non_null(w);
}

static void automatic_choice_prefers_a_measurement(void **state)
{
    struct fixture *f = *state;
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "5");
    assert_int_equal(jrx_meter_open(&f->meter, NULL, &f->config), 0);
    assert_int_equal(f->meter.source, JRX_MEASURED);
}

static void an_unknown_meter_lists_those_there_are(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(jrx_meter_open(&f->meter, "rapl", &f->config), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "auto, "));
    assert_non_null(strstr(jrx_last_error(), "powercap"));
}

static void the_list_gives_reason_or_domains(void **state)
{
    struct fixture *f = *state;
    enum { MAX = 8 };
    struct jrx_meter_info *info = calloc(MAX, sizeof *info);
    tree_zone(f->root, "intel-rapl:0", "package-0", intel, "5");
    size_t n = jrx_meter_list(&f->config, info, MAX);
    assert_true(n >= 2 && n <= MAX);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(info[i].ops->name, "powercap"))
            assert_string_equal(info[i].domains, "package-0");
        if (info[i].status)
            assert_true(*info[i].reason != 0);
        else
            assert_true(*info[i].domains != 0);
    }
    free(info);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_the_kernels_modulus),
        CASE(one_package_with_its_parts),
        CASE(psys_between_two_packages_does_not_hide_the_second),
        CASE(zone_numbers_are_hexadecimal_and_sparse),
        CASE(mmio_duplicates_are_counted_once),
        CASE(mmio_alone_is_used),
        CASE(twelve_dies_that_tick_identically_are_one_package),
        CASE(dies_that_tick_on_their_own_are_both_summed),
        CASE(the_core_zone_of_amd_is_called_one_core),
        CASE(the_core_zone_of_intel_is_all_cores),
        CASE(reads_come_from_a_cpu_of_the_package),
        CASE(four_dram_zones_keep_their_packages),
        CASE(a_zone_without_a_range_is_read_and_its_wrap_refused),
        CASE(no_tree_names_the_module),
        CASE(an_empty_tree_is_told_from_no_tree),
        CASE(links_to_nothing_name_the_container_mask),
        CASE(psys_alone_is_not_enough),
        CASE(text_that_is_no_number_is_never_a_zero),
        CASE(a_broken_zone_that_no_total_needs_is_left_out),
        CASE(a_vanished_zone_is_an_error_with_a_name),
        CASE(an_unreadable_counter_names_the_permission),
        CASE(automatic_choice_falls_back_to_the_model_and_says_why),
        CASE(automatic_choice_prefers_a_measurement),
        CASE(an_unknown_meter_lists_those_there_are),
        CASE(the_list_gives_reason_or_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
