/* harness/counters: the frame, PAPI through software-defined events, and the simulator as a source. */
#include "harness/base/error.h"
#include "harness/counters.h"
#include "harness/counters/papi.h"
#include "tests/support/test.h"
#include <omp.h>
#include <papi.h>
#include <sde_lib.h>

/* libpapi 7.0.0 keeps the names by which it looked native events up; LeakSanitizer asks for this function */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpapi";
}

static long long flop, bytes;

/* Before PAPI starts: it looks for libraries with events when it does. */
static int publish(void **state)
{
    papi_handle_t library = papi_sde_init("unittest");
    (void)state;
    return papi_sde_register_counter(library, "flop", PAPI_SDE_RO | PAPI_SDE_DELTA, PAPI_SDE_long_long, &flop) ||
           papi_sde_register_counter(library, "simulated_bytes", PAPI_SDE_RO | PAPI_SDE_DELTA, PAPI_SDE_long_long,
                                     &bytes);
}

static const char *const sde[] = {"sde:::unittest::flop", "sde:::unittest::simulated_bytes"};

static void assert_says(const char *part)
{
    if (!strstr(jrx_last_error(), part))
        fail_msg("message \"%s\" does not say \"%s\"", jrx_last_error(), part);
}

static void sources_are_found_by_name(void **state)
{
    (void)state;
    assert_string_equal(jrx_counter_find("papi")->name, "papi");
    assert_string_equal(jrx_counter_find("cachesim")->name, "cachesim");
    assert_null(jrx_counter_find("pcm"));
    assert_says("\"pcm\"");
    assert_says("cachesim, ");
    for (size_t i = 0; jrx_counter_sources()[i]; i++) {
        const struct jrx_counter_ops *ops = jrx_counter_sources()[i];
        char note[256] = "unset";
        int rc = ops->probe(note, sizeof note);
        assert_true(rc == 0 || rc == JRX_EUNAVAILABLE || rc == JRX_EPERMISSION);
        print_message("    %s: %s %s\n", ops->name, rc ? "unavailable:" : "available", rc ? jrx_last_error() : note);
        assert_true(ops->about && ops->list && ops->open && ops->start && ops->stop && ops->read && ops->close);
    }
}

static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    struct jrx_counters c;
    assert_int_equal(jrx_counters_open(&c, "pcm", sde, 2, NULL), JRX_EINVAL);
    assert_int_equal(jrx_counters_open(&c, "papi", sde, 0, NULL), JRX_EINVAL);
    const char *const twice[] = {sde[0], sde[0]};
    assert_int_equal(jrx_counters_open(&c, "papi", twice, 2, NULL), JRX_EINVAL);
    assert_says("given twice");
    const char *const unknown[] = {"sde:::unittest::nothing"}, *const nonsense[] = {"nonsense"};
    assert_int_equal(jrx_counters_open(&c, "papi", nonsense, 1, NULL), JRX_EINVAL);
    assert_says("nonsense");
    assert_says("-18");
    for (int i = 0; i < 2; i++) { /* the second time it must not have come to life by the first */
        assert_int_equal(jrx_counters_open(&c, "papi", unknown, 1, NULL), JRX_EINVAL);
        assert_says("-7");
    }
    char name[2 * JRX_EVENT_NAME];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    const char *const longer[] = {name};
    assert_int_equal(jrx_counters_open(&c, "papi", longer, 1, NULL), JRX_EINVAL);
    jrx_counters_close(&c); /* what failed to open may be closed */
}

static void every_error_of_papi_has_a_text(void **state)
{
    (void)state;
    for (int code = -60; code <= 0; code++)
        assert_true(strlen(jrx_papi_error(code)) > 0);
    assert_non_null(jrx_papi_error(-12345));
}

static void software_defined_events_are_counted_exactly_from_start_to_stop(void **state)
{
    (void)state;
    struct jrx_counters c;
    assert_int_equal(jrx_counters_open(&c, "papi", sde, 2, NULL), 0);
    assert_true(isnan(c.value[0].count) && c.value[0].source == JRX_SOURCE_NONE); /* nothing yet is no zero */
    for (int round = 1; round <= 3; round++) {
        flop += 1000;
        assert_int_equal(jrx_counters_start(&c), 0);
        flop += 123456789012345LL * round;
        bytes += 64;
        assert_int_equal(jrx_counters_stop(&c), 0);
        flop += 1000;
        assert_near(c.value[0].count, 123456789012345.0 * round, 0);
        assert_near(c.value[1].count, 64, 0);
        assert_string_equal(c.value[1].event, sde[1]);
    }
    jrx_counters_close(&c);
    assert_null(c.ops);
}

static void what_software_says_of_itself_is_never_called_measured(void **state)
{
    (void)state;
    struct jrx_counters c;
    assert_int_equal(jrx_counters_open(&c, "papi", sde, 2, NULL), 0);
    assert_int_equal(jrx_counters_start(&c), 0);
    assert_int_equal(jrx_counters_stop(&c), 0);
    assert_int_equal(c.value[0].source, JRX_ESTIMATED);
    assert_int_equal(c.value[1].source, JRX_SIMULATED);
    jrx_counters_close(&c);
}

static void a_negative_count_is_missing_and_said_while_others_stay(void **state)
{
    (void)state;
    struct jrx_counters c;
    assert_int_equal(jrx_counters_open(&c, "papi", sde, 2, NULL), 0);
    assert_int_equal(jrx_counters_start(&c), 0);
    flop -= 5; /* as multiplexed events were seen to do */
    bytes += 7;
    assert_int_equal(jrx_counters_stop(&c), JRX_EIMPLAUSIBLE);
    assert_says("unittest::flop counted -");
    assert_true(isnan(c.value[0].count) && c.value[0].source == JRX_SOURCE_NONE);
    assert_true(c.value[1].count == 7 && c.value[1].source == JRX_SIMULATED);
    jrx_counters_close(&c);
}

static void start_and_stop_come_in_turn(void **state)
{
    (void)state;
    struct jrx_counters c;
    assert_int_equal(jrx_counters_open(&c, "papi", sde, 1, NULL), 0);
    assert_int_equal(jrx_counters_stop(&c), JRX_EINVAL);
    assert_int_equal(jrx_counters_start(&c), 0);
    assert_int_equal(jrx_counters_start(&c), JRX_EINVAL);
    const struct jrx_access access = {0, 4, 0, 0};
    assert_int_equal(jrx_counters_feed(&c, &access, 1), JRX_EINVAL);
    assert_says("takes no simulated accesses");
    assert_int_equal(jrx_counters_stop(&c), 0);
    assert_int_equal(jrx_counters_stop(&c), JRX_EINVAL);
    assert_int_equal(jrx_counters_start(&c), 0);
    jrx_counters_close(&c); /* running */
}

static void an_event_of_the_process_is_counted_once_however_many_threads_there_are(void **state)
{
    (void)state;
    const struct jrx_counter_config config = {.threads = 2};
    struct jrx_counters c;
    assert_int_equal(jrx_counters_open(&c, "papi", sde, 1, &config), 0);
    assert_int_equal(jrx_counters_start(&c), 0);
    flop += 10;
    assert_int_equal(jrx_counters_stop(&c), 0);
    assert_near(c.value[0].count, 10, 0);
    jrx_counters_close(&c);
}

static void events_of_threads_are_added_up(void **state)
{
    (void)state;
    const char *const events[] = {"perf::TASK-CLOCK", sde[0]}; /* two components: two sets */
    struct jrx_papi_event event;
    double one = 0;
    if (jrx_papi_find(events[0], &event) || jrx_papi_try(&event))
        skip_because("perf software events: %s", jrx_last_error());
    for (unsigned threads = 1; threads <= 2; threads++) {
        const struct jrx_counter_config config = {.threads = threads};
        struct jrx_counters c;
        assert_int_equal(jrx_counters_open(&c, "papi", events, 2, &config), 0);
        assert_int_equal(jrx_counters_start(&c), 0);
#pragma omp parallel num_threads(threads)
        {
            volatile double x = 1;
            for (int i = 0; i < 20000000; i++)
                x = x * 1.0000001;
        }
        flop += 3;
        assert_int_equal(jrx_counters_stop(&c), 0);
        assert_near(c.value[1].count, 3, 0);
        if (threads == 1)
            one = c.value[0].count;
        else /* CPU time of two threads that do the same; a shared machine may throttle either */
            assert_true(c.value[0].count > 1.3 * one);
        jrx_counters_close(&c);
    }
}

static void hardware_events_are_refused_with_reason_and_remedy_where_there_is_no_pmu(void **state)
{
    (void)state;
    const char *const events[] = {"PAPI_TOT_CYC"};
    char note[256];
    struct jrx_counters c;
    jrx_papi_hardware_note(note, sizeof note);
    int rc = jrx_counters_open(&c, "papi", events, 1, NULL);
    if (!*note) {
        assert_int_equal(rc, 0);
        assert_int_equal(jrx_counters_start(&c), 0);
        assert_int_equal(jrx_counters_stop(&c), 0);
        assert_true(c.value[0].count > 0 && c.value[0].source == JRX_MEASURED);
        jrx_counters_close(&c);
        return;
    }
    assert_true(rc == JRX_EUNAVAILABLE || rc == JRX_EINVAL);
    assert_says("PAPI_TOT_CYC");
    assert_true(strstr(note, "the cache simulator") || strstr(note, "sysctl") || strstr(note, "newer libpapi"));
}

struct listing {
    int events, mine, l1;
};

static void on_event(void *context, const char *event, const char *about)
{
    struct listing *l = context;
    l->events++;
    l->mine += !strcmp(event, sde[0]) || !strcmp(event, sde[1]);
    l->l1 += !strcmp(event, "l1_fetch_bytes");
    assert_non_null(about);
}

static void lists_hold_what_can_be_counted(void **state)
{
    (void)state;
    struct listing papi = {0}, simulated = {0};
    assert_int_equal(jrx_counter_find("papi")->list(on_event, &papi), 0);
    print_message("    papi counts %d events here\n", papi.events);
    assert_int_equal(papi.mine, 2);
    jrx_counter_find("cachesim")->list(on_event, &simulated);
    assert_true(simulated.events >= 3);
}

static void the_simulator_counts_what_it_is_fed_between_start_and_stop(void **state)
{
    (void)state;
    const char *const events[] = {"l1_reads",     "l1_read_misses", "l1_fetch_bytes", "l2_writeback_bytes",
                                  "l1_writes:1",  "load_bytes:0",   "store_bytes",    "compulsory_misses",
                                  "l2_fetches:1", "l1_writebacks"};
    const double want[] = {3, 2, 3 * 64, 64, 1, 12, 8, 3, 1, 1};
    struct jrx_cache_geometry geometry;
    struct jrx_counters c;
    assert_int_equal(jrx_cache_geometry_parse("4K/4,64K/8", &geometry), 0);
    const struct jrx_counter_config config = {.geometry = &geometry};
    const struct jrx_access access[] = {{0, 4, 0, 0}, {4, 4, 0, 0}, {4096, 4, 0, 0}, {8192, 8, 1, 1}};
    assert_int_equal(jrx_counters_open(&c, "cachesim", events, 10, &config), 0);
    assert_int_equal(jrx_counters_feed(&c, access, 4), JRX_EINVAL);
    for (int round = 0; round < 2; round++) { /* each region starts cold */
        assert_int_equal(jrx_counters_start(&c), 0);
        assert_int_equal(jrx_counters_feed(&c, access, 2), 0);
        assert_int_equal(jrx_counters_feed(&c, access + 2, 2), 0);
        assert_int_equal(jrx_counters_stop(&c), 0);
        for (int i = 0; i < 10; i++) {
            if (c.value[i].count != want[i])
                fail_msg("%s = %g, want %g", events[i], c.value[i].count, want[i]);
            assert_int_equal(c.value[i].source, JRX_SIMULATED);
        }
    }
    jrx_counters_close(&c);
    static const char *const bad[] = {"l3_reads",    "l0_reads", "l1_hits", "l1_reads:8",   "l1_reads:",
                                      "l1_reads:01", "",         "l1",      "load_bytes:x", "load_bytess"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (jrx_counters_open(&c, "cachesim", &bad[i], 1, &config) != JRX_EINVAL)
            fail_msg("\"%s\" was taken", bad[i]);
        assert_says("joulerx list events");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_found_by_name),
        cmocka_unit_test(what_cannot_be_opened_says_why),
        cmocka_unit_test(every_error_of_papi_has_a_text),
        cmocka_unit_test(software_defined_events_are_counted_exactly_from_start_to_stop),
        cmocka_unit_test(what_software_says_of_itself_is_never_called_measured),
        cmocka_unit_test(a_negative_count_is_missing_and_said_while_others_stay),
        cmocka_unit_test(start_and_stop_come_in_turn),
        cmocka_unit_test(an_event_of_the_process_is_counted_once_however_many_threads_there_are),
        cmocka_unit_test(events_of_threads_are_added_up),
        cmocka_unit_test(hardware_events_are_refused_with_reason_and_remedy_where_there_is_no_pmu),
        cmocka_unit_test(lists_hold_what_can_be_counted),
        cmocka_unit_test(the_simulator_counts_what_it_is_fed_between_start_and_stop),
    };
    return cmocka_run_group_tests(tests, publish, NULL);
}
