/* Marker regions: see the header. */
#include "harness/markers.h"
#include "harness/likwid.h"
#include <stdlib.h>

static const struct jrx_likwid_symbol wanted[] = {
    {"likwid_markerInit", offsetof(struct jrx_markers, init)},
    {"likwid_markerThreadInit", offsetof(struct jrx_markers, thread_init)},
    {"likwid_markerStartRegion", offsetof(struct jrx_markers, start)},
    {"likwid_markerStopRegion", offsetof(struct jrx_markers, stop)},
    {"likwid_markerClose", offsetof(struct jrx_markers, close)},
};

int jrx_markers_open(struct jrx_markers *m, unsigned threads)
{
    *m = (struct jrx_markers){.threads = threads ? threads : 1};
    if (!getenv("LIKWID_MODE"))
        return 0;
    int rc = jrx_likwid_load(&m->library, "likwid markers", wanted, sizeof wanted / sizeof *wanted, m);
    if (rc)
        return rc;
    m->init();
#pragma omp parallel num_threads(m->threads) if (m->threads > 1)
    m->thread_init();
    return 0;
}

void jrx_marker_start(struct jrx_markers *m, const char *region)
{
    if (m->library)
#pragma omp parallel num_threads(m->threads) if (m->threads > 1)
        m->start(region);
}

void jrx_marker_stop(struct jrx_markers *m, const char *region)
{
    if (m->library)
#pragma omp parallel num_threads(m->threads) if (m->threads > 1)
        m->stop(region);
}

void jrx_markers_close(struct jrx_markers *m)
{
    if (m->library)
        m->close();
    jrx_likwid_unload(m->library);
    *m = (struct jrx_markers){0};
}
