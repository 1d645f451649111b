/*
 * joulerx measure: lists of kernels, layers, grids, batches, threads and tilings; their product measured, interleaved
 * and shuffled, beside the machine's peak of the same run. An experiment like those of the list, but planned by
 * options.
 */
#include "experiments/command.h"
#include "experiments/measured.h"
#include "experiments/tiles.h"
#include "harness/base/error.h"
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_KERNEL = 512,
    KEY_LAYER,
    KEY_GRID,
    KEY_BATCH,
    KEY_THREADS,
    KEY_TILE,
    KEY_REPS,
    KEY_WINDOW,
    KEY_SAMPLE,
    KEY_CSV,
    KEY_JSON
};

struct arguments {
    struct ex_session_options session;
    struct ex_sweep_lists lists;
    struct ex_measure_options measure;
    char *tiles; /* all --tile joined by ; */
    int dry;
};

static const struct argp_option own[] = {
    {"layer", KEY_LAYER, "LIST", 0,
     "pw:c256:k256, dw:c64:m2:d2x3, conv:c10:k64, sep:c64:k128:d2x3, norm:c64, relu:c64, add:c64, or a network: deeprx",
     1},
    {"kernel", KEY_KERNEL, "LIST", 0, "names or patterns, 'pointwise_*' (default: the best forward kernel)", 1},
    {"grid", KEY_GRID, "LIST", 0, "subcarriers x symbols (default 312x14)", 1},
    {"batch", KEY_BATCH, "LIST", 0, "slots; lists and ranges: 1,2,8 or 1-8*2 (default 1)", 1},
    {"threads", KEY_THREADS, "LIST", 0, "threads (default 1)", 1},
    {"tile", KEY_TILE, "LIST", 0,
     "oc=32,64,f=4-64*2,order=goi,ogi: every field a list (joulerx list tiles KERNEL); more after ; or in another "
     "--tile",
     1},
    {"reps", KEY_REPS, "N", 0, "repetitions of every cell (default: the preset's)", 1},
    {"window", KEY_WINDOW, "SECONDS", 0, "least length of a measuring window", 1},
    {"sample", KEY_SAMPLE, "N", 0, "simulate one cache set in N, a power of two; the error is stated", 1},
    {"dry-run", 'n', NULL, 0, "measure nothing: list the cells with their modelled and simulated traffic", 1},
    {"csv", KEY_CSV, NULL, 0, "print the summary as CSV", 1},
    {0},
};

static int add_tile(struct arguments *to, const char *text)
{
    size_t before = to->tiles ? strlen(to->tiles) : 0, more = strlen(text);
    char *joined = realloc(to->tiles, before + more + 2);
    if (!joined)
        return ENOMEM;
    if (before)
        joined[before++] = ';';
    memcpy(joined + before, text, more + 1);
    to->lists.tiles = to->tiles = joined;
    return 0;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    char *end = argument;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &to->session; break;
    case KEY_LAYER: to->lists.layers = argument; break;
    case KEY_KERNEL: to->lists.kernels = argument; break;
    case KEY_GRID: to->lists.grids = argument; break;
    case KEY_BATCH: to->lists.batches = argument; break;
    case KEY_THREADS: to->lists.threads = argument; break;
    case KEY_TILE: return add_tile(to, argument);
    case KEY_REPS:
        to->measure.reps = (int)strtol(argument, &end, 10);
        if (*end || end == argument || to->measure.reps < 1 || to->measure.reps > 1000)
            argp_error(state, "--reps=%s: not a number from 1 to 1000", argument);
        break;
    case KEY_WINDOW:
        to->measure.window_s = strtod(argument, &end);
        if (*end || end == argument || !(to->measure.window_s > 0) || to->measure.window_s > 60)
            argp_error(state, "--window=%s: not seconds above 0 and up to 60", argument);
        break;
    case KEY_SAMPLE:
        to->measure.sample = (int)strtol(argument, &end, 10);
        if (*end || end == argument || to->measure.sample < 1 || to->measure.sample > 1024)
            argp_error(state, "--sample=%s: not a number from 1 to 1024", argument);
        break;
    case 'n': to->dry = 1; break;
    case KEY_CSV: to->measure.csv = 1; break;
    case ARGP_KEY_ARG: argp_error(state, "'%s': an option is missing before it", argument); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.session = {.argc = argc, .argv = argv, .kind = "measure"}, .measure = {.sample = 1}};
    const struct argp_child children[] = {{&ex_session_argp, 0, NULL, 0}, {0}};
    const struct argp argp = {
        .options = own,
        .parser = parse,
        .doc =
            "Measures kernels: time, share of the peak, energy, bytes and misses of every cache level.\v"
            "Writes samples.csv, summary.csv and traffic.csv (by level and tensor). Cache traffic is simulated; where "
            "hardware counters work, theirs is in columns of its own. Example: joulerx measure "
            "--layer=pw:c256:k256 --tile=oc=32,256,f=1-312*4",
        .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    struct ex_sweep sweep = {0};
    struct ex_tiles tiles;
    int status = ex_tiles_read(&tiles);
    if (!status) {
        char text[PATH_MAX + 128];
        arguments.lists.known = &tiles;
        if (!arguments.session.quiet)
            fprintf(stderr, "%s\n", ex_tiles_say(&tiles, text, sizeof text));
        status = ex_sweep_init(&sweep, &arguments.lists);
    }
    if (!status && arguments.dry)
        status = ex_measure_dry(&sweep, &arguments.session, &arguments.measure);
    else if (!status)
        status = ex_measure_sweep(&sweep, &arguments.session, &arguments.measure);
    ex_sweep_fini(&sweep);
    ex_tiles_fini(&tiles);
    free(arguments.tiles);
    return status;
}

const struct ex_command cmd_measure = {
    .name = "measure", .summary = "measure kernels and their tilings, any product of lists", .order = 35, .run = run};
