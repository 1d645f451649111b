/* dx[n,i,f,t] = sum over o of w[o,i] * dy[n,o,f,t], with w and dy rounded to bf16: the forward product with the weights
 * turned. */
#include "kernels/pointwise/pointwise_bf16.h"

static size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    return pointwise_bf16_workspace(KN_BWD_DATA, shape, tile, threads);
}

/* A block of w[oc/16][ic16][16] to its place in [ic/16][oc16/2][16 ic][2]: a row of 16 outputs, flat, is the pairs of
 * one input channel. */
static void turn_block(const struct kn_args *a, int index, uint16_t *weights)
{
    const int ins = kn_blocks(a->shape->ic), outs = kn_blocks(a->shape->oc), out = index / ins, in = index % ins;
    const float *from = a->w + (ptrdiff_t)index * KN_LANES * KN_LANES;
    uint16_t *to = weights + ((ptrdiff_t)in * outs + out) * KN_BF16_PAIRS * KN_BF16_PAIRED;
    for (int i = 0; i < KN_LANES; i++) {
        uint32_t pairs[KN_BF16_PAIRS];
        const kn_vec row = kn_ld(a->trace, KN_WEIGHT, from + i * KN_LANES);
        _mm256_storeu_si256((__m256i *)(void *)pairs, (__m256i)_mm512_cvtneps_pbh(row));
        for (int k = 0; k < KN_BF16_PAIRS; k++) {
            uint16_t *pair = to + k * KN_BF16_PAIRED + 2 * i;
            kn_touch(a->trace, KN_WORKSPACE, pair, sizeof pairs[k], 1);
            __builtin_memcpy(pair, &pairs[k], sizeof pairs[k]);
        }
    }
}

static void run(const struct kn_args *a)
{
    pointwise_bf16_run(KN_BWD_DATA, a, kn_blocks(a->shape->oc) * kn_blocks(a->shape->ic), turn_block);
}

static void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    pointwise_bf16_work(KN_BWD_DATA, s, tile, w);
}

const struct kn_kernel pointwise_bwd_data_avx512bf16 = {.name = "pointwise_bwd_data_avx512bf16",
                                                        .op = KN_POINTWISE,
                                                        .dir = KN_BWD_DATA,
                                                        .isa = KN_ISA_AVX512BF16,
                                                        .tile_fields = POINTWISE_BF16_FIELDS,
                                                        .supports = supports,
                                                        .workspace_bytes = workspace_bytes,
                                                        .run = run,
                                                        .resolve = resolve,
                                                        .work = work};
