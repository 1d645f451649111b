/* joulerx run EXPERIMENT...: one or several experiments into one folder. */
#include "experiments/command.h"
#include "experiments/runner.h"
#include "harness/base/error.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>

struct arguments {
    struct ex_session_options session;
    const struct ex_experiment *list[16];
    size_t count;
    int failed;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &to->session; break;
    case ARGP_KEY_ARG:
        if (to->count == sizeof to->list / sizeof *to->list)
            return E2BIG;
        if (!(to->list[to->count++] = ex_find(argument)))
            to->failed = 1;
        break;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which experiment? `joulerx list experiments` names them"); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.session = {.argc = argc, .argv = argv}};
    const struct argp_child children[] = {{&ex_session_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {.parser = parse,
                              .args_doc = "EXPERIMENT...",
                              .doc = "Runs experiments: samples.csv, summary.csv, claims.csv, figures and report.html.",
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.failed)
        return JRX_EINVAL;
    arguments.session.kind = arguments.count == 1 ? arguments.list[0]->name : "run";
    return ex_session_do(&arguments.session, arguments.list, arguments.count);
}

const struct ex_command cmd_run = {
    .name = "run", .summary = "run experiments: plan, measure, conclude, draw", .order = 40, .run = run};
