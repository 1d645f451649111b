/*
 * likwid as a counter source. It counts processors, not programs: all that runs on the CPUs this process may use is in
 * it, so the process should be pinned. Events are likwid's own, "EVENT:COUNTER", as `likwid-perfctr -e` lists them.
 */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/counters.h"
#include "harness/likwid.h"
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CPUS = 1024 };

/* What is called of it; prototypes as documented for likwid 5. */
struct source {
    void *library;
    int (*topology_init)(void);
    void (*topology_finalize)(void);
    int (*numa_init)(void);
    void (*affinity_init)(void);
    int (*perfmon_init)(int cpus, const int *cpu);
    void (*perfmon_finalize)(void);
    int (*perfmon_addEventSet)(const char *events);
    int (*perfmon_setupCounters)(int group);
    int (*perfmon_startCounters)(void);
    int (*perfmon_stopCounters)(void);
    double (*perfmon_getLastResult)(int group, int event, int cpu);
    int ready; /* perfmon_init() worked, so it has to be ended */
    int group;
    size_t count;
    int cpus, cpu[CPUS];
};

static const struct jrx_likwid_symbol wanted[] = {
    {"topology_init", offsetof(struct source, topology_init)},
    {"topology_finalize", offsetof(struct source, topology_finalize)},
    {"numa_init", offsetof(struct source, numa_init)},
    {"affinity_init", offsetof(struct source, affinity_init)},
    {"perfmon_init", offsetof(struct source, perfmon_init)},
    {"perfmon_finalize", offsetof(struct source, perfmon_finalize)},
    {"perfmon_addEventSet", offsetof(struct source, perfmon_addEventSet)},
    {"perfmon_setupCounters", offsetof(struct source, perfmon_setupCounters)},
    {"perfmon_startCounters", offsetof(struct source, perfmon_startCounters)},
    {"perfmon_stopCounters", offsetof(struct source, perfmon_stopCounters)},
    {"perfmon_getLastResult", offsetof(struct source, perfmon_getLastResult)},
};
static const char who[] = "counters likwid";
static const char remedy[] = "run `modprobe msr` and become root or set up likwid-accessD";

/* likwid says its troubles on stderr, where progress is: they go nowhere, and the caller says them. */
static int quiet(void)
{
    fflush(stderr);
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        dup2(nowhere, STDERR_FILENO);
        close(nowhere);
    }
    return kept;
}

static void loud(int kept)
{
    fflush(stderr);
    if (kept >= 0) {
        dup2(kept, STDERR_FILENO);
        close(kept);
    }
}

static void allowed_cpus(struct source *s)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (int i = 0; i < CPU_SETSIZE && s->cpus < CPUS; i++)
            if (CPU_ISSET(i, &set))
                s->cpu[s->cpus++] = i;
}

static void close_likwid(void *state)
{
    struct source *s = state;
    if (s->ready) {
        s->perfmon_finalize();
        s->topology_finalize();
    }
    jrx_likwid_unload(s->library);
    free(s);
}

static int start_library(void *context)
{
    struct source *s = context;
    int error = s->topology_init();
    if (!error) {
        s->numa_init();
        s->affinity_init();
        error = s->perfmon_init(s->cpus, s->cpu);
    }
    return error ? jrx_fail(JRX_EUNAVAILABLE,
                            "counters likwid: it does not start (%d): processor not known to it, or no rights; %s",
                            error, remedy)
                 : 0;
}

/* Loads and starts the library for all allowed CPUs. */
static int begin(struct source **out)
{
    struct source *s = jrx_alloc(sizeof *s);
    *out = NULL;
    if (!s)
        return JRX_ENOMEM;
    int rc = jrx_likwid_load(&s->library, who, wanted, sizeof wanted / sizeof *wanted, s);
    /* a library named by hand may be built for perf_event, the system's reads model-specific registers */
    if (!rc && !getenv("JOULERX_LIKWID") && access("/dev/cpu/0/msr", F_OK))
        rc = jrx_fail(JRX_EUNAVAILABLE, "counters likwid: no /dev/cpu/0/msr, which it reads; %s", remedy);
    if (!rc) {
        allowed_cpus(s);
        rc = jrx_likwid_rehearse(who, start_library, s);
    }
    if (!rc) {
        int kept = quiet();
        rc = start_library(s);
        loud(kept);
        s->ready = rc == 0;
    }
    if (rc)
        close_likwid(s);
    else
        *out = s;
    return rc;
}

static int probe(char *note, size_t size)
{
    struct source *s;
    int rc = begin(&s);
    if (rc)
        return rc;
    snprintf(note, size, "counts whole CPUs (%d allowed): pin the program; events as `likwid-perfctr -e` lists them",
             s->cpus);
    close_likwid(s);
    return 0;
}

/* Its own tool lists thousands, with counters they fit. */
static int list(void (*found)(void *context, const char *event, const char *about), void *context)
{
    struct source *s;
    (void)found, (void)context;
    int rc = begin(&s);
    if (!rc)
        close_likwid(s);
    return rc;
}

static int start(void *state)
{
    struct source *s = state;
    int error = s->perfmon_startCounters();
    return error ? jrx_fail(JRX_EIO, "counters likwid: could not start (%d)", error) : 0;
}

static int stop(void *state)
{
    struct source *s = state;
    int error = s->perfmon_stopCounters();
    return error ? jrx_fail(JRX_EIO, "counters likwid: could not stop (%d)", error) : 0;
}

static int read_counts(void *state, double *count)
{
    struct source *s = state;
    for (size_t i = 0; i < s->count; i++) {
        count[i] = 0;
        for (int c = 0; c < s->cpus; c++)
            count[i] += s->perfmon_getLastResult(s->group, (int)i, c);
    }
    return 0;
}

/* Zero return codes prove nothing: some event of the set has to move while this CPU works. */
static int moves(struct source *s, double *count)
{
    volatile double work = 1;
    int rc = start(s), moved = 0;
    for (int i = 0; !rc && i < 1000000; i++)
        work = work * 1.000001;
    rc = rc ? rc : stop(s);
    rc = rc ? rc : read_counts(s, count);
    for (size_t i = 0; !rc && i < s->count; i++)
        moved |= isfinite(count[i]) && count[i] > 0;
    return rc || moved
               ? rc
               : jrx_fail(JRX_EUNAVAILABLE, "counters likwid: it reports success and counts nothing; check its rights "
                                            "(root or likwid-accessD) and that the machine is no virtual one");
}

static int open_likwid(void **state, const char *const *events, size_t count, const struct jrx_counter_config *config)
{
    struct source *s;
    size_t bytes = 1;
    (void)config; /* whole CPUs are counted, however many threads there are */
    int rc = begin(&s);
    if (rc)
        return rc;
    s->count = count;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(events[i]) + 1;
    char *set = jrx_alloc(bytes);
    double *counts = jrx_alloc(count * sizeof *counts);
    rc = set && counts ? 0 : JRX_ENOMEM;
    for (size_t i = 0; !rc && i < count; i++) {
        if (!strchr(events[i], ':'))
            rc = jrx_fail(JRX_EINVAL,
                          "counters likwid: event \"%s\" has no counter; write EVENT:COUNTER, e.g. "
                          "INSTR_RETIRED_ANY:FIXC0 (likwid-perfctr -e)",
                          events[i]);
        strcat(strcat(set, i ? "," : ""), events[i]);
    }
    if (!rc) {
        int kept = quiet();
        s->group = s->perfmon_addEventSet(set);
        int error = s->group < 0 ? s->group : s->perfmon_setupCounters(s->group);
        loud(kept);
        if (error < 0)
            rc = jrx_fail(JRX_EUNAVAILABLE,
                          "counters likwid: %.160s cannot be counted at once (%d); see likwid-perfctr -e, or count "
                          "in several passes",
                          set, error);
    }
    rc = rc ? rc : moves(s, counts);
    free(set);
    free(counts);
    if (rc)
        close_likwid(s);
    else
        *state = s;
    return rc;
}

const struct jrx_counter_ops counter_likwid = {
    .name = "likwid",
    .about = "hardware events through liblikwid, loaded at run time",
    .source = JRX_MEASURED,
    .probe = probe,
    .list = list,
    .open = open_likwid,
    .start = start,
    .stop = stop,
    .read = read_counts,
    .close = close_likwid,
};
