/*
 * Loading liblikwid, and its marker regions. Counting directly is counter_likwid.c.
 */
#include "harness/counters/likwid.h"
#include "harness/base/error.h"
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"topology_init", offsetof(struct jrx_likwid, topology_init)},
    {"topology_finalize", offsetof(struct jrx_likwid, topology_finalize)},
    {"numa_init", offsetof(struct jrx_likwid, numa_init)},
    {"affinity_init", offsetof(struct jrx_likwid, affinity_init)},
    {"perfmon_init", offsetof(struct jrx_likwid, perfmon_init)},
    {"perfmon_finalize", offsetof(struct jrx_likwid, perfmon_finalize)},
    {"perfmon_addEventSet", offsetof(struct jrx_likwid, perfmon_addEventSet)},
    {"perfmon_setupCounters", offsetof(struct jrx_likwid, perfmon_setupCounters)},
    {"perfmon_startCounters", offsetof(struct jrx_likwid, perfmon_startCounters)},
    {"perfmon_stopCounters", offsetof(struct jrx_likwid, perfmon_stopCounters)},
    {"perfmon_getLastResult", offsetof(struct jrx_likwid, perfmon_getLastResult)},
    {"likwid_markerInit", offsetof(struct jrx_likwid, markerInit)},
    {"likwid_markerThreadInit", offsetof(struct jrx_likwid, markerThreadInit)},
    {"likwid_markerStartRegion", offsetof(struct jrx_likwid, markerStartRegion)},
    {"likwid_markerStopRegion", offsetof(struct jrx_likwid, markerStopRegion)},
    {"likwid_markerClose", offsetof(struct jrx_likwid, markerClose)},
};

int jrx_likwid_load(struct jrx_likwid *likwid)
{
    const char *given = getenv("JOULERX_LIKWID");
    *likwid = (struct jrx_likwid){0};
    likwid->library = dlopen(given ? given : "liblikwid.so.5", RTLD_NOW | RTLD_LOCAL);
    if (!likwid->library && !given)
        likwid->library = dlopen("liblikwid.so", RTLD_NOW | RTLD_LOCAL);
    if (!likwid->library)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "counters likwid: %.200s; install it (apt install likwid), or name the library in "
                        "JOULERX_LIKWID",
                        dlerror());
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        void *symbol = dlsym(likwid->library, symbols[i].name);
        if (!symbol) {
            jrx_likwid_unload(likwid);
            return jrx_fail(JRX_EUNAVAILABLE, "counters likwid: the library has no %s; use likwid 5", symbols[i].name);
        }
        memcpy((char *)likwid + symbols[i].offset, &symbol, sizeof symbol);
    }
    return 0;
}

void jrx_likwid_unload(struct jrx_likwid *likwid)
{
    if (likwid->library)
        dlclose(likwid->library);
    *likwid = (struct jrx_likwid){0};
}

/* ---- marker regions ------------------------------------------------------------------------------ */

int jrx_markers_open(struct jrx_markers *m, unsigned threads)
{
    *m = (struct jrx_markers){.threads = threads ? threads : 1};
    if (!getenv("LIKWID_MODE"))
        return 0;
    int rc = jrx_likwid_load(&m->likwid);
    if (rc)
        return rc;
    m->likwid.markerInit();
#pragma omp parallel num_threads(m->threads) if (m->threads > 1)
    m->likwid.markerThreadInit();
    return 0;
}

void jrx_marker_start(struct jrx_markers *m, const char *region)
{
    if (m->likwid.library)
#pragma omp parallel num_threads(m->threads) if (m->threads > 1)
        m->likwid.markerStartRegion(region);
}

void jrx_marker_stop(struct jrx_markers *m, const char *region)
{
    if (m->likwid.library)
#pragma omp parallel num_threads(m->threads) if (m->threads > 1)
        m->likwid.markerStopRegion(region);
}

void jrx_markers_close(struct jrx_markers *m)
{
    if (m->likwid.library)
        m->likwid.markerClose();
    jrx_likwid_unload(&m->likwid);
    m->threads = 0;
}
