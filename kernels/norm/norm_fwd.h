/*
 * Batch norm with ReLU, forward: the moments of a block of channels over all slots, then its normalisation. Every
 * norm_fwd_<isa>.c but the reference is this. Threads share the blocks.
 */
#ifndef KERNELS_NORM_FWD_H
#define KERNELS_NORM_FWD_H
#include "kernels/norm/norm.h"

/* ---- moments ---- */

KN_INLINE void step_sum(struct kn_pass *pass, size_t at, int j)
{
    pass->sum[0].v[j] = kn_add(pass->sum[0].v[j], kn_ld(pass->trace, KN_IN, pass->x + at));
}

/* a = nearly the mean of the chunk */
KN_INLINE void step_squares(struct kn_pass *pass, size_t at, int j)
{
    kn_vec e = kn_sub(kn_ld(pass->trace, KN_IN, pass->x + at), pass->a.v[j]);
    pass->sum[0].v[j] = kn_add(pass->sum[0].v[j], e);
    pass->sum[1].v[j] = kn_fma(e, e, pass->sum[1].v[j]);
}

struct moments {
    double count, mean[KN_LANES], squares[KN_LANES]; /* squares: sum of (x - mean)^2 */
};

/*
 * A chunk is summed twice: for a rough mean, then about it, so that rounding is relative to the deviation, however
 * large the mean. Joining chunks: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing
 * sample variances", 1979.
 */
static void add_chunk(struct moments *m, struct kn_trace *trace, const float *x, size_t pixels)
{
    struct kn_pass pass = {.x = x, .trace = trace, .sum[0] = kn_spread_zero()};
    float centre[KN_LANES], sum[KN_LANES], squares[KN_LANES];
    kn_stream_pass(&pass, pixels * KN_PARTS, step_sum);
    kn_gather(&pass.sum[0], sum);
    for (int k = 0; k < KN_LANES; k++)
        centre[k] = sum[k] / (float)pixels;
    pass.a = kn_spread_of(centre);
    pass.sum[0] = pass.sum[1] = kn_spread_zero();
    kn_stream_pass(&pass, pixels * KN_PARTS, step_squares);
    kn_gather(&pass.sum[0], sum);
    kn_gather(&pass.sum[1], squares);
    double count = m->count + (double)pixels, share = (double)pixels / count;
    for (int k = 0; k < KN_LANES; k++) {
        double off = sum[k] / (double)pixels, delta = centre[k] + off - m->mean[k];
        m->mean[k] += delta * share;
        m->squares[k] += squares[k] - off * sum[k] + delta * delta * m->count * share;
    }
    m->count = count;
}

static void find_moments(const struct kn_args *a, int block, float mean[KN_LANES], float variance[KN_LANES])
{
    const struct kn_shape *s = a->shape;
    const size_t pixels = kn_pixels(s);
    struct moments m = {0};
    for (int n = 0; n < s->n; n++)
        for (size_t p = 0; p < pixels; p += KN_CHUNK)
            add_chunk(&m, a->trace, a->x + kn_block_at(s, n, block) + p * KN_LANES,
                      pixels - p < KN_CHUNK ? pixels - p : KN_CHUNK);
    for (int k = 0; k < KN_LANES; k++) {
        mean[k] = (float)m.mean[k];
        variance[k] = (float)(m.squares[k] / m.count);
    }
    kn_give(a->trace, KN_NORM, mean, norm_mean(a, block));
    kn_give(a->trace, KN_NORM, variance, norm_variance(a, block));
}

/* ---- normalising ---- */

KN_INLINE void step_fwd(struct kn_pass *pass, size_t at, int j)
{
    kn_st(pass->trace, KN_OUT, pass->out + at, kn_relu(norm_z(pass, norm_centred(pass, at, j), j)));
}

static void fwd_block(const struct kn_args *a, int block)
{
    float mean[KN_LANES], variance[KN_LANES], w[KN_LANES];
    find_moments(a, block, mean, variance);
    if (!a->y)
        return;
    struct kn_pass pass = norm_pass(a, block, mean, variance, w);
    for (int n = 0; n < a->shape->n; n++) {
        pass.x = a->x + kn_block_at(a->shape, n, block);
        pass.out = a->y + kn_block_at(a->shape, n, block);
        kn_stream_pass(&pass, kn_vectors(a->shape), step_fwd);
    }
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads) if (a->threads > 1) schedule(static)
    for (int block = 0; block < kn_blocks(a->shape->ic); block++)
        fwd_block(a, block);
}

/* x for the rough mean, about it, and to be normalised: 1, 4 and 3 FLOP a lane. w and bias; mean and variance. */
KN_STREAM(KN_BATCH_NORM, KN_FWD, 3, 1, 2, 2, 8)

#define NORM_FWD KN_STREAM_KERNEL(KN_BATCH_NORM, KN_FWD)

#endif
