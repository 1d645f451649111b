/* Shares of an experiment: parsed, run one by one, merged into what a run in one piece gives. And the same as jobs of a
 * real Slurm on this machine, with a task and its node killed in the middle. Runs the program itself. */
#include "experiments/shard.h"
#include "harness/base/error.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <libgen.h>
#include <sys/wait.h>
#include <unistd.h>

static char program[PATH_MAX], support[PATH_MAX], root[TREE_PATH];

/* Exit status of a shell command; its output into text[], if given. */
static int sh(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int sh(char *text, size_t size, const char *format, ...)
{
    char command[3 * PATH_MAX];
    va_list list;
    va_start(list, format);
    vsnprintf(command, sizeof command, format, list);
    va_end(list);
    FILE *out = popen(command, "re");
    assert_non_null(out);
    size_t got = text ? fread(text, 1, size - 1, out) : 0;
    if (text)
        text[got] = 0;
    char rest[256];
    while (fread(rest, 1, sizeof rest, out))
        ;
    int status = pclose(out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Everything that does not depend on a clock is the same in both, row by row. */
static void assert_same_but_for_time(const char *a, const char *b)
{
    static const char *const fixed[] = {
        "experiment", "cell",         "rep",          "seq",          "kernel",         "layer",         "flop",
        "tile",       "sim_l1_bytes", "sim_l2_bytes", "sim_l3_bytes", "sim_dram_bytes", "energy_source", "meter"};
    struct jrx_csv *csv[2];
    assert_int_equal(jrx_csv_read(&csv[0], a, NULL), 0);
    assert_int_equal(jrx_csv_read(&csv[1], b, NULL), 0);
    assert_int_equal(jrx_csv_rows(csv[0]), jrx_csv_rows(csv[1]));
    assert_int_equal(jrx_csv_columns(csv[0]), jrx_csv_columns(csv[1]));
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        int at[2] = {jrx_csv_find(csv[0], fixed[i]), jrx_csv_find(csv[1], fixed[i])};
        assert_true(at[0] >= 0 && at[1] >= 0);
        for (size_t row = 0; row < jrx_csv_rows(csv[0]); row++)
            assert_string_equal(jrx_csv_text(csv[0], row, (size_t)at[0]), jrx_csv_text(csv[1], row, (size_t)at[1]));
    }
    jrx_csv_free(csv[0]);
    jrx_csv_free(csv[1]);
}

static void shares_are_numbers_of_a_whole(void **state)
{
    (void)state;
    struct ex_shard shard;
    assert_int_equal(ex_shard_parse("2/8", &shard), 0);
    assert_int_equal(shard.index, 2);
    assert_int_equal(shard.count, 8);
    static const char *const bad[] = {"", "2", "8/8", "-1/2", "1/0", "1/2x", "x/2", "1/10000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ex_shard_parse(bad[i], &shard), JRX_EINVAL);
    const struct ex_plan rounds = {.cells = 5, .reps = 3, .shuffled = 1}, fixed = {.cells = 5, .reps = 3};
    assert_int_equal(ex_shard_count(&rounds, 2), 2);
    assert_int_equal(ex_shard_count(&rounds, 9), 3);
    assert_int_equal(ex_shard_count(&fixed, 9), 1);
}

static int whole_run(void)
{
    return sh(NULL, 0,
              "%s run tiling --preset=smoke --grid-f=12 --reps=5 --threads=1 -q --out=%s/whole >/dev/null 2>&1",
              program, root);
}

static void merged_shares_are_a_run_in_one_piece(void **state)
{
    (void)state;
    char a[TREE_PATH + 64], b[TREE_PATH + 64], said[512];
    assert_int_equal(whole_run(), 0);
    assert_int_equal(sh(NULL, 0, "mkdir %s/parts && cp %s/whole/session.json %s/parts", root, root, root), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sh(NULL, 0, "%s run tiling -q --threads=1 --shard=%d/3 --resume=%s/parts", program, i, root),
                         0);
    assert_int_equal(sh(said, sizeof said, "%s merge %s/parts tiling 2>&1", program, root), 1);
    assert_non_null(strstr(said, "is missing or there twice"));
    assert_int_equal(sh(NULL, 0, "%s run tiling -q --threads=1 --shard=2/3 --resume=%s/parts", program, root), 0);
    assert_int_equal(sh(NULL, 0, "%s merge %s/parts tiling", program, root), 0);
    snprintf(a, sizeof a, "%s/whole/tiling/samples.csv", root);
    snprintf(b, sizeof b, "%s/parts/tiling/samples.csv", root);
    assert_same_but_for_time(a, b);
    snprintf(b, sizeof b, "%s/parts/tiling/summary.csv", root);
    assert_int_equal(access(b, F_OK), 0);
    assert_int_equal(sh(said, sizeof said, "grep -c '\"shard\"' %s/parts/meta.json", root), 0);
    assert_int_equal(atoi(said), 3);
}

static void shares_of_two_machines_are_refused(void **state)
{
    (void)state;
    char said[512];
    assert_int_equal(sh(NULL, 0,
                        "rm %s/parts/meta.json; sed -i 's/\"cpu\": \".*\"/\"cpu\": \"another\"/' "
                        "%s/parts/tiling/shards/1/meta.json",
                        root, root),
                     0);
    assert_int_equal(sh(said, sizeof said, "%s merge %s/parts tiling 2>&1", program, root), 1);
    assert_non_null(strstr(said, "different machines are not averaged"));
}

/* ---- Slurm ------------------------------------------------------------------------------------------------------ */

static char cluster[TREE_PATH + 16], slurm[TREE_PATH + 64];

static void wait_for_jobs(void)
{
    char said[64];
    for (int i = 0; i < 300; i++) {
        assert_int_equal(sh(said, sizeof said, "%s squeue -h", slurm), 0);
        if (!*said)
            return;
        usleep(200000);
    }
    fail_msg("jobs did not end in a minute");
}

static void a_killed_task_is_run_again_and_the_merge_is_whole(void **state)
{
    (void)state;
    char said[1024], a[TREE_PATH + 64], b[TREE_PATH + 64];
    if (getenv("JOULERX_TEST_FAST"))
        skip_because("a cluster is not what this tool looks into");
    snprintf(cluster, sizeof cluster, "%s/cluster", root);
    snprintf(slurm, sizeof slurm, "SLURM_CONF=%s/slurm.conf", cluster);
    int started = sh(said, sizeof said, "sh %s/slurm_cluster.sh start %s", support, cluster);
    said[strcspn(said, "\n")] = 0;
    if (started == 77)
        skip_because("%s", said);
    if (started)
        fail_msg("the cluster did not start: %s", said);
    /* windows long enough to be met in the middle */
    assert_int_equal(
        sh(said, sizeof said,
           "%s %s run tiling --preset=smoke --grid-f=12 --reps=5 --window-s=0.015 --threads=1 --launcher=slurm "
           "--shards=4 --out=%s/jobs",
           slurm, program, root),
        0);
    assert_non_null(strstr(said, "shares 0,1,2,3 of 4"));
    int killed = 1;
    for (int i = 0; i < 200 && killed; i++) {
        usleep(50000);
        killed = sh(NULL, 0,
                    "[ $(cat %s/jobs/tiling/shards/1/samples.csv.part 2>/dev/null | wc -l) -gt 3 ] && "
                    "pkill -9 -f -- '[-]-shard=1/4 --resume=%s/jobs'",
                    root, root);
    }
    assert_int_equal(killed, 0);
    for (int i = 0; i < 100 && !sh(said, sizeof said, "%s squeue -h -t R -w n2", slurm) && *said; i++)
        usleep(100000);
    assert_int_equal(sh(NULL, 0, "kill -9 $(cat %s/slurmd-n2.pid)", cluster), 0); /* the node follows its task */
    wait_for_jobs();
    assert_int_equal(sh(said, sizeof said, "cat %s/jobs/tiling/shards/merge.txt", root), 0);
    assert_non_null(strstr(said, "not finished, shares 1 of 4"));
    assert_int_equal(sh(NULL, 0, "%s sh %s/slurm_cluster.sh node %s 2", slurm, support, cluster), 0);
    assert_int_equal(sh(said, sizeof said, "%s %s run tiling --launcher=slurm --shards=4 --threads=1 --resume=%s/jobs",
                        slurm, program, root),
                     0);
    assert_non_null(strstr(said, "shares 1 of 4"));
    wait_for_jobs();
    snprintf(a, sizeof a, "%s/whole/tiling/samples.csv", root);
    snprintf(b, sizeof b, "%s/jobs/tiling/samples.csv", root);
    assert_same_but_for_time(a, b);
    assert_int_equal(sh(NULL, 0, "test -s %s/jobs/report.html", root), 0);
}

static int set_up(void **state)
{
    (void)state;
    tree_new(root);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (*cluster)
        sh(NULL, 0, "sh %s/slurm_cluster.sh stop %s", support, cluster);
    tree_free(root);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    char here[PATH_MAX];
    if (!realpath(argv[0], here))
        return 1;
    char *folder = dirname(here);
    snprintf(program, sizeof program, "%.*s/../joulerx", PATH_MAX - 16, folder);
    snprintf(support, sizeof support, "tests/support");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_numbers_of_a_whole),
        cmocka_unit_test(merged_shares_are_a_run_in_one_piece),
        cmocka_unit_test(shares_of_two_machines_are_refused),
        cmocka_unit_test(a_killed_task_is_run_again_and_the_merge_is_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
