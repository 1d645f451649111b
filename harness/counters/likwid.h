/*
 * liblikwid, loaded at run time and never linked: it is GPL, and most machines lack it. Its success codes are not
 * believed (it says 0 where nothing can be read); only a reading that moves is.
 */
#ifndef HARNESS_COUNTERS_LIKWID_H
#define HARNESS_COUNTERS_LIKWID_H

/* What we call of it; prototypes as documented for likwid 5. */
struct jrx_likwid {
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
    void (*markerInit)(void);
    void (*markerThreadInit)(void);
    int (*markerStartRegion)(const char *name);
    int (*markerStopRegion)(const char *name);
    void (*markerClose)(void);
};

/** $JOULERX_LIKWID if set, else liblikwid.so.5 or liblikwid.so. 0 or JRX_EUNAVAILABLE with reason and remedy. */
int jrx_likwid_load(struct jrx_likwid *likwid);
void jrx_likwid_unload(struct jrx_likwid *likwid); /* also on a zeroed struct */

/* ---- marker regions: `likwid-perfctr -m -g MEM_SP ./joulerx ...` then counts each measured region by name ---- */

struct jrx_markers {
    struct jrx_likwid likwid; /* library is NULL where no likwid-perfctr -m runs us: then all below does nothing */
    unsigned threads;
};

/** Looks whether likwid-perfctr -m started the program ($LIKWID_MODE), and if so begins. threads: OpenMP threads of the
 * regions, 0 = 1. 0; JRX_EUNAVAILABLE if it did and the library cannot be had. */
int jrx_markers_open(struct jrx_markers *markers, unsigned threads);
/** Around a region, outside the timed window: about a microsecond a thread, system calls under the access daemon. */
void jrx_marker_start(struct jrx_markers *markers, const char *region);
void jrx_marker_stop(struct jrx_markers *markers, const char *region);
void jrx_markers_close(struct jrx_markers *markers); /* writes the counts for likwid-perfctr; also on a zeroed struct */

#endif
