/*
 * What is called of LIKWID, with registers and counters of our own: a library for tests. JOULERX_STUB says what is
 * wrong with it. Registers: "still" they do not move, "refuse" reads fail, "nodram" only that one stands still; else
 * 100 W by the clock, 2^-14 J a count. Counters: "no-topology", "no-msr" it does not start, "no-event", "stuck" it
 * counts nothing, "nan" the second event has no value; else event e of the r-th region is 100 (e + 1) + r on the first
 * CPU. "exit" ends the process. Calls of the marker functions are noted in $JOULERX_STUB_LOG.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int topology_init(void);
void topology_finalize(void);
void HPMmode(int mode_of_access);
int HPMinit(void);
int HPMaddThread(int cpu);
void HPMfinalize(void);
int power_init(int cpu);
int power_read(int cpu, uint64_t reg, uint32_t *data);
double power_getEnergyUnit(int domain);
void power_finalize(void);
int numa_init(void);
void affinity_init(void);
int perfmon_init(int n, const int *cpus);
void perfmon_finalize(void);
int perfmon_addEventSet(const char *list);
int perfmon_setupCounters(int group);
int perfmon_startCounters(void);
int perfmon_stopCounters(void);
double perfmon_getLastResult(int group, int event, int cpu);
void likwid_markerInit(void);
void likwid_markerThreadInit(void);
int likwid_markerStartRegion(const char *region);
int likwid_markerStopRegion(const char *region);
void likwid_markerClose(void);

static int mode(const char *name)
{
    const char *set = getenv("JOULERX_STUB");
    return set && !strcmp(set, name);
}

int topology_init(void)
{
    return mode("no-topology") ? -1 : 0;
}
void topology_finalize(void) {}
void HPMmode(int mode_of_access)
{
    (void)mode_of_access;
}

int HPMinit(void)
{
    if (mode("exit"))
        exit(1);
    return 0;
}

int HPMaddThread(int cpu)
{
    return cpu < 0;
}
void HPMfinalize(void) {}
int power_init(int cpu)
{
    return cpu < 0;
}
void power_finalize(void) {}
double power_getEnergyUnit(int domain)
{
    return domain < 0 ? 0 : 1 / 16384.0;
}

int power_read(int cpu, uint64_t reg, uint32_t *data)
{
    struct timespec t;
    (void)cpu;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    if (mode("refuse"))
        return -5;
    uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000; /* moves once a millisecond */
    *data = mode("still") || (mode("nodram") && reg == 0x619) ? 7 : (uint32_t)(ms * 16384 / 10);
    return 0;
}

/* ---- counters ---------------------------------------------------------------------------------------------------- */

static int runs, cpus, events;

int numa_init(void)
{
    return 0;
}
void affinity_init(void) {}

int perfmon_init(int n, const int *list)
{
    (void)list;
    fprintf(stderr, "NOISE\n");
    cpus = n;
    if (mode("exit"))
        exit(1);
    return mode("no-msr") ? -13 : 0;
}

void perfmon_finalize(void)
{
    cpus = 0;
}

int perfmon_addEventSet(const char *list)
{
    for (events = 1; *list; list++)
        events += *list == ',';
    return mode("no-event") ? -22 : 0;
}

int perfmon_setupCounters(int group)
{
    return group;
}

int perfmon_startCounters(void)
{
    runs++;
    return 0;
}

int perfmon_stopCounters(void)
{
    return 0;
}

double perfmon_getLastResult(int group, int event, int cpu)
{
    if (mode("stuck") || group || cpu >= cpus || event >= events)
        return 0;
    if (mode("nan") && event == 1)
        return NAN;
    return cpu == 0 ? 100.0 * (event + 1) + runs : 0;
}

/* ---- markers ----------------------------------------------------------------------------------------------------- */

static FILE *notes;
static int depth;

static void note(const char *what, const char *region)
{
    const char *path = getenv("JOULERX_STUB_LOG");
    notes = notes || !path ? notes : fopen(path, "a");
    if (notes)
        fprintf(notes, "%s %s\n", what, region);
    if (notes)
        fflush(notes);
}

void likwid_markerInit(void)
{
    note("init", "");
}

void likwid_markerThreadInit(void)
{
    note("thread", "");
}

int likwid_markerStartRegion(const char *region)
{
    depth++;
    note("start", region);
    return 0;
}

int likwid_markerStopRegion(const char *region)
{
    depth--;
    note("stop", region);
    return 0;
}

void likwid_markerClose(void)
{
    note("close", depth ? "open" : "");
    if (notes)
        fclose(notes);
    notes = NULL;
}
