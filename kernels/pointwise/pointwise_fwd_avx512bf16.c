/* y[n,o,f,t] = bias[o] + sum over i of w[o,i] * x[n,i,f,t], with w and x rounded to bf16. */
#include "kernels/pointwise/pointwise_bf16.h"

static size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    return pointwise_bf16_workspace(shape, tile, shape->ic, threads);
}

static void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    uint16_t *weights = (uint16_t *)(void *)a->workspace;
    const struct pointwise_bf16 p = {.shape = *s,
                                     .tile = resolve(s, a->tile),
                                     .x = a->x,
                                     .bias = a->bias,
                                     .y = a->y,
                                     .in = s->ic,
                                     .out = s->oc,
                                     .weights = weights,
                                     .pixels = weights + pointwise_bf16_weights(s),
                                     .x_is = KN_IN,
                                     .y_is = KN_OUT,
                                     .trace = a->trace};
    const int rows = kn_blocks(s->ic) * KN_LANES;
#pragma omp parallel num_threads(a->threads)
    {
#pragma omp for
        for (int b = 0; b < kn_blocks(s->oc); b++)
            kn_bf16_pack_paired(a->trace, KN_WEIGHT, a->w + (ptrdiff_t)b * rows * KN_LANES, rows,
                                weights + (ptrdiff_t)b * rows * KN_LANES, NULL);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < pointwise_bf16_tiles(&p); i++)
            pointwise_bf16_tile(&p, i);
    }
}

static void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    kn_work_init(w, KN_POINTWISE, KN_FWD, s);
    pointwise_bf16_count(s, tile, s->ic, s->oc, 1, w);
    w->load_bytes += sizeof(float) * (double)kn_w_floats(KN_POINTWISE, s);
    w->store_bytes += sizeof(uint16_t) * (double)kn_w_floats(KN_POINTWISE, s);
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
