/*
 * joulerx stat -- COMMAND: energy, time and mean power of any command; or of a recording, computed again.
 */
#include "experiments/child.h"
#include "experiments/command.h"
#include "experiments/stat.h"
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/crosscheck.h"
#include "harness/edge.h"
#include "harness/machine.h"
#include "harness/recording.h"
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SYSFS = 256, KEY_PROFILE, KEY_RECORDING, KEY_JSON, KEY_CSV, KEY_STRICT, KEY_BASELINE };

struct arguments {
    const char *meter, *output;
    struct jrx_meter_config config;
    size_t repeat;
    uint64_t interval_ns, baseline_ns;
    enum ex_stat_form form;
    int strict;
    char **command;
    char words[512]; /* the command as one text */
};

static const struct argp_option options[] = {
    {"repeat", 'r', "N", 0, "run it N times: mean and interval (default 1)", 0},
    {"interval", 'I', "TIME", 0, "power every TIME while it runs, e.g. 100ms", 0},
    {"baseline", KEY_BASELINE, "TIME", 0,
     "before each run the machine is measured for TIME idle, and for TIME awake doing nothing (default 100ms; 0: not)",
     0},
    {"meter", 'm', "NAME", 0, "energy meter (default auto: the best that works here)", 0},
    {"output", 'o', "FILE", 0, "write the result there instead of to standard output", 0},
    {"json", KEY_JSON, NULL, 0, "as JSON", 0},
    {"csv", KEY_CSV, NULL, 0, "as CSV, a row a run and domain", 0},
    {"strict", KEY_STRICT, NULL, 0, "refuse on a machine that disturbs (joulerx doctor)", 0},
    {"profile", KEY_PROFILE, "NAME", 0, "energy profile of the model meter", 0},
    {"recording", KEY_RECORDING, "FILE", 0, "of joulerx record; without a COMMAND its energies are computed again", 0},
    {"sysfs", KEY_SYSFS, "DIR", 0, "read meters below DIR instead of /sys", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    char *end;
    switch (key) {
    case 'r':
        to->repeat = strtoul(text, &end, 10);
        if (*end || end == text || *text == '-' || to->repeat < 1 || to->repeat > 100000)
            argp_error(state, "--repeat=%s: not a number from 1 to 100000", text);
        break;
    case 'I':
        if (ex_duration_parse(text, "--interval", &to->interval_ns) || to->interval_ns < 1000000)
            argp_error(state, "--interval=%s: not a duration of at least 1ms", text);
        break;
    case KEY_BASELINE:
        if (!strcmp(text, "0"))
            to->baseline_ns = 0;
        else if (ex_duration_parse(text, "--baseline", &to->baseline_ns))
            argp_error(state, "%s", jrx_last_error());
        break;
    case 'm': to->meter = text; break;
    case 'o': to->output = text; break;
    case KEY_JSON: to->form = EX_STAT_JSON; break;
    case KEY_CSV: to->form = EX_STAT_CSV; break;
    case KEY_STRICT: to->strict = 1; break;
    case KEY_PROFILE: to->config.profile = text; break;
    case KEY_RECORDING: to->config.recording = text; break;
    case KEY_SYSFS: to->config.sysfs = text; break;
    case ARGP_KEY_ARGS: to->command = state->argv + state->next; break;
    case ARGP_KEY_END:
        if (!to->command && !to->config.recording)
            argp_error(state, "which command? joulerx stat -- COMMAND");
        if (to->interval_ns && to->repeat > 1)
            argp_error(state, "--interval and --repeat exclude each other");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int write_result(const struct arguments *a, const struct ex_stat *stat)
{
    FILE *to = a->output ? fopen(a->output, "we") : stdout;
    if (!to)
        return jrx_fail(errno == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: %s", a->output, strerror(errno));
    int status = ex_stat_print(stat, a->form, to);
    if (a->output && fclose(to) && !status)
        status = jrx_fail(JRX_EIO, "%s: %s", a->output, strerror(errno));
    for (size_t w = 0; w < stat->warnings->count; w++)
        fprintf(stderr, "warning: %s; %s\n", stat->warnings->item[w].text, stat->warnings->item[w].remedy);
    return status;
}

/* ---- whole runs -------------------------------------------------------------------------------------------------- */

/* What the machine draws without the command. An estimate of it needs no waiting: it is the profile's static power. */
static void take_baselines(const struct arguments *a, struct jrx_window *window, struct ex_stat_run *run)
{
    enum { SHORT_NS = 20000000 };
    uint64_t ns = window->meter->source == JRX_ESTIMATED && a->baseline_ns > SHORT_NS ? SHORT_NS : a->baseline_ns;
    jrx_baseline_unknown(&run->idle);
    jrx_baseline_unknown(&run->active);
    if (!ns)
        return;
    jrx_baseline_idle(window, ns, &run->idle);
    jrx_baseline_active(window, ns, omp_get_num_procs(), &run->active);
}

static int whole_runs(const struct arguments *a, struct jrx_meter *meter, struct ex_stat *stat, struct ex_child *child)
{
    struct jrx_window window;
    const struct jrx_region region = {.fn = ex_child_run, .ctx = child, .work = {NAN, NAN, NAN, NAN, NAN}};
    int status = jrx_window_open(&window, meter, 0);
    if (status)
        return status;
    stat->run = calloc(a->repeat, sizeof *stat->run);
    if (!stat->run)
        status = jrx_fail(JRX_ENOMEM, "no memory for %zu runs", a->repeat);
    /* A command that fails is not asked again. */
    while (!status && stat->runs < a->repeat && !child->exit_status) {
        struct ex_stat_run *run = &stat->run[stat->runs];
        run->at_s = NAN;
        take_baselines(a, &window, run);
        status = jrx_window_measure(&window, &region, 1, &run->result);
        if (!status && child->status)
            status = jrx_fail(child->status, "%s", child->reason);
        stat->runs += !status;
    }
    jrx_window_close(&window);
    return status;
}

/* ---- intervals --------------------------------------------------------------------------------------------------- */

struct series {
    struct jrx_meter *meter;
    struct ex_stat *stat;
    struct jrx_edge edge[JRX_DOMAINS]; /* where the current interval began */
    uint64_t start_ns;
};

static int read_all(struct jrx_meter *meter, struct jrx_reading *now)
{
    for (size_t d = 0; d < meter->domains; d++) {
        int status = jrx_meter_read(meter, d, &now[d]);
        if (status)
            return status;
    }
    return 0;
}

/* The energy of one domain since the last step, both ends anywhere within a tick. */
static int interval_energy(struct series *s, size_t d, const struct jrx_reading *now, struct jrx_energy *e)
{
    const struct jrx_counter *counter = &s->meter->domain[d].counter;
    struct jrx_edge last = jrx_edge_unwatched(now, (double)s->meter->tick_ns * 1e-9);
    struct jrx_tally tally;
    jrx_tally_start(&tally, s->edge[d].count, s->edge[d].read_ns);
    int status = jrx_tally_add(&tally, counter, last.count, last.read_ns);
    e->window_s = (double)(last.time_ns - s->edge[d].time_ns) * 1e-9;
    e->window_j = jrx_tally_j(&tally, counter);
    e->wraps = tally.wraps;
    double width_s = s->meter->tick_ns ? jrx_edge_half_width(s->edge[d].gap_ns, last.gap_ns, 0.95) * 1e-9 : 0;
    s->edge[d] = last;
    if (!status)
        status = jrx_counter_plausible(e->window_j, e->window_s, counter->p_max_w, counter->p_max_w * width_s);
    if (status)
        return status;
    e->energy_j = e->window_j;
    e->uncertainty_j = e->window_j / e->window_s * width_s;
    return 0;
}

static int step(void *arg)
{
    struct series *s = arg;
    struct jrx_reading now[JRX_DOMAINS];
    struct ex_stat_run *more = realloc(s->stat->run, (s->stat->runs + 1) * sizeof *more);
    if (!more)
        return jrx_fail(JRX_ENOMEM, "no memory for interval %zu", s->stat->runs);
    s->stat->run = more;
    uint64_t began = s->edge[0].read_ns;
    int status = read_all(s->meter, now);
    if (status)
        return status;
    struct ex_stat_run *run = &more[s->stat->runs++];
    struct jrx_window_result *r = &run->result;
    memset(run, 0, sizeof *run);
    jrx_baseline_unknown(&run->idle);
    jrx_baseline_unknown(&run->active);
    r->domains = s->meter->domains;
    r->source = s->meter->source;
    r->time_ns = now[0].before_ns - began;
    r->start_ns = began;
    run->at_s = (double)(now[0].before_ns - s->start_ns) * 1e-9;
    double square = 0;
    for (size_t d = 0; d < r->domains; d++) {
        struct jrx_energy *e = &r->domain[d];
        e->energy_j = e->uncertainty_j = NAN;
        e->status = interval_energy(s, d, &now[d], e);
        if (e->status)
            snprintf(e->reason, sizeof e->reason, "%.159s", jrx_last_error());
        if (!s->meter->domain[d].in_total)
            continue;
        if (e->status && !r->status) {
            r->status = e->status;
            memcpy(r->reason, e->reason, sizeof r->reason);
        }
        r->total_j += e->energy_j;
        square += e->uncertainty_j * e->uncertainty_j;
    }
    r->total_uncertainty_j = sqrt(square);
    return 0;
}

static int intervals(struct jrx_meter *meter, struct ex_stat *stat, struct ex_child *child, uint64_t interval_ns)
{
    struct series s = {.meter = meter, .stat = stat, .start_ns = jrx_clock_ns()};
    struct jrx_reading now[JRX_DOMAINS];
    if (!meter->source || meter->source == JRX_ESTIMATED)
        return jrx_fail(JRX_EINVAL, "--interval: the model meter learns what was done only at the end; leave it out");
    int status = read_all(meter, now);
    for (size_t d = 0; d < meter->domains && !status; d++)
        s.edge[d] = jrx_edge_unwatched(&now[d], (double)meter->tick_ns * 1e-9);
    if (status)
        return status;
    child->step = step, child->ctx = &s, child->interval_ns = interval_ns;
    ex_child_run(child);
    if (child->status)
        return jrx_fail(child->status, "%s", child->reason);
    return step(&s); /* the last, shorter one */
}

/* ------------------------------------------------------------------------------------------------------------------ */

static int refuse_if_disturbed(const struct arguments *a, const struct jrx_meter *meter)
{
    struct jrx_machine_state state;
    struct jrx_warnings found = meter->warnings;
    jrx_machine_state_read(&state, a->config.sysfs, NULL);
    jrx_quality_state(&found, &state);
    return a->strict ? jrx_quality_strict(&found) : 0;
}

static int measure_command(struct arguments *a)
{
    static struct jrx_meter meter;
    struct ex_child child = {.argv = a->command};
    int status = jrx_meter_open(&meter, a->meter, &a->config);
    if (status)
        return status;
    if (meter.source == JRX_MEASURED)
        jrx_crosscheck_kernel(&meter.warnings, &a->config);
    if ((status = refuse_if_disturbed(a, &meter))) {
        jrx_meter_close(&meter);
        return status;
    }
    struct ex_stat stat = {.meter = meter.ops->name,
                           .command = a->words,
                           .source = meter.source,
                           .domains = meter.domains,
                           .domain = meter.domain,
                           .warnings = &meter.warnings};
    status = a->interval_ns ? intervals(&meter, &stat, &child, a->interval_ns) : whole_runs(a, &meter, &stat, &child);
    int written = stat.runs ? write_result(a, &stat) : 0;
    free(stat.run);
    jrx_meter_close(&meter);
    if (child.exit_status) {
        if (child.status)
            fprintf(stderr, "joulerx stat: %s\n", child.reason);
        return child.exit_status;
    }
    return status ? status : written;
}

static int recompute(struct arguments *a)
{
    static struct jrx_recording recording;
    struct ex_stat_run run = {.at_s = NAN};
    const struct jrx_warnings none = {0};
    uint64_t from_ns, to_ns;
    int status = jrx_recording_read(&recording, a->config.recording);
    if (status)
        return status;
    if (jrx_recording_mark(&recording, "begin", &from_ns) || jrx_recording_mark(&recording, "end", &to_ns)) {
        from_ns = recording.item[recording.domains - 1].reading.after_ns;
        to_ns = recording.item[recording.count > recording.domains ? recording.count - recording.domains : 0]
                    .reading.before_ns;
    }
    jrx_baseline_unknown(&run.idle);
    jrx_baseline_unknown(&run.active);
    jrx_recording_energy(&recording, from_ns, to_ns, &run.result);
    struct ex_stat stat = {.meter = recording.meter,
                           .command = a->config.recording,
                           .source = run.result.source,
                           .domains = recording.domains,
                           .domain = recording.domain,
                           .runs = 1,
                           .run = &run,
                           .warnings = &none};
    status = write_result(a, &stat);
    if (!status && run.result.status)
        status = jrx_fail(run.result.status, "%s", run.result.reason);
    jrx_recording_fini(&recording);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments a = {.repeat = 1, .baseline_ns = 100000000};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "-- COMMAND [ARGUMENT...]",
        .doc = "Energy, time and mean power of a command, by domain.\vRAPL counts everything that runs on the machine "
               "meanwhile. The command's exit status is passed on."};
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &a);
    size_t used = 0;
    for (char **word = a.command; word && *word && used < sizeof a.words; word++)
        used += (size_t)snprintf(a.words + used, sizeof a.words - used, "%s%s", used ? " " : "", *word);
    return a.command ? measure_command(&a) : recompute(&a);
}

const struct ex_command cmd_stat = {
    .name = "stat", .summary = "energy, time and power of any command", .order = 30, .run = run};
