/* harness/table: what is written is read back, and what is damaged is said. */
#include "harness/base/error.h"
#include "tests/support/table_place.h"
#include "tests/support/test.h"
#include <locale.h>
#include <unistd.h>

static void a_table_is_rfc_4180_with_missing_fields_empty(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_WHOLE), 0);
    put_row(t, "a,b \"q\"\nline", -7, 0.1);
    assert_int_equal(jrx_table_row(t), 0);
    put_row(t, NULL, 9007199254740993, NAN);
    assert_int_equal(jrx_table_row(t), 0);
    jrx_put_text(t, "cell", " padded");
    assert_int_equal(jrx_table_row(t), 0);
    assert_int_not_equal(access(p->path, F_OK), 0); /* not there before it is whole */
    assert_int_equal(jrx_table_rows(t), 3);
    assert_int_equal(jrx_table_close(t), 0);
    assert_int_not_equal(access(p->tmp, F_OK), 0);
    assert_file(p->path, "cell,rep,energy_pkg_j\n"
                         "\"a,b \"\"q\"\"\nline\",-7,0.10000000000000001\n"
                         ",9007199254740993,\n"
                         "\" padded\",,\n");
}

static void what_is_written_is_read_back_to_the_bit(void **state)
{
    struct place *p = *state;
    const double values[] = {0.1, 1e-308, 4.9406564584124654e-324, 1.7976931348623157e308, -0.0, 1.0 / 3, 3, NAN};
    const char *texts[] = {"", "x", "a,b", "\"", "\r\n", " s ", "\xc2\xb5J", "1e5"};
    struct jrx_table *t;
    struct jrx_csv *csv;
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_WHOLE), 0);
    for (int i = 0; i < 8; i++) {
        put_row(t, texts[i], INT64_MIN + i, values[i]);
        assert_int_equal(jrx_table_row(t), 0);
    }
    assert_int_equal(jrx_table_close(t), 0);
    assert_int_equal(jrx_csv_read(&csv, p->path, &place_schema), 0);
    assert_int_equal(jrx_csv_rows(csv), 8);
    for (size_t i = 0; i < 8; i++) {
        double real;
        int64_t integer;
        assert_string_equal(jrx_csv_text(csv, i, 0), texts[i]);
        assert_int_equal(jrx_csv_integer(csv, i, 1, 0, &integer), 0);
        assert_true(integer == INT64_MIN + (int64_t)i);
        assert_int_equal(jrx_csv_real(csv, i, 2, &real), 0);
        assert_true(isnan(values[i]) ? isnan(real) : !memcmp(&real, &values[i], sizeof real));
    }
    jrx_csv_free(csv);
}

static void a_comma_locale_changes_nothing(void **state)
{
    struct place *p = *state;
    static const char *const comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8", "fr_FR.utf8", "de_DE", "fr_FR"};
    char folder[128], command[512];
    const char *set = NULL;
    for (size_t i = 0; i < 6 && !set; i++)
        set = setlocale(LC_ALL, comma[i]);
    snprintf(folder, sizeof folder, "%s/locale", p->folder);
    if (!set) { /* none installed: compile one */
        snprintf(command, sizeof command, "mkdir %s && localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1",
                 folder, folder);
        if (system(command) == 0 && setenv("LOCPATH", folder, 1) == 0)
            set = setlocale(LC_ALL, "de_DE.UTF-8");
    }
    snprintf(command, sizeof command, "rm -rf %s", folder);
    if (!set) {
        assert_int_equal(system(command), 0);
        skip_because("no locale with a decimal comma, and localedef cannot make one");
    }
    char text[16];
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5"); /* the locale is in force */
    struct jrx_table *t;
    struct jrx_csv *csv;
    double value;
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_WHOLE), 0);
    put_row(t, "x", 1234567, 0.5);
    assert_int_equal(jrx_table_row(t), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, "cell,rep,energy_pkg_j\nx,1234567,0.5\n");
    assert_int_equal(jrx_csv_read(&csv, p->path, &place_schema), 0);
    assert_int_equal(jrx_csv_real(csv, 0, 2, &value), 0);
    assert_true(value == 0.5);
    jrx_csv_free(csv);
    setlocale(LC_ALL, "C");
    assert_int_equal(system(command), 0);
}

static void a_field_of_no_column_or_another_type_or_without_end_is_an_error(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
    jrx_put_real(t, "energy_dram_j", 1);
    assert_int_equal(jrx_table_row(t), JRX_EINVAL);
    assert_message("energy_dram_j");
    jrx_put_text(t, "rep", "1");
    assert_int_equal(jrx_table_row(t), JRX_EINVAL);
    jrx_put_real(t, "energy_pkg_j", INFINITY);
    assert_int_equal(jrx_table_row(t), JRX_EINVAL);
    assert_message("infinite");
    put_row(t, "good", 1, 2);
    assert_int_equal(jrx_table_row(t), 0);
    assert_int_equal(jrx_table_rows(t), 1);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, "cell,rep,energy_pkg_j\ngood,1,2\n");
}

static void a_table_of_other_columns_is_not_gone_on_with(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    const char *others[] = {"cell,rep\n", "cell,energy_pkg_j,rep\n", "cell,rep,energy_pkg_j,more\n"};
    const char *said[] = {"column 3 is (none), this program writes energy_pkg_j",
                          "column 2 is energy_pkg_j, this program writes rep",
                          "column 4 is more, this program writes (none)"};
    for (int i = 0; i < 3; i++) {
        write_file(p->part, others[i], strlen(others[i]));
        assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), JRX_EFORMAT);
        assert_message(said[i]);
        assert_file(p->part, others[i]);
    }
}

static void malformed_input_is_one_line_with_file_row_column_and_value(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says[3];
    } bad[] = {
        {"", {"no header row"}},
        {"cell,rep\n", {"no column energy_pkg_j", "it has cell, rep"}},
        {"cell,rep,rep\n", {"two columns", "\"rep\""}},
        {"cell,,rep\n", {"column 2 has no name"}},
        {"cell,rep,energy_pkg_j\nx,1\n", {"row 2 has 2 fields", "header has 3"}},
        {"cell,rep,energy_pkg_j\nx,1,2\ny,1,2,3\n", {"row 3 has 4 fields"}},
        {"cell,rep,energy_pkg_j\nx,1,2\nx,1.5,2\n", {"row 3, column rep", "\"1.5\""}},
        {"cell,rep,energy_pkg_j\nx,99999999999999999999,2\n", {"row 2, column rep"}},
        {"cell,rep,energy_pkg_j\nx,1,12 J\n", {"row 2, column energy_pkg_j", "\"12 J\""}},
        {"cell,rep,energy_pkg_j\nx,1,\"1,5\"\n", {"row 2, column energy_pkg_j", "\"1,5\""}},
        {"cell,rep,energy_pkg_j\nx,1,nan\n", {"\"nan\"", "leave it empty"}},
        {"cell,rep,energy_pkg_j\nx,1,\"1\n2\"\n", {"\"1?2\""}}, /* still one line */
        {"cell,rep,energy_pkg_j\nx,1,0x10\n", {"\"0x10\""}},
        {"cell,rep,energy_pkg_j\nx,1,1e999\n", {"\"1e999\""}},
        {"cell,rep,energy_pkg_j\nx,1,e\n", {"\"e\""}},
        {"cell,rep,energy_pkg_j\nx,-,1\n", {"\"-\"", "integer"}},
        {"cell,rep,energy_pkg_j\nx,1,1-2\n", {"\"1-2\""}},
        {"cell,rep,energy_pkg_j\nx\"y,1,2\n", {"row 2", "quote"}},
        {"cell,rep,energy_pkg_j\n\"x,1,2\n", {"row 2", "quote"}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct jrx_csv *csv;
        int rc = jrx_csv_parse(&csv, bad[i].text, strlen(bad[i].text), "in.csv", &place_schema);
        if (rc != JRX_EFORMAT)
            fail_msg("case %zu gave %d", i, rc);
        assert_null(csv);
        assert_message("in.csv");
        for (int k = 0; k < 3 && bad[i].says[k]; k++)
            assert_message(bad[i].says[k]);
    }
    struct jrx_csv *csv;
    assert_int_equal(jrx_csv_parse(&csv, "cell,rep,energy_pkg_j\nx\0y,1,2\n", 30, "in.csv", NULL), JRX_EFORMAT);
    assert_message("NUL");
}

static void columns_are_found_by_name_in_any_order(void **state)
{
    (void)state;
    const char text[] = "\xef\xbb\xbf"
                        "energy_pkg_j,note,rep,cell\r\n1.5,n,3,x\r\n,,,\"y z\"\r\n-2e-3,,4,w";
    struct jrx_csv *csv;
    double energy_j[3];
    int64_t rep;
    assert_int_equal(jrx_csv_parse(&csv, text, sizeof text - 1, "in.csv", &place_schema), 0);
    assert_int_equal(jrx_csv_rows(csv), 3);
    assert_int_equal(jrx_csv_columns(csv), 4);
    assert_int_equal(jrx_csv_find(csv, "cell"), 3);
    assert_int_equal(jrx_csv_find(csv, "energy_dram_j"), JRX_EFORMAT);
    assert_int_equal(jrx_csv_column(csv, "energy_pkg_j", energy_j), 0);
    assert_true(energy_j[0] == 1.5 && isnan(energy_j[1]) && energy_j[2] == -0.002);
    assert_int_equal(jrx_csv_column(csv, "cell", energy_j), JRX_EFORMAT);
    assert_int_equal(jrx_csv_integer(csv, 1, 2, -1, &rep), 0);
    assert_int_equal(rep, -1);
    assert_string_equal(jrx_csv_text(csv, 1, 3), "y z");
    jrx_csv_free(csv);
}

static void a_column_states_its_unit_and_its_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *name, *unit;
    } known[] = {
        {"energy_pkg_j", "J"},
        {"time_ci_lo_ns", "ns"},
        {"flop", "FLOP"},
        {"dram_bytes", "bytes"},
        {"rate_flop_per_s", "FLOP/s"},
        {"flop_per_j", "FLOP/J"},
        {"traffic_bytes_per_s", "bytes/s"},
        {"snr_db", "dB"},
        {"hit_ratio", "1"},
        {"temperature_c", "C"},
        {"status", ""},
        {"bytes_l2", ""},
        {"x_per_j", ""},
        {"", ""},
    };
    char unit[24];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(jrx_column_unit(known[i].name, unit), known[i].unit);
    const struct jrx_column bad[] = {
        {"Energy_j", JRX_REAL, "Capital."},  {"energy j", JRX_REAL, "Space."}, {"energy", JRX_REAL, "No unit."},
        {"energy_j", JRX_REAL, ""},          {"", JRX_TEXT, "No name."},       {NULL, JRX_TEXT, "No name."},
        {"1st_j", JRX_REAL, "Digit first."},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(jrx_schema_check(&(struct jrx_schema){"s", &bad[i], 1}), JRX_EINVAL);
    const struct jrx_column twice[] = {{"a_j", JRX_REAL, "One."}, {"a_j", JRX_REAL, "Two."}};
    assert_int_equal(jrx_schema_check(&(struct jrx_schema){"s", twice, 2}), JRX_EINVAL);
    assert_message("a_j is declared twice");
    assert_int_equal(jrx_schema_check(&(struct jrx_schema){"s", twice, 0}), JRX_EINVAL);
    assert_int_equal(jrx_schema_check(&place_schema), 0);
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    assert_int_equal(jrx_schema_print(&place_schema, to), 0);
    fclose(to);
    assert_non_null(strstr(text, "energy_pkg_j"));
    assert_non_null(strstr(text, "real     J        Energy of the window."));
    free(text);
}

static void a_table_of_one_column_keeps_its_missing_rows(void **state)
{
    struct place *p = *state;
    const struct jrx_schema one = {"one", place_schema.column, 1};
    struct jrx_table *t;
    struct jrx_csv *csv;
    assert_int_equal(jrx_table_open(&t, p->path, &one, JRX_TABLE_APPEND), 0);
    jrx_put_text(t, "cell", NULL);
    assert_int_equal(jrx_table_row(t), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_int_equal(jrx_csv_read(&csv, p->path, &one), 0);
    assert_int_equal(jrx_csv_rows(csv), 1);
    assert_string_equal(jrx_csv_text(csv, 0, 0), "");
    jrx_csv_free(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_place(a_table_is_rfc_4180_with_missing_fields_empty),
        with_place(what_is_written_is_read_back_to_the_bit),
        with_place(a_comma_locale_changes_nothing),
        with_place(a_field_of_no_column_or_another_type_or_without_end_is_an_error),
        with_place(a_table_of_other_columns_is_not_gone_on_with),
        with_place(a_table_of_one_column_keeps_its_missing_rows),
        cmocka_unit_test(malformed_input_is_one_line_with_file_row_column_and_value),
        cmocka_unit_test(columns_are_found_by_name_in_any_order),
        cmocka_unit_test(a_column_states_its_unit_and_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
