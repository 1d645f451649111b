/*
 * Bandwidth of one thread at every level of the hierarchy, for `make roofline`: an array of half a cache read and
 * copied over and over (kernels/probe.h), the best of several rounds. CSV on stdout.
 */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/cachesim.h"
#include "harness/clock.h"
#include "kernels/probe.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 15, STEP = 256 };
static const double round_s = 0.02;

/* Seconds of one pass over from[count], read, or copied to `to` if that is given. */
static double pass_s(const float *from, float *to, size_t count)
{
    double best = 0, bytes = (double)count * sizeof *from;
    long passes = (long)(round_s * 20e9 / bytes) + 1;
    volatile float kept = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = jrx_clock_ns();
        for (long k = 0; k < passes; k++)
            if (to)
                kn_probe_copy(from, to, count);
            else
                kept = kn_probe_read(from, count);
        double s = 1e-9 * (double)(jrx_clock_ns() - start) / (double)passes;
        best = round && best < s ? best : s;
    }
    (void)kept;
    return best;
}

/* A row: `bytes` read, and half of them copied to the other half. */
static int level(const char *name, uint64_t bytes)
{
    size_t count = (size_t)bytes / sizeof(float) / (2 * STEP) * (2 * STEP);
    float *array = jrx_alloc(count * sizeof *array);
    if (!array)
        return JRX_ENOMEM;
    for (size_t i = 0; i < count; i++)
        array[i] = 1; /* pages of its own, not the system's one of zeros */
    double read_s = pass_s(array, NULL, count), copy_s = pass_s(array, array + count / 2, count / 2);
    printf("%s,%zu,%.6g,%.6g\n", name, count * sizeof *array, (double)(count * sizeof *array) / read_s,
           (double)(count * sizeof *array) / copy_s);
    free(array);
    return 0;
}

int main(void)
{
    static const char *const names[] = {"L1", "L2", "L3", "L4"};
    struct jrx_cache_geometry caches;
    int status = jrx_cache_geometry_read(&caches);
    puts("level,array_bytes,read_bytes_per_s,copy_bytes_per_s");
    for (unsigned k = 0; k < caches.levels && !status; k++)
        status = level(names[k], caches.level[k].bytes / 2);
    if (!status)
        status = level("memory", 8 * caches.level[caches.levels - 1].bytes);
    if (status)
        fprintf(stderr, "%s\n", jrx_last_error());
    return status ? 1 : 0;
}
