/*
 * The loop nest's core for forward and backward-data of the dense operators: a run of neighbouring pixels times blocks
 * of 16 output channels, summed over taps and input channels,
 *     y[p][o] = start + sum over taps k, channels i of x[p + tap k][i] * w[o][k][i]
 * KN_PX pixels by KN_VC blocks stay in registers while the sum runs; what is left of a run goes in pieces of 8, 4, 2
 * and 1 pixels, so nothing outside it is touched.
 *
 * A template: the including kernel file first defines KN_PX (at most 15) and KN_VC (1 or 2) so that
 * KN_PX * KN_VC * KN_PARTS accumulators fit its registers, and KN_EDGES as 1 if taps have edges.
 */
#ifndef KERNELS_PRODUCT_H
#define KERNELS_PRODUCT_H
#include "harness/base/error.h"
#include "kernels/kernel.h"
#include "kernels/simd.h"

#ifndef KN_PX
#define KN_PX 2
#define KN_VC 1
#endif

#ifndef KN_EDGES
#define KN_EDGES 0
#endif

/* A tap: how far its pixel is from the output's, and its weights from the first tap's; floats. */
struct kn_tap {
    ptrdiff_t x, w;
    int edge; /* -1: the run's first pixel has no such tap, 1: its last has none; 0 unless KN_EDGES */
};

struct kn_product {
    const float *x, *w, *bias; /* bias: of the first block; NULL: none */
    float *y;
    ptrdiff_t x_plane, y_plane; /* floats from a block of 16 channels to the next */
    ptrdiff_t w_block;          /* floats from a block of 16 output channels to the next */
    const struct kn_tap *tap;
    int taps;
    int from, to; /* input channels [from, to), counted from x and w */
    int resume;   /* add to what y holds */
    int first;    /* into kn_piece_size: the largest piece used */
    int vc;       /* blocks of output channels in a piece, at most KN_VC; 0: KN_VC */
    /* If not NULL: pixels laid out as x is, far_plane floats from block to block, that will be read later and come from
     * memory: one is fetched a step. Worth a tenth of the time where a layer is in no cache. */
    const float *far;
    ptrdiff_t far_plane;
    enum kn_operand x_is, w_is, y_is;
    struct kn_trace *trace;
};

enum { KN_PIECE_SIZES = 5 };
static const int kn_piece_size[KN_PIECE_SIZES] = {KN_PX, 8, 4, 2, 1};

static inline int kn_product_reg_check(const struct kn_tile *tile)
{
    if (tile->px > KN_PX || tile->vc > KN_VC)
        return jrx_fail(JRX_EINVAL, "tile: reg=%dx%d; the registers hold sums of at most %d pixels by %d blocks",
                        tile->px, tile->vc, KN_PX, KN_VC);
    return 0;
}

static inline int kn_product_first(int px)
{
    int first = 0;
    while (px && kn_piece_size[first] > px)
        first++;
    return first;
}

/* The register block that a tile's becomes: pieces have KN_PX, 8, 4, 2 or 1 pixels. */
static inline void kn_product_resolve_reg(const struct kn_tile *asked, struct kn_tile *tile)
{
    tile->px = kn_piece_size[kn_product_first(asked->px)];
    tile->vc = asked->vc ? asked->vc : KN_VC;
}

static inline void kn_product_set_reg(const struct kn_tile *resolved, struct kn_product *p)
{
    p->first = kn_product_first(resolved->px);
    p->vc = resolved->vc;
}

static inline int kn_product_vc(const struct kn_product *p)
{
    return p->vc ? p->vc : KN_VC;
}

/* Where the sums of px * vc accumulators start. */
KN_INLINE void kn_product_start(const struct kn_product *p, kn_vec *acc, const float *bias, const int px, const int vc)
{
    const int parts = vc * KN_PARTS;
    kn_vec start[KN_VC * KN_PARTS];
    KN_UNROLL(8)
    for (int v = 0; v < parts; v++)
        start[v] = bias ? kn_ld(p->trace, KN_BIAS, bias + v * KN_WIDTH) : kn_zero();
    KN_UNROLL(16)
    for (int i = 0; i < px; i++)
        KN_UNROLL(8) for (int v = 0; v < parts; v++) acc[i * parts + v] = start[v];
}

/* What y holds is added last: at the start its lines would be waited for, by now kn_product_tap() has fetched them. */
KN_INLINE void kn_product_finish(const struct kn_product *p, const kn_vec *acc, float *y, const int px, const int vc,
                                 const int resume)
{
    const int parts = vc * KN_PARTS;
    KN_UNROLL(16)
    for (int i = 0; i < px; i++)
        KN_UNROLL(8)
    for (int v = 0; v < parts; v++) {
        float *at = y + v / KN_PARTS * p->y_plane + i * KN_LANES + v % KN_PARTS * KN_WIDTH;
        kn_vec sum = acc[i * parts + v];
        kn_st(p->trace, p->y_is, at, resume ? kn_add(kn_ld(p->trace, p->y_is, at), sum) : sum);
    }
}

/* One input channel, into pixels [low, high) of a piece. */
KN_INLINE void kn_product_step(const struct kn_product *p, kn_vec *acc, const float *x, const float *w, const int low,
                               const int high, const int vc)
{
    const int parts = vc * KN_PARTS;
    kn_vec weight[KN_VC * KN_PARTS];
    KN_UNROLL(8)
    for (int v = 0; v < parts; v++)
        weight[v] = kn_ld(p->trace, p->w_is, w + v / KN_PARTS * p->w_block + v % KN_PARTS * KN_WIDTH);
    KN_UNROLL(16) for (int i = low; i < high; i++)
    {
        kn_vec in = kn_ldb(p->trace, p->x_is, x + i * KN_LANES);
        KN_UNROLL(8) for (int v = 0; v < parts; v++) acc[i * parts + v] = kn_fma(in, weight[v], acc[i * parts + v]);
    }
}

/* One tap's channels. */
KN_INLINE void kn_product_tap(const struct kn_product *p, kn_vec *acc, const float *x, const float *w, const float *y,
                              const int px, const int low, const int high, const int vc)
{
    const float *early = p->far ? p->far + (x - p->x) : x;
    w += (ptrdiff_t)p->from * KN_LANES;
    for (int i = p->from; i < p->to;) {
        int stop = (i / KN_LANES + 1) * KN_LANES;
        stop = stop < p->to ? stop : p->to;
        const float *xi = x + i / KN_LANES * p->x_plane + i % KN_LANES;
        /* The next block's pixels, or the next piece's: far from here, so nothing else fetches them in time; one a
         * step, which 16 steps make as many as a piece has. And the lines that the piece will be stored to. */
        const float *next = stop < p->to ? xi + p->x_plane : x + px * KN_LANES;
        const float *out = y + (i / KN_LANES < vc ? i / KN_LANES : 0) * p->y_plane;
        const float *far = early + i / KN_LANES * p->far_plane;
        for (; i < stop; i++, xi++, w += KN_LANES, next += KN_LANES, far += KN_LANES, out += KN_LANES) {
            __builtin_prefetch(next);
            if (!KN_EDGES) { /* nine taps come by the same pixels again: there it only costs, a quarter of the speed */
                __builtin_prefetch(far, 0, 2);
                __builtin_prefetch(out, 1);
            }
            kn_product_step(p, acc, xi, w, low, high, vc);
        }
    }
}

enum { KN_FIRST_PIECE = 1, KN_LAST_PIECE = 2 }; /* of a run */

/* px pixels by vc blocks; both are constants wherever this is inlined. */
KN_INLINE void kn_product_piece(const struct kn_product *p, const float *x, const float *w, const float *bias, float *y,
                                int ends, const int px, const int vc)
{
    kn_vec acc[KN_PX * KN_VC * KN_PARTS];
    kn_product_start(p, acc, bias, px, vc);
    for (int k = 0; k < p->taps; k++) {
        const float *xt = x + p->tap[k].x, *wt = w + p->tap[k].w;
        int edge = KN_EDGES ? p->tap[k].edge : 0;
        if (edge < 0 && (ends & KN_FIRST_PIECE)) {
            if (px > 1)
                kn_product_tap(p, acc, xt, wt, y, px, 1, px, vc);
        } else if (edge > 0 && (ends & KN_LAST_PIECE)) {
            if (px > 1)
                kn_product_tap(p, acc, xt, wt, y, px, 0, px - 1, vc);
        } else
            kn_product_tap(p, acc, xt, wt, y, px, 0, px, vc);
    }
    if (p->resume)
        kn_product_finish(p, acc, y, px, vc, 1);
    else
        kn_product_finish(p, acc, y, px, vc, 0);
}

typedef void kn_piece_fn(const struct kn_product *p, const float *x, const float *w, const float *bias, float *y,
                         int ends);

#define KN_PIECE(PX, VC)                                                                                               \
    static void kn_piece_##PX##_##VC(const struct kn_product *p, const float *x, const float *w, const float *bias,    \
                                     float *y, int ends)                                                               \
    {                                                                                                                  \
        kn_product_piece(p, x, w, bias, y, ends, PX < KN_PX ? PX : KN_PX, VC);                                         \
    }
#define KN_PIECES(VC) KN_PIECE(15, VC) KN_PIECE(8, VC) KN_PIECE(4, VC) KN_PIECE(2, VC) KN_PIECE(1, VC)
#define KN_PIECE_ROW(VC)                                                                                               \
    {                                                                                                                  \
        kn_piece_15_##VC, kn_piece_8_##VC, kn_piece_4_##VC, kn_piece_2_##VC, kn_piece_1_##VC                           \
    }
KN_PIECES(1)
#if KN_VC == 2
KN_PIECES(2)
static kn_piece_fn *const kn_pieces[KN_VC][KN_PIECE_SIZES] = {KN_PIECE_ROW(1), KN_PIECE_ROW(2)};
#else
static kn_piece_fn *const kn_pieces[KN_VC][KN_PIECE_SIZES] = {KN_PIECE_ROW(1)};
#endif

/* A run of `pixels` pixels by `blocks` blocks of output channels; pixels outermost. */
static inline void kn_product_run(const struct kn_product *p, int pixels, int blocks)
{
    const int most = kn_product_vc(p);
    for (int at = 0, size = p->first; at < pixels; at += kn_piece_size[size]) {
        while (kn_piece_size[size] > pixels - at)
            size++;
        int ends = (at == 0 ? KN_FIRST_PIECE : 0) | (at + kn_piece_size[size] == pixels ? KN_LAST_PIECE : 0);
        for (int b = 0; b < blocks; b += most) {
            int vc = blocks - b < most ? blocks - b : most;
            kn_pieces[vc - 1][size](p, p->x + (ptrdiff_t)at * KN_LANES, p->w + b * p->w_block,
                                    p->bias ? p->bias + b * KN_LANES : NULL,
                                    p->y + b * p->y_plane + (ptrdiff_t)at * KN_LANES, ends);
        }
    }
}

/* Adds what kn_product_run() does `times` times over; of `p` taps, channels, resume and register block are read. */
static inline void kn_product_count(struct kn_work *work, double times, const struct kn_product *p, int pixels,
                                    int blocks, int bias)
{
    int px = kn_piece_size[p->first], vc = kn_product_vc(p);
    int left = pixels % px, pieces = pixels / px + __builtin_popcount((unsigned)left);
    int last = left ? left & -left : px, groups = (blocks + vc - 1) / vc;
    double block_bytes = KN_LANES * sizeof(float), results = (double)pixels * blocks, channels = p->to - p->from;
    for (int k = 0; k < p->taps; k++) {
        int edge = p->tap[k].edge, reached = pixels - (edge != 0);
        int skipped =
            edge < 0 ? pixels == 1 || px == 1 : edge > 0 && last == 1; /* a piece of the one pixel without the tap */
        work->load_bytes +=
            times * channels * (sizeof(float) * (double)reached * groups + block_bytes * (pieces - skipped) * blocks);
        work->executed_flop += times * channels * 2 * KN_LANES * reached * blocks;
    }
    work->load_bytes += times * block_bytes * (p->resume ? results : bias ? (double)pieces * blocks : 0);
    work->store_bytes += times * block_bytes * results;
}

#endif
