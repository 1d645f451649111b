/*
 * The sampling of bench_kernels: runners in turn, round after round, on a machine that others may use too.
 */
#ifndef TESTS_BENCH_ROUNDS_H
#define TESTS_BENCH_ROUNDS_H
#include "tests/bench/bench_report.h"

enum { BENCH_MIN_ROUNDS = 5 };

/** Seconds of a clock that nobody sets. */
double bench_now_s(void);

/** Makes a runner of `peer`: trial calls, how many calls make a sample, how many samples of at most `rounds` to take
 * (fewer of long ones, at least BENCH_MIN_ROUNDS). */
void bench_try(struct bench_runner *runner, struct bench_peer peer, int rounds);

/** Whether a runner took ten times as long in its trial as one of the case of the same role: a format that a library
 * only tolerates. */
int bench_hopeless(const struct bench_case *c, const struct bench_runner *runner);

/** Releases the hopeless ones. */
void bench_drop_hopeless(struct bench_case *c);

/**
 * All runners' samples, and their summaries. A sample during which the kernel gave one of our processors to somebody
 * else is taken again, up to four times unless it is long (50 ms). After BENCH_MIN_ROUNDS a peer far from its role's
 * best is left alone. Where the peak, ours or the best peer still wavered the whole is done once more, and c->disturbed
 * says if that was in vain.
 */
void bench_rounds(struct bench_case *c);

#endif
