/*
 * AdamW (Loshchilov, Hutter, ICLR 2019) and the learning-rate schedule of DeepRx.
 */
#ifndef MODELS_NN_OPTIMISER_H
#define MODELS_NN_OPTIMISER_H
#include <stddef.h>
#include <stdint.h>

struct nn_adamw {
    double beta1, beta2, epsilon;
    double decay; /* weight decay, decoupled: w -= rate * decay * w */
};

/** beta 0.9 and 0.999, epsilon 1e-8, decay 1e-4. */
struct nn_adamw nn_adamw_default(void);

/**
 * One step over a flat block; step counts from 1.
 *     g = scale * sum of the blocks, in their order;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
 *     w = w - rate ((m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + epsilon) + decay w)     decay: first `decayed`
 * only
 *
 * w, m, v   [count] updated
 * gradient  [blocks] of [count]: one of each micro-batch
 * The result does not depend on `threads`.
 */
void nn_adamw_step(const struct nn_adamw *adamw, int64_t step, double rate, float *w, float *m, float *v, size_t count,
                   size_t decayed, float *const *gradient, int blocks, double scale, int threads);

struct nn_schedule {
    double rate;    /* the plateau */
    int64_t warmup; /* steps of linear rise: step 1 has rate / warmup */
    int64_t hold;   /* from here on linear fall, to 0 one step after the last */
    int64_t steps;
};

/** The rate of step 1..steps; hold is at least warmup. Pure. */
double nn_rate(const struct nn_schedule *schedule, int64_t step);

#endif
