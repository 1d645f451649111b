/* harness/base/file: a file is replaced whole or left as it was. */
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "tests/support/test.h"
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own, and a path in it. */
static void folder(char *path, size_t size, const char *name)
{
    char dir[] = "/tmp/joulerx-file-XXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_true(snprintf(path, size, "%s/%s", dir, name) < (int)size);
}

static void assert_holds(const char *path, const char *text)
{
    char got[64] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    got[fread(got, 1, sizeof got - 1, file)] = 0;
    fclose(file);
    assert_string_equal(got, text);
}

static void assert_no_work_file(const char *path)
{
    char work[128];
    snprintf(work, sizeof work, "%s.tmp", path);
    assert_int_equal(access(work, F_OK), -1);
}

static void remove_all(char *path)
{
    unlink(path);
    *strrchr(path, '/') = 0;
    assert_int_equal(rmdir(path), 0);
}

static void pieces_follow_one_another_and_replace_an_older_file(void **state)
{
    (void)state;
    char path[96];
    folder(path, sizeof path, "a");
    assert_int_equal(jrx_file_replace(path, "something long that was there", "make room"), 0);
    const struct jrx_piece piece[] = {{"one ", 4}, {NULL, 0}, {"two", 3}};
    assert_int_equal(jrx_file_replace_pieces(path, piece, 3, "make room"), 0);
    assert_holds(path, "one two");
    assert_int_equal(jrx_file_replace(path, "", "make room"), 0);
    assert_holds(path, "");
    assert_no_work_file(path);
    remove_all(path);
}

static void what_is_no_file_is_not_replaced(void **state)
{
    (void)state;
    struct stat found;
    assert_int_equal(jrx_file_replace("/dev/null", "x", "make room"), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "give another name"));
    assert_true(!stat("/dev/null", &found) && S_ISCHR(found.st_mode));
    assert_int_equal(jrx_file_replace("/tmp", "x", "make room"), JRX_EIO);
    assert_true(!stat("/tmp", &found) && S_ISDIR(found.st_mode));
}

static void a_file_that_cannot_be_written_says_so_with_the_remedy(void **state)
{
    (void)state;
    assert_int_equal(jrx_file_replace("/nowhere/at/all", "x", "make the folder"), JRX_EIO);
    assert_non_null(strstr(jrx_last_error(), "/nowhere/at/all: could not be written"));
    assert_non_null(strstr(jrx_last_error(), "make the folder"));
    errno = EACCES;
    assert_int_equal(jrx_file_error("f", "what", "remedy"), JRX_EPERMISSION);
}

static void a_failed_replacement_leaves_the_older_file(void **state)
{
    (void)state;
    char path[96], work[128];
    folder(path, sizeof path, "a");
    assert_int_equal(jrx_file_replace(path, "old", "make room"), 0);
    snprintf(work, sizeof work, "%s.tmp", path);
    assert_int_equal(mkdir(work, 0777), 0); /* so that the work file cannot be opened */
    assert_int_equal(jrx_file_replace(path, "new", "make room"), JRX_EIO);
    assert_holds(path, "old");
    assert_int_equal(rmdir(work), 0);
    remove_all(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_follow_one_another_and_replace_an_older_file),
        cmocka_unit_test(what_is_no_file_is_not_replaced),
        cmocka_unit_test(a_file_that_cannot_be_written_says_so_with_the_remedy),
        cmocka_unit_test(a_failed_replacement_leaves_the_older_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
