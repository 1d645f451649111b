/* joulerx run EXPERIMENT...: one or several experiments into one folder. */
#include "experiments/command.h"
#include "experiments/runner.h"
#include "harness/base/error.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 32 };

struct arguments {
    struct ex_session_options session;
    const struct ex_experiment *asked[MOST], *list[MOST]; /* list: with those that they need */
    size_t asked_count, count;
    int failed;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &to->session; break;
    case ARGP_KEY_ARG:
        if (to->asked_count == MOST)
            return E2BIG;
        if (!(to->asked[to->asked_count++] = ex_find(argument)))
            to->failed = 1;
        break;
    case ARGP_KEY_NO_ARGS: argp_error(state, "which experiment? `joulerx list experiments` names them"); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Adds before an experiment those it needs. */
static int add(struct arguments *to, const struct ex_experiment *experiment)
{
    size_t count, i = 0;
    const struct ex_experiment *const *all = ex_experiments(&count);
    while (i < to->count && to->list[i] != experiment)
        i++;
    if (i < to->count)
        return 0;
    for (i = 0; i < count; i++)
        if (ex_listed(experiment->needs, all[i]->name) && add(to, all[i]))
            return JRX_EINVAL;
    if (to->count == MOST)
        return jrx_fail(JRX_EINVAL, "more than %d experiments", MOST);
    to->list[to->count++] = experiment;
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.session = {.argc = argc, .argv = argv}};
    const struct argp_child children[] = {{&ex_session_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .parser = parse,
        .args_doc = "EXPERIMENT...",
        .doc =
            "Runs experiments, after those they need: samples.csv, summary.csv, claims.csv, figures and report.html.",
        .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (arguments.failed)
        return JRX_EINVAL;
    for (size_t i = 0; i < arguments.asked_count; i++) {
        /* a share is of one experiment, after those it needs */
        if (arguments.session.shard.count)
            arguments.list[arguments.count++] = arguments.asked[i];
        else if (add(&arguments, arguments.asked[i]))
            return JRX_EINVAL;
    }
    arguments.session.kind = arguments.asked_count == 1 ? arguments.asked[0]->name : "run";
    return ex_session_do(&arguments.session, arguments.list, arguments.count);
}

const struct ex_command cmd_run = {
    .name = "run", .summary = "run experiments: plan, measure, conclude, draw", .order = 40, .run = run};
