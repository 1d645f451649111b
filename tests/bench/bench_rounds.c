#include "tests/bench/bench_rounds.h"
#include <sys/resource.h>
#include <time.h>

enum { RETAKES = 4, TRIES = 2, HOPELESS = 10 /* times the best of the same role */ };

static const double sample_s = 2e-3;  /* short enough that most are not interrupted */
static const double retake_s = 50e-3; /* longer samples are always interrupted: one take is all */
static const double share_s = 0.3;    /* of a runner in all, unless BENCH_MIN_ROUNDS take longer */

double bench_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* How often a thread of ours had to give its processor away. */
static long evictions(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) ? 0 : usage.ru_nivcsw;
}

static double sample(struct bench_runner *r)
{
    double least = 0;
    for (int take = 0; take <= RETAKES; take++) {
        long before = evictions();
        double begin = bench_now_s();
        for (int i = 0; i < r->calls; i++)
            r->peer.call(r->peer.state);
        double s = (bench_now_s() - begin) / r->calls;
        if (evictions() == before)
            return s;
        least = take && least < s ? least : s;
        if (bench_now_s() - begin > retake_s)
            break;
    }
    return least;
}

void bench_try(struct bench_runner *runner, struct bench_peer peer, int rounds)
{
    *runner = (struct bench_runner){.peer = peer, .calls = 1};
    double once = sample(runner);
    if (once < retake_s) /* the first call also touches memory for the first time */
        once = sample(runner);
    runner->s[0] = once;
    runner->calls = once > sample_s ? 1 : (int)(sample_s / once) + 1;
    double affordable = share_s / (once * runner->calls);
    runner->wanted = affordable > rounds ? rounds : affordable < BENCH_MIN_ROUNDS ? BENCH_MIN_ROUNDS : (int)affordable;
}

int bench_hopeless(const struct bench_case *c, const struct bench_runner *runner)
{
    for (int i = 0; i < c->count; i++)
        if (c->runner[i].peer.role == runner->peer.role && runner->s[0] > HOPELESS * c->runner[i].s[0])
            return 1;
    return 0;
}

void bench_drop_hopeless(struct bench_case *c)
{
    int kept = 0;
    for (int i = 0; i < c->count; i++) {
        if (bench_hopeless(c, &c->runner[i]))
            c->runner[i].peer.release(c->runner[i].peer.state);
        else
            c->runner[kept++] = c->runner[i];
    }
    c->count = kept;
}

static void summarize(struct bench_case *c)
{
    for (int i = 0; i < c->count; i++)
        jrx_summarize(c->runner[i].s, (size_t)c->runner[i].taken, &c->runner[i].summary);
}

/* Peers whose fastest sample is a third above the median of their role's best will not become the best. */
static void leave_behind(struct bench_case *c)
{
    summarize(c);
    for (int i = 0; i < c->count; i++)
        for (int k = 0; k < c->count; k++) {
            struct bench_runner *r = &c->runner[i];
            const struct bench_runner *other = &c->runner[k];
            if (r->peer.role == other->peer.role && r->summary.min > 1.33 * other->summary.median)
                r->wanted = r->taken;
        }
}

/* Whether somebody else was felt by what the figures are made of. */
static int disturbed(const struct bench_case *c)
{
    const enum bench_role roles[] = {BENCH_PEAK, BENCH_OURS, BENCH_PEER};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const struct bench_runner *best = bench_best(c, roles[i]);
        if (best && best->summary.q75 > 1.25 * best->summary.min)
            return 1;
    }
    return 0;
}

void bench_rounds(struct bench_case *c)
{
    c->disturbed = 1;
    for (int try = 0; try < TRIES && c->disturbed; try++) {
        for (int i = 0; i < c->count; i++)
            c->runner[i].taken = 0;
        for (int round = 0; round < c->rounds; round++) {
            for (int i = 0; i < c->count; i++) {
                struct bench_runner *r = &c->runner[(i + round) % c->count];
                if (r->taken < r->wanted)
                    r->s[r->taken++] = sample(r);
            }
            if (round + 1 == BENCH_MIN_ROUNDS)
                leave_behind(c);
        }
        summarize(c);
        c->disturbed = disturbed(c);
    }
}
