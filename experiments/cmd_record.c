/* joulerx record: keeps every reading of a meter, while a command runs or for a time. */
#include "experiments/child.h"
#include "experiments/command.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/interrupt.h"
#include "harness/recording.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>

enum { KEY_SYSFS = 256, KEY_PROFILE, KEY_TIME };

struct arguments {
    const char *meter, *output;
    struct jrx_meter_config config;
    uint64_t interval_ns, time_ns;
    char **command;
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "the recording (default joulerx-recording.jsonl)", 0},
    {"interval", 'I', "TIME", 0, "time between two readings (default 10ms)", 0},
    {"time", KEY_TIME, "TIME", 0, "without a COMMAND: how long (default 10s)", 0},
    {"meter", 'm', "NAME", 0, "energy meter (default auto: the best that works here)", 0},
    {"profile", KEY_PROFILE, "NAME", 0, "energy profile of the model meter", 0},
    {"sysfs", KEY_SYSFS, "DIR", 0, "read meters below DIR instead of /sys", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case 'o': to->output = text; break;
    case 'I':
        if (ex_duration_parse(text, "--interval", &to->interval_ns) || to->interval_ns < 100000)
            argp_error(state, "--interval=%s: not a duration of at least 100us", text);
        break;
    case KEY_TIME:
        if (ex_duration_parse(text, "--time", &to->time_ns))
            argp_error(state, "%s", jrx_last_error());
        break;
    case 'm': to->meter = text; break;
    case KEY_PROFILE: to->config.profile = text; break;
    case KEY_SYSFS: to->config.sysfs = text; break;
    case ARGP_KEY_ARGS: to->command = state->argv + state->next; break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

struct taking {
    struct jrx_record *record;
    struct jrx_meter *meter;
};

static int step(void *arg)
{
    struct taking *taking = arg;
    return jrx_record_all(taking->record, taking->meter);
}

static int for_a_time(struct taking *taking, const struct arguments *a)
{
    uint64_t start = jrx_clock_ns(), next = start;
    int status = jrx_interrupt_catch(); /* Ctrl-C ends the recording, and what there is of it is whole */
    while (!status && (next += a->interval_ns) <= start + a->time_ns) {
        jrx_clock_sleep_until(next);
        status = step(taking);
        status = status ? status : jrx_interrupt_check();
    }
    jrx_interrupt_release();
    return status;
}

static int take(struct taking *taking, const struct arguments *a, int *exit_status)
{
    struct ex_child child = {.argv = a->command, .step = step, .ctx = taking, .interval_ns = a->interval_ns};
    /* One reading before the command and one after it, so that the recording reaches over it. */
    int status = step(taking);
    if (status)
        return status;
    if (!a->command)
        return for_a_time(taking, a);
    ex_child_run(&child);
    *exit_status = child.exit_status;
    if (child.status)
        return jrx_fail(child.status, "%s", child.reason);
    jrx_record_mark(taking->record, "begin", child.start_ns);
    jrx_record_mark(taking->record, "end", child.end_ns);
    jrx_clock_sleep_until(jrx_clock_ns() + taking->meter->tick_ns);
    return step(taking);
}

static int run(int argc, char **argv)
{
    struct arguments a = {.output = "joulerx-recording.jsonl", .interval_ns = 10000000, .time_ns = 10000000000};
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc = "[-- COMMAND [ARGUMENT...]]",
                              .doc =
                                  "Keeps every reading of an energy meter in a file. `joulerx stat --recording=FILE` "
                                  "computes its energies again, on any machine; --meter=replay plays it back."};
    static struct jrx_meter meter;
    struct taking taking = {.meter = &meter};
    int exit_status = 0;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &a);
    int status = jrx_meter_open(&meter, a.meter, &a.config);
    if (status)
        return status;
    status = jrx_record_open(&taking.record, a.output, &meter);
    if (!status)
        status = take(&taking, &a, &exit_status);
    if (status) {
        char why[512];
        snprintf(why, sizeof why, "%s", jrx_last_error());
        jrx_record_close(taking.record);
        jrx_fail(status, "%s", why);
    } else {
        status = jrx_record_close(taking.record);
    }
    jrx_meter_close(&meter);
    return !status && exit_status ? exit_status : status;
}

const struct ex_command cmd_record = {
    .name = "record", .summary = "keep every reading of a meter in a file", .order = 31, .run = run};
