/* harness/table: rows stay whole through kills, full disks and two writers, and a whole table is there or is not. */
#include "harness/base/error.h"
#include "tests/support/table_place.h"
#include "tests/support/test.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char header[] = "cell,rep,energy_pkg_j\n";

static void every_row_is_in_the_file_before_the_next(void **state)
{
    struct place *p = *state;
    struct jrx_table *t;
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
    assert_string_equal(jrx_table_path(t), p->part);
    assert_file(p->part, header);
    put_row(t, "a", 0, 1);
    assert_int_equal(jrx_table_row(t), 0);
    assert_file(p->part, "cell,rep,energy_pkg_j\na,0,1\n");
    jrx_table_leave(t); /* Ctrl-C */
    assert_int_not_equal(access(p->path, F_OK), 0);
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
    assert_int_equal(jrx_table_rows(t), 1);
    put_row(t, "b", 1, 2);
    assert_int_equal(jrx_table_row(t), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, "cell,rep,energy_pkg_j\na,0,1\nb,1,2\n");
    /* a finished table goes on too, and is finished again */
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
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
        assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
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
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
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
            if (jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND))
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
        assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
        assert_int_equal(jrx_csv_read(&csv, jrx_table_path(t), &place_schema), 0);
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
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), JRX_EIO);
    assert_message("No space left on device");
    assert_message("samples.csv.part");
    unlink(p->part);
    assert_int_equal(symlink("/dev/full", p->tmp), 0);
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_WHOLE), JRX_EIO);
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
        assert_int_equal(jrx_table_open(&t, p->path, &place_schema, modes[i]), 0);
        assert_int_equal(jrx_table_close(t), 0);
        assert_int_equal(jrx_table_open(&t, p->path, &place_schema, modes[i]), 0);
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
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_APPEND), 0);
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
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_WHOLE), 0);
    for (int i = 0; i < 5000; i++) { /* more than one buffer */
        put_row(t, "a cell with a longer name", i, i / 3.0);
        assert_int_equal(jrx_table_row(t), 0);
    }
    assert_int_equal(jrx_table_rows(t), 5000);
    assert_file(p->path, "old\n");
    jrx_table_leave(t);
    assert_file(p->path, "old\n");
    assert_int_not_equal(access(p->tmp, F_OK), 0);
    assert_int_equal(jrx_table_open(&t, p->path, &place_schema, JRX_TABLE_WHOLE), 0);
    assert_int_equal(jrx_table_close(t), 0);
    assert_file(p->path, header);
}

static void two_writers_of_one_table_are_refused(void **state)
{
    struct place *p = *state;
    struct jrx_table *a, *b;
    assert_int_equal(jrx_table_open(&a, p->path, &place_schema, JRX_TABLE_APPEND), 0);
    assert_int_equal(jrx_table_open(&b, p->path, &place_schema, JRX_TABLE_APPEND), JRX_EINVAL);
    assert_null(b);
    assert_message("another process");
    jrx_table_leave(a);
    write_file(p->path, header, strlen(header));
    assert_int_equal(jrx_table_open(&b, p->path, &place_schema, JRX_TABLE_APPEND), JRX_EINVAL);
    assert_message("keep one of the two");
}

static void a_folder_that_is_missing_or_closed_is_said(void **state)
{
    (void)state;
    struct jrx_table *t;
    struct jrx_csv *csv;
    assert_int_equal(jrx_table_open(&t, "/nonexistent/x.csv", &place_schema, JRX_TABLE_WHOLE), JRX_EIO);
    assert_message("/nonexistent/x.csv.tmp");
    assert_message("No such file");
    assert_int_equal(jrx_csv_read(&csv, "/nonexistent/x.csv", NULL), JRX_EIO);
    assert_message("/nonexistent/x.csv");
    assert_int_equal(jrx_csv_read(&csv, "/tmp", NULL), JRX_EIO);
    assert_null(csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_place(every_row_is_in_the_file_before_the_next),
        with_place(every_way_a_write_can_be_torn_keeps_all_whole_rows),
        with_place(rows_survive_sigkill),
        with_place(a_device_is_written_to_and_stays_a_device),
        with_place(a_full_disk_is_said_and_nothing_is_lost),
        with_place(a_disk_that_fills_up_within_a_row_leaves_whole_rows_and_the_row_can_be_tried_again),
        with_place(a_whole_table_is_there_whole_or_not_at_all),
        with_place(two_writers_of_one_table_are_refused),
        cmocka_unit_test(a_folder_that_is_missing_or_closed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
