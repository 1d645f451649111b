/*
 * The dense operators through OpenBLAS's sgemm, as most frameworks would do them: the blocked tensors are unpacked into
 * row-major matrices in the workspace (im2col for 3x3), multiplied, and packed again; that is part of the call.
 * OpenBLAS does not promise the same rounding at every thread count.
 *
 *     columns[pixel][tap][ic]   weights[tap][ic][oc]   out[pixel][oc]      of one slot
 *     out = columns * weights   dcolumns = dout * weights'   dweights += columns' * dout
 */
#ifndef KERNELS_BLAS_H
#define KERNELS_BLAS_H
#include "kernels/kernel.h"
#include "kernels/scalar.h"
#include "kernels/tile.h"
#include <cblas.h>
#include <math.h>
#include <string.h>

struct kn_blas {
    const struct kn_shape *shape;
    int taps, pixels, k; /* k = taps * ic */
    int threads, threads_before;
    float *columns, *weights, *out;
};

static inline size_t kn_blas_bytes(const struct kn_shape *s, int taps)
{
    size_t pixels = (size_t)s->f * (size_t)s->t, k = (size_t)taps * (size_t)s->ic, oc = (size_t)s->oc;
    return (pixels * k + k * oc + pixels * oc) * sizeof(float);
}

/* The number of OpenBLAS's threads is the process's: it is put back by kn_blas_end(). */
static inline struct kn_blas kn_blas_begin(const struct kn_args *a, int taps)
{
    const struct kn_shape *s = a->shape;
    struct kn_blas b = {.shape = s,
                        .taps = taps,
                        .pixels = s->f * s->t,
                        .k = taps * s->ic,
                        .threads = a->threads,
                        .threads_before = openblas_get_num_threads(),
                        .columns = a->workspace};
    b.weights = b.columns + (size_t)b.pixels * (size_t)b.k;
    b.out = b.weights + (size_t)b.k * (size_t)s->oc;
    openblas_set_num_threads(a->threads);
    return b;
}

static inline void kn_blas_end(const struct kn_blas *b)
{
    openblas_set_num_threads(b->threads_before);
}

/* The pixel that tap k of (f, t) reads; 0 if it is off the grid. */
static inline int kn_blas_tap(const struct kn_blas *b, int tap, int f, int t, int *from_f, int *from_t)
{
    *from_f = b->taps == 1 ? f : f + b->shape->dil_f * (tap / 3 - 1);
    *from_t = b->taps == 1 ? t : t + b->shape->dil_t * (tap % 3 - 1);
    return kn_on_grid(b->shape, *from_f, *from_t);
}

static inline float *kn_blas_column(const struct kn_blas *b, int f, int t, int tap)
{
    return b->columns + (size_t)(f * b->shape->t + t) * (size_t)b->k + (size_t)tap * (size_t)b->shape->ic;
}

/* Copies the channels of one pixel of a blocked tensor to neighbouring floats. */
static inline void kn_blas_gather(const struct kn_shape *s, int channels, const float *a, int n, int f, int t,
                                  float *to)
{
    for (int c = 0; c < channels; c += KN_LANES) {
        int lanes = channels - c < KN_LANES ? channels - c : KN_LANES;
        memcpy(to + c, a + kn_at(s, channels, n, c, f, t), (size_t)lanes * sizeof *to);
    }
}

static inline void kn_blas_columns(const struct kn_blas *b, const float *x, int n)
{
    const struct kn_shape *s = b->shape;
#pragma omp parallel for num_threads(b->threads)
    for (int f = 0; f < s->f; f++)
        for (int t = 0; t < s->t; t++)
            for (int tap = 0, from_f, from_t; tap < b->taps; tap++)
                if (kn_blas_tap(b, tap, f, t, &from_f, &from_t))
                    kn_blas_gather(s, s->ic, x, n, from_f, from_t, kn_blas_column(b, f, t, tap));
                else
                    memset(kn_blas_column(b, f, t, tap), 0, (size_t)s->ic * sizeof(float));
}

/* dy of one slot into `out`. */
static inline void kn_blas_gradient(const struct kn_blas *b, const float *dy, int n)
{
    const struct kn_shape *s = b->shape;
#pragma omp parallel for num_threads(b->threads)
    for (int f = 0; f < s->f; f++)
        for (int t = 0; t < s->t; t++)
            kn_blas_gather(s, s->oc, dy, n, f, t, b->out + (size_t)(f * s->t + t) * (size_t)s->oc);
}

/* Calls the weight's place in the matrix and in the blocked tensor what they are to the loops below. */
static inline float *kn_blas_weight(const struct kn_blas *b, int tap, int i, int o)
{
    return b->weights + ((size_t)tap * (size_t)b->shape->ic + (size_t)i) * (size_t)b->shape->oc + (size_t)o;
}

static inline void kn_blas_weights(const struct kn_blas *b, const float *w)
{
    const struct kn_shape *s = b->shape;
    for (int tap = 0; tap < b->taps; tap++)
        for (int i = 0; i < s->ic; i++)
            for (int o = 0; o < s->oc; o++)
                *kn_blas_weight(b, tap, i, o) = w[kn_w_at(s, b->taps, o, i, tap)];
}

static inline void kn_blas_fwd(const struct kn_args *a, int taps)
{
    const struct kn_shape *s = a->shape;
    struct kn_blas b = kn_blas_begin(a, taps);
    kn_blas_weights(&b, a->w);
    for (int n = 0; n < s->n; n++) {
        kn_blas_columns(&b, a->x, n);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, b.pixels, s->oc, b.k, 1, b.columns, b.k, b.weights,
                    s->oc, 0, b.out, s->oc);
#pragma omp parallel for num_threads(b.threads)
        for (int f = 0; f < s->f; f++)
            for (int t = 0; t < s->t; t++)
                for (int o = 0; o < kn_lanes(s->oc); o++)
                    a->y[kn_at(s, s->oc, n, o, f, t)] =
                        o < s->oc
                            ? b.out[(size_t)(f * s->t + t) * (size_t)s->oc + (size_t)o] + (a->bias ? a->bias[o] : 0)
                            : 0;
    }
    kn_blas_end(&b);
}

/* Adds the columns of one slot back to the pixels they came from. */
static inline void kn_blas_scatter(const struct kn_blas *b, float *dx, int n)
{
    const struct kn_shape *s = b->shape;
#pragma omp parallel for num_threads(b->threads)
    for (int block = 0; block < kn_blocks(s->ic); block++) {
        int c = block * KN_LANES, lanes = s->ic - c < KN_LANES ? s->ic - c : KN_LANES;
        memset(dx + kn_at(s, s->ic, n, c, 0, 0), 0, (size_t)b->pixels * KN_LANES * sizeof *dx);
        for (int f = 0; f < s->f; f++)
            for (int t = 0; t < s->t; t++)
                for (int tap = 0, from_f, from_t; tap < b->taps; tap++) {
                    if (!kn_blas_tap(b, tap, f, t, &from_f, &from_t))
                        continue;
                    float *to = dx + kn_at(s, s->ic, n, c, from_f, from_t);
                    const float *from = kn_blas_column(b, f, t, tap) + c;
                    for (int q = 0; q < lanes; q++)
                        to[q] += from[q];
                }
    }
}

static inline void kn_blas_bwd_data(const struct kn_args *a, int taps)
{
    const struct kn_shape *s = a->shape;
    struct kn_blas b = kn_blas_begin(a, taps);
    kn_blas_weights(&b, a->w);
    for (int n = 0; n < s->n; n++) {
        kn_blas_gradient(&b, a->dy, n);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b.pixels, b.k, s->oc, 1, b.out, s->oc, b.weights, s->oc, 0,
                    b.columns, b.k);
        kn_blas_scatter(&b, a->dx, n);
    }
    kn_blas_end(&b);
}

static inline void kn_blas_bwd_weights(const struct kn_args *a, int taps)
{
    const struct kn_shape *s = a->shape;
    struct kn_blas b = kn_blas_begin(a, taps);
    for (int n = 0; n < s->n; n++) {
        kn_blas_columns(&b, a->x, n);
        kn_blas_gradient(&b, a->dy, n);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, b.k, s->oc, b.pixels, 1, b.columns, b.k, b.out, s->oc,
                    n > 0, b.weights, s->oc);
        for (int p = 0; a->db && p < b.pixels; p++)
            for (int o = 0; o < s->oc; o++)
                a->db[o] += b.out[(size_t)p * (size_t)s->oc + (size_t)o];
    }
    for (int tap = 0; tap < taps; tap++)
        for (int i = 0; i < s->ic; i++)
            for (int o = 0; o < s->oc; o++)
                a->dw[kn_w_at(s, taps, o, i, tap)] += *kn_blas_weight(&b, tap, i, o);
    kn_blas_end(&b);
}

static inline struct kn_tile kn_blas_resolve(const struct kn_shape *shape, const struct kn_tile *tile)
{
    (void)shape, (void)tile;
    return (struct kn_tile){0};
}

/* What OpenBLAS loads and stores is not known. im2col multiplies the border's zeros too. */
static inline void kn_blas_work(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, struct kn_work *work)
{
    kn_work_init(work, op, dir, s);
    work->executed_flop = 2.0 * s->n * s->f * s->t * s->ic * s->oc * (op == KN_POINTWISE ? 1 : KN_TAPS);
    work->load_bytes = work->store_bytes = NAN;
}

#endif
