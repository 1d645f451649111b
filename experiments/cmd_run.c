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
    int dry;
    int failed;
};

static const struct argp_option own[] = {{"dry-run", 'n', NULL, 0, "list the cells and stop", 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &to->session; break;
    case 'n': to->dry = 1; break;
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

static int list_cells(const struct arguments *arguments)
{
    struct ex_settings settings = {.preset =
                                       ex_preset_find(arguments->session.preset ? arguments->session.preset : "quick")};
    if (!settings.preset)
        return JRX_EINVAL;
    for (size_t i = 0; i < arguments->count; i++) {
        struct ex_plan plan = {.reps = 1};
        int status = arguments->list[i]->plan(&settings, &plan);
        if (status)
            return status;
        for (int cell = 0; cell < plan.cells; cell++) {
            char label[128];
            arguments->list[i]->label(&settings, cell, label, sizeof label);
            printf("%s\t%s\tx%d\n", arguments->list[i]->name, label, plan.reps);
        }
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.session = {.argc = argc, .argv = argv}};
    const struct argp_child children[] = {{&ex_session_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {.options = own,
                              .parser = parse,
                              .args_doc = "EXPERIMENT...",
                              .doc = "Runs experiments: samples.csv, summary.csv, claims.csv, figures and report.html.",
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.failed)
        return JRX_EINVAL;
    if (arguments.dry)
        return list_cells(&arguments);
    arguments.session.kind = arguments.count == 1 ? arguments.list[0]->name : "run";
    return ex_session_do(&arguments.session, arguments.list, arguments.count);
}

const struct ex_command cmd_run = {
    .name = "run", .summary = "run experiments: plan, measure, conclude, draw", .order = 40, .run = run};
