/*
 * Depthwise with a multiplier above 2, which no published receiver has: one float at a time, correct and not fast.
 */
#ifndef KERNELS_DEPTHWISE_SCALAR_H
#define KERNELS_DEPTHWISE_SCALAR_H
#include "kernels/kernel.h"
#include "kernels/scalar.h"

/* What a task covers: slot n, unit u (a block of y; of dx for backward-data), rows f0 .. f1-1, symbols t0 .. t1-1. */
struct dw_span {
    int n, u, f0, f1, t0, t1;
};

static inline float dw_get(struct kn_trace *trace, enum kn_operand operand, const float *p)
{
    return (float)kn_get(trace, operand, p);
}

/* The sum over taps of output channel o at (f, t); sign is 1 forward, -1 backward, where taps reach the other way. */
static inline float dw_scalar_taps(const struct kn_args *a, enum kn_operand operand, const float *in, int channels,
                                   int c, int o, int n, int f, int t, int sign)
{
    const struct kn_shape *s = a->shape;
    float sum = 0;
    for (int k = 0; k < KN_TAPS; k++) {
        int from_f = f + sign * s->dil_f * (k / 3 - 1), from_t = t + sign * s->dil_t * (k % 3 - 1);
        if (kn_on_grid(s, from_f, from_t))
            sum += dw_get(a->trace, operand, &in[kn_at(s, channels, n, c, from_f, from_t)]) *
                   dw_get(a->trace, KN_WEIGHT, &a->w[kn_dw_at(o, k)]);
    }
    return sum;
}

static inline void dw_scalar_fwd(const struct kn_args *a, const struct dw_span *span)
{
    const struct kn_shape *s = a->shape;
    int multiplier = s->oc / s->ic;
    for (int f = span->f0; f < span->f1; f++)
        for (int t = span->t0; t < span->t1; t++)
            for (int o = span->u * KN_LANES; o < (span->u + 1) * KN_LANES; o++) {
                float sum = 0;
                if (o < s->oc)
                    sum = (a->bias ? dw_get(a->trace, KN_BIAS, &a->bias[o]) : 0) +
                          dw_scalar_taps(a, KN_IN, a->x, s->ic, o / multiplier, o, span->n, f, t, 1);
                kn_put(a->trace, KN_OUT, &a->y[kn_at(s, s->oc, span->n, o, f, t)], sum);
            }
}

static inline void dw_scalar_bwd_data(const struct kn_args *a, const struct dw_span *span)
{
    const struct kn_shape *s = a->shape;
    int multiplier = s->oc / s->ic;
    for (int f = span->f0; f < span->f1; f++)
        for (int t = span->t0; t < span->t1; t++)
            for (int i = span->u * KN_LANES; i < (span->u + 1) * KN_LANES; i++) {
                float sum = 0;
                for (int o = i * multiplier; i < s->ic && o < (i + 1) * multiplier; o++)
                    sum += dw_scalar_taps(a, KN_OUT, a->dy, s->oc, o, o, span->n, f, t, -1);
                kn_put(a->trace, KN_IN, &a->dx[kn_at(s, s->ic, span->n, i, f, t)], sum);
            }
}

/* Adds the span's share to sums[10][16]: nine taps and the bias. */
static inline void dw_scalar_bwd_weights(const struct kn_args *a, const struct dw_span *span, float *sums)
{
    const struct kn_shape *s = a->shape;
    int multiplier = s->oc / s->ic;
    for (int o = span->u * KN_LANES; o < (span->u + 1) * KN_LANES && o < s->oc; o++)
        for (int k = 0; k <= KN_TAPS; k++) {
            int off_f = s->dil_f * (k / 3 - 1), off_t = s->dil_t * (k % 3 - 1);
            float sum = 0;
            for (int f = span->f0; f < span->f1; f++)
                for (int t = span->t0; t < span->t1; t++) {
                    const float *dy = &a->dy[kn_at(s, s->oc, span->n, o, f, t)];
                    if (k == KN_TAPS)
                        sum += dw_get(a->trace, KN_OUT, dy);
                    else if (kn_on_grid(s, f + off_f, t + off_t))
                        sum += dw_get(a->trace, KN_OUT, dy) *
                               dw_get(a->trace, KN_IN,
                                      &a->x[kn_at(s, s->ic, span->n, o / multiplier, f + off_f, t + off_t)]);
                }
            float *total = &sums[k * KN_LANES + o % KN_LANES];
            kn_put(a->trace, KN_WORKSPACE, total, dw_get(a->trace, KN_WORKSPACE, total) + sum);
        }
}

#endif
