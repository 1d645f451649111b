/* joulerx tune LAYER|NETWORK: searches the tilings of kernels for this machine and writes them to its tile file. */
#include "experiments/command.h"
#include "experiments/tune.h"
#include "harness/base/error.h"
#include <argp.h>
#include <errno.h>
#include <stdlib.h>

enum {
    KEY_KERNEL = 512,
    KEY_GRID,
    KEY_BATCH,
    KEY_THREADS,
    KEY_BUDGET,
    KEY_OUT,
    KEY_RESULTS,
    KEY_PROFILE,
    KEY_CACHES,
    KEY_SEED,
    KEY_SYSFS,
    KEY_LIST
};

struct arguments {
    struct ex_tune_options tune;
    struct ex_sweep_lists lists;
};

static const struct argp_option own[] = {
    {"objective", 'o', "WHAT", 0, "time, energy, edp or bytes (default time)", 0},
    {"budget", KEY_BUDGET, "SECONDS", 0, "for a layer, and for each call of a network (default 120)", 0},
    {"kernel", KEY_KERNEL, "LIST", 0,
     "names or patterns (default: of a layer the best forward kernel, of a network all that a training step calls)", 0},
    {"grid", KEY_GRID, "LIST", 0, "subcarriers x symbols (default 312x14)", 0},
    {"batch", KEY_BATCH, "LIST", 0, "slots (default 1)", 0},
    {"threads", KEY_THREADS, "LIST", 0, "threads (default 1)", 0},
    {"out", KEY_OUT, "FILE", 0, "tile file (default kernels/tiles/MACHINE.csv of the checkout)", 0},
    {"results", KEY_RESULTS, "DIR", 0, "samples, tune.csv and figure (default results/tune/<time>-<commit>)", 0},
    {"dry-run", 'n', NULL, 0, "measure nothing: print candidates in the model's order", 0},
    {"list", KEY_LIST, "N", 0, "how many of them (default 20)", 0},
    {"meter", 'm', "NAME", 0, "energy meter (default auto: the best that works here)", 0},
    {"profile", KEY_PROFILE, "NAME", 0, "energy profile of the model meter", 0},
    {"caches", KEY_CACHES, "GEOMETRY", 0, "for model and simulator, as 48K/12,1M/16,32M/16 (default: this machine's)",
     0},
    {"seed", KEY_SEED, "N", 0, "of the order of measuring (default 1)", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {"sysfs", KEY_SYSFS, "DIR", 0, "read meters below DIR instead of /sys", 0},
    {0},
};

static double seconds(struct argp_state *state, const char *text)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= 0) || value > 86400)
        argp_error(state, "--budget=%s: not seconds up to 86400", text);
    return value;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    char *end = argument;
    switch (key) {
    case 'o':
        if (ex_objective_parse(argument, &to->tune.objective))
            argp_error(state, "%s", jrx_last_error());
        break;
    case KEY_BUDGET: to->tune.budget_s = seconds(state, argument); break;
    case KEY_KERNEL: to->lists.kernels = argument; break;
    case KEY_GRID: to->lists.grids = argument; break;
    case KEY_BATCH: to->lists.batches = argument; break;
    case KEY_THREADS: to->lists.threads = argument; break;
    case KEY_OUT: to->tune.out = argument; break;
    case KEY_RESULTS: to->tune.results = argument; break;
    case 'n': to->tune.dry = 1; break;
    case KEY_LIST:
        to->tune.list = (int)strtol(argument, &end, 10);
        if (*end || end == argument || to->tune.list < 1)
            argp_error(state, "--list=%s: not a number of at least 1", argument);
        break;
    case 'm': to->tune.meter = argument; break;
    case KEY_PROFILE: to->tune.profile = argument; break;
    case KEY_CACHES: to->tune.caches = argument; break;
    case KEY_SEED:
        to->tune.seed = strtoull(argument, &end, 10);
        if (*end || end == argument)
            argp_error(state, "--seed=%s: not a number", argument);
        break;
    case 'q': to->tune.quiet = 1; break;
    case KEY_SYSFS: to->tune.sysfs = argument; break;
    case ARGP_KEY_ARG:
        if (to->lists.layers)
            argp_error(state, "'%s': one list of layers or networks, joined by commas", argument);
        to->lists.layers = argument;
        break;
    case ARGP_KEY_END:
        if (!to->lists.layers)
            argp_error(state, "a layer or network is missing, as pw:c256:k256 or deeprx");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.tune = {.budget_s = 120, .seed = 1, .list = 20, .argc = argc, .argv = argv},
                                  .lists = {.training = 1}};
    const struct argp argp = {
        .options = own,
        .parser = parse,
        .args_doc = "LAYER|NETWORK,...",
        .doc =
            "Searches the tilings of kernels: the traffic model orders them, measurement decides, a second one "
            "confirms.\vPrints the Pareto front of time, energy and bytes, and the rank correlation of model and "
            "measurement. What is better than the default by a 95 % interval goes into the machine's tile file, from "
            "where kernels take the rows for time; those for energy, edp and bytes are kept to look at. Example: "
            "joulerx tune deeprx --budget=30"};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    struct ex_sweep sweep = {0};
    int status = ex_sweep_init(&sweep, &arguments.lists);
    if (!status)
        status = ex_tune(&sweep, &arguments.tune);
    ex_sweep_fini(&sweep);
    return status;
}

const struct ex_command cmd_tune = {
    .name = "tune", .summary = "search the tilings of kernels for this machine", .order = 36, .run = run};
