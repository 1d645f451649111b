/*
 * Backward-weights of the dense operators, read from the blocked layout without packing:
 *     dw[o][k][i] += sum over slots, pixels p of x[p + tap k][i] * dy[p][o],   db[o] += sum of dy[p][o]
 * Tiles of the grid outermost; within one, units of one tap, 16 input channels and KN_VC blocks of 16 output channels.
 * KN_MI input channels by KN_VC blocks stay in registers while the sum over the tile's pixels runs, and go back to dw.
 * Each thread owns a share of the units, so every weight is summed in one order whatever their number, and no
 * workspace is needed.
 *
 * A template: the including kernel file first defines KN_MI (at most 16) and KN_VC (1 or 2) so that
 * KN_MI * KN_VC * KN_PARTS accumulators fit its registers, and KN_MI_ONE, the input channels when one block is left;
 * KN_FAR as 1 if the next tile is to be fetched early: where no taps come by the same pixels again, a layer that is in
 * no cache takes up to a third less time, and one that is up to a twentieth more.
 */
#ifndef KERNELS_GRADIENT_H
#define KERNELS_GRADIENT_H
#include "kernels/kernel.h"
#include "kernels/part.h"
#include "kernels/scalar.h"
#include "kernels/simd.h"
#include "kernels/tile.h"
#include <limits.h>
#include <omp.h>
#include <stdint.h>

#ifndef KN_FAR
#define KN_FAR 0
#endif

#ifndef KN_MI
#define KN_MI 2
#define KN_MI_ONE 2
#define KN_VC 1
#endif

enum {
    KN_GRADIENT_FIELDS = KN_TILE_OC | KN_TILE_IC | KN_TILE_F | KN_TILE_T,
    /* pixels of a tile: dy of 32 channels and x of 16, 42 KiB, pass through the first-level cache once a unit */
    KN_GRADIENT_PIXELS = 224,
    KN_FEW = 8
};

/* What one unit works on: pointers at its first pixel, channel and weight; rows of `run` pixels, `row` floats apart. */
struct kn_gradient {
    const float *x, *dy;
    float *dw;
    ptrdiff_t row, plane, w_block;
    int rows, run;
    ptrdiff_t x_far, dy_far; /* floats to what the next tile of the grid reads; 0 for the last */
    int odd;                 /* of dy's blocks the second is fetched early, else the first */
    struct kn_trace *trace;
};

/* mi input channels by vc blocks of output channels; constants wherever this is inlined. */
KN_INLINE void kn_gradient_piece(const struct kn_gradient *g, int channel, const int mi, const int vc)
{
    const int parts = vc * KN_PARTS;
    kn_vec acc[16 * KN_VC * KN_PARTS];
    float *dw = g->dw + (ptrdiff_t)channel * KN_LANES;
    KN_UNROLL(16)
    for (int i = 0; i < mi; i++) {
        KN_UNROLL(8)
        for (int v = 0; v < parts; v++) {
            const float *from = dw + v / KN_PARTS * g->w_block + i * KN_LANES + v % KN_PARTS * KN_WIDTH;
            acc[i * parts + v] = kn_ld(g->trace, KN_WEIGHT, from);
        }
    }
    for (int r = 0; r < g->rows; r++) {
        const float *x = g->x + r * g->row + channel, *dy = g->dy + r * g->row;
        const float *far = channel ? dy + g->dy_far + (g->odd && vc > 1 ? g->plane : 0) : x + g->x_far;
        for (int p = 0; p < g->run; p++, x += KN_LANES, dy += KN_LANES, far += KN_LANES) {
            if (KN_FAR)
                __builtin_prefetch(far, 0, 2);
            kn_vec out[KN_VC * KN_PARTS];
            KN_UNROLL(8)
            for (int v = 0; v < parts; v++) {
                out[v] = kn_ld(g->trace, KN_OUT, dy + v / KN_PARTS * g->plane + v % KN_PARTS * KN_WIDTH);
            }
            KN_UNROLL(16)
            for (int i = 0; i < mi; i++) {
                kn_vec in = kn_ldb(g->trace, KN_IN, x + i);
                KN_UNROLL(8)
                for (int v = 0; v < parts; v++) {
                    acc[i * parts + v] = kn_fma(in, out[v], acc[i * parts + v]);
                }
            }
        }
    }
    KN_UNROLL(16)
    for (int i = 0; i < mi; i++) {
        KN_UNROLL(8)
        for (int v = 0; v < parts; v++) {
            float *to = dw + v / KN_PARTS * g->w_block + i * KN_LANES + v % KN_PARTS * KN_WIDTH;
            kn_st(g->trace, KN_WEIGHT, to, acc[i * parts + v]);
        }
    }
}

/*
 * The other way round, where a block has no more than KN_FEW outputs and more inputs than that: 16 input channels in
 * the lanes of vectors by KN_FEW outputs, half the multiply-adds of a piece whose lanes are mostly padding. Every sum
 * is added up in the same order as there, so it does not matter to the result which one a tiling leads to.
 */
KN_INLINE int kn_gradient_is_few(int outputs, int channels)
{
    return outputs <= KN_FEW && channels > KN_FEW;
}

static inline void kn_gradient_few(const struct kn_gradient *g, int channels)
{
    float sum[KN_FEW][KN_LANES] = {{0}};
    for (int i = 0; i < channels; i++)
        for (int o = 0; o < KN_FEW; o++)
            sum[o][i] = (float)kn_get(g->trace, KN_WEIGHT, g->dw + i * KN_LANES + o);
    for (int part = 0; part < KN_PARTS; part++) {
        kn_vec acc[KN_FEW];
        KN_UNROLL(8) for (int o = 0; o < KN_FEW; o++) acc[o] = kn_load(sum[o] + part * KN_WIDTH);
        for (int r = 0; r < g->rows; r++) {
            const float *x = g->x + r * g->row + part * KN_WIDTH, *dy = g->dy + r * g->row;
            const float *far = x + g->x_far;
            for (int p = 0; p < g->run; p++, x += KN_LANES, dy += KN_LANES, far += KN_LANES) {
                if (KN_FAR)
                    __builtin_prefetch(far, 0, 2);
                kn_vec in = kn_ld(g->trace, KN_IN, x);
                KN_UNROLL(8)
                for (int o = 0; o < KN_FEW; o++)
                    acc[o] = kn_fma(in, kn_ldb(g->trace, KN_OUT, dy + o), acc[o]);
            }
        }
        KN_UNROLL(8) for (int o = 0; o < KN_FEW; o++) kn_store(sum[o] + part * KN_WIDTH, acc[o]);
    }
    for (int i = 0; i < channels; i++)
        for (int o = 0; o < KN_FEW; o++)
            kn_put(g->trace, KN_WEIGHT, g->dw + i * KN_LANES + o, sum[o][i]);
}

typedef void kn_gradient_fn(const struct kn_gradient *g, int channel);

#define KN_GRADIENT(MI, VC)                                                                                            \
    static void kn_gradient_##MI##_##VC(const struct kn_gradient *g, int channel)                                      \
    {                                                                                                                  \
        kn_gradient_piece(g, channel, MI < kn_gradient_most(VC) ? MI : kn_gradient_most(VC), VC);                      \
    }
#define KN_GRADIENTS(VC) KN_GRADIENT(16, VC) KN_GRADIENT(8, VC) KN_GRADIENT(4, VC) KN_GRADIENT(2, VC) KN_GRADIENT(1, VC)
#define KN_GRADIENT_ROW(VC)                                                                                            \
    {                                                                                                                  \
        kn_gradient_16_##VC, kn_gradient_8_##VC, kn_gradient_4_##VC, kn_gradient_2_##VC, kn_gradient_1_##VC            \
    }

/* Input channels of the largest piece. */
KN_INLINE int kn_gradient_most(int vc)
{
    return vc == KN_VC ? KN_MI : KN_MI_ONE;
}

KN_GRADIENTS(1)
#if KN_VC == 2
KN_GRADIENTS(2)
static kn_gradient_fn *const kn_gradients[KN_VC][5] = {KN_GRADIENT_ROW(1), KN_GRADIENT_ROW(2)};
#else
static kn_gradient_fn *const kn_gradients[KN_VC][5] = {KN_GRADIENT_ROW(1)};
#endif

/* The `channels` input channels of a unit, at most 16, in pieces. */
static inline void kn_gradient_unit(const struct kn_gradient *g, int channels, int vc)
{
    const int sizes[] = {kn_gradient_most(vc), 8, 4, 2, 1};
    for (int at = 0, size = 0; at < channels; at += sizes[size]) {
        while (sizes[size] > channels - at)
            size++;
        kn_gradients[vc - 1][size](g, at);
    }
}

/* db of vc blocks; four sums in turn, as one would wait for its own last addition. */
static inline void kn_gradient_bias(const struct kn_gradient *g, float *db, int vc)
{
    for (int v = 0; v < vc * KN_PARTS; v++) {
        kn_vec sum[4] = {kn_ld(g->trace, KN_BIAS, db + v * KN_WIDTH), kn_zero(), kn_zero(), kn_zero()};
        const float *dy = g->dy + v / KN_PARTS * g->plane + v % KN_PARTS * KN_WIDTH;
        for (int r = 0; r < g->rows; r++)
            for (int p = 0; p < g->run; p += 4) {
                KN_UNROLL(4)
                for (int q = 0; q < 4; q++) {
                    const float *from = dy + r * g->row + (ptrdiff_t)(p + q) * KN_LANES;
                    if (p + q < g->run)
                        sum[q] = kn_add(sum[q], kn_ld(g->trace, KN_OUT, from));
                }
            }
        kn_st(g->trace, KN_BIAS, db + v * KN_WIDTH, kn_add(kn_add(sum[0], sum[1]), kn_add(sum[2], sum[3])));
    }
}

/* ---- the nest -------------------------------------------------------------------------------------- */

struct kn_gradient_nest {
    struct kn_shape shape;
    struct kn_tile tile; /* resolved */
    int taps;
};

/* Output blocks [block, block + vc), tap, and input channels [channel, channel + channels). */
struct kn_gradient_place {
    int block, vc, tap, channel, channels;
};

typedef void kn_gradient_visit(const struct kn_gradient_nest *nest, const struct kn_part *part,
                               const struct kn_gradient_place *place, void *context);

/* Visits units [first, end) of a tile of the grid in the nest's order; returns how many units there are. */
static inline int kn_gradient_walk(const struct kn_gradient_nest *nest, const struct kn_part *part, int first, int end,
                                   kn_gradient_visit *visit, void *context)
{
    const struct kn_shape *s = &nest->shape;
    int unit = 0, blocks = kn_blocks(s->oc), step = nest->tile.oc / KN_LANES;
    for (int b0 = 0; b0 < blocks; b0 += step)
        for (int i0 = 0; i0 < s->ic; i0 += nest->tile.ic) {
            int b1 = blocks - b0 < step ? blocks : b0 + step,
                i1 = s->ic - i0 < nest->tile.ic ? s->ic : i0 + nest->tile.ic;
            for (int b = b0; b < b1; b += KN_VC)
                for (int tap = 0; tap < nest->taps; tap++)
                    for (int i = i0; i < i1; i += KN_LANES, unit++) {
                        struct kn_gradient_place place = {b, b1 - b < KN_VC ? b1 - b : KN_VC, tap, i,
                                                          i1 - i < KN_LANES ? i1 - i : KN_LANES};
                        if (unit >= first && unit < end)
                            visit(nest, part, &place, context);
                    }
        }
    return unit;
}

/* Narrows a part to the pixels whose tap lies on the grid; *off is the tap's offset in floats. */
static inline struct kn_part kn_gradient_part(const struct kn_gradient_nest *nest, const struct kn_part *part, int tap,
                                              ptrdiff_t *off)
{
    const struct kn_shape *s = &nest->shape;
    int off_f = nest->taps == 1 ? 0 : s->dil_f * (tap / 3 - 1), off_t = nest->taps == 1 ? 0 : s->dil_t * (tap % 3 - 1);
    int f0 = part->f0 > -off_f ? part->f0 : -off_f, f1 = part->f0 + part->rows;
    int t0 = part->t0 > -off_t ? part->t0 : -off_t, t1 = part->t0 + part->run;
    f1 = f1 < s->f - off_f ? f1 : s->f - off_f;
    t1 = t1 < s->t - off_t ? t1 : s->t - off_t;
    *off = ((ptrdiff_t)off_f * s->t + off_t) * KN_LANES;
    struct kn_part inside = {part->n, f0, t0, f1 - f0, t1 - t0};
    if (inside.run == s->t && inside.rows > 0) { /* whole rows are neighbours in memory */
        inside.run *= inside.rows;
        inside.rows = 1;
    }
    return inside;
}

/* The unit with a block's first channel and tap also sums its db. */
static inline int kn_gradient_has_bias(const struct kn_gradient_place *place)
{
    return place->channel == 0 && place->tap == 0;
}

/* How far the next tile of the grid is, in x and in dy. */
static inline void kn_gradient_far(const struct kn_gradient_nest *nest, const struct kn_part *part,
                                   struct kn_gradient *g)
{
    const struct kn_shape *s = &nest->shape;
    int parts = kn_parts(s, &nest->tile);
    int index = part->n * parts + part->f0 / nest->tile.f * kn_tiles_of(s->t, nest->tile.t) + part->t0 / nest->tile.t;
    if (!KN_FAR || index + 1 >= s->n * parts)
        return;
    struct kn_part next = kn_part(s, &nest->tile, index + 1);
    ptrdiff_t step = kn_part_offset(s, &next) - kn_part_offset(s, part), slots = (next.n - part->n) * kn_plane(s);
    g->x_far = step + slots * kn_blocks(s->ic);
    g->dy_far = step + slots * kn_blocks(s->oc);
}

static inline void kn_gradient_compute(const struct kn_gradient_nest *nest, const struct kn_part *part,
                                       const struct kn_gradient_place *place, void *context)
{
    const struct kn_args *a = context;
    const struct kn_shape *s = &nest->shape;
    ptrdiff_t off, plane = kn_plane(s), inputs = (ptrdiff_t)kn_blocks(s->ic) * KN_LANES;
    struct kn_gradient g = {.row = (ptrdiff_t)s->t * KN_LANES,
                            .plane = plane,
                            .w_block = nest->taps * inputs * KN_LANES,
                            .trace = a->trace};
    const float *dy = a->dy + ((ptrdiff_t)part->n * kn_blocks(s->oc) + place->block) * plane;
    if (a->db && kn_gradient_has_bias(place)) {
        struct kn_part all = *part;
        g.dy = dy + kn_part_offset(s, &all);
        g.rows = all.rows;
        g.run = all.run;
        kn_gradient_bias(&g, a->db + (ptrdiff_t)place->block * KN_LANES, place->vc);
    }
    struct kn_part inside = kn_gradient_part(nest, part, place->tap, &off);
    if (inside.rows < 1 || inside.run < 1)
        return;
    g.dy = dy + kn_part_offset(s, &inside);
    g.x = a->x + ((ptrdiff_t)part->n * kn_blocks(s->ic) + place->channel / KN_LANES) * plane +
          kn_part_offset(s, &inside) + off;
    g.dw = a->dw + place->block * g.w_block + (place->tap * inputs + place->channel) * KN_LANES;
    g.rows = inside.rows;
    g.run = inside.run;
    kn_gradient_far(nest, part, &g);
    g.odd = place->channel / KN_LANES & 1;
    if (kn_gradient_is_few(s->oc - place->block * KN_LANES, place->channels))
        kn_gradient_few(&g, place->channels);
    else
        kn_gradient_unit(&g, place->channels, place->vc);
}

static inline void kn_gradient_count(const struct kn_gradient_nest *nest, const struct kn_part *part,
                                     const struct kn_gradient_place *place, void *context)
{
    struct kn_work *work = context;
    ptrdiff_t off;
    struct kn_part inside = kn_gradient_part(nest, part, place->tap, &off);
    double n = nest->shape.n, block_bytes = (double)place->vc * KN_LANES * sizeof(float);
    if (kn_gradient_has_bias(place)) {
        work->load_bytes += n * block_bytes * (1 + part->rows * part->run);
        work->store_bytes += n * block_bytes;
    }
    if (inside.rows < 1 || inside.run < 1)
        return;
    const double pixels = (double)inside.rows * inside.run;
    if (kn_gradient_is_few(nest->shape.oc - place->block * KN_LANES, place->channels)) {
        const double weights = KN_FEW * place->channels * sizeof(float);
        work->load_bytes += n * (weights + pixels * (KN_LANES + KN_PARTS * KN_FEW) * sizeof(float));
        work->store_bytes += n * weights;
        work->executed_flop += n * 2 * KN_LANES * KN_FEW * pixels;
        return;
    }
    int most = kn_gradient_most(place->vc);
    int pieces = place->channels / most + __builtin_popcount((unsigned)(place->channels % most));
    work->load_bytes += n * (place->channels * (block_bytes + pixels * sizeof(float)) + pieces * pixels * block_bytes);
    work->store_bytes += n * place->channels * block_bytes;
    work->executed_flop += n * 2 * KN_LANES * place->vc * place->channels * pixels;
}

static inline void kn_gradient_run(const struct kn_gradient_nest *nest, const struct kn_args *a)
{
    const struct kn_shape *s = &nest->shape;
    struct kn_part none = {0};
    int units = kn_gradient_walk(nest, &none, 0, 0, kn_gradient_compute, NULL);
    int parts = s->n * kn_parts(s, &nest->tile);
#pragma omp parallel num_threads(a->threads)
    {
        int thread = omp_get_thread_num(), threads = omp_get_num_threads();
        int first = (int)((long)units * thread / threads), end = (int)((long)units * (thread + 1) / threads);
        for (int i = 0; i < parts && first < end; i++) {
            struct kn_part part = kn_part(s, &nest->tile, i);
            kn_gradient_walk(nest, &part, first, end, kn_gradient_compute, (void *)(uintptr_t)a);
        }
    }
}

static inline void kn_gradient_work(const struct kn_gradient_nest *nest, struct kn_work *work)
{
    work->executed_flop = 0;
    for (int i = 0; i < kn_parts(&nest->shape, &nest->tile); i++) {
        struct kn_part part = kn_part(&nest->shape, &nest->tile, i);
        kn_gradient_walk(nest, &part, 0, INT_MAX, kn_gradient_count, work);
    }
}

static inline struct kn_tile kn_gradient_resolve(const struct kn_shape *s, const struct kn_tile *tile)
{
    struct kn_tile r = {.oc = kn_tile_round(tile->oc, s->oc, KN_LANES, s->oc),
                        .ic = kn_tile_round(tile->ic, s->ic, KN_LANES, s->ic),
                        .t = kn_tile_round(tile->t, s->t, 1, s->t)};
    r.f = kn_tile_round(tile->f, kn_tile_even(s->f, KN_GRADIENT_PIXELS / r.t), 1, s->f);
    return r;
}

#endif
