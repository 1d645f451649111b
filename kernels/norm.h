/*
 * Batch norm with ReLU, and the residual add, on the blocked layout a[n][c/16][f][t][16] (kernels/kernel.h).
 * Memory-bound passes without tiles, so they are plain functions, not kernels of the registry. Every call runs on one
 * thread and allocates nothing; callers share the work out over channel blocks, each call getting its own.
 *
 * Formulas, per channel, with xhat = (x - mean) * invstd:
 *     forward   y = max(0, gamma * xhat + beta)
 *     backward  dz = dy where gamma * xhat + beta > 0, else 0 (the mask is computed again, not kept);  N = n * f * t
 *               dbeta += sum dz;  dgamma += sum dz * xhat
 *               dx = skip + gamma * invstd * (dz - sum dz / N - xhat * sum(dz * xhat) / N)
 * Source: Ioffe and Szegedy, "Batch normalization", 2015, section 3.
 */
#ifndef KERNELS_NORM_H
#define KERNELS_NORM_H
#include <stddef.h>

/* The channel blocks a call works on: all slots, all pixels, blocks first .. first + count - 1 of the tensor. */
struct kn_norm_part {
    int n, c;      /* slots; real channels of the tensor (its blocks are kn_blocks(c)) */
    size_t pixels; /* f * t */
    int first, count;
};

/*
 * Tensors are passed from their start whatever the part. Channel vectors hold 16 * kn_blocks(c) floats, channel k at
 * [k], and are read or written only for the blocks of the part. Padding lanes of every result are 0, whatever the
 * padding lanes of the vectors hold. Nothing need be aligned. y may be x, and dx may be x, dy or skip; otherwise no
 * overlap.
 */

/** Mean and biased variance (division by N) over n, f, t. Sums run in float over at most
 * 128 values, then in double, about the mean of those values: large means cost no digits. */
void kn_norm_stats(const struct kn_norm_part *part, const float *x, float *mean, float *var);

/** Training form: statistics of the batch, invstd = 1 / sqrt(var + eps). */
void kn_norm_fwd(const struct kn_norm_part *part, const float *x, const float *mean, const float *invstd,
                 const float *gamma, const float *beta, float *y);

/** Inference form: y = max(0, scale * x + shift); scale = gamma * invstd, shift = beta - mean * scale. */
void kn_norm_apply(const struct kn_norm_part *part, const float *x, const float *scale, const float *shift, float *y);

struct kn_norm_bwd_args {
    const float *x, *dy;
    const float *mean, *invstd, *gamma, *beta; /* as given to kn_norm_fwd() */
    const float *skip;                         /* gradient that a residual branch brings to x; NULL = none */
    float *dx;                                 /* overwritten */
    float *dgamma, *dbeta;                     /* added to */
};
/** Backward of the training form, statistics included. */
void kn_norm_bwd(const struct kn_norm_part *part, const struct kn_norm_bwd_args *args);

/** y = a + b over `floats` floats; y may be a or b. */
void kn_tensor_add(size_t floats, const float *a, const float *b, float *y);
/** y += a. */
void kn_tensor_accumulate(size_t floats, const float *a, float *y);

/* One instruction set's versions of the above; the functions pick the highest that jrx_cpu_isa() allows. */
struct kn_norm_ops {
    void (*stats)(const struct kn_norm_part *part, const float *x, float *mean, float *var);
    void (*fwd)(const struct kn_norm_part *part, const float *x, const float *mean, const float *invstd,
                const float *gamma, const float *beta, float *y);
    void (*apply)(const struct kn_norm_part *part, const float *x, const float *scale, const float *shift, float *y);
    void (*bwd)(const struct kn_norm_part *part, const struct kn_norm_bwd_args *args);
    void (*add)(size_t floats, const float *a, const float *b, float *y);
};
extern const struct kn_norm_ops kn_norm_baseline, kn_norm_avx2, kn_norm_avx512;

#endif
