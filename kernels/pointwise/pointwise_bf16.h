/*
 * Pointwise forward and backward-data with rounded factors (kernels/bf16.h): tiles of whole rows of the grid; a thread
 * packs the pixels of its tile, flat, into a place of its own, and multiplies them with the weights, which were packed
 * before, two blocks of results at a time.
 */
#ifndef KERNELS_POINTWISE_POINTWISE_BF16_H
#define KERNELS_POINTWISE_POINTWISE_BF16_H
#include "kernels/bf16.h"
#include "kernels/part.h"
#include "kernels/tile.h"
#include <omp.h>

enum {
    POINTWISE_BF16_FIELDS = KN_TILE_F,
    /* pixels of a tile: enough to reuse two blocks' weights from the first-level cache, few enough to share out */
    POINTWISE_BF16_PIXELS = 168
};

static inline int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_POINTWISE, POINTWISE_BF16_FIELDS, shape, tile);
}

static inline struct kn_tile resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    return (struct kn_tile){.f = kn_tile_round(tile->f, kn_tile_even(s->f, POINTWISE_BF16_PIXELS / s->t), 1, s->f)};
}

/* Channels that are summed, and of results. */
static inline int pointwise_bf16_in(enum kn_dir dir, const struct kn_shape *s)
{
    return dir == KN_FWD ? s->ic : s->oc;
}

static inline int pointwise_bf16_out(enum kn_dir dir, const struct kn_shape *s)
{
    return dir == KN_FWD ? s->oc : s->ic;
}

/* Numbers from one thread's packed pixels of a tile to the next one's. */
static inline size_t pointwise_bf16_pixels(const struct kn_shape *s, const struct kn_tile *resolved, int in)
{
    const size_t numbers = (size_t)kn_blocks(in) * (size_t)kn_bf16_pairs(resolved->f * s->t) * KN_BF16_PAIRED;
    return kn_apart(numbers * sizeof(uint16_t)) / sizeof(uint16_t);
}

static inline size_t pointwise_bf16_workspace(enum kn_dir dir, const struct kn_shape *s, const struct kn_tile *tile,
                                              int threads)
{
    const struct kn_tile r = resolve(s, tile);
    const size_t pixels = pointwise_bf16_pixels(s, &r, pointwise_bf16_in(dir, s));
    return sizeof(uint16_t) * (kn_bf16_weights(s->oc, s->ic) + (size_t)threads * pixels);
}

/* What is multiplied: `x` of `in` channels with the packed weights to `y` of `out` channels. */
struct pointwise_bf16 {
    struct kn_shape shape;
    struct kn_tile tile; /* resolved */
    const float *x, *bias;
    float *y;
    int in, out;
    const uint16_t *weights;
    uint16_t *pixels; /* [threads] */
    enum kn_operand x_is, y_is;
    struct kn_trace *trace;
};

static inline void pointwise_bf16_tile(const struct pointwise_bf16 *p, int index)
{
    const struct kn_shape *s = &p->shape;
    const int tiles = kn_tiles_of(s->f, p->tile.f), n = index / tiles, f0 = index % tiles * p->tile.f;
    const int pixels = (s->f - f0 < p->tile.f ? s->f - f0 : p->tile.f) * s->t, blocks = kn_blocks(p->in);
    const ptrdiff_t plane = kn_plane(s), first = (ptrdiff_t)f0 * s->t * KN_LANES;
    uint16_t *packed = p->pixels + (size_t)omp_get_thread_num() * pointwise_bf16_pixels(s, &p->tile, p->in);
    for (int b = 0; b < blocks; b++)
        kn_bf16_pack_flat(p->trace, p->x_is, p->x + (n * blocks + b) * plane + first, pixels,
                          packed + (ptrdiff_t)b * pixels * KN_BF16_FLAT);
    struct kn_bf16_sum sum = kn_bf16_over_channels(p->in, pixels);
    sum.a = packed;
    sum.b = p->weights;
    sum.bias = p->bias;
    sum.c = p->y + n * kn_blocks(p->out) * plane + first;
    sum.c_vector = plane;
    sum.c_is = p->y_is;
    sum.trace = p->trace;
    kn_bf16_run(&sum, pixels, kn_blocks(p->out), KN_BF16_PX);
}

/* run(): first the weights, of which `pack` packs part `index` of `parts`, then the tiles. */
static inline void pointwise_bf16_run(enum kn_dir dir, const struct kn_args *a, int parts,
                                      void (*pack)(const struct kn_args *a, int index, uint16_t *weights))
{
    const struct kn_shape *s = a->shape;
    const int forward = dir == KN_FWD;
    uint16_t *weights = (uint16_t *)(void *)a->workspace;
    const struct pointwise_bf16 p = {.shape = *s,
                                     .tile = resolve(s, a->tile),
                                     .x = forward ? a->x : a->dy,
                                     .bias = forward ? a->bias : NULL,
                                     .y = forward ? a->y : a->dx,
                                     .in = pointwise_bf16_in(dir, s),
                                     .out = pointwise_bf16_out(dir, s),
                                     .weights = weights,
                                     .pixels = weights + kn_bf16_weights(s->oc, s->ic),
                                     .x_is = forward ? KN_IN : KN_OUT,
                                     .y_is = forward ? KN_OUT : KN_IN,
                                     .trace = a->trace};
#pragma omp parallel num_threads(a->threads)
    {
#pragma omp for
        for (int i = 0; i < parts; i++)
            pack(a, i, weights);
#pragma omp for schedule(dynamic)
        for (int i = 0; i < s->n * kn_tiles_of(s->f, p.tile.f); i++)
            pointwise_bf16_tile(&p, i);
    }
}

static inline void pointwise_bf16_work(enum kn_dir dir, const struct kn_shape *s, const struct kn_tile *asked,
                                       struct kn_work *work)
{
    const struct kn_tile tile = resolve(s, asked);
    const int in = pointwise_bf16_in(dir, s), out = pointwise_bf16_out(dir, s);
    const double weights = (double)kn_w_floats(KN_POINTWISE, s);
    const double packed = weights + (double)s->n * s->f * s->t * kn_blocks(in) * KN_LANES;
    const struct kn_bf16_sum sum = kn_bf16_over_channels(in, 0);
    kn_work_init(work, KN_POINTWISE, dir, s);
    work->executed_flop = 0;
    work->load_bytes += packed * sizeof(float);
    work->store_bytes += packed * sizeof(uint16_t);
    for (int f0 = 0; f0 < s->f; f0 += tile.f)
        kn_bf16_count(work, s->n, &sum, (s->f - f0 < tile.f ? s->f - f0 : tile.f) * s->t, kn_blocks(out), KN_BF16_PX,
                      dir == KN_FWD);
}

#endif
