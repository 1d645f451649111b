/* dx = w * dy where w * x + bias is above 0, else 0. */
#ifndef KERNELS_RELU_BWD_DATA_H
#define KERNELS_RELU_BWD_DATA_H
#include "kernels/relu/relu.h"

KN_INLINE void step_dx(struct kn_pass *pass, size_t at, int j)
{
    kn_vec z = relu_z(pass, kn_ld(pass->trace, KN_IN, pass->x + at), j);
    kn_vec dz = kn_where_positive(z, kn_ld(pass->trace, KN_OUT, pass->dy + at));
    kn_st(pass->trace, KN_IN, pass->out + at, kn_mul(dz, pass->b.v[j]));
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for collapse(2) num_threads(a->threads) if (a->threads > 1) schedule(static)
    for (int n = 0; n < a->shape->n; n++)
        for (int block = 0; block < kn_blocks(a->shape->ic); block++) {
            struct kn_pass pass = relu_pass(a, n, block);
            pass.out = a->dx + kn_block_at(a->shape, n, block);
            kn_stream_pass(&pass, kn_vectors(a->shape), step_dx);
        }
}

KN_STREAM(KN_RELU, KN_BWD_DATA, 2, 1, 2 * shape->n, 0, 3)

#define RELU_BWD_DATA KN_STREAM_KERNEL(KN_RELU, KN_BWD_DATA)

#endif
