/*
 * Running a command of the user's, as `joulerx stat` and `joulerx record` do: signals reach it, its exit status comes
 * back, and time passes in steps meanwhile.
 */
#ifndef EXPERIMENTS_CHILD_H
#define EXPERIMENTS_CHILD_H
#include <stdint.h>

struct ex_child {
    char **argv; /* NULL at the end */
    /* Called every interval_ns while it runs; NULL: never. A negative code ends the calls, not the command. */
    int (*step)(void *ctx);
    void *ctx;
    uint64_t interval_ns;

    uint64_t start_ns, end_ns; /* jrx_clock_ns() around it */
    int exit_status;           /* as a shell gives it: 128 + signal if it was killed */
    int status; /* 0; JRX_EINVAL it could not be started (exit_status 127 or 126); what step() returned */
    char reason[256];
};

/**
 * Starts and waits for the command; takes a struct ex_child, so that it fits a region. SIGINT and SIGTERM that reach
 * this program alone are passed on to the command, and end neither this program nor its measurement. One at a time.
 */
void ex_child_run(void *child);

/** "250ms", "2s", "10us", "100ns"; a bare number is seconds. 0 or JRX_EINVAL with `what` in the message. */
int ex_duration_parse(const char *text, const char *what, uint64_t *ns);

#endif
