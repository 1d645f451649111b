#include "experiments/slurm.h"
#include "experiments/shard.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { PATH = PATH_MAX + 96, WORDS = EX_SBATCH + 12, SHARDS = 4 };

struct launch {
    const struct ex_session_options *options;
    char program[PATH_MAX], dir[PATH_MAX];
    char after[96]; /* --dependency of the next experiment; "" for none */
    FILE *to;
};

/* ' becomes '\'' : the one character that single quotes do not hold */
static void quote(FILE *to, const char *text)
{
    fputc('\'', to);
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", to);
        else
            fputc(*text, to);
    fputc('\'', to);
}

/* ---- sbatch ---------------------------------------------------------------------------------------------------- */

/* All that a child writes to its stdout and stderr, cut to size. 0, or an errno. */
static int capture(char *const words[], char *text, size_t size, int *exit_status)
{
    int ends[2], status;
    size_t at = 0;
    ssize_t got;
    pid_t child;
    if (pipe2(ends, O_CLOEXEC))
        return errno;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    int failed = posix_spawnp(&child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (!failed && at + 1 < size && ((got = read(ends[0], text + at, size - 1 - at)) > 0 || errno == EINTR))
        at += got > 0 ? (size_t)got : 0;
    text[at] = 0;
    close(ends[0]);
    while (!failed && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!failed)
        *exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return failed;
}

/* Submits a script; its number into job[32]. `array` and `dependency` may be "". */
static int submit(const struct launch *launch, const char *script, const char *name, const char *array, const char *log,
                  const char *dependency, int alone, char job[32])
{
    char said[512], job_name[64], output[PATH + 16], indices[128];
    char *words[WORDS] = {"sbatch", "--parsable", job_name, output};
    int n = 4, exit_status = 0;
    snprintf(job_name, sizeof job_name, "--job-name=joulerx-%s", name);
    snprintf(output, sizeof output, "--output=%s", log);
    snprintf(indices, sizeof indices, "--array=%s", array);
    if (*array)
        words[n++] = indices;
    if (*dependency)
        words[n++] = (char *)dependency;
    if (alone)
        words[n++] = "--exclusive";
    for (int i = 0; i < launch->options->sbatches; i++)
        words[n++] = (char *)launch->options->sbatch[i];
    words[n++] = (char *)script;
    int failed = capture(words, said, sizeof said, &exit_status);
    said[strcspn(said, "\n")] = 0;
    if (failed)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "--launcher=slurm: sbatch: %s; run it where Slurm's commands are, or use "
                        "--launcher=local",
                        strerror(failed));
    if (exit_status || !isdigit((unsigned char)*said))
        return jrx_fail(JRX_EUNAVAILABLE, "--launcher=slurm: sbatch refused %s: %s", script, said);
    snprintf(job, 32, "%.*s", (int)strspn(said, "0123456789"), said);
    return 0;
}

/* ---- scripts --------------------------------------------------------------------------------------------------- */

static int script_open(const char *path, FILE **to)
{
    *to = fopen(path, "we");
    if (!*to)
        return jrx_file_error(path, "could not be written", "give a folder of yours with --out");
    fputs("#!/bin/sh\n", *to);
    return 0;
}

static int script_close(FILE *to, const char *path)
{
    int failed = ferror(to);
    return fclose(to) || failed ? jrx_file_error(path, "could not be written", "make room") : 0;
}

static int write_share(const struct launch *launch, const char *path, const char *name, int shares)
{
    FILE *to;
    int status = script_open(path, &to);
    if (status)
        return status;
    fputs("exec ", to);
    quote(to, launch->program);
    fprintf(to, " run %s --quiet --shard=$SLURM_ARRAY_TASK_ID/%d --resume=", name, shares);
    quote(to, launch->dir);
    if (launch->options->threads)
        fprintf(to, " --threads=%d", launch->options->threads);
    fputs(launch->options->strict ? " --strict\n" : "\n", to);
    return script_close(to, path);
}

static int write_merge(const struct launch *launch, const char *path, const char *name)
{
    FILE *to;
    int status = script_open(path, &to);
    if (status)
        return status;
    quote(to, launch->program);
    fputs(" merge ", to);
    quote(to, launch->dir);
    fprintf(to, " %s && exec ", name);
    quote(to, launch->program);
    fputs(" report ", to);
    quote(to, launch->dir);
    fputs("\n", to);
    return script_close(to, path);
}

/* ---- one experiment --------------------------------------------------------------------------------------------- */

/* "0,3": the shares that are not finished; "" if all are. Their folders are made, for the logs. */
static int unfinished(const struct launch *launch, const struct ex_experiment *experiment, int shares, char *text,
                      size_t size)
{
    char path[PATH];
    *text = 0;
    snprintf(path, sizeof path, "%s/%s", launch->dir, experiment->name);
    int bad = mkdir(path, 0777) && errno != EEXIST;
    strcat(path, "/shards");
    bad = bad || (mkdir(path, 0777) && errno != EEXIST);
    for (int i = 0; i < shares && !bad; i++) {
        size_t at = strlen(text);
        snprintf(path, sizeof path, "%s/%s/shards/%d", launch->dir, experiment->name, i);
        bad = mkdir(path, 0777) && errno != EEXIST;
        if (!ex_shard_finished(launch->dir, experiment, i) &&
            (size_t)snprintf(text + at, size - at, "%s%d", at ? "," : "", i) >= size - at)
            return jrx_fail(JRX_EINVAL, "--shards=%d: too many shares to list; use fewer", shares);
    }
    return bad ? jrx_file_error(path, "could not be made", "give a folder of yours with --out") : 0;
}

static int submit_experiment(struct launch *launch, const struct ex_experiment *experiment, int shares)
{
    char script[PATH], log[PATH], array[4096], job[32], merge[32], dependency[96];
    const char *name = experiment->name;
    int status = unfinished(launch, experiment, shares, array, sizeof array);
    *dependency = 0;
    if (!status && *array) {
        snprintf(script, sizeof script, "%s/%s/shards/run.sh", launch->dir, name);
        snprintf(log, sizeof log, "%s/%s/shards/%%a/log.txt", launch->dir, name);
        if (!(status = write_share(launch, script, name, shares)))
            status = submit(launch, script, name, array, log, launch->after, 1, job);
        if (!status) {
            fprintf(launch->to, "%s\tjob %s\tshares %s of %d\n", name, job, array, shares);
            snprintf(dependency, sizeof dependency, "--dependency=afterany:%s", job);
        }
    }
    if (!status) {
        snprintf(script, sizeof script, "%s/%s/shards/merge.sh", launch->dir, name);
        snprintf(log, sizeof log, "%s/%s/shards/merge.txt", launch->dir, name);
        if (!(status = write_merge(launch, script, name)))
            status = submit(launch, script, "merge", "", log, *dependency ? dependency : launch->after, 0, merge);
    }
    if (!status) {
        fprintf(launch->to, "%s\tjob %s\tmerges them\n", name, merge);
        snprintf(launch->after, sizeof launch->after, "--dependency=afterok:%s", merge);
    }
    return status;
}

static int open_run(struct launch *launch)
{
    const struct ex_session_options *options = launch->options;
    char dir[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", launch->program, sizeof launch->program - 1);
    if (length <= 0)
        return jrx_fail(JRX_EIO, "/proc/self/exe: %s", strerror(errno));
    if (options->recording || options->sysfs)
        return jrx_fail(JRX_EINVAL, "--launcher=slurm: --recording and --sysfs are for one machine");
    launch->program[length] = 0;
    if (options->resume && !*options->resume)
        return jrx_fail(JRX_EINVAL, "--launcher=slurm: name the run, --resume=DIR");
    snprintf(dir, sizeof dir, "%s", options->resume ? options->resume : "");
    int status = options->resume ? 0 : ex_session_prepare(options, dir);
    if (!status && !realpath(dir, launch->dir))
        status = jrx_file_error(dir, "is no folder", "give that of a run");
    return status;
}

int ex_slurm_submit(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count,
                    FILE *to)
{
    struct launch launch = {.options = options, .to = to};
    struct ex_session session;
    int status = open_run(&launch);
    if (status)
        return status;
    if (!(status = ex_session_read(&session, launch.dir))) {
        for (size_t i = 0; i < count && !status; i++) {
            char path[PATH];
            struct ex_plan plan = {.reps = 1};
            snprintf(path, sizeof path, "%s/%s/samples.csv", launch.dir, list[i]->name);
            if (!access(path, R_OK))
                continue; /* merged already */
            if (!(status = list[i]->plan(&session.settings, &plan)))
                status = submit_experiment(&launch, list[i],
                                           ex_shard_count(&plan, options->shards ? options->shards : SHARDS));
        }
        ex_session_close(&session);
    }
    if (!status)
        fprintf(to, "%s\nsqueue shows the jobs; what fails is run again by adding --resume=%s\n", launch.dir,
                launch.dir);
    return status;
}
