/* joulerx reproduce: every experiment, a verdict on each claim of the paper, and one page that shows it all. */
#include "experiments/command.h"
#include "experiments/runner.h"
#include <argp.h>

static error_t parse(int key, char *argument, struct argp_state *state)
{
    (void)argument;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = state->input;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "'%s': takes options only; `joulerx run EXPERIMENT` runs one", argument);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static int run(int argc, char **argv)
{
    struct ex_session_options options = {.kind = "reproduce", .argc = argc, .argv = argv};
    const struct argp_child children[] = {{&ex_session_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse,
        .doc = "Runs all experiments of the paper (arXiv 2507.10409) and prints a verdict on each claim.",
        .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    return ex_session_do(&options, all, count);
}

const struct ex_command cmd_reproduce = {
    .name = "reproduce", .summary = "all experiments, a verdict on each claim, report.html", .order = 10, .run = run};
