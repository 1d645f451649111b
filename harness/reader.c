/* The thread behind long windows: see the header. */
#include "harness/reader.h"
#include "harness/base/error.h"
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct jrx_reader {
    struct jrx_meter *meter;
    double period_s;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below, and the meter while following */
    pthread_cond_t leave;
    struct jrx_tally *tally; /* NULL: nothing to follow */
    bool leaving;
};

/* The kernel reads a register on a CPU of its package; from elsewhere it would have to interrupt that CPU. */
static void move_to(int cpu)
{
    cpu_set_t set;
    if (cpu < 0)
        return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void look(struct jrx_reader *reader)
{
    int cpu = -1;
    for (size_t d = 0; d < reader->meter->domains; d++) {
        const struct jrx_domain *domain = &reader->meter->domain[d];
        struct jrx_tally *tally = &reader->tally[d];
        struct jrx_reading reading;
        if (tally->status)
            continue;
        if (domain->cpu != cpu)
            move_to(cpu = domain->cpu);
        if ((tally->status = jrx_meter_read(reader->meter, d, &reading)))
            continue;
        jrx_tally_add(tally, &domain->counter, reading.count, reading.before_ns);
    }
}

static void *run(void *arg)
{
    struct jrx_reader *reader = arg;
    pthread_mutex_lock(&reader->lock);
    while (!reader->leaving) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        double at = (double)until.tv_nsec * 1e-9 + reader->period_s;
        until.tv_sec += (time_t)at;
        until.tv_nsec = (long)((at - floor(at)) * 1e9);
        if (!pthread_cond_timedwait(&reader->leave, &reader->lock, &until))
            continue;
        if (reader->tally)
            look(reader);
    }
    pthread_mutex_unlock(&reader->lock);
    return NULL;
}

int jrx_reader_open(struct jrx_reader **out, struct jrx_meter *meter)
{
    double period_s = INFINITY;
    *out = NULL;
    for (size_t d = 0; d < meter->domains; d++)
        if (isfinite(jrx_counter_gap_s(&meter->domain[d].counter)))
            period_s = fmin(period_s, jrx_counter_period_s(&meter->domain[d].counter));
    if (isinf(period_s))
        return 0;
    struct jrx_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return jrx_fail(JRX_ENOMEM, "no memory for the reader thread");
    reader->meter = meter;
    reader->period_s = period_s;
    pthread_mutex_init(&reader->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&reader->leave, &monotonic);
    pthread_condattr_destroy(&monotonic);
    int error = pthread_create(&reader->thread, NULL, run, reader);
    if (error) {
        pthread_cond_destroy(&reader->leave);
        pthread_mutex_destroy(&reader->lock);
        free(reader);
        return jrx_fail(JRX_ENOMEM, "no thread to follow the counters: %s", strerror(error));
    }
    *out = reader;
    return 0;
}

void jrx_reader_close(struct jrx_reader *reader)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->leaving = true;
    pthread_cond_signal(&reader->leave);
    pthread_mutex_unlock(&reader->lock);
    pthread_join(reader->thread, NULL);
    pthread_cond_destroy(&reader->leave);
    pthread_mutex_destroy(&reader->lock);
    free(reader);
}

void jrx_reader_follow(struct jrx_reader *reader, struct jrx_tally *tally)
{
    if (!reader)
        return;
    pthread_mutex_lock(&reader->lock);
    reader->tally = tally;
    pthread_mutex_unlock(&reader->lock);
}

void jrx_reader_release(struct jrx_reader *reader)
{
    jrx_reader_follow(reader, NULL);
}
