/* How the directions of add run over the blocks of all slots, which threads share. */
#ifndef KERNELS_ADD_ADD_H
#define KERNELS_ADD_ADD_H
#include "kernels/stream.h"

KN_INLINE void add_run(const struct kn_args *a, const float *from, const float *with, float *to, kn_step *step)
{
#pragma omp parallel for collapse(2) num_threads(a->threads) if (a->threads > 1) schedule(static)
    for (int n = 0; n < a->shape->n; n++)
        for (int block = 0; block < kn_blocks(a->shape->ic); block++) {
            const size_t at = kn_block_at(a->shape, n, block);
            struct kn_pass pass = {.trace = a->trace, .x = from + at, .w = with + at, .out = to + at};
            kn_stream_pass(&pass, kn_vectors(a->shape), step);
        }
}

#endif
