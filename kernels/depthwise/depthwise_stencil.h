/*
 * The loop nest of forward and backward-data. Backward-data is the same stencil over dy with the taps turned around:
 * tap k of one is tap 8 - k of the other. `dir`, `multiplier` and `d` are compile-time constants wherever they are
 * arguments of inline functions, so that each combination becomes code without tests.
 *
 * In a fast row every input pixel is loaded once a chunk and used for the up to three taps of its row; taps outside
 * the grid are never generated. With 32 registers a chunk is the whole row of 14 outputs. With 16 it is at most 8:
 * columns a dilation apart from each other, which share inputs, where the dilation allows it.
 */
#ifndef KERNELS_DEPTHWISE_STENCIL_H
#define KERNELS_DEPTHWISE_STENCIL_H
#include "kernels/depthwise/depthwise.h"
#include "kernels/depthwise/depthwise_pairs.h"
#include "kernels/depthwise/depthwise_scalar.h"

/* Outputs of each chunk as a mask of columns, by dw_dilation_index(). */
#if defined __AVX512F__
static const unsigned dw_chunk[DW_DILATIONS][DW_CHUNKS] = {{0x3fff}, {0x3fff}, {0x3fff}, {0x3fff}};
#else
static const unsigned dw_chunk[DW_DILATIONS][DW_CHUNKS] = {
    {0x007f, 0x3f80}, {0x1555, 0x2aaa}, {0x1249, 0x2492, 0x0924}, {0x30c3, 0x0f3c}};
#endif

/*
 * Outputs of DW_FAR_BYTES and more: their rows are fetched earlier, and, where a vector is a whole line, stored past
 * the caches. The lines they overwrite need not be read first, which is worth 1.2 to 2 times the speed, and whoever
 * reads them next finds few of them in a cache either way. Threads share the way to memory, while each has its own to
 * the last cache: several of them store past it only what does not fit in there beside the input. At 9 MB passing it by
 * is 1.2 times as fast on one core, and 0.7 times on two.
 */
enum { DW_FAR_BYTES = 8 << 20, DW_SHARED_FAR_BYTES = 14 << 20, DW_MAY_STREAM = KN_PARTS == 1 };

/* One unit: planes at its first lane, rows and symbols to write. */
struct dw_plane {
    struct kn_trace *trace;
    enum kn_operand in_is, out_is;
    const float *in, *w, *bias;
    float *out;
    int f, t, dil_f, dil_t;
    int in_f, out_f;            /* the rows that `in` and `out` begin with */
    int stream;                 /* store past the caches */
    const float *early, *later; /* what to fetch along with the first row, row by row; along with row `turn` */
    int turn;
    struct dw_span span;
};

/* The multiplier on the side that is read, and on the side that is written. */
KN_INLINE int dw_in_multiplier(const int dir, const int multiplier)
{
    return dir == KN_FWD ? multiplier : 1;
}
KN_INLINE int dw_out_multiplier(const int dir, const int multiplier)
{
    return dir == KN_FWD ? 1 : multiplier;
}

KN_INLINE const float *dw_row(const struct dw_plane *p, int f)
{
    return p->in + (ptrdiff_t)(f - p->in_f) * p->t * KN_LANES;
}

/* How the rows of a unit come and go, by the size of the output. */
static inline void dw_traffic(struct dw_plane *p, int dir, const struct kn_shape *s, int threads)
{
    const size_t far = threads > 1 ? DW_SHARED_FAR_BYTES : DW_FAR_BYTES;
    size_t bytes = (dir == KN_FWD ? kn_y_floats(s) : kn_x_floats(s)) * sizeof(float);
    p->turn = p->f;
    p->early = dw_row(p, p->span.f0 + p->dil_f + (bytes >= DW_FAR_BYTES ? 12 : 4));
    p->stream = DW_MAY_STREAM && dw_out_multiplier(dir, dw_multiplier(s)) == 1 && bytes >= far;
}

KN_INLINE const float *dw_tap(const float *w, const int dir, const int k)
{
    return w + (dir == KN_FWD ? k : KN_TAPS - 1 - k) * KN_LANES;
}

KN_INLINE kn_vec dw_start(const struct dw_plane *p, int part)
{
    return p->bias ? kn_ld(p->trace, KN_BIAS, p->bias + part * KN_WIDTH) : kn_zero();
}

KN_INLINE float *dw_out_row(const struct dw_plane *p, int f)
{
    return p->out + (ptrdiff_t)(f - p->out_f) * p->t * KN_LANES;
}

/* The outputs `cols` of row f. */
KN_INLINE void dw_row_chunk(const struct dw_plane *p, int f, int part, const int dir, const int multiplier, const int d,
                            const unsigned cols)
{
    const unsigned reads = cols | cols << d | cols >> d;
    const int in_multiplier = dw_in_multiplier(dir, multiplier), from = part * KN_WIDTH / in_multiplier;
    const float *next = f < p->turn ? p->early + (ptrdiff_t)(f - p->span.f0) * p->t * KN_LANES
                                    : p->later + (ptrdiff_t)(f - p->turn) * p->t * KN_LANES;
    kn_vec acc[DW_T], start = dw_start(p, part);
    KN_UNROLL(14) for (int i = 0; i < DW_T; i++) acc[i] = start;
    KN_UNROLL(3) for (int r = 0; r < 3; r++)
    {
        int at = f + (r - 1) * p->dil_f;
        if (at < 0 || at >= p->f)
            continue;
        const float *row = dw_row(p, at) + from, *w = p->w + part * KN_WIDTH;
        kn_vec w0 = kn_ld(p->trace, KN_WEIGHT, dw_tap(w, dir, 3 * r));
        kn_vec w1 = kn_ld(p->trace, KN_WEIGHT, dw_tap(w, dir, 3 * r + 1));
        kn_vec w2 = kn_ld(p->trace, KN_WEIGHT, dw_tap(w, dir, 3 * r + 2));
        KN_UNROLL(14) for (int i = 0; i < DW_T; i++) if (reads >> i & 1)
        {
            kn_vec v = kn_keep(kn_ld_spread(p->trace, p->in_is, row + i * KN_LANES, in_multiplier));
            if (r == 1 && cols >> i & 1)
                dw_fetch(next + i * KN_LANES);
            if (i + d < DW_T && cols >> (i + d) & 1)
                acc[i + d] = kn_fma(v, w0, acc[i + d]);
            if (cols >> i & 1)
                acc[i] = kn_fma(v, w1, acc[i]);
            if (i >= d && cols >> (i - d) & 1)
                acc[i - d] = kn_fma(v, w2, acc[i - d]);
        }
    }
    float *out = dw_out_row(p, f) + part * KN_WIDTH / dw_out_multiplier(dir, multiplier);
    if (DW_MAY_STREAM && p->stream) {
        KN_UNROLL(14) for (int i = 0; i < DW_T; i++) kn_stream(p->trace, p->out_is, out + i * KN_LANES, acc[i]);
        return;
    }
    KN_UNROLL(14)
    for (int i = 0; i < DW_T; i++)
        if (cols >> i & 1)
            kn_st_folded(p->trace, p->out_is, out + i * KN_LANES, acc[i], dw_out_multiplier(dir, multiplier));
}

KN_INLINE void dw_fast_rows(const struct dw_plane *p, const int dir, const int multiplier, const int d)
{
    for (int f = p->span.f0; f < p->span.f1; f++)
        for (int part = 0; part < KN_PARTS; part++)
            KN_UNROLL(4)
    for (int i = 0; i < DW_CHUNKS; i++)
        if (dw_chunk[dw_dilation_index(d)][i])
            dw_row_chunk(p, f, part, dir, multiplier, d, dw_chunk[dw_dilation_index(d)][i]);
}

/* Any grid, any dilation: output by output, every tap its own loads. */
KN_INLINE void dw_general_rows(const struct dw_plane *p, const int dir, const int multiplier)
{
    const struct dw_span *s = &p->span;
    for (int f = s->f0; f < s->f1; f++)
        for (int t = s->t0; t < s->t1; t++)
            for (int part = 0; part < KN_PARTS; part++) {
                const int in_multiplier = dw_in_multiplier(dir, multiplier), from = part * KN_WIDTH / in_multiplier;
                kn_vec acc = dw_start(p, part);
                KN_UNROLL(9) for (int k = 0; k < KN_TAPS; k++)
                {
                    int at_f = f + (k / 3 - 1) * p->dil_f, at_t = t + (k % 3 - 1) * p->dil_t;
                    if (at_f < 0 || at_f >= p->f || at_t < 0 || at_t >= p->t)
                        continue;
                    acc = kn_fma(
                        kn_ld_spread(p->trace, p->in_is, dw_row(p, at_f) + at_t * KN_LANES + from, in_multiplier),
                        kn_ld(p->trace, KN_WEIGHT, dw_tap(p->w + part * KN_WIDTH, dir, k)), acc);
                }
                kn_st_folded(p->trace, p->out_is,
                             dw_out_row(p, f) + t * KN_LANES + part * KN_WIDTH / dw_out_multiplier(dir, multiplier),
                             acc, dw_out_multiplier(dir, multiplier));
            }
}

/* Half a block of dx whose outputs do not exist: padding. */
KN_INLINE void dw_clear_half(const struct dw_plane *p)
{
    const struct dw_span *s = &p->span;
    for (int f = s->f0; f < s->f1; f++)
        for (int t = s->t0; t < s->t1; t++)
            for (int part = 0; part < KN_PARTS; part++)
                kn_st_folded(p->trace, KN_IN, p->out + ((ptrdiff_t)f * p->t + t) * KN_LANES + part * KN_WIDTH / 2,
                             kn_zero(), 2);
}

/*
 * NAME(plane, fast) computes the rows of a plane. A function for each combination: inlined side by side, GCC merged
 * what they have in common and tested the multiplier row by row.
 */
#define DW_FAST(NAME, DIR, MULTIPLIER, D)                                                                              \
    static __attribute__((noinline)) void NAME##_##D(const struct dw_plane *p)                                         \
    {                                                                                                                  \
        dw_fast_rows(p, DIR, MULTIPLIER, D);                                                                           \
    }
#define DW_ROWS(NAME, DIR, MULTIPLIER)                                                                                 \
    DW_FAST(NAME, DIR, MULTIPLIER, 1)                                                                                  \
    DW_FAST(NAME, DIR, MULTIPLIER, 2)                                                                                  \
    DW_FAST(NAME, DIR, MULTIPLIER, 3)                                                                                  \
    DW_FAST(NAME, DIR, MULTIPLIER, 6)                                                                                  \
    static __attribute__((noinline)) void NAME(const struct dw_plane *p, int fast)                                     \
    {                                                                                                                  \
        static void (*const rows[DW_DILATIONS])(const struct dw_plane *p) = {NAME##_1, NAME##_2, NAME##_3, NAME##_6};  \
        if (fast)                                                                                                      \
            rows[dw_dilation_index(p->dil_t)](p);                                                                      \
        else                                                                                                           \
            dw_general_rows(p, DIR, MULTIPLIER);                                                                       \
    }
typedef void dw_rows_fn(const struct dw_plane *p, int fast);

/* The plane of a unit: block u on the side of y; block u, or half block u, on the side of x. */
KN_INLINE struct dw_plane dw_plane_of(const struct kn_args *a, const struct dw_span *span, const int dir,
                                      const int multiplier)
{
    const struct kn_shape *s = a->shape;
    size_t plane = (size_t)s->f * (size_t)s->t * KN_LANES;
    size_t y = ((size_t)span->n * (size_t)kn_blocks(s->oc) + (size_t)span->u) * plane;
    size_t x = ((size_t)span->n * (size_t)kn_blocks(s->ic) + (size_t)(span->u / multiplier)) * plane +
               (size_t)(span->u % multiplier * KN_LANES / 2);
    return (struct dw_plane){.trace = a->trace,
                             .in_is = dir == KN_FWD ? KN_IN : KN_OUT,
                             .out_is = dir == KN_FWD ? KN_OUT : KN_IN,
                             .in = dir == KN_FWD ? a->x + x : a->dy + y,
                             .out = dir == KN_FWD ? a->y + y : a->dx + x,
                             .w = a->w + span->u * KN_TAPS * KN_LANES,
                             .bias = dir == KN_FWD && a->bias ? a->bias + span->u * KN_LANES : NULL,
                             .f = s->f,
                             .t = s->t,
                             .dil_f = s->dil_f,
                             .dil_t = s->dil_t,
                             .span = *span};
}

/* `rows`: for multipliers 1 and 2. */
KN_INLINE void dw_unit(const struct kn_args *a, const struct dw_span *span, const int dir, dw_rows_fn *const rows[2],
                       int fast)
{
    const struct kn_shape *s = a->shape;
    int multiplier = dw_multiplier(s);
    if (multiplier <= 2) {
        struct dw_plane plane = dw_plane_of(a, span, dir, multiplier);
        dw_traffic(&plane, dir, s, a->threads);
        if (span->u < kn_blocks(s->oc))
            rows[multiplier - 1](&plane, fast);
        else
            dw_clear_half(&plane);
    } else if (dir == KN_FWD) {
        dw_scalar_fwd(a, span);
    } else {
        dw_scalar_bwd_data(a, span);
    }
}

KN_INLINE void dw_run(const struct kn_args *a, const int dir, dw_rows_fn *const rows[2])
{
    const struct kn_shape *s = a->shape;
    const struct kn_tile tile = dw_resolve(s, a->tile);
    const int fast = dw_fast(s, &tile), units = dw_units(dir, s), group = tile.oc / KN_LANES;
#pragma omp parallel for collapse(3) num_threads(a->threads) schedule(static)
    for (int n = 0; n < s->n; n++)
        for (int u0 = 0; u0 < units; u0 += group)
            for (int f0 = 0; f0 < s->f; f0 += tile.f)
                for (int t0 = 0; t0 < s->t; t0 += tile.t)
                    for (int u = u0; u < u0 + group && u < units; u++) {
                        int f1 = s->f - f0 < tile.f ? s->f : f0 + tile.f, t1 = s->t - t0 < tile.t ? s->t : t0 + tile.t;
                        dw_unit(a, &(struct dw_span){.n = n, .u = u, .f0 = f0, .f1 = f1, .t0 = t0, .t1 = t1}, dir, rows,
                                fast);
                        kn_fence();
                    }
}

/* Bytes that all units load with a resolved tile; `bias` says whether there is one. */
static inline double dw_load_bytes(enum kn_dir dir, const struct kn_shape *s, const struct kn_tile *tile, int bias)
{
    double row_taps = dw_taps(s->f, s->dil_f), taps = row_taps * dw_taps(s->t, s->dil_t);
    double inputs = taps, weights = taps, biases = (double)s->f * s->t;
    int multiplier = dw_multiplier(s), chunked = dw_fast(s, tile);
    if (multiplier > 2)
        return sizeof(float) * s->n * s->oc * (2 * taps + (bias ? biases : 0));
    if (chunked)
        inputs = weights = biases = 0;
    for (int i = 0; chunked && i < DW_CHUNKS; i++) {
        unsigned cols = dw_chunk[dw_dilation_index(s->dil_t)][i];
        inputs += row_taps * dw_columns_read(cols, s->dil_t);
        weights += cols ? row_taps * 3 : 0;
        biases += cols ? s->f : 0;
    }
    return sizeof(float) * s->n * kn_blocks(s->oc) * KN_LANES *
           (inputs / dw_in_multiplier(dir, multiplier) + weights + (bias ? biases : 0));
}

/* Two for every multiply-add of a lane, padding lanes included; the plain loops have none of those. */
static inline double dw_executed_flop(const struct kn_shape *s)
{
    int lanes = dw_multiplier(s) > 2 ? s->oc : kn_blocks(s->oc) * KN_LANES;
    return 2 * dw_taps(s->f, s->dil_f) * dw_taps(s->t, s->dil_t) * s->n * lanes;
}

static inline void dw_work(enum kn_dir dir, const struct kn_shape *s, const struct kn_tile *asked, struct kn_work *work)
{
    const struct kn_tile tile = dw_resolve(s, asked);
    kn_work_init(work, KN_DEPTHWISE, dir, s);
    work->executed_flop = dw_executed_flop(s);
    work->load_bytes = dw_load_bytes(dir, s, &tile, dir == KN_FWD);
    work->store_bytes = sizeof(float) * (double)(dir == KN_FWD ? kn_y_floats(s) : kn_x_floats(s));
}

static inline size_t dw_no_workspace(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)shape, (void)tile, (void)threads;
    return 0;
}

#endif
