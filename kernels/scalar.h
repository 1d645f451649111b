/*
 * For the reference kernels: where a logical element lies, and one float at a time, traced.
 */
#ifndef KERNELS_SCALAR_H
#define KERNELS_SCALAR_H
#include "kernels/shape.h"
#include "kernels/trace.h"

/** Index of slot n, channel c, subcarrier f, symbol t in a blocked tensor of that many channels. */
static inline size_t kn_at(const struct kn_shape *s, int channels, int n, int c, int f, int t)
{
    size_t block = (size_t)n * (size_t)kn_blocks(channels) + (size_t)(c / KN_LANES);
    size_t pixel = (block * (size_t)s->f + (size_t)f) * (size_t)s->t + (size_t)t;
    return pixel * KN_LANES + (size_t)(c % KN_LANES);
}

/** Index of the weight from input channel i to output channel o at tap k; `taps` is 1 (pointwise) or 9 (conv3x3). */
static inline size_t kn_w_at(const struct kn_shape *s, int taps, int o, int i, int k)
{
    size_t row = ((size_t)(o / KN_LANES) * (size_t)taps + (size_t)k) * (size_t)kn_blocks(s->ic) * KN_LANES + (size_t)i;
    return row * KN_LANES + (size_t)(o % KN_LANES);
}

/** Index of the depthwise weight of output channel o at tap k. */
static inline size_t kn_dw_at(int o, int k)
{
    return ((size_t)(o / KN_LANES) * KN_TAPS + (size_t)k) * KN_LANES + (size_t)(o % KN_LANES);
}

static inline double kn_get(struct kn_trace *trace, enum kn_operand operand, const float *p)
{
    kn_touch(trace, operand, p, sizeof *p, 0);
    return *p;
}

static inline void kn_put(struct kn_trace *trace, enum kn_operand operand, float *p, double v)
{
    kn_touch(trace, operand, p, sizeof *p, 1);
    *p = (float)v;
}

/** Whether a position is on the grid. */
static inline int kn_on_grid(const struct kn_shape *s, int f, int t)
{
    return f >= 0 && f < s->f && t >= 0 && t < s->t;
}

/** Channels c, rounded up to whole blocks: how many a loop over lanes visits, padding included. */
static inline int kn_lanes(int c)
{
    return kn_blocks(c) * KN_LANES;
}

#endif
