#include "experiments/figure.h"
#include "harness/base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int ex_home_path(const char *path, char *text, unsigned long size)
{
    char program[PATH_MAX], candidate[PATH_MAX + 8];
    const char *home = getenv("JOULERX_HOME");
    if (home && *home)
        return (unsigned long)snprintf(text, size, "%s/%s", home, path) < size
                   ? 0
                   : jrx_fail(JRX_EINVAL, "JOULERX_HOME: too long");
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0)
        return jrx_fail(JRX_EIO, "/proc/self/exe: %s; set JOULERX_HOME to the checkout", strerror(errno));
    program[length] = 0;
    char *folder = dirname(program);
    for (int up = 0; up < 4; up++, folder = dirname(folder)) {
        snprintf(candidate, sizeof candidate, "%s/plots", folder);
        if (!access(candidate, R_OK) && (unsigned long)snprintf(text, size, "%s/%s", folder, path) < size)
            return 0;
    }
    return jrx_fail(JRX_EUNAVAILABLE,
                    "the folder plots/ was not found above the program; set JOULERX_HOME to the checkout");
}

/* gnuplot's first line of complaint, for the error message */
static void first_line(const char *file, char *line, size_t size)
{
    FILE *in = fopen(file, "re");
    *line = 0;
    while (in && fgets(line, (int)size, in) && strspn(line, " \t\n^") == strlen(line))
        ;
    if (in)
        fclose(in);
    line[strcspn(line, "\n")] = 0;
}

/* gnuplot on plots/<name>.gp, which is told `dir`, `file` and what to write: <out>.<kind>. */
static int draw(const char *name, const char *dir, const char *file, const char *out, const char *note,
                const char *kind)
{
    char folder[PATH_MAX], script[PATH_MAX + 64], settings[4 * PATH_MAX], log[PATH_MAX], complaint[256];
    int status = ex_home_path("plots", folder, sizeof folder);
    if (status)
        return status;
    snprintf(script, sizeof script, "%s/%s.gp", folder, name);
    if (access(script, R_OK))
        return jrx_fail(JRX_EUNAVAILABLE, "%s: %s", script, strerror(errno));
    if (snprintf(log, sizeof log, "%s.%s.log", out, kind) >= (int)sizeof log)
        return jrx_fail(JRX_EINVAL, "%s: path too long", out);
    snprintf(settings, sizeof settings,
             "dir='%s'; file='%s'; out='%s'; kind='%s'; note='time: measured, energy: %s'; home='%s'", dir, file, out,
             kind, note, folder);
    char *const arguments[] = {"gnuplot", "-e", settings, script, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int failed = posix_spawnp(&child, "gnuplot", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return jrx_fail(JRX_EUNAVAILABLE, "gnuplot: %s; install it with: apt-get install gnuplot-nox",
                        strerror(failed));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        first_line(log, complaint, sizeof complaint);
        return jrx_fail(JRX_ECHECK, "gnuplot failed on %s: %s (all of it in %s)", script, complaint, log);
    }
    unlink(log);
    return 0;
}

int ex_figure(const char *dir, const char *name, const char *energy_source)
{
    static const char *const kinds[] = {"svg", "png", "pdf"};
    char file[PATH_MAX + 16], out[PATH_MAX + 64];
    int status = 0;
    snprintf(file, sizeof file, "%s/summary.csv", dir);
    snprintf(out, sizeof out, "%s/%s", dir, name);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !status; i++)
        status = draw(name, dir, file, out, energy_source, kinds[i]);
    return status;
}

int ex_figure_beside(const char *csv, const char *name, const char *energy_source)
{
    char out[PATH_MAX];
    const char *dot = strrchr(csv, '.');
    const int stem = dot && !strcmp(dot, ".csv") ? (int)(dot - csv) : (int)strlen(csv);
    snprintf(out, sizeof out, "%.*s", stem, csv);
    int status = draw(name, ".", csv, out, energy_source, "svg");
    return status ? status : draw(name, ".", csv, out, energy_source, "png");
}
