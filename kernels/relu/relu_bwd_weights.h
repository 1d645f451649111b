/* dw += sum of dz * x, db += sum of dz over n, f, t; dz = dy where w * x + bias is above 0, else 0. */
#ifndef KERNELS_RELU_BWD_WEIGHTS_H
#define KERNELS_RELU_BWD_WEIGHTS_H
#include "kernels/relu/relu.h"

KN_INLINE void step_reduce(struct kn_pass *pass, size_t at, int j)
{
    kn_vec x = kn_ld(pass->trace, KN_IN, pass->x + at);
    kn_vec dz = kn_where_positive(relu_z(pass, x, j), kn_ld(pass->trace, KN_OUT, pass->dy + at));
    pass->sum[0].v[j] = kn_add(pass->sum[0].v[j], dz);
    pass->sum[1].v[j] = kn_fma(dz, x, pass->sum[1].v[j]);
}

static void reduce_block(const struct kn_args *a, int block)
{
    struct kn_pass pass = relu_pass(a, 0, block);
    double sum[2][KN_LANES];
    float dw[KN_LANES], db[KN_LANES];
    kn_reduce(a, block, &pass, step_reduce, sum);
    for (int k = 0; k < KN_LANES; k++) {
        db[k] = (float)sum[0][k];
        dw[k] = (float)sum[1][k];
    }
    kn_give_more(a->trace, KN_WEIGHT, dw, a->dw + block * KN_LANES);
    kn_give_more(a->trace, KN_BIAS, db, a->db + block * KN_LANES);
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads) if (a->threads > 1) schedule(static)
    for (int block = 0; block < kn_blocks(a->shape->ic); block++)
        reduce_block(a, block);
}

KN_STREAM(KN_RELU, KN_BWD_WEIGHTS, 2, 0, 4, 2, 5)

#define RELU_BWD_WEIGHTS KN_STREAM_KERNEL(KN_RELU, KN_BWD_WEIGHTS)

#endif
