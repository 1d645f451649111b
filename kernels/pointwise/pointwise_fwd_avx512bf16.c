/* y[n,o,f,t] = bias[o] + sum over i of w[o,i] * x[n,i,f,t], with w and x rounded to bf16. */
#include "kernels/pointwise/pointwise_bf16.h"

static size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    return pointwise_bf16_workspace(KN_FWD, shape, tile, threads);
}

static void pack(const struct kn_args *a, int b, uint16_t *weights)
{
    kn_bf16_pack_weights(a->trace, a->w, a->shape->ic, b, weights);
}

static void run(const struct kn_args *a)
{
    pointwise_bf16_run(KN_FWD, a, kn_blocks(a->shape->oc), pack);
}

static void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    pointwise_bf16_work(KN_FWD, s, tile, w);
}

const struct kn_kernel pointwise_fwd_avx512bf16 = {.name = "pointwise_fwd_avx512bf16",
                                                   .op = KN_POINTWISE,
                                                   .dir = KN_FWD,
                                                   .isa = KN_ISA_AVX512BF16,
                                                   .tile_fields = POINTWISE_BF16_FIELDS,
                                                   .supports = supports,
                                                   .workspace_bytes = workspace_bytes,
                                                   .run = run,
                                                   .resolve = resolve,
                                                   .work = work};
