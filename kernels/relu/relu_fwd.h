/* y = max(0, w * x + bias). Every relu_fwd_<isa>.c but the reference is this. */
#ifndef KERNELS_RELU_FWD_H
#define KERNELS_RELU_FWD_H
#include "kernels/relu/relu.h"

KN_INLINE void step_fwd(struct kn_pass *pass, size_t at, int j)
{
    kn_st(pass->trace, KN_OUT, pass->out + at, kn_relu(relu_z(pass, kn_ld(pass->trace, KN_IN, pass->x + at), j)));
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for collapse(2) num_threads(a->threads) if (a->threads > 1) schedule(static)
    for (int n = 0; n < a->shape->n; n++)
        for (int block = 0; block < kn_blocks(a->shape->ic); block++) {
            struct kn_pass pass = relu_pass(a, n, block);
            pass.out = a->y + kn_block_at(a->shape, n, block);
            kn_stream_pass(&pass, kn_vectors(a->shape), step_fwd);
        }
}

/* w and bias are loaded for every slot. */
KN_STREAM(KN_RELU, KN_FWD, 1, 1, 2 * shape->n, 0, 2)

#define RELU_FWD KN_STREAM_KERNEL(KN_RELU, KN_FWD)

#endif
