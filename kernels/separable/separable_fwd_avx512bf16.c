/*
 * y = bias + v * (w * x), where the depthwise half is FP32 and what it makes is rounded to bf16, as v is, for the
 * pointwise half. Block after block of a band goes through the stencil into one plane, which is small enough for the
 * first-level cache, and is packed from there; see separable_fwd.h for the rest.
 */
#include "harness/base/error.h"
#include "kernels/bf16.h"
#include "kernels/separable/separable_band.h"
#include <omp.h>

enum { FIELDS = KN_TILE_F, PIXELS = 168 /* of a band by default, as in FP32 */ };

static struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct kn_tile){.f = kn_tile_round(tile->f, kn_tile_even(s->f, PIXELS / s->t), 1, s->f)};
}

static int supports(const struct kn_shape *s, const struct kn_tile *tile)
{
    int rc = kn_tile_check(KN_SEPARABLE, FIELDS, s, tile);
    if (!rc && s->mid / s->ic > 2)
        rc = jrx_fail(JRX_EINVAL, "separable: multiplier %d; this kernel has 1 and 2, use the two layers apart",
                      s->mid / s->ic);
    return rc;
}

/* Floats of a plane; numbers of a packed band; bytes from one thread's part of these to the next one's. */
static size_t plane_floats(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (size_t)(tile->f * s->t) * KN_LANES;
}

static size_t band_numbers(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (size_t)(kn_blocks(s->mid) * kn_bf16_pairs(tile->f * s->t)) * KN_BF16_PAIRED;
}

static size_t thread_bytes(const struct kn_shape *s, const struct kn_tile *tile)
{
    return kn_apart(plane_floats(s, tile) * sizeof(float) + band_numbers(s, tile) * sizeof(uint16_t));
}

static size_t workspace_bytes(const struct kn_shape *s, const struct kn_tile *asked, int threads)
{
    const struct kn_tile tile = resolve(s, asked);
    return kn_bf16_weights(s->oc, s->mid) * sizeof(uint16_t) +
           (size_t)threads * (normed_floats(s, &tile) * sizeof(float) + thread_bytes(s, &tile));
}

static void run_band(const struct band *b, const uint16_t *weights, uint16_t *packed)
{
    const struct kn_args *a = b->args;
    const struct kn_shape *s = a->shape;
    const int pixels = b->rows * s->t, blocks = kn_blocks(s->oc);
    const ptrdiff_t plane = (ptrdiff_t)s->f * s->t * KN_LANES;
    for (int u = 0; u < kn_blocks(s->mid); u++) {
        stencil_unit(b, u, b->between);
        kn_bf16_pack_flat(a->trace, KN_WORKSPACE, b->between, pixels, packed + (ptrdiff_t)u * pixels * KN_BF16_FLAT);
    }
    struct kn_bf16_sum sum = kn_bf16_over_channels(s->mid, pixels);
    sum.a = packed;
    sum.b = weights;
    sum.bias = a->bias;
    sum.c = a->y + b->n * blocks * plane + (ptrdiff_t)b->f0 * s->t * KN_LANES;
    sum.c_vector = plane;
    sum.c_is = KN_OUT;
    sum.resume = a->accumulate;
    sum.trace = a->trace;
    kn_bf16_run(&sum, pixels, blocks, KN_BF16_PX);
}

static void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    const struct kn_tile tile = resolve(s, a->tile);
    const float *w = a->w + (ptrdiff_t)kn_blocks(s->mid) * KN_LANES * KN_TAPS;
    uint16_t *weights = (uint16_t *)(void *)(a->workspace + (size_t)a->threads * normed_floats(s, &tile));
#pragma omp parallel num_threads(a->threads)
    {
        char *own =
            (char *)(weights + kn_bf16_weights(s->oc, s->mid)) + (size_t)omp_get_thread_num() * thread_bytes(s, &tile);
#pragma omp for
        for (int o = 0; o < kn_blocks(s->oc); o++)
            kn_bf16_pack_weights(a->trace, w, s->mid, o, weights);
#pragma omp for collapse(2) schedule(static)
        for (int n = 0; n < s->n; n++)
            for (int f0 = 0; f0 < s->f; f0 += tile.f) {
                struct band b = band_of(a, &tile, n, f0);
                b.between = (float *)(void *)own;
                run_band(&b, weights, (uint16_t *)(void *)(own + plane_floats(s, &tile) * sizeof(float)));
            }
    }
}

static void work(const struct kn_shape *s, const struct kn_tile *asked, struct kn_work *work)
{
    const struct kn_tile tile = resolve(s, asked);
    const struct kn_shape half = kn_depthwise_half(s);
    const struct kn_tile rows = stencil_tile(&half, &tile);
    const struct kn_bf16_sum sum = kn_bf16_over_channels(s->mid, 0);
    const double between = (double)kn_y_floats(&half), weights = (double)kn_bf16_weights(s->oc, s->mid);
    kn_work_init(work, KN_SEPARABLE, KN_FWD, s);
    work->executed_flop = dw_executed_flop(&half);
    work->load_bytes = dw_load_bytes(KN_FWD, &half, &rows, 0) + sizeof(float) * (between + weights);
    work->store_bytes = (sizeof(float) + sizeof(uint16_t)) * between + sizeof(uint16_t) * weights;
    for (int f0 = 0; f0 < s->f; f0 += tile.f)
        kn_bf16_count(work, s->n, &sum, (s->f - f0 < tile.f ? s->f - f0 : tile.f) * s->t, kn_blocks(s->oc), KN_BF16_PX,
                      1);
}

const struct kn_kernel separable_fwd_avx512bf16 = {.name = "separable_fwd_avx512bf16",
                                                   .op = KN_SEPARABLE,
                                                   .dir = KN_FWD,
                                                   .isa = KN_ISA_AVX512BF16,
                                                   .tile_fields = FIELDS,
                                                   .supports = supports,
                                                   .workspace_bytes = workspace_bytes,
                                                   .run = run,
                                                   .resolve = resolve,
                                                   .work = work};
