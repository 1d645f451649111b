/*
 * LIKWID's marker regions: `likwid-perfctr -m -g MEM_SP ./joulerx run ...` then counts each measured region by name.
 */
#ifndef HARNESS_MARKERS_H
#define HARNESS_MARKERS_H

struct jrx_markers {
    void *library; /* NULL where no likwid-perfctr -m runs us: then all below does nothing */
    unsigned threads;
    void (*init)(void);
    void (*thread_init)(void);
    int (*start)(const char *region);
    int (*stop)(const char *region);
    void (*close)(void);
};

/** Looks whether likwid-perfctr -m started the program ($LIKWID_MODE), and if so begins. threads: OpenMP threads of the
 * regions, 0 = 1. 0; JRX_EUNAVAILABLE if it did and the library cannot be had. */
int jrx_markers_open(struct jrx_markers *markers, unsigned threads);
/** Around a region, outside the timed window: about a microsecond a thread, system calls under the access daemon. */
void jrx_marker_start(struct jrx_markers *markers, const char *region);
void jrx_marker_stop(struct jrx_markers *markers, const char *region);
void jrx_markers_close(struct jrx_markers *markers); /* writes the counts for likwid-perfctr; also on a zeroed struct */

#endif
