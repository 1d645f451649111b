/* harness/provenance: meta.json holds what it must, unknown is null, and two identities are compared key by key. */
#include "harness/base/error.h"
#include "harness/provenance.h"
#include "tests/support/test.h"
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char *const command[] = {"joulerx", "run", "fig-tiling", "", "--note=\xff\xfe"};

struct place {
    char folder[64], path[96], tmp[128];
};

static int set_up(void **state)
{
    struct place *p = malloc(sizeof *p);
    strcpy(p->folder, "/tmp/joulerx-meta-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/meta.json", p->folder);
    snprintf(p->tmp, sizeof p->tmp, "%s.tmp", p->path);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    unlink(p->tmp);
    int rc = rmdir(p->folder);
    free(p);
    return rc;
}

static struct jrx_provenance *made(const char *root)
{
    struct jrx_provenance *p;
    assert_int_equal(jrx_provenance_new(&p, root, 5, command, UINT64_MAX), 0);
    return p;
}

static const char *string_at(const json_t *doc, const char *key)
{
    const char *value = json_string_value(json_object_get(doc, key));
    if (!value)
        fail_msg("%s is no string", key);
    return value;
}

static void a_written_file_says_what_the_result_was_made_with(void **state)
{
    struct place *place = *state;
    struct jrx_provenance *p = made("");
    json_t *doc;
    assert_int_equal(jrx_provenance_meter(p, "powercap", "measured"), 0);
    assert_int_equal(jrx_provenance_counters(p, "cachesim", "simulated"), 0);
    const struct jrx_warning noisy = {"noisy", 0.031, 0.02, "time varies by 3.1 %", "use --reps=30"},
                             governor = {"governor", NAN, NAN, "it is ondemand", "cpupower frequency-set"};
    assert_int_equal(jrx_provenance_warn(p, &noisy), 0);
    assert_int_equal(jrx_provenance_warn(p, &governor), 0);
    assert_int_equal(jrx_provenance_set(p, "order", json_string("shuffled")), 0);
    assert_int_equal(jrx_provenance_write(p, place->path), 0);
    assert_int_not_equal(access(place->tmp, F_OK), 0);
    assert_int_equal(jrx_provenance_read(&doc, place->path), 0);
    assert_string_equal(string_at(doc, "run_id"), jrx_run_id(p));
    assert_string_equal(string_at(doc, "seed"), "18446744073709551615");
    assert_string_equal(string_at(doc, "order"), "shuffled");
    const json_t *words = json_object_get(doc, "command");
    assert_int_equal(json_array_size(words), 5);
    assert_string_equal(json_string_value(json_array_get(words, 2)), "fig-tiling");
    assert_string_equal(json_string_value(json_array_get(words, 3)), "");
    assert_string_equal(json_string_value(json_array_get(words, 4)), "--note=??"); /* bytes that are no UTF-8 */
    assert_string_equal(string_at(json_object_get(doc, "meter"), "source"), "measured");
    assert_string_equal(string_at(json_object_get(doc, "counters"), "name"), "cachesim");
    const json_t *warnings = json_object_get(doc, "warnings");
    assert_int_equal(json_array_size(warnings), 2);
    assert_near(json_real_value(json_object_get(json_array_get(warnings, 0), "measured")), 0.031, 0);
    assert_true(json_is_null(json_object_get(json_array_get(warnings, 1), "measured")));
    const json_t *states = json_object_get(doc, "state");
    assert_true(json_is_object(json_object_get(states, "before")) && json_is_object(json_object_get(states, "after")));
    assert_true(json_is_number(json_object_get(json_object_get(states, "after"), "uptime_s")));
    const json_t *id = json_object_get(doc, "identity");
    const char *const must[] = {"cpu", "kernel", "distribution", "compiler", "flags", "commit"};
    for (size_t i = 0; i < sizeof must / sizeof *must; i++)
        assert_true(strlen(string_at(id, must[i])) > 0);
    assert_true(json_is_boolean(json_object_get(id, "dirty")));
    assert_true(json_integer_value(json_object_get(id, "memory_gib")) >= 1);
    const json_t *libraries = json_object_get(id, "libraries");
    assert_non_null(strstr(string_at(libraries, "openblas"), "OpenBLAS"));
    assert_true(strlen(string_at(libraries, "openblas_core")) > 0);
    assert_int_equal(string_at(libraries, "papi")[1], '.');
    assert_int_equal(string_at(libraries, "hwloc")[1], '.');
    json_decref(doc);
    jrx_provenance_free(p);
}

static void the_run_id_is_utc_time_and_short_commit(void **state)
{
    (void)state;
    struct jrx_provenance *p = made("");
    int year, month, day, hour, minute, second, used = 0;
    char commit[16];
    assert_int_equal(sscanf(jrx_run_id(p), "%4d%2d%2dT%2d%2d%2dZ-%7[0-9a-z]%n", &year, &month, &day, &hour, &minute,
                            &second, commit, &used),
                     7);
    assert_int_equal(used, strlen(jrx_run_id(p)));
    struct tm utc = {.tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = second};
    assert_true(labs((long)(time(NULL) - timegm(&utc))) < 60);
    jrx_provenance_free(p);
}

static void on_a_machine_that_shows_nothing_unknown_is_null(void **state)
{
    struct place *place = *state;
    struct jrx_provenance *p = made(place->folder); /* no sys and no proc there */
    json_t *now = jrx_machine_state(place->folder);
    const char *const unknown[] = {"governor",   "driver",       "turbo",   "temperature_c",
                                   "load_ratio", "frequency_hz", "uptime_s"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_true(json_is_null(json_object_get(now, unknown[i])));
    assert_true(json_is_null(json_object_get(jrx_provenance_identity(p), "microcode")) ||
                json_object_size(jrx_provenance_identity(p)) == 0);
    json_decref(now);
    jrx_provenance_free(p);
}

static void keys_of_the_harness_cannot_be_replaced(void **state)
{
    (void)state;
    struct jrx_provenance *p = made("");
    assert_int_equal(jrx_provenance_set(p, "identity", json_true()), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "identity"));
    assert_int_equal(jrx_provenance_set(p, "mine", NULL), 0);
    assert_int_equal(jrx_provenance_set(p, "mine", json_integer(3)), 0);
    jrx_provenance_free(p);
    jrx_provenance_free(NULL);
}

static void a_file_that_cannot_be_written_leaves_the_old_one(void **state)
{
    struct place *place = *state;
    struct jrx_provenance *p = made("");
    json_t *doc;
    assert_int_equal(jrx_provenance_write(p, place->path), 0);
    assert_int_equal(symlink("/dev/full", place->tmp), 0);
    assert_int_equal(jrx_provenance_write(p, place->path), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "No space left on device"));
    assert_int_equal(jrx_provenance_read(&doc, place->path), 0); /* still whole */
    json_decref(doc);
    assert_int_equal(jrx_provenance_write(p, "/nonexistent/meta.json"), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "/nonexistent/meta.json"));
    jrx_provenance_free(p);
}

static void files_that_are_no_meta_json_are_said(void **state)
{
    struct place *place = *state;
    static const char *const bad[] = {"", "{", "[]", "{\"identity\": 3}", "{\"a\": 1, \"a\": 2}", "nul"};
    json_t *doc;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *f = fopen(place->path, "w");
        fputs(bad[i], f);
        fclose(f);
        assert_int_equal(jrx_provenance_read(&doc, place->path), JRX_EFORMAT);
        assert_null(doc);
        assert_non_null(strstr(jrx_last_error(), "meta.json"));
        assert_null(strchr(jrx_last_error(), '\n'));
    }
    assert_int_equal(jrx_provenance_read(&doc, "/nonexistent"), JRX_EIO);
}

static void identities_are_compared_key_by_key(void **state)
{
    (void)state;
    json_t *differences, *a = json_pack("{ss si s{ss ss} sn}", "cpu", "X", "cores", 4, "libraries", "papi", "7.0.0",
                                        "hwloc", "2.9.0", "microcode");
    json_t *b = json_pack("{ss si s{ss} ss}", "cpu", "X", "cores", 8, "libraries", "papi", "7.1.0", "kernel", "6.1");
    assert_int_equal(jrx_identity_compare(a, a, &differences), 0);
    json_decref(differences);
    /* cores, libraries.papi, libraries.hwloc, kernel; microcode is null in one and absent in the other: equal */
    assert_int_equal(jrx_identity_compare(a, b, &differences), 4);
    int seen = 0;
    for (size_t i = 0; i < 4; i++) {
        const json_t *d = json_array_get(differences, i);
        const char *key = string_at(d, "key");
        if (!strcmp(key, "libraries.hwloc")) {
            assert_string_equal(string_at(d, "a"), "2.9.0");
            assert_true(json_is_null(json_object_get(d, "b")));
            seen++;
        } else if (!strcmp(key, "kernel")) {
            assert_true(json_is_null(json_object_get(d, "a")));
            seen++;
        } else
            seen += !strcmp(key, "cores") || !strcmp(key, "libraries.papi");
    }
    assert_int_equal(seen, 4);
    json_decref(differences);
    json_decref(a);
    json_decref(b);
}

#define with_place(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_place(a_written_file_says_what_the_result_was_made_with),
        with_place(on_a_machine_that_shows_nothing_unknown_is_null),
        with_place(a_file_that_cannot_be_written_leaves_the_old_one),
        with_place(files_that_are_no_meta_json_are_said),
        cmocka_unit_test(the_run_id_is_utc_time_and_short_commit),
        cmocka_unit_test(keys_of_the_harness_cannot_be_replaced),
        cmocka_unit_test(identities_are_compared_key_by_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
