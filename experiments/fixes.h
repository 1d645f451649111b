/*
 * What would make a meter or a counter source available: the exact commands, each tried by tests/test_doctor.c or named
 * there as not triable.
 */
#ifndef EXPERIMENTS_FIXES_H
#define EXPERIMENTS_FIXES_H
#include "harness/machine.h"
#include <stddef.h>

enum { EX_FIX_COMMAND = 512 };

struct ex_fix {
    const char *what;             /* "until the next boot" */
    char command[EX_FIX_COMMAND]; /* for a root shell */
};

/**
 * The fixes for one source. source: "powercap", "perf", "likwid" (meters), "papi"; status: the code it failed with, for
 * papi JRX_EPERMISSION if hardware events are refused. program: path of this program, for setcap.
 * Returns how many, at most `max`, were put into `out`. Pure.
 */
size_t ex_fixes(const char *source, int status, const struct jrx_machine_state *state, const char *program,
                struct ex_fix *out, size_t max);

#endif
