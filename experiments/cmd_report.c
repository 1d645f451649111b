/* joulerx report DIR: figures and page of a run again, from its CSV files. Needs no meter and measures nothing. */
#include "experiments/command.h"
#include "experiments/report.h"
#include <argp.h>

static error_t parse(int key, char *argument, struct argp_state *state)
{
    const char **dir = state->input;
    if (key == ARGP_KEY_ARG && !*dir)
        *dir = argument;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "'%s': one folder at a time", argument);
    else if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "which run? Give its folder, as in results/reproduce/<run id>");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static int run(int argc, char **argv)
{
    const char *dir = NULL;
    char page[PATH_MAX + 32], old[256];
    size_t count;
    const struct argp argp = {.parser = parse,
                              .args_doc = "DIR",
                              .doc =
                                  "Draws the figures of a run again from its CSV files, prints its claims and writes "
                                  "report.html: one file, figures and tables inside."};
    argp_parse(&argp, argc, argv, 0, NULL, &dir);
    const struct ex_experiment *const *all = ex_experiments(&count);
    int status = ex_report_figures(dir, all, count, old, sizeof old);
    if (*old)
        fprintf(stderr,
                "figures left as they are, their tables are an earlier version's:%s; to run them anew, delete their "
                "folders and call joulerx reproduce --resume=%s\n",
                old, dir);
    if (!status)
        status = ex_report_html(dir, all, count, page, sizeof page);
    if (!status)
        status = ex_report_claims(stdout, dir, all, count);
    if (!status)
        printf("\n%s\n", page);
    return status;
}

const struct ex_command cmd_report = {
    .name = "report", .summary = "figures, claims and report.html of a run, from its files", .order = 42, .run = run};
