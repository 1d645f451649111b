/*
 * One verb of the program. experiments/cmd_<name>.c defines `const struct ex_command cmd_<name>`; the list of such
 * files is the list of verbs, so a new one is one new file.
 */
#ifndef EXPERIMENTS_COMMAND_H
#define EXPERIMENTS_COMMAND_H

struct ex_command {
    const char *name;    /* what is typed */
    const char *summary; /* one line of `joulerx --help` */
    int order;           /* place in that list; verbs of a kind have neighbouring numbers */
    int patient;         /* 1: measures nothing, so threads wait asleep: on a busy machine many times faster */
    /**
     * Parses its arguments with argp (argv[0] is "joulerx NAME") and works. Results go to stdout, everything else to
     * stderr. Returns 0 or a negative JRX_E code with a jrx_fail() message, which main() prints and turns into the exit
     * status; or the exit status itself, above 0, of a program it ran for the user.
     */
    int (*run)(int argc, char **argv);
};

#endif
