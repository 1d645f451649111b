/* harness/machine and harness/quality: what is known of the machine, and what is warned of. */
#include "harness/base/error.h"
#include "harness/machine.h"
#include "harness/quality.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

static void an_empty_tree_is_unknown_never_zero(void **state)
{
    (void)state;
    char root[TREE_PATH];
    struct jrx_machine_state s;
    struct jrx_warnings w = {0};
    tree_new(root);
    jrx_machine_state_read(&s, root, root);
    assert_string_equal(s.governor, "");
    assert_string_equal(s.huge_pages, "");
    assert_int_equal(s.turbo, JRX_UNKNOWN);
    assert_int_equal(s.smt, JRX_UNKNOWN);
    assert_int_equal(s.hypervisor, JRX_UNKNOWN);
    assert_int_equal(s.energy_filtering, JRX_UNKNOWN);
    const double unknown[] = {s.aslr,       s.perf_event_paranoid, s.frequency_hz, s.frequency_max_hz, s.temperature_c,
                              s.load_ratio, s.throttled,           s.power_cap_w,  s.power_cap_max_w,  s.uptime_s};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_true(isnan(unknown[i]));
    jrx_quality_state(&w, &s);
    assert_int_equal(w.count, 0);
    tree_free(root);
}

/* row 13 */
static void a_disturbed_machine_is_warned_of_item_by_item(void **state)
{
    (void)state;
    char root[TREE_PATH];
    struct jrx_machine_state s;
    struct jrx_warnings w = {0};
    tree_new(root);
    tree_put(root, "devices/system/cpu/online=0-3,8-11\n");
    for (int cpu = 0; cpu < 4; cpu++)
        tree_put(root, "devices/system/cpu/cpu%d/cpufreq/scaling_governor=%s\n", cpu,
                 cpu == 3 ? "powersave" : "performance");
    tree_put(root, "devices/system/cpu/cpu0/cpufreq/scaling_driver=intel_pstate\n");
    tree_put(root, "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq=2400000\n");
    tree_put(root, "devices/system/cpu/intel_pstate/no_turbo=0\n");
    tree_put(root, "devices/system/cpu/smt/active=1\n");
    tree_put(root, "devices/system/cpu/cpu0/thermal_throttle/core_throttle_count=2\n");
    tree_put(root, "devices/system/cpu/cpu1/thermal_throttle/core_throttle_count=3\n");
    tree_put(root, "kernel/mm/transparent_hugepage/enabled=always [madvise] never\n");
    tree_put(root, "class/hwmon/hwmon1/name=coretemp\n");
    tree_put(root, "class/hwmon/hwmon1/temp1_input=41000\n");
    tree_put(root, "class/hwmon/hwmon1/temp2_input=57500\n");
    tree_put(root, "class/hwmon/hwmon2/name=nvme\n");
    tree_put(root, "class/hwmon/hwmon2/temp1_input=99000\n");
    tree_put(root, "class/powercap/intel-rapl:0/name=package-0\n");
    tree_put(root, "class/powercap/intel-rapl:0/constraint_0_power_limit_uw=120000000\n");
    tree_put(root, "class/powercap/intel-rapl:0/constraint_0_max_power_uw=150000000\n");
    tree_put(root, "sys/kernel/nmi_watchdog=1\n");
    tree_put(root, "sys/kernel/perf_event_paranoid=2\n");
    tree_put(root, "sys/kernel/randomize_va_space=2\n");
    tree_put(root, "loadavg=4.00 3.00 2.00 3/400 12345\n");
    tree_put(root, "uptime=1234.50 999.00\n");
    tree_put(root, "cpuinfo=processor\t: 0\nflags\t\t: fpu hypervisor avx2\n");
    jrx_machine_state_read(&s, root, root);
    assert_string_equal(s.governor, "mixed");
    assert_string_equal(s.driver, "intel_pstate");
    assert_string_equal(s.huge_pages, "madvise");
    assert_near(s.frequency_hz, 2.4e9, 0);
    assert_near(s.temperature_c, 57.5, 0);
    assert_near(s.load_ratio, 0.5, 0);
    assert_near(s.throttled, 5, 0);
    assert_near(s.power_cap_w, 120, 1e-9);
    assert_near(s.perf_event_paranoid, 2, 0);
    assert_near(s.uptime_s, 1234.5, 0);
    jrx_quality_state(&w, &s);
    static const char *const codes[] = {"turbo",    "smt",        "nmi_watchdog", "hypervisor",
                                        "governor", "other_load", "power_cap",    "throttled"};
    assert_int_equal(w.count, sizeof codes / sizeof *codes);
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        const struct jrx_warning *found = jrx_warning_find(&w, codes[i]);
        assert_non_null(found);
        assert_true(*found->text && *found->remedy);
    }
    assert_near(jrx_warning_find(&w, "other_load")->value, 0.5, 0);
    tree_free(root);
}

static void a_quiet_machine_gives_no_warning(void **state)
{
    (void)state;
    char root[TREE_PATH];
    struct jrx_machine_state s;
    struct jrx_warnings w = {0};
    tree_new(root);
    tree_put(root, "devices/system/cpu/online=0-7\n");
    tree_put(root, "devices/system/cpu/cpu0/cpufreq/scaling_governor=performance\n");
    tree_put(root, "devices/system/cpu/cpufreq/boost=0\n");
    tree_put(root, "devices/system/cpu/smt/active=0\n");
    tree_put(root, "sys/kernel/nmi_watchdog=0\n");
    tree_put(root, "loadavg=0.10 0.1 0.1 1/100 1\n");
    tree_put(root, "cpuinfo=processor\t: 0\nflags\t\t: fpu avx2\n");
    jrx_machine_state_read(&s, root, root);
    assert_int_equal(s.turbo, JRX_NO);
    assert_int_equal(s.hypervisor, JRX_NO);
    jrx_quality_state(&w, &s);
    assert_int_equal(w.count, 0);
    tree_free(root);
}

/* Two sockets of eight cores, as hwloc itself describes them. */
static void topology_is_that_of_hwloc(void **state)
{
    (void)state;
    struct jrx_machine m;
    setenv("HWLOC_SYNTHETIC", "package:2 numa:1 l3:1(size=33554432) core:8 l2:1(size=1048576) l1d:1(size=32768) pu:2",
           1);
    setenv("HWLOC_COMPONENTS", "synthetic,stop", 1);
    char root[TREE_PATH];
    tree_new(root);
    tree_put(root,
             "cpuinfo=processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
             "model name\t: Xeon (R) 6130\nstepping\t: 4\nmicrocode\t: 0x2006e05\nflags\t\t: fpu\n\nprocessor\t: 1\n");
    tree_put(root, "meminfo=MemTotal:       98304 kB\nMemFree: 1 kB\n");
    assert_int_equal(jrx_machine_read(&m, root, root), 0);
    unsetenv("HWLOC_SYNTHETIC");
    unsetenv("HWLOC_COMPONENTS");
    assert_near(m.packages, 2, 0);
    assert_near(m.cores, 16, 0);
    assert_near(m.units, 32, 0);
    assert_near(m.cache[0].size_bytes, 32768, 0);
    assert_near(m.cache[1].size_bytes, 1048576, 0);
    assert_near(m.cache[2].size_bytes, 33554432, 0);
    assert_near(m.cache[2].shared, 16, 0);
    assert_near(m.cache[2].count, 2, 0);
    assert_string_equal(m.cpu, "Xeon (R) 6130");
    assert_string_equal(m.vendor, "GenuineIntel");
    assert_string_equal(m.microcode, "0x2006e05");
    assert_string_equal(m.hypervisor, "");
    assert_near(m.family, 6, 0);
    assert_near(m.model, 85, 0);
    assert_near(m.stepping, 4, 0);
    assert_near(m.memory_bytes, 98304 * 1024.0, 0);
    tree_free(root);
}

static void this_machine_has_cores_caches_and_memory(void **state)
{
    (void)state;
    struct jrx_machine m;
    assert_int_equal(jrx_machine_read(&m, NULL, NULL), 0);
    assert_true(m.packages >= 1 && m.cores >= m.packages && m.units >= m.cores);
    assert_true(m.memory_bytes > 1e8);
    assert_true(*m.cpu && *m.kernel);
    assert_true(isnan(m.cache[0].size_bytes) || (m.cache[0].size_bytes >= 8192 && m.cache[0].line_bytes >= 16));
}

static void samples_are_judged_by_known_thresholds(void **state)
{
    (void)state;
    struct jrx_quality_limits limits = jrx_quality_limits();
    struct jrx_warnings w = {0};
    const double good[] = {10.00, 10.01, 9.99, 10.00, 10.02, 9.98, 10.01, 9.99};
    jrx_quality_samples(&w, "time", "ns", good, 8, &limits);
    assert_int_equal(w.count, 0);
    /* first 10.5: 0.5 above the median of 10, MAD 0.01: 33.7 scaled MADs */
    const double slow[] = {10.5, 10.01, 9.99, 10.00, 10.01, 9.99, 10.00, 10.00, 10.01, 9.99};
    jrx_quality_samples(&w, "time", "ns", slow, 10, &limits);
    const struct jrx_warning *first = jrx_warning_find(&w, "slow_first_run");
    assert_non_null(first);
    assert_relative(first->value, 0.5 / (1.4826 * 0.01), 1e-6);
    assert_null(jrx_warning_find(&w, "outliers")); /* one in ten is not more than a tenth */
    w = (struct jrx_warnings){0};
    const double wild[] = {10, 14, 6, 12, NAN, 8};
    jrx_quality_samples(&w, "energy", "J", wild, 6, &limits);
    assert_non_null(jrx_warning_find(&w, "noisy"));
    assert_near(jrx_warning_find(&w, "few_reps")->value, 5, 0);
    /* mean 10, sd sqrt(10), t(0.975, 4) = 2.776445: half-width 2.776445 sqrt(10 / 5) / 10 */
    assert_relative(jrx_warning_find(&w, "noisy")->value, 2.776445 * sqrt(2) / 10, 1e-5);
}

static void the_list_keeps_one_of_each_and_counts_what_does_not_fit(void **state)
{
    (void)state;
    struct jrx_warnings w = {0};
    jrx_warn(&w, "code", 1, 2, "do this", "text %d", 1);
    jrx_warn(&w, "code", 1, 2, "do this", "text %d", 1);
    assert_int_equal(w.count, 1);
    for (int i = 0; i < JRX_WARNINGS + 3; i++)
        jrx_warn(&w, "code", 1, 2, "do this", "other %d", i);
    assert_int_equal(w.count, JRX_WARNINGS);
    assert_int_equal(w.dropped, 4);
    assert_null(jrx_warning_find(&w, "nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_tree_is_unknown_never_zero),
        cmocka_unit_test(a_disturbed_machine_is_warned_of_item_by_item),
        cmocka_unit_test(a_quiet_machine_gives_no_warning),
        cmocka_unit_test(topology_is_that_of_hwloc),
        cmocka_unit_test(this_machine_has_cores_caches_and_memory),
        cmocka_unit_test(samples_are_judged_by_known_thresholds),
        cmocka_unit_test(the_list_keeps_one_of_each_and_counts_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
