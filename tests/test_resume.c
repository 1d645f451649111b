/* A run that is killed with SIGKILL goes on with --resume: no repetition twice, none missing. Runs the program itself.
 */
#include "experiments/runner.h"
#include "experiments/tiling.h"
#include "harness/table.h"
#include "tests/support/test.h"
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char program[PATH_MAX];
static char folder[] = "/tmp/joulerx-resume-XXXXXX";

static pid_t start(char *const arguments[])
{
    pid_t child = fork();
    if (!child) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        signal(SIGINT, SIG_DFL); /* a shell starts background jobs with SIGINT ignored */
        execv(program, arguments);
        _exit(127);
    }
    return child;
}

static int exit_status(pid_t child)
{
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int lines(const char *path)
{
    int count = 0, c;
    FILE *in = fopen(path, "re");
    while (in && (c = getc(in)) != EOF)
        count += c == '\n';
    if (in)
        fclose(in);
    return count;
}

/* Every (cell, rep) of a finished samples.csv once; returns how many. */
static size_t unique_rows(const char *path)
{
    struct jrx_csv *csv;
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    size_t rows = jrx_csv_rows(csv), cell = (size_t)jrx_csv_find(csv, "cell"), rep = (size_t)jrx_csv_find(csv, "rep");
    for (size_t a = 0; a < rows; a++)
        for (size_t b = a + 1; b < rows; b++)
            assert_false(!strcmp(jrx_csv_text(csv, a, cell), jrx_csv_text(csv, b, cell)) &&
                         !strcmp(jrx_csv_text(csv, a, rep), jrx_csv_text(csv, b, rep)));
    jrx_csv_free(csv);
    return rows;
}

static void a_killed_run_resumes(void **state)
{
    (void)state;
    char out[64], resume[80], part[PATH_MAX], whole[PATH_MAX];
    snprintf(out, sizeof out, "--out=%s/run", folder);
    snprintf(resume, sizeof resume, "--resume=%s/run", folder);
    snprintf(part, sizeof part, "%s/run/tiling/samples.csv.part", folder);
    snprintf(whole, sizeof whole, "%s/run/tiling/samples.csv", folder);
    char *const first[] = {program,   "run", "tiling", "--preset=smoke", "--grid-f=12", "--meter=model",
                           "--quiet", out,   NULL};
    char *const again[] = {program, "run", "tiling", "--meter=model", "--quiet", resume, NULL};
    pid_t child = start(first);
    for (int i = 0; i < 4000 && lines(part) < 10; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    kill(child, SIGKILL);
    assert_int_equal(exit_status(child), -SIGKILL);
    int kept = lines(part) - 1;
    assert_true(kept >= 8);
    assert_int_equal(exit_status(start(again)), 0);
    assert_int_equal(unique_rows(whole), EX_TILING_CELLS * 3);
    assert_int_not_equal(access(part, F_OK), 0);
    /* finished: nothing is run again, and the row that was there first still is */
    assert_int_equal(exit_status(start(again)), 0);
    assert_int_equal(unique_rows(whole), EX_TILING_CELLS * 3);
}

/* What a run that goes on will take is what its unfinished experiments take. */
static void time_left_leaves_out_what_is_finished(void **state)
{
    (void)state;
    struct ex_preset preset;
    char path[PATH_MAX];
    double left[3];
    assert_int_equal(ex_preset_read(&preset, "quick"), 0);
    for (int i = 0; i < 3; i++) { /* both, both of which one is finished, the other alone */
        static struct ex_session session;
        const struct ex_experiment *const list[] = {ex_find("train-infer"), ex_find("tiling")};
        session = (struct ex_session){.settings = {.preset = &preset, .threads = 1, .flop_per_s = 1e11}};
        snprintf(session.dir, sizeof session.dir, "%s", folder);
        jrx_progress_init(&session.progress, stderr, JRX_PROGRESS_QUIET);
        if (i == 1) {
            snprintf(path, sizeof path, "%s/tiling", folder);
            assert_int_equal(mkdir(path, 0777), 0);
            snprintf(path, sizeof path, "%s/tiling/samples.csv", folder);
            assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0666)), 0);
        }
        assert_int_equal(ex_session_plan(&session, list, i < 2 ? 2 : 1), 0);
        left[i] = jrx_progress_left_s(&session.progress);
        jrx_progress_fini(&session.progress);
    }
    assert_true(left[1] > 0 && left[0] > left[1] + 20);
    assert_relative(left[1], left[2], 1e-12);
}

static void an_interrupted_run_says_so_and_keeps_its_rows(void **state)
{
    (void)state;
    char out[64], part[PATH_MAX];
    snprintf(out, sizeof out, "--out=%s/interrupted", folder);
    snprintf(part, sizeof part, "%s/interrupted/tiling/samples.csv.part", folder);
    char *const arguments[] = {program,   "run", "tiling", "--preset=smoke", "--grid-f=12", "--meter=model",
                               "--quiet", out,   NULL};
    pid_t child = start(arguments);
    for (int i = 0; i < 4000 && lines(part) < 4; i++)
        nanosleep(&(struct timespec){0, 5000000}, NULL);
    kill(child, SIGINT);
    assert_int_equal(exit_status(child), 130);
    assert_true(lines(part) >= 4);
}

static void bad_requests_end_with_their_exit_status(void **state)
{
    (void)state;
    char *const preset[] = {program, "run", "tiling", "--preset=none", NULL};
    char *const experiment[] = {program, "run", "none", NULL};
    char *const meter[] = {
        program, "run", "tiling", "--meter=powercap", "--sysfs=/nonexistent", "--out=/tmp/joulerx-resume-x", NULL};
    char *const command[] = {program, "none", NULL};
    assert_int_equal(exit_status(start(preset)), 2);
    assert_int_equal(exit_status(start(experiment)), 2);
    assert_int_equal(exit_status(start(command)), 2);
    assert_int_equal(exit_status(start(meter)), 3);
    rmdir("/tmp/joulerx-resume-x");
}

static int remove_folder(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_run_resumes),
        cmocka_unit_test(time_left_leaves_out_what_is_finished),
        cmocka_unit_test(an_interrupted_run_says_so_and_keeps_its_rows),
        cmocka_unit_test(bad_requests_end_with_their_exit_status),
    };
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0 || !mkdtemp(folder))
        return 1;
    self[length] = 0;
    snprintf(program, sizeof program, "%s/joulerx", dirname(dirname(self)));
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
