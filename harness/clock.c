/* Clocks: thin over clock_gettime(), so that every time stamp of the project comes from here. */
#include "harness/clock.h"
#include <math.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static uint64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t jrx_clock_ns(void)
{
    return now_ns(CLOCK_MONOTONIC_RAW);
}

uint64_t jrx_clock_thread_ns(void)
{
    return now_ns(CLOCK_THREAD_CPUTIME_ID);
}

static uint64_t timeval_ns(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_usec * 1000u;
}

uint64_t jrx_clock_process_ns(void)
{
    struct rusage children;
    uint64_t own = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (getrusage(RUSAGE_CHILDREN, &children))
        return own;
    return own + timeval_ns(children.ru_utime) + timeval_ns(children.ru_stime);
}

void jrx_clock_sleep_until(uint64_t until_ns)
{
    uint64_t now = jrx_clock_ns();
    if (now >= until_ns)
        return;
    uint64_t left = until_ns - now;
    struct timespec t = {.tv_sec = (time_t)(left / 1000000000u), .tv_nsec = (long)(left % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void jrx_clock_calibrate(struct jrx_clock_cost *cost)
{
    enum { ROUNDS = 101, CALLS = 100 };
    double each[ROUNDS];
    cost->resolution_ns = INFINITY;
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t start = jrx_clock_ns(), last = start;
        for (int i = 0; i < CALLS; i++) {
            uint64_t t = jrx_clock_ns();
            if (t > last && (double)(t - last) < cost->resolution_ns)
                cost->resolution_ns = (double)(t - last);
            last = t;
        }
        each[r] = (double)(last - start) / CALLS;
    }
    qsort(each, ROUNDS, sizeof *each, ascending);
    cost->read_ns = each[ROUNDS / 2];
}
