/* What forward and backward of relu share. Constants of a struct kn_pass: b = w, c = bias. */
#ifndef KERNELS_RELU_RELU_H
#define KERNELS_RELU_RELU_H
#include "kernels/stream.h"

KN_INLINE struct kn_pass relu_pass(const struct kn_args *a, int n, int block)
{
    const size_t at = kn_block_at(a->shape, n, block);
    return (struct kn_pass){.b = kn_spread_ld(a->trace, KN_WEIGHT, a->w + block * KN_LANES),
                            .c = kn_spread_ld(a->trace, KN_BIAS, a->bias + block * KN_LANES),
                            .trace = a->trace,
                            .x = a->x + at,
                            .dy = a->dy ? a->dy + at : NULL};
}

KN_INLINE kn_vec relu_z(const struct kn_pass *pass, kn_vec x, int j)
{
    return kn_fma(x, pass->b.v[j], pass->c.v[j]);
}

#endif
