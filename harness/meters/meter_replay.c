/*
 * Plays a recording back at the speed it was made: a read gives what the recorded counter showed as long after the
 * start of the recording as the meter has been open. What was measured is replayed; what was estimated stays so.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/recording.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct replay {
    struct jrx_recording recording;
    uint64_t open_ns;           /* jrx_clock_ns() at open */
    uint64_t first_ns, last_ns; /* of the recording: all domains have been read by first_ns */
    size_t at[JRX_DOMAINS];     /* item that each domain shows */
};

/* The next item of the same domain after `i`; the number of items if there is none. */
static size_t next_of(const struct jrx_recording *r, size_t i)
{
    uint32_t domain = r->item[i].domain;
    for (i++; i < r->count && r->item[i].domain != domain; i++)
        ;
    return i;
}

static int replay_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    struct replay *state = meter->state;
    const struct jrx_recording *r = &state->recording;
    reading->before_ns = jrx_clock_ns();
    uint64_t then = state->first_ns + (reading->before_ns - state->open_ns);
    if (then > state->last_ns)
        return jrx_fail(JRX_EUNAVAILABLE, "replay: the recording is over after %.3f s; record for longer",
                        (double)(state->last_ns - state->first_ns) * 1e-9);
    for (size_t next; (next = next_of(r, state->at[domain])) < r->count && r->item[next].reading.after_ns <= then;)
        state->at[domain] = next;
    reading->count = r->item[state->at[domain]].reading.count;
    reading->after_ns = jrx_clock_ns();
    return 0;
}

static void replay_close(struct jrx_meter *meter)
{
    struct replay *state = meter->state;
    if (state)
        jrx_recording_fini(&state->recording);
    free(state);
    meter->state = NULL;
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/*
 * Checks each domain: it was read, at least twice, and never with a gap that may hide a wrap. *step_ns: the median time
 * between two changes of the slowest domain in the total; it is what a played-back counter ticks at.
 */
static int check(struct replay *state, const char *path, uint64_t *step_ns)
{
    struct jrx_recording *r = &state->recording;
    uint64_t *steps = malloc(r->count * sizeof *steps);
    int status = steps ? 0 : jrx_fail(JRX_ENOMEM, "no memory to check recording %s", path);
    *step_ns = r->tick_ns;
    state->last_ns = UINT64_MAX;
    for (uint32_t d = 0; d < r->domains && !status; d++) {
        size_t n = 0, i = 0;
        while (i < r->count && r->item[i].domain != d)
            i++;
        if (i == r->count || next_of(r, i) == r->count) {
            status = jrx_fail(JRX_EFORMAT, "recording %s: %s was not read twice", path, r->domain[d].name);
            break;
        }
        state->at[d] = i;
        if (r->item[i].reading.after_ns > state->first_ns)
            state->first_ns = r->item[i].reading.after_ns;
        for (size_t next; (next = next_of(r, i)) < r->count; i = next) {
            uint64_t gap_ns = r->item[next].reading.before_ns - r->item[i].reading.before_ns;
            if ((double)gap_ns * 1e-9 > jrx_counter_gap_s(&r->domain[d].counter))
                status = jrx_fail(JRX_EMISSED,
                                  "recording %s: %s was not read for %.1f s, in which it may have wrapped unseen", path,
                                  r->domain[d].name, (double)gap_ns * 1e-9);
            steps[n++] = gap_ns;
        }
        if (r->item[i].reading.after_ns < state->last_ns)
            state->last_ns = r->item[i].reading.after_ns;
        qsort(steps, n, sizeof *steps, ascending);
        if (r->domain[d].in_total && steps[n / 2] > *step_ns)
            *step_ns = steps[n / 2];
    }
    free(steps);
    return status;
}

static int replay_open(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    if (!config->recording)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "replay: no recording is given; use --recording=FILE, made by joulerx record");
    struct replay *state = calloc(1, sizeof *state);
    if (!state)
        return jrx_fail(JRX_ENOMEM, "no memory for the replay meter");
    meter->state = state;
    uint64_t step_ns = 0;
    int status = jrx_recording_read(&state->recording, config->recording);
    if (!status)
        status = check(state, config->recording, &step_ns);
    if (status) {
        replay_close(meter);
        return status;
    }
    meter->source = jrx_recording_source(&state->recording);
    meter->tick_ns = step_ns;
    meter->domains = state->recording.domains;
    memcpy(meter->domain, state->recording.domain, sizeof meter->domain);
    jrx_warn(&meter->warnings, "replayed", NAN, NAN, "nothing of it is this machine's",
             "energies are those recorded with meter %s, not of what runs now", state->recording.meter);
    state->open_ns = jrx_clock_ns();
    return 0;
}

const struct jrx_meter_ops meter_replay = {.name = "replay",
                                           .about = "a recording made by joulerx record",
                                           .order = -1,
                                           .open = replay_open,
                                           .read = replay_read,
                                           .close = replay_close};
