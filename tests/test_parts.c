/* Runs made in parts: what made each is kept, other builds are warned of, other machines refused. */
#include "experiments/parts.h"
#include "harness/base/error.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

/* A part begun here. */
static int begin(const char *dir, struct jrx_warnings *warnings)
{
    char *argv[] = {"joulerx", NULL};
    struct jrx_provenance *provenance;
    *warnings = (struct jrx_warnings){0};
    assert_int_equal(jrx_provenance_new(&provenance, "", 1, argv, 1), 0);
    const int status = ex_parts_begin(dir, provenance, warnings);
    jrx_provenance_free(provenance);
    return status;
}

/* Puts a first part whose identity differs from this machine's in one key. */
static void put_first(const char *dir, const char *key, const char *value)
{
    char *argv[] = {"joulerx", NULL}, path[TREE_PATH + 16];
    struct jrx_provenance *provenance;
    assert_int_equal(jrx_provenance_new(&provenance, "", 1, argv, 1), 0);
    json_t *identity = json_deep_copy(jrx_provenance_identity(provenance));
    json_object_set_new(identity, key, json_string(value));
    json_t *parts = json_pack("[{s:s, s:o}]", "run_id", "first", "identity", identity);
    snprintf(path, sizeof path, "%s/parts.json", dir);
    assert_int_equal(json_dump_file(parts, path, 0), 0);
    json_decref(parts);
    jrx_provenance_free(provenance);
}

static void parts_of_one_build_are_listed_without_a_warning(void **state)
{
    (void)state;
    char dir[TREE_PATH];
    struct jrx_warnings warnings;
    tree_new(dir);
    assert_null(ex_parts_json(dir));
    assert_int_equal(begin(dir, &warnings), 0);
    assert_null(ex_parts_json(dir)); /* one part is the run */
    assert_int_equal(begin(dir, &warnings), 0);
    assert_int_equal(warnings.count, 0);
    json_t *parts = ex_parts_json(dir);
    assert_int_equal(json_array_size(parts), 2);
    assert_non_null(json_object_get(json_object_get(json_array_get(parts, 1), "identity"), "cpu"));
    json_decref(parts);
    tree_free(dir);
}

static void another_build_is_warned_of_in_every_later_part(void **state)
{
    (void)state;
    char dir[TREE_PATH];
    struct jrx_warnings warnings;
    tree_new(dir);
    put_first(dir, "commit", "cafe");
    for (int later = 1; later <= 2; later++) {
        assert_int_equal(begin(dir, &warnings), 0);
        assert_true(warnings.count >= 1); /* parts of one second have one name, and are said once */
        assert_string_equal(warnings.item[0].code, "parts_differ");
        assert_non_null(strstr(warnings.item[0].text, "commit of part"));
        assert_non_null(strstr(warnings.item[0].text, "was \"cafe\" in the first part"));
    }
    tree_free(dir);
}

static void another_cpu_is_refused_and_the_list_left_as_it_was(void **state)
{
    (void)state;
    char dir[TREE_PATH];
    struct jrx_warnings warnings;
    tree_new(dir);
    put_first(dir, "cpu", "Nobody's");
    assert_int_equal(begin(dir, &warnings), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "begun where cpu is \"Nobody's\""));
    assert_null(ex_parts_json(dir));
    tree_free(dir);
}

static void a_damaged_list_is_one_clear_line(void **state)
{
    (void)state;
    char dir[TREE_PATH];
    struct jrx_warnings warnings;
    tree_new(dir);
    tree_put(dir, "parts.json=[");
    assert_int_equal(begin(dir, &warnings), JRX_EFORMAT);
    assert_non_null(strstr(jrx_last_error(), "parts.json"));
    tree_put(dir, "parts.json={}");
    assert_int_equal(begin(dir, &warnings), JRX_EFORMAT);
    tree_free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_one_build_are_listed_without_a_warning),
        cmocka_unit_test(another_build_is_warned_of_in_every_later_part),
        cmocka_unit_test(another_cpu_is_refused_and_the_list_left_as_it_was),
        cmocka_unit_test(a_damaged_list_is_one_clear_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
