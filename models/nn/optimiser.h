/*
 * AdamW (Loshchilov, Hutter, ICLR 2019), LAMB (You et al., ICLR 2020), what goes around them, and the learning-rate
 * schedule of DeepRx. No result depends on `threads`.
 */
#ifndef MODELS_NN_OPTIMISER_H
#define MODELS_NN_OPTIMISER_H
#include "models/nn/net.h"

enum nn_optimiser { NN_ADAMW, NN_LAMB };

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
 */
void nn_adamw_step(const struct nn_adamw *adamw, int64_t step, double rate, float *w, float *m, float *v, size_t count,
                   size_t decayed, float *const *gradient, int blocks, double scale, int threads);

/**
 * One step of LAMB over the parameters of a network, tensor by tensor:
 *     u = (m / (1 - b1^step)) / (sqrt(v / (1 - b2^step)) + epsilon) + decay w      (decay: convolution weights only)
 *     w = w - rate r u,    r = |w| / |u|, or 1 where either is 0
 * `update` is scratch of net->parameter_floats. gradient is one block, multiplied by `scale`.
 */
void nn_lamb_step(const struct nn_adamw *lamb, const struct nn_net *net, int64_t step, double rate, float *w, float *m,
                  float *v, const float *gradient, float *update, double scale, int threads);

/** gradient[0] = scale * sum of the blocks, in their order; returns its Euclidean norm. */
double nn_gradient_merge(float *const *gradient, int blocks, size_t count, double scale, int threads);

/**
 * Exponential moving average after step `step`, from 1: average += (1 - b) (w - average), where b = decay, but not more
 * than (1 + step) / (10 + step), so that the start is soon forgotten.
 */
void nn_average(double decay, int64_t step, const float *w, float *average, size_t count);

struct nn_schedule {
    double rate;    /* the plateau */
    int64_t warmup; /* steps of linear rise: step 1 has rate / warmup */
    int64_t hold;   /* from here on linear fall, to 0 one step after the last */
    int64_t steps;
};

/** The rate of step 1..steps; hold is at least warmup. Pure. */
double nn_rate(const struct nn_schedule *schedule, int64_t step);

#endif
