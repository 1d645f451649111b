/* harness/table: what is written is read back, and what is damaged is said. */
#include "harness/base/error.h"
#include "harness/table.h"
#include "tests/support/test.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct jrx_column columns[] = {
    {"cell", JRX_TEXT, "What was measured."},
    {"rep", JRX_INTEGER, "Repetition, from 0."},
    {"energy_pkg_j", JRX_REAL, "Energy of the window."},
};
static const struct jrx_schema schema = {"samples", columns, 3};
static const char header[] = "cell,rep,energy_pkg_j\n";

struct place {
    char folder[64], path[96], part[128], tmp[128];
};

static int set_up(void **state)
{
    struct place *p = malloc(sizeof *p);
    strcpy(p->folder, "/tmp/joulerx-table-XXXXXX");
    if (!mkdtemp(p->folder))
        return -1;
    snprintf(p->path, sizeof p->path, "%s/samples.csv", p->folder);
    snprintf(p->part, sizeof p->part, "%s.part", p->path);
    snprintf(p->tmp, sizeof p->tmp, "%s.tmp", p->path);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    unlink(p->part);
    unlink(p->tmp);
    int rc = rmdir(p->folder);
    free(p);
    return rc;
}

static void write_file(const char *path, const char *text, size_t bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, bytes, f), bytes);
    assert_int_equal(fclose(f), 0);
}

static void assert_file(const char *path, const char *want)
{
    char text[4096];
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: not there", path);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    assert_string_equal(text, want);
}

static void put_row(struct jrx_table *t, const char *cell, int64_t rep, double energy_j)
{
    jrx_put_text(t, "cell", cell);
    jrx_put_integer(t, "rep", rep);
    jrx_put_real(t, "energy_pkg_j", energy_j);
}

static void assert_message(const char *part)
{
    if (!strstr(jrx_last_error(), part))
        fail_msg("message \"%s\" does not say \"%s\"", jrx_last_error(), part);
    assert_null(strchr(jrx_last_error(), '\n'));
}

static void a_table_is_rfc_4180_with_missing_fields_empty(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_WHOLE), 0);
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
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_WHOLE), 0);
    for (int i = 0; i < 8; i++) {
        put_row(t, texts[i], INT64_MIN + i, values[i]);
        assert_int_equal(jrx_table_row(t), 0);
    }
    assert_int_equal(jrx_table_close(t), 0);
    assert_int_equal(jrx_csv_read(&csv, p->path, &schema), 0);
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
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_WHOLE), 0);
    put_row(t, "x", 1234567, 0.5);
    assert_int_equal(jrx_table_row(t), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, "cell,rep,energy_pkg_j\nx,1234567,0.5\n");
    assert_int_equal(jrx_csv_read(&csv, p->path, &schema), 0);
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
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
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

static void every_row_is_in_the_file_before_the_next(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
    assert_string_equal(jrx_table_path(t), p->part);
    assert_file(p->part, header);
    put_row(t, "a", 0, 1);
    assert_int_equal(jrx_table_row(t), 0);
    assert_file(p->part, "cell,rep,energy_pkg_j\na,0,1\n");
    jrx_table_leave(t); /* Ctrl-C */
    assert_int_not_equal(access(p->path, F_OK), 0);
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
    assert_int_equal(jrx_table_rows(t), 1);
    put_row(t, "b", 1, 2);
    assert_int_equal(jrx_table_row(t), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, "cell,rep,energy_pkg_j\na,0,1\nb,1,2\n");
    /* a finished table goes on too, and is finished again */
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
    assert_int_equal(jrx_table_rows(t), 2);
    assert_int_not_equal(access(p->path, F_OK), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, "cell,rep,energy_pkg_j\na,0,1\nb,1,2\n");
}

static void every_way_a_write_can_be_torn_keeps_all_whole_rows(void **state)
{
    struct place *p = *state;
    const char whole[] = "cell,rep,energy_pkg_j\na,0,1\n\"b\n\"\"x\"\"\",1,2\nc,2,3\n";
    const size_t ends[] = {22, 28, 42, 48}; /* after the header and each row */
    assert_int_equal(strlen(whole), ends[3]);
    for (size_t cut = 0; cut <= ends[3]; cut++) {
        struct jrx_table *t;
        size_t rows = 0;
        while (rows < 3 && cut >= ends[rows + 1])
            rows++;
        write_file(p->part, whole, cut);
        assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
        assert_int_equal(jrx_table_rows(t), rows);
        assert_int_equal(jrx_table_dropped(t), cut < ends[0] ? cut : cut - ends[rows]);
        put_row(t, "z", 9, 9);
        assert_int_equal(jrx_table_row(t), 0);
        assert_int_equal(jrx_table_close(t), 0);
        char want[128];
        snprintf(want, sizeof want, "%.*sz,9,9\n", (int)ends[rows], whole);
        assert_file(p->path, want);
        unlink(p->path);
    }
    /* a machine that crashed may leave zeros where the last write was to be */
    struct jrx_table *t;
    write_file(p->part, "cell,rep,energy_pkg_j\na,0,1\n\0\0\0\0\n", 33);
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
    assert_int_equal(jrx_table_rows(t), 1);
    jrx_table_leave(t);
    assert_file(p->part, "cell,rep,energy_pkg_j\na,0,1\n");
}

static void rows_survive_sigkill(void **state)
{
    struct place *p = *state;
    for (int round = 0; round < 8; round++) {
        int tell[2];
        char byte;
        assert_int_equal(pipe(tell), 0);
        pid_t child = fork();
        if (child == 0) { /* writes until it is killed, and says each row that it was told is safe */
            struct jrx_table *t;
            if (jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND))
                _exit(9);
            for (;;) {
                put_row(t, "a \"long\" cell,\nin two lines", (int64_t)jrx_table_rows(t), 0.1);
                if (jrx_table_row(t) || write(tell[1], "x", 1) != 1)
                    _exit(9);
            }
        }
        close(tell[1]);
        size_t told = 0;
        int status;
        while (told < 20 && read(tell[0], &byte, 1) == 1)
            told++;
        kill(child, SIGKILL);
        while (read(tell[0], &byte, 1) == 1)
            told++;
        close(tell[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        struct jrx_table *t;
        struct jrx_csv *csv;
        assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
        assert_int_equal(jrx_csv_read(&csv, jrx_table_path(t), &schema), 0);
        size_t rows = jrx_csv_rows(csv);
        assert_true(rows >= told && rows == jrx_table_rows(t));
        for (size_t i = 0; i < rows; i++) {
            int64_t rep;
            assert_int_equal(jrx_csv_integer(csv, i, 1, -1, &rep), 0);
            assert_int_equal(rep, i); /* each once, in order, over all rounds */
        }
        jrx_csv_free(csv);
        jrx_table_leave(t);
    }
}

static void a_full_disk_is_said_and_nothing_is_lost(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    assert_int_equal(symlink("/dev/full", p->part), 0);
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), JRX_EIO);
    assert_message("No space left on device");
    assert_message("samples.csv.part");
    unlink(p->part);
    assert_int_equal(symlink("/dev/full", p->tmp), 0);
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_WHOLE), JRX_EIO);
    assert_message("No space left on device");
    assert_int_not_equal(access(p->path, F_OK), 0);
}

static void a_device_is_written_to_and_stays_a_device(void **state)
{
    static const enum jrx_table_mode modes[] = {JRX_TABLE_WHOLE, JRX_TABLE_APPEND};
    struct place *p = *state;
    char target[16] = "";
    assert_int_equal(symlink("/dev/null", p->path), 0);
    for (int i = 0; i < 2; i++) {
        struct jrx_table *t;
        assert_int_equal(jrx_table_open(&t, p->path, &schema, modes[i]), 0);
        assert_int_equal(jrx_table_close(t), 0);
        assert_int_equal(jrx_table_open(&t, p->path, &schema, modes[i]), 0);
        jrx_table_leave(t);
        assert_int_equal(readlink(p->path, target, sizeof target), 9); /* no file in its place */
    }
}

/* A file size limit cuts a write short in the middle of a row, as a disk that fills up does. */
static void a_disk_that_fills_up_within_a_row_leaves_whole_rows_and_the_row_can_be_tried_again(void **state)
{
    struct place *p = *state;
    struct rlimit before, low;
    struct jrx_table *t;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = 35; /* header 22, rows 8 */
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    int rc[5];
    for (int i = 0; i < 4; i++) {
        put_row(t, "row", i, 1);
        rc[i] = jrx_table_row(t);
    }
    rc[4] = jrx_table_row(t); /* tries again while the disk is full */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(rc[0] == 0 && rc[1] == JRX_EIO && rc[2] == JRX_EIO && rc[3] == JRX_EIO && rc[4] == JRX_EIO);
    assert_message("could not be written");
    assert_int_equal(jrx_table_rows(t), 1);
    assert_file(p->part, "cell,rep,energy_pkg_j\nrow,0,1\n");
    assert_int_equal(jrx_table_row(t), 0); /* there is room again */
    assert_file(p->part, "cell,rep,energy_pkg_j\nrow,0,1\nrow,1,1\nrow,2,1\nrow,3,1\n");
    assert_int_equal(jrx_table_rows(t), 4);
    /* closing on a full disk renames nothing */
    low.rlim_cur = 60;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    put_row(t, "row", 4, 1);
    int row = jrx_table_row(t), closed = jrx_table_close(t);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(row == JRX_EIO && closed == JRX_EIO);
    assert_int_not_equal(access(p->path, F_OK), 0);
    assert_file(p->part, "cell,rep,energy_pkg_j\nrow,0,1\nrow,1,1\nrow,2,1\nrow,3,1\n");
}

static void a_whole_table_is_there_whole_or_not_at_all(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    write_file(p->path, "old\n", 4);
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_WHOLE), 0);
    for (int i = 0; i < 5000; i++) { /* more than one buffer */
        put_row(t, "a cell with a longer name", i, i / 3.0);
        assert_int_equal(jrx_table_row(t), 0);
    }
    assert_int_equal(jrx_table_rows(t), 5000);
    assert_file(p->path, "old\n");
    jrx_table_leave(t);
    assert_file(p->path, "old\n");
    assert_int_not_equal(access(p->tmp, F_OK), 0);
    assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_WHOLE), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, header);
}

static void two_writers_of_one_table_are_refused(void **state)
{
    struct place *p = *state;
    struct jrx_table *a, *b;
    assert_int_equal(jrx_table_open(&a, p->path, &schema, JRX_TABLE_APPEND), 0);
    assert_int_equal(jrx_table_open(&b, p->path, &schema, JRX_TABLE_APPEND), JRX_EINVAL);
    assert_null(b);
    assert_message("another process");
    jrx_table_leave(a);
    write_file(p->path, header, strlen(header));
    assert_int_equal(jrx_table_open(&b, p->path, &schema, JRX_TABLE_APPEND), JRX_EINVAL);
    assert_message("keep one of the two");
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
        assert_int_equal(jrx_table_open(&t, p->path, &schema, JRX_TABLE_APPEND), JRX_EFORMAT);
        assert_message(said[i]);
        assert_file(p->part, others[i]);
    }
}

static void a_folder_that_is_missing_or_closed_is_said(void **state)
{
    (void)state;
    struct jrx_table *t;
    struct jrx_csv *csv;
    assert_int_equal(jrx_table_open(&t, "/nonexistent/x.csv", &schema, JRX_TABLE_WHOLE), JRX_EIO);
    assert_message("/nonexistent/x.csv.tmp");
    assert_message("No such file");
    assert_int_equal(jrx_csv_read(&csv, "/nonexistent/x.csv", NULL), JRX_EIO);
    assert_message("/nonexistent/x.csv");
    assert_int_equal(jrx_csv_read(&csv, "/tmp", NULL), JRX_EIO);
    assert_null(csv);
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
        int rc = jrx_csv_parse(&csv, bad[i].text, strlen(bad[i].text), "in.csv", &schema);
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
    assert_int_equal(jrx_csv_parse(&csv, text, sizeof text - 1, "in.csv", &schema), 0);
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
    assert_int_equal(jrx_schema_check(&schema), 0);
    char *text = NULL;
    size_t bytes;
    FILE *to = open_memstream(&text, &bytes);
    assert_int_equal(jrx_schema_print(&schema, to), 0);
    fclose(to);
    assert_non_null(strstr(text, "energy_pkg_j"));
    assert_non_null(strstr(text, "real     J        Energy of the window."));
    free(text);
}

static void a_table_of_one_column_keeps_its_missing_rows(void **state)
{
    struct place *p = *state;
    const struct jrx_schema one = {"one", columns, 1};
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

#define with_place(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_place(a_table_is_rfc_4180_with_missing_fields_empty),
        with_place(what_is_written_is_read_back_to_the_bit),
        with_place(a_comma_locale_changes_nothing),
        with_place(a_field_of_no_column_or_another_type_or_without_end_is_an_error),
        with_place(every_row_is_in_the_file_before_the_next),
        with_place(every_way_a_write_can_be_torn_keeps_all_whole_rows),
        with_place(rows_survive_sigkill),
        with_place(a_device_is_written_to_and_stays_a_device),
        with_place(a_full_disk_is_said_and_nothing_is_lost),
        with_place(a_disk_that_fills_up_within_a_row_leaves_whole_rows_and_the_row_can_be_tried_again),
        with_place(a_whole_table_is_there_whole_or_not_at_all),
        with_place(two_writers_of_one_table_are_refused),
        with_place(a_table_of_other_columns_is_not_gone_on_with),
        with_place(a_table_of_one_column_keeps_its_missing_rows),
        cmocka_unit_test(a_folder_that_is_missing_or_closed_is_said),
        cmocka_unit_test(malformed_input_is_one_line_with_file_row_column_and_value),
        cmocka_unit_test(columns_are_found_by_name_in_any_order),
        cmocka_unit_test(a_column_states_its_unit_and_its_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
