/*
 * Batch norm with ReLU, backward: the sums that are dw and db, and from them dx. The mask of ReLU is made again, not
 * kept. N = n * f * t; dz = dy where the value before ReLU is above 0, else 0.
 */
#ifndef KERNELS_NORM_BWD_H
#define KERNELS_NORM_BWD_H
#include "kernels/norm/norm.h"

/* Sums of dz and of dz * (x - mean). */
KN_INLINE void step_reduce(struct kn_pass *pass, size_t at, int j)
{
    kn_vec centred = norm_centred(pass, at, j);
    kn_vec dz = kn_where_positive(norm_z(pass, centred, j), kn_ld(pass->trace, KN_OUT, pass->dy + at));
    pass->sum[0].v[j] = kn_add(pass->sum[0].v[j], dz);
    pass->sum[1].v[j] = kn_fma(dz, centred, pass->sum[1].v[j]);
}

/* e = -w * invstd * sum dz / N, d = -w * invstd^3 * sum(dz * (x - mean)) / N, both constant by now */
KN_INLINE kn_vec dx_value(const struct kn_pass *pass, size_t at, int j)
{
    kn_vec centred = norm_centred(pass, at, j);
    kn_vec dz = kn_where_positive(norm_z(pass, centred, j), kn_ld(pass->trace, KN_OUT, pass->dy + at));
    return kn_fma(dz, pass->b.v[j], kn_fma(centred, pass->d.v[j], pass->e.v[j]));
}
KN_INLINE void step_dx(struct kn_pass *pass, size_t at, int j)
{
    kn_st(pass->trace, KN_IN, pass->out + at, dx_value(pass, at, j));
}
KN_INLINE void step_dx_more(struct kn_pass *pass, size_t at, int j)
{
    kn_vec before = kn_ld(pass->trace, KN_IN, pass->out + at);
    kn_st(pass->trace, KN_IN, pass->out + at, kn_add(before, dx_value(pass, at, j)));
}

static void write_dx(const struct kn_args *a, int block, struct kn_pass *pass)
{
    for (int n = 0; n < a->shape->n; n++) {
        const size_t at = kn_block_at(a->shape, n, block);
        pass->x = a->x + at;
        pass->dy = a->dy + at;
        pass->out = a->dx + at;
        if (a->accumulate)
            kn_stream_pass(pass, kn_vectors(a->shape), step_dx_more);
        else
            kn_stream_pass(pass, kn_vectors(a->shape), step_dx);
    }
}

static void bwd_block(const struct kn_args *a, int block)
{
    const double count = (double)a->shape->n * (double)kn_pixels(a->shape);
    float mean[KN_LANES], variance[KN_LANES], w[KN_LANES], flat[KN_LANES], slope[KN_LANES], dw[KN_LANES], db[KN_LANES];
    double sum[2][KN_LANES];
    kn_take(a->trace, KN_NORM, norm_mean(a, block), mean);
    kn_take(a->trace, KN_NORM, norm_variance(a, block), variance);
    struct kn_pass pass = norm_pass(a, block, mean, variance, w);
    kn_reduce(a, block, &pass, step_reduce, sum);
    for (int k = 0; k < KN_LANES; k++) {
        const double invstd = norm_invstd(variance[k]), scale = w[k] * invstd;
        flat[k] = (float)(-scale * sum[0][k] / count);
        slope[k] = (float)(-scale * invstd * invstd * sum[1][k] / count);
        db[k] = (float)sum[0][k];
        dw[k] = (float)(sum[1][k] * invstd);
    }
    if (a->dw) {
        kn_give_more(a->trace, KN_WEIGHT, dw, a->dw + block * KN_LANES);
        kn_give_more(a->trace, KN_BIAS, db, a->db + block * KN_LANES);
    }
    pass.e = kn_spread_of(flat);
    pass.d = kn_spread_of(slope);
    if (a->dx)
        write_dx(a, block, &pass);
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads) if (a->threads > 1) schedule(static)
    for (int block = 0; block < kn_blocks(a->shape->ic); block++)
        bwd_block(a, block);
}

#endif
