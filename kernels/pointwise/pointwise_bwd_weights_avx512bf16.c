/*
 * dw[o,i] += sum over n, f, t of x[n,i,f,t] * dy[n,o,f,t], with x and dy rounded to bf16; db[o] += sum of dy[n,o,f,t],
 * which is not rounded. A tile of whole rows at a time is packed by all threads, pixels paired (kernels/bf16.h); then
 * each takes its share of the weights. So a weight is summed in the same order whatever their number.
 */
#include "kernels/bf16.h"
#include "kernels/part.h"
#include "kernels/tile.h"

enum {
    FIELDS = KN_TILE_F,
    PIXELS = 224, /* of a tile: two blocks of dy and one of x, 21 KiB, stay in the first-level cache */
    CHANNELS = 8  /* input channels by two blocks of output channels: 16 sums, and 16 is twice as many */
};

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_POINTWISE, FIELDS, shape, tile);
}

static struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct kn_tile){.f = kn_tile_round(tile->f, kn_tile_even(s->f, PIXELS / s->t), 1, s->f)};
}

/* Numbers of one block of a packed tile. */
static ptrdiff_t packed_block(const struct kn_shape *s, const struct kn_tile *resolved)
{
    return (ptrdiff_t)kn_bf16_pairs(resolved->f * s->t) * KN_BF16_PAIRED;
}

static size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    const struct kn_tile r = resolve(shape, tile);
    (void)threads;
    return sizeof(uint16_t) * (size_t)packed_block(shape, &r) * (size_t)(kn_blocks(shape->ic) + kn_blocks(shape->oc));
}

struct tile {
    const struct kn_args *args;
    ptrdiff_t block; /* numbers of a packed block */
    int n, f0, pixels;
    uint16_t *dy, *x; /* packed */
};

/* Block b of dy, or, past those, of x. */
static void pack(const struct tile *t, int b)
{
    const struct kn_args *a = t->args;
    const struct kn_shape *s = a->shape;
    const int outs = kn_blocks(s->oc), ins = kn_blocks(s->ic);
    const ptrdiff_t plane = kn_plane(s), first = (ptrdiff_t)t->f0 * s->t * KN_LANES;
    if (b < outs)
        kn_bf16_pack_paired(a->trace, KN_OUT, a->dy + (t->n * outs + b) * plane + first, t->pixels,
                            t->dy + b * t->block, a->db ? a->db + (ptrdiff_t)b * KN_LANES : NULL);
    else
        kn_bf16_pack_paired(a->trace, KN_IN, a->x + (t->n * ins + b - outs) * plane + first, t->pixels,
                            t->x + (b - outs) * t->block, NULL);
}

static int channels_of(const struct kn_shape *s, int in)
{
    return s->ic - in * KN_LANES < KN_LANES ? s->ic - in * KN_LANES : KN_LANES;
}

/* Two blocks of output channels by one of input channels. */
static void unit(const struct tile *t, int index)
{
    const struct kn_args *a = t->args;
    const struct kn_shape *s = a->shape;
    const int outs = kn_blocks(s->oc), ins = kn_blocks(s->ic), out = index / ins * 2, in = index % ins;
    const ptrdiff_t w_block = (ptrdiff_t)ins * KN_LANES * KN_LANES;
    const struct kn_bf16_sum sum = {.a = t->x + in * t->block,
                                    .b = t->dy + out * t->block,
                                    .c = a->dw + out * w_block + (ptrdiff_t)in * KN_LANES * KN_LANES,
                                    .a_row = 2,
                                    .a_step = KN_BF16_PAIRED,
                                    .b_vector = t->block,
                                    .c_vector = w_block,
                                    .steps = kn_bf16_pairs(t->pixels),
                                    .pairs = kn_bf16_pairs(t->pixels),
                                    .resume = 1,
                                    .c_is = KN_WEIGHT,
                                    .trace = a->trace};
    kn_bf16_run(&sum, channels_of(s, in), outs - out < 2 ? 1 : 2, CHANNELS);
}

static void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    const struct kn_tile tile = resolve(s, a->tile);
    const int outs = kn_blocks(s->oc), ins = kn_blocks(s->ic);
#pragma omp parallel num_threads(a->threads)
    for (int n = 0; n < s->n; n++)
        for (int f0 = 0; f0 < s->f; f0 += tile.f) {
            struct tile t = {.args = a,
                             .block = packed_block(s, &tile),
                             .n = n,
                             .f0 = f0,
                             .pixels = (s->f - f0 < tile.f ? s->f - f0 : tile.f) * s->t,
                             .dy = (uint16_t *)(void *)a->workspace};
            t.x = t.dy + outs * t.block;
#pragma omp for
            for (int b = 0; b < outs + ins; b++)
                pack(&t, b);
#pragma omp for
            for (int i = 0; i < (outs + 1) / 2 * ins; i++)
                unit(&t, i);
        }
}

static void work(const struct kn_shape *s, const struct kn_tile *asked, struct kn_work *w)
{
    const struct kn_tile tile = resolve(s, asked);
    const int outs = kn_blocks(s->oc), ins = kn_blocks(s->ic);
    const double row = KN_LANES * sizeof(float), n = s->n;
    kn_work_init(w, KN_POINTWISE, KN_BWD_WEIGHTS, s);
    w->executed_flop = 0;
    for (int f0 = 0; f0 < s->f; f0 += tile.f) {
        const int pixels = (s->f - f0 < tile.f ? s->f - f0 : tile.f) * s->t;
        const struct kn_bf16_sum sum = {.pairs = kn_bf16_pairs(pixels), .resume = 1};
        w->load_bytes += n * row * (pixels * (outs + ins) + outs);
        w->store_bytes += n * row * (kn_bf16_pairs(pixels) * (outs + ins) + outs);
        for (int in = 0; in < ins; in++)
            kn_bf16_count(w, n, &sum, channels_of(s, in), outs, CHANNELS, 0);
    }
}

const struct kn_kernel pointwise_bwd_weights_avx512bf16 = {.name = "pointwise_bwd_weights_avx512bf16",
                                                           .op = KN_POINTWISE,
                                                           .dir = KN_BWD_WEIGHTS,
                                                           .isa = KN_ISA_AVX512BF16,
                                                           .tile_fields = FIELDS,
                                                           .supports = supports,
                                                           .workspace_bytes = workspace_bytes,
                                                           .run = run,
                                                           .resolve = resolve,
                                                           .work = work};
