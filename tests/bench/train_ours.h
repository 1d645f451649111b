/*
 * Our side of the training benchmark: a network with made data, bound to a batch and a grid, and what is timed of it.
 */
#ifndef TESTS_BENCH_TRAIN_OURS_H
#define TESTS_BENCH_TRAIN_OURS_H
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"
#include <time.h>

enum { OURS_T = 14, OURS_LOGITS = 4, OURS_SLOTS = 8 /* at most */ };

struct ours {
    struct nn_net net;
    struct nn_context context;
    float *parameters, *statistics, *gradient, *m, *v;
    float *input, *label_dense; /* [n][c][f][t], for the peer */
    float *blocked;             /* the input in our layout */
    size_t blocked_floats;
    uint8_t *label;
    int64_t step;
    double value; /* loss a bit of the last step, or mean output */
};

/** DeepRx of a width. 0 or a negative code; end it with ours_fini() either way. */
int ours_init(struct ours *o, enum nn_mode mode, double width, int n, int f, int threads);
void ours_fini(struct ours *o);
/** The same in bf16 from here on. 0 or a negative code: a CPU that has none. */
int ours_round(struct ours *o);
/** One step: input, forward, loss, backward, AdamW. */
void ours_train(struct ours *o);
/** One pass: input, forward, mean of the output. */
void ours_infer(struct ours *o);

static inline double ours_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_RAW, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
