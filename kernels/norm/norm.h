/*
 * What forward and backward of the batch norm share: where its operands lie and the value before ReLU, which both must
 * make alike to the bit. Constants of a struct kn_pass: a = mean, b = w / deviation, c = bias.
 */
#ifndef KERNELS_NORM_NORM_H
#define KERNELS_NORM_NORM_H
#include "kernels/stream.h"
#include <math.h>

static inline float *norm_mean(const struct kn_args *a, int block)
{
    return a->moments + block * KN_LANES;
}
static inline float *norm_variance(const struct kn_args *a, int block)
{
    return a->moments + (kn_blocks(a->shape->ic) + block) * KN_LANES;
}

static inline float norm_invstd(float variance)
{
    return (float)(1 / sqrt(variance + KN_NORM_EPSILON));
}

/* Loads w of the block, which the caller may want too, and its bias. */
KN_INLINE struct kn_pass norm_pass(const struct kn_args *a, int block, const float mean[KN_LANES],
                                   const float variance[KN_LANES], float w[KN_LANES])
{
    float factor[KN_LANES];
    kn_take(a->trace, KN_WEIGHT, a->w + block * KN_LANES, w);
    for (int k = 0; k < KN_LANES; k++)
        factor[k] = w[k] * norm_invstd(variance[k]);
    return (struct kn_pass){.a = kn_spread_of(mean),
                            .b = kn_spread_of(factor),
                            .c = kn_spread_ld(a->trace, KN_BIAS, a->bias + block * KN_LANES),
                            .trace = a->trace};
}

/* Subtracting first keeps the digits of x when the mean is large. */
KN_INLINE kn_vec norm_centred(const struct kn_pass *pass, size_t at, int j)
{
    return kn_sub(kn_ld(pass->trace, KN_IN, pass->x + at), pass->a.v[j]);
}

KN_INLINE kn_vec norm_z(const struct kn_pass *pass, kn_vec centred, int j)
{
    return kn_fma(centred, pass->b.v[j], pass->c.v[j]);
}

#endif
