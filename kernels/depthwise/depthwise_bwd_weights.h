/*
 * dw += dy * x', db += sum of dy, depthwise. Every depthwise_bwd_weights_<isa>.c is this, built for its instruction
 * set.
 *
 * The ten sums of a channel block (nine taps, one bias) stay in registers over a band of rows (tile f). A band's sums
 * go to the workspace, [n][band][unit][10][16], and are added up in that order afterwards, so the result does not
 * depend on which thread took which band.
 */
#ifndef KERNELS_DEPTHWISE_BWD_WEIGHTS_H
#define KERNELS_DEPTHWISE_BWD_WEIGHTS_H
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/depthwise_pairs.h"
#include "kernels/depthwise/depthwise_scalar.h"

enum { DW_SUMS = KN_TAPS + 1, DW_SUM_FLOATS = DW_SUMS * KN_LANES, DW_AHEAD_ROWS = 4 /* fetched early */ };

/* Columns of dy held at once, as masks, by dw_dilation_index(). With 16 registers, of which ten are sums, at most 5. */
#if defined __AVX512F__
static const unsigned dw_chunk[DW_DILATIONS][DW_CHUNKS] = {{0x3fff}, {0x3fff}, {0x3fff}, {0x3fff}};
#else
static const unsigned dw_chunk[DW_DILATIONS][DW_CHUNKS] = {{0x001f, 0x03e0, 0x3c00},
                                                           {0x0055, 0x1500, 0x00aa, 0x2a00},
                                                           {0x1249, 0x2492, 0x0924},
                                                           {0x1041, 0x2082, 0x030c, 0x0c30}};
#endif

/* One unit of one slot: planes at its first lane, and where its band's sums go. */
struct dw_pair {
    struct kn_trace *trace;
    const float *x, *dy;
    float *sums;
    int f, t, dil_f, dil_t;
    struct dw_span span;
};

/* Column i of dy, with its share of the bias. */
KN_INLINE kn_vec dw_take(const struct dw_pair *p, const float *dy, const float *x_next, int i, kn_vec *bias)
{
    kn_vec g = kn_keep(kn_ld(p->trace, KN_OUT, dy + i * KN_LANES));
    dw_fetch(dy + (DW_AHEAD_ROWS * DW_T + i) * KN_LANES);
    dw_fetch(x_next + i * KN_LANES);
    *bias = kn_add(*bias, g);
    return g;
}

/* Row f of dy, columns `cols`, against the up to three rows of x whose bit is set in `rows`. */
KN_INLINE void dw_add_chunk(const struct dw_pair *p, int f, int part, kn_vec sum[DW_SUMS], const int multiplier,
                            const int d, const unsigned cols, const unsigned rows)
{
    const unsigned reads = cols | cols << d | cols >> d;
    const float *dy = p->dy + (ptrdiff_t)f * DW_T * KN_LANES + part * KN_WIDTH;
    const float *x = p->x + (ptrdiff_t)f * DW_T * KN_LANES + part * KN_WIDTH / multiplier;
    const ptrdiff_t step = (ptrdiff_t)p->dil_f * DW_T * KN_LANES;
    const float *x_next = x + step + DW_AHEAD_ROWS * DW_T * KN_LANES;
    kn_vec g[DW_T];
    KN_UNROLL(14)
    for (int i = 0; i < d; i++)
        if (cols >> i & 1)
            g[i] = dw_take(p, dy, x_next, i, &sum[KN_TAPS]);
    KN_UNROLL(14)
    for (int i = 0; i < DW_T; i++) {
        if (i + d < DW_T && cols >> (i + d) & 1)
            g[i + d] = dw_take(p, dy, x_next, i + d, &sum[KN_TAPS]);
        if (reads >> i & 1)
            KN_UNROLL(3) for (int r = 0; r < 3; r++) if (rows >> r & 1)
            {
                kn_vec v = kn_keep(kn_ld_spread(p->trace, KN_IN, x + (r - 1) * step + i * KN_LANES, multiplier));
                if (i + d < DW_T && cols >> (i + d) & 1)
                    sum[3 * r] = kn_fma(v, g[i + d], sum[3 * r]);
                if (cols >> i & 1)
                    sum[3 * r + 1] = kn_fma(v, g[i], sum[3 * r + 1]);
                if (i >= d && cols >> (i - d) & 1)
                    sum[3 * r + 2] = kn_fma(v, g[i - d], sum[3 * r + 2]);
            }
    }
}

KN_INLINE unsigned dw_rows_in_grid(const struct dw_pair *p, int f)
{
    return (f >= p->dil_f ? 1u : 0u) | 2u | (f + p->dil_f < p->f ? 4u : 0u);
}

/* Rows inside the grid take the version whose nine chains of sums run side by side without a test. */
KN_INLINE void dw_add_fast(const struct dw_pair *p, int part, kn_vec sum[DW_SUMS], const int multiplier, const int d)
{
    for (int f = p->span.f0; f < p->span.f1; f++) {
        unsigned rows = dw_rows_in_grid(p, f);
        KN_UNROLL(4) for (int i = 0; i < DW_CHUNKS; i++)
        {
            const unsigned cols = dw_chunk[dw_dilation_index(d)][i];
            if (cols && rows == 7)
                dw_add_chunk(p, f, part, sum, multiplier, d, cols, 7);
            else if (cols)
                dw_add_chunk(p, f, part, sum, multiplier, d, cols, rows);
        }
    }
}

/* Any grid, any dilation: a column of dy at a time. */
KN_INLINE void dw_add_general(const struct dw_pair *p, int part, kn_vec sum[DW_SUMS], const int multiplier)
{
    const struct dw_span *s = &p->span;
    for (int f = s->f0; f < s->f1; f++)
        for (int t = s->t0; t < s->t1; t++) {
            ptrdiff_t at = ((ptrdiff_t)f * p->t + t) * KN_LANES;
            kn_vec g = kn_ld(p->trace, KN_OUT, p->dy + at + part * KN_WIDTH);
            sum[KN_TAPS] = kn_add(sum[KN_TAPS], g);
            KN_UNROLL(9) for (int k = 0; k < KN_TAPS; k++)
            {
                int off_f = (k / 3 - 1) * p->dil_f, off_t = (k % 3 - 1) * p->dil_t;
                if (f + off_f < 0 || f + off_f >= p->f || t + off_t < 0 || t + off_t >= p->t)
                    continue;
                const float *x = p->x + at + ((ptrdiff_t)off_f * p->t + off_t) * KN_LANES;
                sum[k] = kn_fma(kn_ld_spread(p->trace, KN_IN, x + part * KN_WIDTH / multiplier, multiplier), g, sum[k]);
            }
        }
}

/* Adds the span to the unit's sums in the workspace, or begins them if this is the band's first strip. d 0: any. */
KN_INLINE void dw_add(const struct dw_pair *p, const int multiplier, const int d)
{
    for (int part = 0; part < KN_PARTS; part++) {
        kn_vec sum[DW_SUMS];
        float *at = p->sums + part * KN_WIDTH;
        KN_UNROLL(10) for (int k = 0; k < DW_SUMS; k++) sum[k] = kn_zero();
        if (p->span.t0)
            KN_UNROLL(10) for (int k = 0; k < DW_SUMS; k++) sum[k] = kn_ld(p->trace, KN_WORKSPACE, at + k * KN_LANES);
        if (d)
            dw_add_fast(p, part, sum, multiplier, d);
        else
            dw_add_general(p, part, sum, multiplier);
        KN_UNROLL(10) for (int k = 0; k < DW_SUMS; k++) kn_st(p->trace, KN_WORKSPACE, at + k * KN_LANES, sum[k]);
    }
}

/* A function for each combination, as in depthwise_stencil.h. */
#define DW_ADD(MULTIPLIER, D)                                                                                          \
    static __attribute__((noinline)) void dw_add_##MULTIPLIER##_##D(const struct dw_pair *p)                           \
    {                                                                                                                  \
        dw_add(p, MULTIPLIER, D);                                                                                      \
    }
#define DW_ADDS(MULTIPLIER)                                                                                            \
    DW_ADD(MULTIPLIER, 0) DW_ADD(MULTIPLIER, 1) DW_ADD(MULTIPLIER, 2) DW_ADD(MULTIPLIER, 3) DW_ADD(MULTIPLIER, 6)
DW_ADDS(1)
DW_ADDS(2)

KN_INLINE struct dw_pair dw_pair_of(const struct kn_args *a, const struct dw_span *span, float *sums,
                                    const int multiplier)
{
    const struct kn_shape *s = a->shape;
    size_t plane = (size_t)s->f * (size_t)s->t * KN_LANES;
    size_t y = ((size_t)span->n * (size_t)kn_blocks(s->oc) + (size_t)span->u) * plane;
    size_t x = ((size_t)span->n * (size_t)kn_blocks(s->ic) + (size_t)(span->u / multiplier)) * plane +
               (size_t)(span->u % multiplier * KN_LANES / 2);
    return (struct dw_pair){.trace = a->trace,
                            .x = a->x + x,
                            .dy = a->dy + y,
                            .sums = sums,
                            .f = s->f,
                            .t = s->t,
                            .dil_f = s->dil_f,
                            .dil_t = s->dil_t,
                            .span = *span};
}

static void dw_add_unit(const struct kn_args *a, const struct dw_span *span, float *sums, int fast)
{
    typedef void add_fn(const struct dw_pair *p);
    static add_fn *const add[2][1 + DW_DILATIONS] = {
        {dw_add_1_0, dw_add_1_1, dw_add_1_2, dw_add_1_3, dw_add_1_6},
        {dw_add_2_0, dw_add_2_1, dw_add_2_2, dw_add_2_3, dw_add_2_6},
    };
    int multiplier = dw_multiplier(a->shape);
    if (multiplier <= 2) {
        struct dw_pair pair = dw_pair_of(a, span, sums, multiplier);
        add[multiplier - 1][fast ? 1 + dw_dilation_index(a->shape->dil_t) : 0](&pair);
    } else {
        for (int i = 0; span->t0 == 0 && i < DW_SUM_FLOATS; i += KN_WIDTH)
            kn_st(a->trace, KN_WORKSPACE, sums + i, kn_zero());
        dw_scalar_bwd_weights(a, span, sums);
    }
}

/* Adds the bands' sums of unit u to dw and db; `bands` counts those of all slots, `stride` floats apart. */
static void dw_join(const struct kn_args *a, const float *sums, int bands, size_t stride, int u)
{
    for (int i = 0; i < DW_SUM_FLOATS; i += KN_WIDTH) {
        int taps = KN_TAPS * KN_LANES;
        float *total = i < taps ? a->dw + u * taps + i : a->db ? a->db + u * KN_LANES + i - taps : NULL;
        enum kn_operand operand = i < taps ? KN_WEIGHT : KN_BIAS;
        if (!total)
            return;
        kn_vec sum = kn_zero();
        for (int b = 0; b < bands; b++)
            sum = kn_add(sum, kn_ld(a->trace, KN_WORKSPACE, sums + (size_t)b * stride + i));
        kn_st(a->trace, operand, total, kn_add(kn_ld(a->trace, operand, total), sum));
    }
}

static void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
    const struct kn_tile tile = dw_resolve(s, a->tile);
    const int fast = dw_fast(s, &tile), units = dw_units(KN_BWD_WEIGHTS, s), group = tile.oc / KN_LANES;
    const int bands = dw_ceil(s->f, tile.f);
#pragma omp parallel num_threads(a->threads)
    {
#pragma omp for collapse(3) schedule(static)
        for (int n = 0; n < s->n; n++)
            for (int u0 = 0; u0 < units; u0 += group)
                for (int b = 0; b < bands; b++)
                    for (int t0 = 0; t0 < s->t; t0 += tile.t)
                        for (int u = u0; u < u0 + group && u < units; u++) {
                            int f0 = b * tile.f, f1 = s->f - f0 < tile.f ? s->f : f0 + tile.f;
                            int t1 = s->t - t0 < tile.t ? s->t : t0 + tile.t;
                            dw_add_unit(a, &(struct dw_span){.n = n, .u = u, .f0 = f0, .f1 = f1, .t0 = t0, .t1 = t1},
                                        a->workspace +
                                            (((size_t)n * (size_t)bands + (size_t)b) * (size_t)units + (size_t)u) *
                                                DW_SUM_FLOATS,
                                        fast);
                        }
#pragma omp for schedule(static)
        for (int u = 0; u < units; u++)
            dw_join(a, a->workspace + (size_t)u * DW_SUM_FLOATS, s->n * bands, (size_t)units * DW_SUM_FLOATS, u);
    }
}

static size_t workspace_bytes(const struct kn_shape *s, const struct kn_tile *asked, int threads)
{
    const struct kn_tile tile = dw_resolve(s, asked);
    (void)threads;
    return sizeof(float) * DW_SUM_FLOATS * (size_t)s->n * (size_t)dw_ceil(s->f, tile.f) * (size_t)kn_blocks(s->oc);
}

static void work(const struct kn_shape *s, const struct kn_tile *asked, struct kn_work *work)
{
    const struct kn_tile tile = dw_resolve(s, asked);
    double row_taps = dw_taps(s->f, s->dil_f), taps = row_taps * dw_taps(s->t, s->dil_t), lanes = kn_blocks(s->oc);
    double bands = (double)s->n * dw_ceil(s->f, tile.f), strips = dw_ceil(s->t, tile.t), pixels = (double)s->f * s->t;
    int multiplier = dw_multiplier(s);
    lanes *= KN_LANES;
    kn_work_init(work, KN_DEPTHWISE, KN_BWD_WEIGHTS, s);
    /* joining: a band's sums loaded, the result loaded and stored */
    double loads = lanes * DW_SUMS * (bands + 1), stores = lanes * DW_SUMS;
    if (multiplier > 2) {
        loads += s->n * s->oc * (2 * taps + pixels) + s->oc * bands * strips * DW_SUMS;
        stores += lanes * DW_SUMS * bands + s->oc * bands * strips * DW_SUMS;
    } else {
        double inputs = taps;
        if (dw_fast(s, &tile)) {
            inputs = 0;
            for (int i = 0; i < DW_CHUNKS; i++)
                inputs += row_taps * dw_columns_read(dw_chunk[dw_dilation_index(s->dil_t)][i], s->dil_t);
        }
        loads += lanes * (s->n * (pixels + inputs / multiplier) + bands * (strips - 1) * DW_SUMS);
        stores += lanes * bands * strips * DW_SUMS;
        work->executed_flop = 2 * taps * lanes * s->n;
    }
    work->load_bytes = sizeof(float) * loads;
    work->store_bytes = sizeof(float) * stores;
}

#define DEPTHWISE_BWD_WEIGHTS                                                                                          \
    .op = KN_DEPTHWISE, .dir = KN_BWD_WEIGHTS, .tile_fields = DW_FIELDS, .supports = dw_supports,                      \
    .workspace_bytes = workspace_bytes, .run = run, .resolve = dw_resolve, .work = work

#endif
