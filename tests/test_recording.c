/* harness/recording and the replay meter: what was read can be computed again, and is never called measured. */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/recording.h"
#include "tests/support/fake_meter.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

struct fixture {
    char root[TREE_PATH], path[128];
    struct fake fake;
    struct jrx_meter meter;
    struct jrx_recording recording;
    struct jrx_window_result result;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    tree_new(f->root);
    snprintf(f->path, sizeof f->path, "%s/r.jsonl", f->root);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    jrx_meter_close(&f->meter);
    jrx_recording_fini(&f->recording);
    tree_free(f->root);
    free(f);
    return 0;
}

/* Records the fake for `ms` milliseconds at 80 W, a reading each 1 ms, marks at 1/4 and 3/4. */
static void record(struct fixture *f, unsigned ms)
{
    struct jrx_record *r;
    fake_init(&f->fake, 2, 80, 21);
    f->fake.meter.source = JRX_MEASURED;
    assert_int_equal(jrx_record_open(&r, f->path, &f->fake.meter), 0);
    uint64_t start = jrx_clock_ns();
    for (unsigned i = 0; i <= ms; i++) {
        assert_int_equal(jrx_record_all(r, &f->fake.meter), 0);
        if (i == ms / 4 || i == 3 * ms / 4)
            jrx_record_mark(r, i == ms / 4 ? "begin" : "end", jrx_clock_ns());
        jrx_clock_sleep_until(start + (i + 1) * 1000000ull);
    }
    assert_int_equal(jrx_record_close(r), 0);
}

static void what_was_written_is_read(void **state)
{
    struct fixture *f = *state;
    record(f, 20);
    assert_int_equal(jrx_recording_read(&f->recording, f->path), 0);
    const struct jrx_recording *r = &f->recording;
    assert_string_equal(r->meter, "fake");
    assert_int_equal(r->source, JRX_MEASURED);
    assert_int_equal(jrx_recording_source(r), JRX_REPLAYED);
    assert_int_equal(r->domains, 2);
    assert_int_equal(r->count, 42);
    assert_int_equal(r->marks, 2);
    for (size_t d = 0; d < 2; d++) {
        assert_string_equal(r->domain[d].name, f->fake.meter.domain[d].name);
        assert_memory_equal(&r->domain[d].counter, &f->fake.meter.domain[d].counter, sizeof r->domain[d].counter);
        assert_int_equal(r->domain[d].in_total, 1);
        assert_int_equal(r->item[d].domain, d);
    }
}

static void energy_is_computed_again_from_the_file(void **state)
{
    struct fixture *f = *state;
    uint64_t begin, end;
    record(f, 200);
    assert_int_equal(jrx_recording_read(&f->recording, f->path), 0);
    assert_int_equal(jrx_recording_mark(&f->recording, "begin", &begin), 0);
    assert_int_equal(jrx_recording_mark(&f->recording, "end", &end), 0);
    jrx_recording_energy(&f->recording, begin, end, &f->result);
    assert_int_equal(f->result.status, 0);
    assert_int_equal(f->result.source, JRX_REPLAYED);
    for (size_t d = 0; d < 2; d++) {
        const struct jrx_energy *e = &f->result.domain[d];
        assert_near(e->energy_j, fake_energy_j(&f->fake, d, begin, end), e->uncertainty_j * 1.5);
        assert_true(e->uncertainty_j < 0.5 * e->energy_j);
    }
    jrx_recording_energy(&f->recording, begin, end + 1000000000, &f->result);
    assert_int_equal(f->result.status, JRX_EUNAVAILABLE);
    assert_true(isnan(f->result.total_j));
    jrx_recording_energy(&f->recording, end, begin, &f->result);
    assert_int_equal(f->result.status, JRX_EINVAL);
    assert_int_equal(jrx_recording_mark(&f->recording, "middle", &begin), JRX_EINVAL);
}

static void spin(void *ns)
{
    uint64_t until = jrx_clock_ns() + *(uint64_t *)ns;
    while (jrx_clock_ns() < until)
        ;
}

static void replay_gives_the_recorded_power_under_its_own_name(void **state)
{
    struct fixture *f = *state;
    record(f, 600);
    struct jrx_meter_config config = {.recording = f->path};
    struct jrx_window window;
    uint64_t ns = 200000000;
    assert_int_equal(jrx_meter_open(&f->meter, "replay", &config), 0);
    assert_int_equal(f->meter.source, JRX_REPLAYED);
    assert_non_null(jrx_warning_find(&f->meter.warnings, "replayed"));
    assert_int_equal(jrx_window_open(&window, &f->meter, 8), 0);
    struct jrx_region region = {.fn = spin, .ctx = &ns};
    assert_int_equal(jrx_window_measure(&window, &region, 1, &f->result), 0);
    assert_int_equal(f->result.source, JRX_REPLAYED);
    assert_int_equal(f->result.status, 0);
    assert_relative(f->result.domain[0].energy_j, 80 * 1e-9 * (double)f->result.time_ns, 0.05);
    /* and when it is over it says so */
    ns = 700000000;
    assert_int_equal(jrx_window_measure(&window, &region, 1, &f->result), 0);
    assert_int_equal(f->result.status, JRX_EUNAVAILABLE);
    assert_non_null(strstr(f->result.reason, "recording is over"));
    jrx_window_close(&window);
}

static void an_estimate_stays_an_estimate(void **state)
{
    struct fixture *f = *state;
    struct jrx_record *r;
    struct jrx_meter_config config = {.recording = f->path};
    assert_int_equal(jrx_meter_open(&f->meter, "model", NULL), 0);
    assert_int_equal(jrx_record_open(&r, f->path, &f->meter), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(jrx_record_all(r, &f->meter), 0);
    assert_int_equal(jrx_record_close(r), 0);
    jrx_meter_close(&f->meter);
    assert_int_equal(jrx_meter_open(&f->meter, "replay", &config), 0);
    assert_int_equal(f->meter.source, JRX_ESTIMATED);
    assert_true(f->meter.domain[0].counter.range == JRX_RANGE_NONE);
    assert_true(isinf(f->meter.domain[0].counter.provable_j));
}

#define HEAD                                                                                                           \
    "{\"joulerx_recording\": 1, \"meter\": \"powercap\", \"source\": \"measured\", \"tick_ns\": 1000000, "             \
    "\"domains\": ["                                                                                                   \
    "{\"name\": \"package-0\", \"kind\": \"package\", \"socket\": 0, \"in_total\": true, \"range\": 1000, "            \
    "\"j_per_count\": 1e-3, \"provable_j\": 1, \"p_max_w\": 100}]}\n"

static void two_wraps_in_a_recording_are_counted_and_a_gap_is_refused(void **state)
{
    struct fixture *f = *state;
    /* 10 ms bound; 0.9 J, 0.8 J, ... each step, so wraps at every step but the first */
    tree_put(f->root, "r.jsonl=" HEAD "[0, 0, 0, 0]\n[0, 9000000, 9000000, 900]\n[0, 18000000, 18000000, 800]\n"
                      "[0, 27000000, 27000000, 700]\n");
    assert_int_equal(jrx_recording_read(&f->recording, f->path), 0);
    jrx_recording_energy(&f->recording, 0, 27000000, &f->result);
    assert_int_equal(f->result.status, 0);
    assert_int_equal(f->result.domain[0].wraps, 2);
    assert_near(f->result.domain[0].window_j, 2.7, 1e-12);
    jrx_recording_fini(&f->recording);
    tree_put(f->root, "r.jsonl=" HEAD "[0, 0, 0, 0]\n[0, 11000000, 11000000, 900]\n");
    assert_int_equal(jrx_recording_read(&f->recording, f->path), 0);
    jrx_recording_energy(&f->recording, 0, 11000000, &f->result);
    assert_int_equal(f->result.status, JRX_EMISSED);
    assert_true(isnan(f->result.total_j));
    struct jrx_meter_config config = {.recording = f->path};
    assert_int_equal(jrx_meter_open(&f->meter, "replay", &config), JRX_EMISSED);
}

static void a_recording_cut_while_it_was_written_keeps_what_is_whole(void **state)
{
    struct fixture *f = *state;
    tree_put(f->root, "r.jsonl=" HEAD "[0, 0, 0, 0]\n[0, 5, 5, 1]\n[0, 9, 9");
    assert_int_equal(jrx_recording_read(&f->recording, f->path), 0);
    assert_int_equal(f->recording.count, 2);
}

static void files_that_are_no_recordings_are_refused_with_their_line(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "no readings"},
        {"hello\n", "line 1"},
        {"{}\n", "not the head"},
        {"[0, 1, 2, 3]\n", "line 1"},
        {HEAD, "no readings"},
        {HEAD "[0, 1, 2]\n", "line 2: a reading is"},
        {HEAD "[0, 1, 2, 3, 4]\n", "line 2: a reading is"},
        {HEAD "[1, 1, 2, 3]\n", "line 2: a reading of an unknown domain"},
        {HEAD "[0, 2, 1, 3]\n", "impossible numbers"},
        {HEAD "[0, 1, 2, -3]\n", "impossible numbers"},
        {HEAD "[0, 5, 6, 3]\n[0, 4, 6, 3]\n", "line 3: readings out of order"},
        {HEAD "{\"mark\": 5, \"time_ns\": 1}\n", "line 2: a mark is"},
        {HEAD "[0, 1, 2, 3\n", "line 2"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tree_put(f->root, "r.jsonl=%s", cases[i].text);
        assert_int_equal(jrx_recording_read(&f->recording, f->path), JRX_EFORMAT);
        if (!strstr(jrx_last_error(), cases[i].words))
            fail_msg("'%s' does not say '%s'", jrx_last_error(), cases[i].words);
        assert_null(f->recording.item);
    }
    assert_int_equal(jrx_recording_read(&f->recording, "/no/such/file"), JRX_EINVAL);
    struct jrx_meter_config config = {0};
    assert_int_equal(jrx_meter_open(&f->meter, "replay", &config), JRX_EUNAVAILABLE);
    assert_non_null(strstr(jrx_last_error(), "--recording"));
}

static void a_full_disk_is_said_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct jrx_record *r;
    struct jrx_reading reading = {1, 2, 3};
    fake_init(&f->fake, 1, 80, 1);
    if (jrx_record_open(&r, "/dev/full", &f->fake.meter))
        skip_because("no /dev/full");
    for (int i = 0; i < 10000; i++)
        jrx_record_reading(r, 0, &reading);
    assert_int_equal(jrx_record_close(r), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "not whole"));
    assert_int_equal(jrx_record_open(&r, "/no/such/folder/x", &f->fake.meter), JRX_EIO);
    assert_null(r);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_written_is_read),
        CASE(energy_is_computed_again_from_the_file),
        CASE(replay_gives_the_recorded_power_under_its_own_name),
        CASE(an_estimate_stays_an_estimate),
        CASE(two_wraps_in_a_recording_are_counted_and_a_gap_is_refused),
        CASE(a_recording_cut_while_it_was_written_keeps_what_is_whole),
        CASE(files_that_are_no_recordings_are_refused_with_their_line),
        CASE(a_full_disk_is_said_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
