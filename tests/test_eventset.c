/* harness/counters: event sets, passes, the truth check and our software-defined events. */
#include "harness/base/error.h"
#include "harness/counters/eventset.h"
#include "harness/counters/papi.h"
#include "harness/counters/sde.h"
#include "harness/counters/truth.h"
#include "tests/support/test.h"
#include <papi.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* libpapi 7.0.0 keeps the names by which it looked native events up; LeakSanitizer asks for this function */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpapi";
}

static struct jrx_sde *sde;

static int publish(void **state)
{
    (void)state;
    return jrx_sde_open(&sde);
}

static int unpublish(void **state)
{
    (void)state;
    jrx_sde_close(sde);
    return 0;
}

static int parse(struct jrx_event_set *set, const char *text)
{
    FILE *from = fmemopen((void *)text, strlen(text), "r");
    assert_non_null(from);
    int rc = jrx_event_set_parse(set, from, "test");
    fclose(from);
    return rc;
}

static void assert_says(const char *part)
{
    if (!strstr(jrx_last_error(), part))
        fail_msg("message \"%s\" does not say \"%s\"", jrx_last_error(), part);
    assert_null(strchr(jrx_last_error(), '\n'));
}

#define SET                                                                                                            \
    "[set]\nname = t\nabout = a test\nvendor = AuthenticAMD\nfamily = 25\nmodels = 1 33\nsteppings = 0-2\npmu = x\n"   \
    "slots = 2\n"

static void a_formula_is_a_sum_of_factors_times_events(void **state)
{
    (void)state;
    struct jrx_event_set s;
    assert_int_equal(parse(&s, SET "[flop]\nformula = A:X + 4 * B-C - 0.5 * perf::D\n + 2 * A:X\nsource = here\n"
                                   "[l2_read_bytes]\nformula = 64 * B-C\nsource = there\nnote = reads\n"),
                     0);
    assert_int_equal(s.events, 3); /* shared ones once */
    assert_string_equal(s.event[1], "B-C");
    assert_int_equal(s.metrics, 2);
    const double count[] = {10, 3, 8};
    assert_near(jrx_metric_value(&s.metric[0], count), 10 + 12 - 4 + 20, 0);
    assert_near(jrx_metric_value(&s.metric[1], count), 192, 0);
    const double missing[] = {10, NAN, 8};
    assert_true(isnan(jrx_metric_value(&s.metric[1], missing)));
    assert_int_equal(jrx_event_set_metric(&s, "l2_read_bytes"), 1);
    assert_int_equal(jrx_event_set_metric(&s, "l9_bytes"), JRX_EINVAL);
    assert_says("flop, l2_read_bytes");
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    assert_int_equal(jrx_event_set_print(&s, to), 0);
    fclose(to);
    assert_non_null(strstr(text, "flop               FLOP   A:X + 4 * B-C - 0.5 * perf::D + 2 * A:X; source: here\n"));
    assert_non_null(strstr(text, "bytes  64 * B-C; source: there; reads\n"));
    free(text);
}

static void a_malformed_set_is_one_line_with_its_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "[set] name is missing"},
        {SET, "no metric"},
        {SET "[flop]\nsource = x\n", "[flop] needs formula and source"},
        {SET "[flop]\nformula = A\n", "[flop] needs formula and source"},
        {SET "[flop]\nformula = 2 *\nsource = x\n", "line 11: formula not understood from \"\""},
        {SET "[flop]\nformula = A +\nsource = x\n", "line 11"},
        {SET "[flop]\nformula = A B\nsource = x\n", "from \"B\""},
        {SET "[flop]\nformula = 2x * B\nsource = x\n", "from \"2x * B\""},
        {SET "[flop]\nformula = * B\nsource = x\n", "line 11"},
        {SET "[flop]\nformula = 1e999 * B\nsource = x\n", "line 11"},
        {SET "[flop]\nformula = 3\nsource = x\n", "line 11"},
        {SET "[speed]\nformula = A\nsource = x\n", "[speed]: a metric is named flop, or ends in its unit"},
        {SET "[flop]\nformel = A\n", "no such key: formel"},
        {"[set]\nslots = many\n", "line 2: slots = \"many\""},
        {"[set]\nslots = 0\n", "line 2"},
        {"[set]\nfamily = 99999999999999999999\n", "line 2"},
        {"[set]\nmodels = 1 x\n", "line 2"},
        {"[set]\nmodels = 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n", "line 2"},
        {"[set]\nsteppings = 4-1\n", "line 2"},
        {"[set]\ncolour = red\n", "no such key: colour"},
        {"[set]\nname = a-name-that-is-too-long\n", "longer than 15"},
        {"what\n", "line 1: neither [section] nor key = value"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct jrx_event_set s;
        const char *text = *bad[i].text ? bad[i].text : "\n";
        if (parse(&s, text) != JRX_EFORMAT)
            fail_msg("case %zu was taken", i);
        assert_says(bad[i].says);
    }
}

static void a_set_fits_by_vendor_family_model_and_stepping(void **state)
{
    (void)state;
    struct jrx_event_set s;
    assert_int_equal(parse(&s, SET "[flop]\nformula = A\nsource = x\n"), 0);
    struct jrx_machine m = {.vendor = "AuthenticAMD", .family = 25, .model = 33, .stepping = 2};
    assert_true(jrx_event_set_fits(&s, &m));
    m.stepping = 3;
    assert_false(jrx_event_set_fits(&s, &m));
    m.stepping = NAN;
    assert_false(jrx_event_set_fits(&s, &m));
    m.stepping = 0;
    m.model = 2;
    assert_false(jrx_event_set_fits(&s, &m));
    m.model = NAN;
    assert_false(jrx_event_set_fits(&s, &m));
    m.model = 1;
    strcpy(m.vendor, "GenuineIntel");
    assert_false(jrx_event_set_fits(&s, &m));
}

static void each_shipped_set_is_found_by_the_processor_it_is_for(void **state)
{
    (void)state;
    static const struct {
        const char *vendor, *set;
        double family, model, stepping;
    } parts[] = {
        {"GenuineIntel", "skx", 6, 85, 4},   {"GenuineIntel", "clx", 6, 85, 7},   {"GenuineIntel", "icx", 6, 106, 6},
        {"GenuineIntel", "spr", 6, 143, 8},  {"AuthenticAMD", "zen2", 23, 49, 0}, {"AuthenticAMD", "zen3", 25, 1, 1},
        {"AuthenticAMD", "zen4", 25, 17, 1}, {"AuthenticAMD", "zen5", 26, 2, 1},
    };
    struct jrx_event_set s;
    struct jrx_machine m = {0};
    for (size_t i = 0; i < 8; i++) {
        m = (struct jrx_machine){.family = parts[i].family, .model = parts[i].model, .stepping = parts[i].stepping};
        strcpy(m.vendor, parts[i].vendor);
        if (jrx_event_set_find(&s, &m))
            fail_msg("%s: %s", parts[i].set, jrx_last_error());
        assert_string_equal(s.name, parts[i].set);
        assert_string_equal(jrx_event_set_names()[i], parts[i].set);
        assert_true(jrx_event_set_metric(&s, "flop") >= 0 && jrx_event_set_metric(&s, "l2_read_bytes") >= 0 &&
                    jrx_event_set_metric(&s, "l3_read_bytes") >= 0);
    }
    m.family = 1;
    assert_int_equal(jrx_event_set_find(&s, &m), JRX_EUNAVAILABLE);
    assert_says("family 1 model 2");
    assert_int_equal(jrx_event_set_read(&s, "/nonexistent.ini"), JRX_EINVAL);
    assert_int_equal(jrx_event_set_read(&s, "nosuch"), JRX_EINVAL);
}

/* In a process of its own, since libpfm4 takes the processor to pretend once. Status: 0 all names known, 1 one is not,
 * 2 this libpfm4 does not know the processor. */
static int names_are_known(const struct jrx_event_set *s)
{
    int code;
    setenv("LIBPFM_FORCE_PMU", s->pmu, 1);
    if (PAPI_library_init(PAPI_VER_CURRENT) != PAPI_VER_CURRENT || PAPI_get_component_info(0)->disabled)
        return 2;
    for (unsigned e = 0; e < s->events; e++) {
        char name[JRX_EVENT_NAME];
        snprintf(name, sizeof name, "%s", s->event[e]);
        /* raw events and memory controllers are of other PMUs than the one that can be pretended */
        if (strstr(name, "perf_raw::") || strstr(name, "_imc"))
            continue;
        if (PAPI_event_name_to_code(name, &code) != PAPI_OK) {
            fprintf(stderr, "%s: %s is not known to libpfm4\n", s->name, name);
            return 1;
        }
    }
    return 0;
}

static void libpfm_knows_the_events_of_the_shipped_sets(void **state)
{
    (void)state;
    int known = 0;
    for (const char *const *name = jrx_event_set_names(); *name; name++) {
        struct jrx_event_set s;
        int status;
        assert_int_equal(jrx_event_set_read(&s, *name), 0);
        pid_t child = fork();
        if (child == 0)
            _exit(names_are_known(&s));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 1);
        print_message("    %s: %u events, %s\n", *name, s.events,
                      WEXITSTATUS(status) ? "processor not known to this libpfm4" : "all names known");
        known += WEXITSTATUS(status) == 0;
    }
    if (!known)
        skip_because("this libpfm4 pretends no processor");
}

static void passes_hold_no_more_events_than_counters_and_keep_metrics_whole(void **state)
{
    (void)state;
    struct jrx_event_set s;
    struct jrx_passes p;
    assert_int_equal(parse(&s,
                           SET "[flop]\nformula = A\nsource = x\n[a_bytes]\nformula = B + C\nsource = x\n"
                               "[b_bytes]\nformula = A + C\nsource = x\n[c_bytes]\nformula = D + E + F\nsource = x\n"),
                     0);
    assert_int_equal(jrx_passes_plan(&s, NULL, 0, 0, &p), 0); /* two slots: A | B C | D E | F */
    const unsigned want[] = {0, 1, 1, 2, 2, 3};
    assert_int_equal(p.passes, 4);
    assert_memory_equal(p.of_event, want, sizeof want);
    assert_int_equal(jrx_passes_plan(&s, NULL, 0, 6, &p), 0);
    assert_int_equal(p.passes, 1);
    const char *const wanted[] = {"b_bytes"};
    assert_int_equal(jrx_passes_plan(&s, wanted, 1, 0, &p), 0);
    assert_int_equal(p.passes, 1);
    assert_true(p.of_event[0] == 0 && p.of_event[2] == 0 && p.of_event[1] == 1 && p.of_event[5] == 1);
    const char *const unknown[] = {"d_bytes"};
    assert_int_equal(jrx_passes_plan(&s, unknown, 1, 0, &p), JRX_EINVAL);
    for (const char *const *name = jrx_event_set_names(); *name; name++) {
        unsigned in_pass[JRX_SET_EVENTS] = {0};
        assert_int_equal(jrx_event_set_read(&s, *name), 0);
        assert_int_equal(jrx_passes_plan(&s, NULL, 0, 0, &p), 0);
        for (unsigned e = 0; e < s.events; e++)
            assert_true(++in_pass[p.of_event[e]] <= s.slots);
    }
}

/* ---- regions whose work is published as software-defined events --------------------------------------- */

#define SDE "sde:::joulerx::"
#define OURS                                                                                                           \
    SET "[flop]\nformula = " SDE "flop_declared\nsource = x\n"                                                         \
        "[l2_read_bytes]\nformula = 0.5 * " SDE "l2_bytes_simulated\nsource = x\n"                                     \
        "[dram_read_bytes]\nformula = " SDE "dram_bytes_simulated + " SDE "l3_bytes_simulated\nsource = x\n"

struct work {
    int runs;
    double drag_s; /* each run takes this much longer than the one before */
};

static void region(void *context)
{
    struct work *w = context;
    double wait_s = 0.002 + w->runs++ * w->drag_s;
    nanosleep(&(struct timespec){0, (long)(wait_s * 1e9)}, NULL);
    jrx_sde_add(sde, JRX_SDE_FLOP, 1000);
    jrx_sde_add(sde, JRX_SDE_L2_BYTES, 128);
    jrx_sde_add(sde, JRX_SDE_L3_BYTES, 64);
    jrx_sde_add(sde, JRX_SDE_DRAM_BYTES, 640);
    jrx_sde_add(sde, JRX_SDE_DRAM_BYTES, -5); /* ignored */
    jrx_sde_add(NULL, JRX_SDE_FLOP, 5);
}

static void passes_are_joined_into_metrics(void **state)
{
    (void)state;
    struct jrx_event_set s;
    struct jrx_passes p;
    struct jrx_counted c;
    struct work w = {0};
    assert_int_equal(parse(&s, OURS), 0);
    assert_int_equal(jrx_passes_plan(&s, NULL, 0, 0, &p), 0);
    assert_int_equal(p.passes, 2);
    if (jrx_passes_run(&s, &p, "papi", NULL, region, &w, 5, 10, &c))
        fail_msg("%s", jrx_last_error());
    assert_int_equal(w.runs, 2 * (1 + 5));
    assert_near(c.metric[0], 1000, 0);
    assert_near(c.metric[1], 64, 0);
    assert_near(c.metric[2], 704, 0);
    assert_int_equal(c.source[0], JRX_ESTIMATED); /* declared by the program itself: never called measured */
    assert_int_equal(c.source[1], JRX_SIMULATED);
    assert_true(c.time_s[0] >= 0.002 && c.time_s[1] >= 0.002 && c.spread_ratio >= 0);
}

static void passes_that_differ_in_time_are_not_joined(void **state)
{
    (void)state;
    struct jrx_event_set s;
    struct jrx_passes p;
    struct jrx_counted c;
    struct work w = {.drag_s = 0.004};
    assert_int_equal(parse(&s, OURS), 0);
    assert_int_equal(jrx_passes_plan(&s, NULL, 0, 0, &p), 0);
    assert_int_equal(jrx_passes_run(&s, &p, "papi", NULL, region, &w, 3, 0.05, &c), JRX_EIMPLAUSIBLE);
    assert_says("not joined");
    assert_true(isnan(c.metric[0]) && isnan(c.metric[1]) && c.spread_ratio > 0.05 && c.time_s[1] > c.time_s[0]);
    assert_int_equal(jrx_passes_run(&s, &p, "papi", NULL, region, &w, 0, 0.05, &c), JRX_EINVAL);
}

static void events_that_do_not_exist_are_said(void **state)
{
    (void)state;
    struct jrx_event_set s;
    struct jrx_passes p;
    struct jrx_counted c;
    struct work w = {0};
    assert_int_equal(parse(&s, SET "[flop]\nformula = " SDE "nothing\nsource = x\n"), 0);
    assert_int_equal(jrx_passes_plan(&s, NULL, 0, 0, &p), 0);
    assert_int_not_equal(jrx_passes_run(&s, &p, "papi", NULL, region, &w, 1, 1, &c), 0);
    assert_says("nothing");
    assert_int_equal(w.runs, 0);
}

static void a_counter_that_is_off_is_warned_of_with_its_ratio(void **state)
{
    (void)state;
    struct jrx_event_set s;
    struct jrx_truth t[4];
    struct jrx_warnings warnings = {0};
    struct work w = {0};
    size_t count;
    const struct jrx_truth_region known = {
        "published", region, &w, {{"flop", 1000}, {"l2_read_bytes", 128}, {"dram_read_bytes", 690}, {"l9_bytes", 3}}};
    assert_int_equal(parse(&s, OURS), 0);
    assert_int_equal(jrx_truth_check(&s, "papi", NULL, &known, 1, 0.05, t, 4, &count, &warnings), 0);
    assert_int_equal(count, 4);
    assert_near(t[0].ratio, 1, 0);
    assert_near(t[1].ratio, 0.5, 0); /* the formula's factor is wrong on purpose */
    assert_near(t[2].ratio, 704.0 / 690, 1e-15);
    assert_true(isnan(t[3].counted) && isnan(t[3].ratio) && t[3].source == JRX_SOURCE_NONE);
    assert_int_equal(warnings.count, 1);
    assert_string_equal(warnings.item[0].code, "counter_truth");
    assert_near(warnings.item[0].value, 0.5, 0);
    assert_near(warnings.item[0].threshold, 0.95, 1e-15);
    assert_non_null(strstr(warnings.item[0].text, "l2_read_bytes of region published: counted 64, known 128"));
    assert_int_equal(jrx_truth_check(&s, "papi", NULL, &known, 1, 0.05, t, 2, &count, NULL), JRX_EINVAL);
}

static void the_regions_of_known_work_do_it(void **state)
{
    (void)state;
    struct jrx_truth_flop flop = {.rounds = 3};
    jrx_truth_flop(&flop);
    double x = 0;
    for (int i = 0; i < 3; i++)
        x = (float)((float)(x * 0.999f) + 0.001f);
    for (int i = 0; i < 16; i++)
        assert_near(flop.sink[i], x, 1e-9);
    uint64_t data[64] = {0};
    for (int i = 0; i < 64; i++)
        data[i] = i % 8 ? 0 : 1ull << i; /* one word of each line */
    struct jrx_truth_stream stream = {.data = data, .words = 64};
    jrx_truth_stream(&stream);
    assert_true(stream.sink == 0x0101010101010101ull);
}

static void hardware_passes_the_truth_check_where_there_is_hardware(void **state)
{
    (void)state;
    char note[256];
    struct jrx_machine machine;
    struct jrx_event_set s;
    jrx_papi_hardware_note(note, sizeof note);
    if (*note)
        skip_because("%s", note);
    if (jrx_machine_read(&machine, NULL, NULL) || jrx_event_set_find(&s, &machine))
        skip_because("%s", jrx_last_error());
    struct jrx_truth_flop flop = {.rounds = 1000000};
    const struct jrx_truth_region known = {"flop", jrx_truth_flop, &flop, {{"flop", 32e6}}};
    struct jrx_truth t;
    size_t count;
    assert_int_equal(jrx_truth_check(&s, "papi", NULL, &known, 1, 0.05, &t, 1, &count, NULL), 0);
    print_message("    %s: counted/known FLOPs %.4f\n", s.name, t.ratio);
    assert_true(t.ratio > 0.3 && t.ratio < 3); /* that it counts; how well is for the user to see */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(libpfm_knows_the_events_of_the_shipped_sets), /* forks: before PAPI starts here */
        cmocka_unit_test(a_formula_is_a_sum_of_factors_times_events),
        cmocka_unit_test(a_malformed_set_is_one_line_with_its_number),
        cmocka_unit_test(a_set_fits_by_vendor_family_model_and_stepping),
        cmocka_unit_test(each_shipped_set_is_found_by_the_processor_it_is_for),
        cmocka_unit_test(passes_hold_no_more_events_than_counters_and_keep_metrics_whole),
        cmocka_unit_test(passes_are_joined_into_metrics),
        cmocka_unit_test(passes_that_differ_in_time_are_not_joined),
        cmocka_unit_test(events_that_do_not_exist_are_said),
        cmocka_unit_test(a_counter_that_is_off_is_warned_of_with_its_ratio),
        cmocka_unit_test(the_regions_of_known_work_do_it),
        cmocka_unit_test(hardware_passes_the_truth_check_where_there_is_hardware),
    };
    return cmocka_run_group_tests(tests, publish, unpublish);
}
