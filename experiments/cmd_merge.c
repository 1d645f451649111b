/* joulerx merge DIR EXPERIMENT: the shares of a batch job become one run. */
#include "experiments/command.h"
#include "experiments/shard.h"
#include "harness/base/error.h"
#include <argp.h>

struct arguments {
    const char *word[2];
    int words;
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    if (key == ARGP_KEY_ARG && to->words < 2)
        to->word[to->words++] = argument;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "'%s': a folder and one experiment, not more", argument);
    else if (key == ARGP_KEY_END && to->words < 2)
        argp_error(state, "give the folder of a run and an experiment");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.words = 0};
    const struct argp argp = {
        .parser = parse,
        .args_doc = "DIR EXPERIMENT",
        .doc = "Puts the shares that batch tasks ran together: samples.csv as of a run in one piece, "
               "summary, claims, figure. Shares of different machines are refused."};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    const struct ex_experiment *experiment = ex_find(arguments.word[1]);
    return experiment ? ex_merge(arguments.word[0], experiment) : JRX_EINVAL;
}

const struct ex_command cmd_merge = {
    .name = "merge", .summary = "put the shares of a batch job together", .order = 43, .run = run};
