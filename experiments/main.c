/*
 * The program: finds the verb, runs it, prints the one error line, exits. Nothing else in JouleRx exits or prints
 * errors.
 */
#include "experiments/command.h"
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define X(symbol) extern const struct ex_command symbol;
#include "commands.inc"
#undef X

static const struct ex_command *commands[] = {
#define X(symbol) &symbol,
#include "commands.inc"
#undef X
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int by_order(const void *a, const void *b)
{
    const struct ex_command *const *l = a, *const *r = b;
    return (*l)->order - (*r)->order;
}

static void usage(FILE *to)
{
    fputs("JouleRx measures what neural receivers cost in energy, and why.\n\nusage: joulerx COMMAND [OPTION...]\n\n",
          to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-11s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n`joulerx COMMAND --help` describes one. Exit status: 0 done, 1 a check failed, 2 usage, 3 meter "
          "unavailable,\n"
          "4 quality warnings under --strict, 130 interrupted with results kept.\n",
          to);
}

static int run(const struct ex_command *command, int argc, char **argv)
{
    char name[64];
    snprintf(name, sizeof name, "joulerx %s", command->name);
    argv[0] = name; /* what argp shows in usage lines */
    int status = jrx_cpu_check();
    if (!status)
        status = command->run(argc, argv);
    if (fflush(stdout) && !status)
        status = jrx_fail(JRX_EIO, "standard output: %s; the result is incomplete", strerror(errno));
    if (status < 0 && *jrx_last_error())
        fprintf(stderr, "joulerx %s: %s\n", command->name, jrx_last_error());
    return status > 0 ? status : jrx_exit_status(status);
}

/* OpenMP reads how its threads wait before main() begins, so the program starts anew; if it cannot, it goes on. */
static void wait_asleep(char **argv)
{
    if (!getenv("OMP_WAIT_POLICY") && !setenv("OMP_WAIT_POLICY", "passive", 1))
        execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    argp_err_exit_status = 2;
    qsort(commands, COMMANDS, sizeof *commands, by_order);
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
        usage(stdout);
        return 0;
    }
    for (int i = 0; i < COMMANDS; i++)
        if (!strcmp(argv[1], commands[i]->name)) {
            if (commands[i]->patient)
                wait_asleep(argv);
            return run(commands[i], argc - 1, argv + 1);
        }
    fprintf(stderr, "joulerx: no command '%s'; `joulerx --help` lists them\n", argv[1]);
    return 2;
}
