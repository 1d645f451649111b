/* The command-line options of a session, for every command that runs experiments. */
#include "experiments/shard.h"
#include "harness/base/error.h"
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_RESUME = 256,
    KEY_SYSFS,
    KEY_PROFILE,
    KEY_SEED,
    KEY_OUT,
    KEY_RECORDING,
    KEY_COUNTERS,
    KEY_CACHES,
    KEY_STRICT,
    KEY_SHARD,
    KEY_SHARDS,
    KEY_LAUNCHER,
    KEY_SBATCH,
    KEY_CELLS,
    KEY_VALUE /* and as many after it as a preset has values */
};

static const struct argp_option table[] = {
    {"preset", 'p', "NAME", 0,
     "how much is done: quick (default), study, paper, smoke, or a file of your own, with a slash in its path", 0},
    {"out", KEY_OUT, "DIR", 0, "folder of the run (default results/NAME/<time>-<commit>)", 0},
    {"resume", KEY_RESUME, "DIR", OPTION_ARG_OPTIONAL, "go on with an interrupted run (default: the newest)", 0},
    {"meter", 'm', "NAME", 0, "energy meter (default auto: the best that works here)", 0},
    {"profile", KEY_PROFILE, "NAME", 0, "energy profile of the model meter", 0},
    {"recording", KEY_RECORDING, "FILE", 0, "of joulerx record, played back by --meter=replay", 0},
    {"counters", KEY_COUNTERS, "WHAT", 0,
     "auto (default): the event set of this processor; none; a set of `joulerx list events` or its path; or EVENT,...",
     0},
    {"caches", KEY_CACHES, "GEOMETRY", 0,
     "caches of the simulator, size/ways a level, e.g. 32K/8,1M/16,32M/16 (default: this machine's)", 0},
    {"strict", KEY_STRICT, NULL, 0,
     "refuse (exit 4) a machine that disturbs, disagreeing meters, and counters more than 5 % off on known work", 0},
    {"dry-run", 'n', NULL, 0, "say what would be run, the time and the energy it would take, and stop", 0},
    {"cells", KEY_CELLS, NULL, 0, "the same with every cell, one a line", 0},
    {"seed", KEY_SEED, "N", 0, "of order, channels and starting weights (default 1)", 0},
    {"threads", 't', "N", 0, "threads (default: all processors); results do not depend on it", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {"sysfs", KEY_SYSFS, "DIR", 0, "read meters below DIR instead of /sys", 0},
    {"launcher", KEY_LAUNCHER, "NAME", 0,
     "local (default), or slurm: as batch jobs, a node each; --out on a shared disk", 1},
    {"shards", KEY_SHARDS, "N", 0, "tasks of a batch job, each with its own rounds over the cells (default 4)", 1},
    {"sbatch", KEY_SBATCH, "OPTION", 0, "one more option of sbatch; may be given several times", 1},
    {"shard", KEY_SHARD, "I/N", 0, "run share I of N of one experiment of the run in --resume=DIR, and do not conclude",
     1},
#define X(member, option, type, least, most, step, argument, doc)                                                      \
    {option, KEY_VALUE + EX_PRESET_##member, argument, 0, "of the preset: " doc, 2},
    EX_PRESET_FIELDS(X)
#undef X
        {0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct ex_session_options *to = state->input;
    char *end = argument;
    switch (key) {
    case 'p': to->preset = argument; break;
    case 'm': to->meter = argument; break;
    case 'q': to->quiet = 1; break;
    case 'n': to->dry = to->dry ? to->dry : 1; break;
    case KEY_CELLS: to->dry = 2; break;
    case KEY_OUT: to->out = argument; break;
    case KEY_RESUME: to->resume = argument ? argument : ""; break;
    case KEY_SYSFS: to->sysfs = argument; break;
    case KEY_PROFILE: to->profile = argument; break;
    case KEY_COUNTERS: to->counters = argument; break;
    case KEY_CACHES: to->caches = argument; break;
    case KEY_STRICT: to->strict = 1; break;
    case KEY_SHARD:
        if (ex_shard_parse(argument, &to->shard))
            argp_error(state, "%s", jrx_last_error());
        break;
    case KEY_SHARDS:
        to->shards = (int)strtol(argument, &end, 10);
        if (*end || end == argument || to->shards < 1 || to->shards > 9999)
            argp_error(state, "--shards=%s: not a number from 1 to 9999", argument);
        break;
    case KEY_LAUNCHER:
        to->slurm = !strcmp(argument, "slurm");
        if (!to->slurm && strcmp(argument, "local"))
            argp_error(state, "--launcher=%s: there are local and slurm", argument);
        break;
    case KEY_SBATCH:
        if (to->sbatches == EX_SBATCH)
            argp_error(state, "--sbatch: at most %d of them", EX_SBATCH);
        to->sbatch[to->sbatches++] = argument;
        break;
    case KEY_RECORDING:
        to->recording = argument;
        if (!to->meter)
            to->meter = "replay";
        break;
    case 't':
        to->threads = (int)strtol(argument, &end, 10);
        if (*end || end == argument || to->threads < 1 || to->threads > 1024)
            argp_error(state, "--threads=%s: not a number from 1 to 1024", argument);
        break;
    case KEY_SEED:
        errno = 0;
        to->seed = strtoull(argument, &end, 10);
        to->seed_given = 1;
        if (*end || end == argument || errno || *argument == '-')
            argp_error(state, "--seed=%s: not a number from 0 to 18446744073709551615", argument);
        break;
    default:
        if (key < KEY_VALUE || key >= KEY_VALUE + EX_PRESET_VALUES)
            return ARGP_ERR_UNKNOWN;
        to->changed[key - KEY_VALUE] = argument;
    }
    return 0;
}

int ex_options_preset(const struct ex_session_options *options, struct ex_preset *preset)
{
    int status = ex_preset_read(preset, options->preset ? options->preset : "quick");
    for (int i = 0; i < EX_PRESET_VALUES && !status; i++)
        if (options->changed[i])
            status = ex_preset_set(preset, ex_preset_key((enum ex_preset_field)i), options->changed[i]);
    return status;
}

const struct argp ex_session_argp = {.options = table, .parser = parse};
