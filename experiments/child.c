/* Running a command of the user's: see the header. */
#include "experiments/child.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A signal handler has nothing but globals. 0: no command runs. */
static volatile sig_atomic_t running;

/* The terminal sends to the whole group, the command included; kill(2) to this process alone. */
static void pass_on(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (running && info->si_code <= 0)
        kill((pid_t)running, number);
}

static const int passed[] = {SIGINT, SIGTERM};

static int start(struct ex_child *child, pid_t *pid)
{
    posix_spawnattr_t attr;
    sigset_t defaults;
    sigemptyset(&defaults);
    for (int i = 0; i < 2; i++)
        sigaddset(&defaults, passed[i]);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawnp(pid, child->argv[0], NULL, &attr, child->argv, environ);
    posix_spawnattr_destroy(&attr);
    if (!error)
        return 0;
    child->exit_status = error == ENOENT ? 127 : 126;
    return jrx_fail(JRX_EINVAL, "%s: %s", child->argv[0], strerror(error));
}

/* Steps until the command ends; the descriptor becomes readable then. */
static int steps(struct ex_child *child, pid_t pid)
{
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    if (ended.fd < 0)
        return jrx_fail(JRX_EUNAVAILABLE, "pidfd_open: %s; intervals need Linux 5.3", strerror(errno));
    uint64_t next = child->start_ns + child->interval_ns;
    int status = 0;
    while (!status) {
        uint64_t now = jrx_clock_ns(), left = next > now ? next - now : 0;
        struct timespec wait = {.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
        if (left && ppoll(&ended, 1, &wait, NULL) > 0)
            break;
        if (jrx_clock_ns() < next)
            continue;
        status = child->step(child->ctx);
        next += child->interval_ns;
    }
    close(ended.fd);
    return status;
}

void ex_child_run(void *arg)
{
    struct ex_child *child = arg;
    struct sigaction now = {.sa_sigaction = pass_on, .sa_flags = SA_SIGINFO | SA_RESTART}, before[2];
    pid_t pid;
    int ended;
    child->status = child->exit_status = 0;
    for (int i = 0; i < 2; i++)
        sigaction(passed[i], &now, &before[i]);
    child->start_ns = jrx_clock_ns();
    child->status = start(child, &pid);
    if (!child->status) {
        running = (sig_atomic_t)pid;
        if (child->step && child->interval_ns)
            child->status = steps(child, pid);
        while (waitpid(pid, &ended, 0) < 0 && errno == EINTR)
            ;
        running = 0;
        child->exit_status = WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : WEXITSTATUS(ended);
    }
    child->end_ns = jrx_clock_ns();
    if (child->status)
        snprintf(child->reason, sizeof child->reason, "%.255s", jrx_last_error());
    for (int i = 0; i < 2; i++)
        sigaction(passed[i], &before[i], NULL);
}

int ex_duration_parse(const char *text, const char *what, uint64_t *ns)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}};
    char *end;
    double value = strtod(text, &end);
    for (size_t i = 0; end != text && i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].unit) && value * units[i].ns >= 1 && value * units[i].ns < 1e18) {
            *ns = (uint64_t)llround(value * units[i].ns);
            return 0;
        }
    return jrx_fail(JRX_EINVAL, "%s=%s: not a duration such as 250ms, 2s, 10us", what, text);
}
