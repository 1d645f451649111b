/*
 * The passes of kernels/norm.h for one instruction set. A file norm_<isa>.c includes this and names the table of
 * functions it fills; the vector width follows from the flags of that file.
 *
 * A block's pixels are a stream of vectors: vector v holds lanes (v % KN_PARTS) * KN_WIDTH and on. Sums keep LANE_SETS
 * vectors in flight to hide the latency of the adder; LANE_SETS is a multiple of KN_PARTS for every width.
 */
#ifndef KERNELS_NORM_TEMPLATE_H
#define KERNELS_NORM_TEMPLATE_H
#include "kernels/norm.h"
#include "kernels/shape.h"
#include "kernels/simd.h"

/* Sums run in float over CHUNK pixels, which stay in L1 for a second look, and in double over chunks. */
enum { LANE_SETS = 4, CHUNK = 128 };

/* One value a channel of a block, repeated so that index v % LANE_SETS finds the lanes of vector v. */
struct lanes {
    kn_vec v[LANE_SETS];
};

/* Channels of block `block` that exist; the others of the 16 are padding. */
KN_INLINE int real_lanes(const struct kn_norm_part *part, int block)
{
    int left = part->c - block * KN_LANES;
    return left < KN_LANES ? left : KN_LANES;
}

KN_INLINE struct lanes spread(const float value[KN_LANES])
{
    struct lanes out;
    KN_UNROLL(4) for (int j = 0; j < LANE_SETS; j++) out.v[j] = kn_load(value + j % KN_PARTS * KN_WIDTH);
    return out;
}

KN_INLINE struct lanes zeros(void)
{
    struct lanes out;
    KN_UNROLL(4) for (int j = 0; j < LANE_SETS; j++) out.v[j] = kn_zero();
    return out;
}

/* sum[k] = the total of lane k over the vectors in flight. */
KN_INLINE void gather(const struct lanes *total, float sum[KN_LANES])
{
    KN_UNROLL(4) for (int q = 0; q < KN_PARTS; q++)
    {
        kn_vec s = total->v[q];
        KN_UNROLL(4) for (int j = q + KN_PARTS; j < LANE_SETS; j += KN_PARTS) s = kn_add(s, total->v[j]);
        kn_store(sum + q * KN_WIDTH, s);
    }
}

/* What a pass does with vector v of a block: the constants it needs, the sums it feeds, where it writes. */
struct pass {
    struct lanes a, b, c, d, e;
    struct lanes sum[2];
    const float *x, *dy, *skip;
    float *out;
};
typedef void (*step_fn)(struct pass *pass, size_t at, int j);

/* `step` over `vectors` vectors. Inlined with a constant step, so nothing is called. */
KN_INLINE void stream(struct pass *pass, size_t vectors, step_fn step)
{
    size_t v = 0;
    for (; v + LANE_SETS <= vectors; v += LANE_SETS)
        KN_UNROLL(4) for (int j = 0; j < LANE_SETS; j++) step(pass, (v + (size_t)j) * KN_WIDTH, j);
    KN_UNROLL(4)
    for (int j = 0; j < LANE_SETS - 1; j++)
        if (v + (size_t)j < vectors)
            step(pass, (v + (size_t)j) * KN_WIDTH, j);
}

/* Where slot n's pixels of a block start. */
KN_INLINE size_t block_at(const struct kn_norm_part *part, int n, int block)
{
    return ((size_t)n * (size_t)kn_blocks(part->c) + (size_t)block) * part->pixels * KN_LANES;
}

/* ---- statistics ---- */

KN_INLINE void step_sum(struct pass *pass, size_t at, int j)
{
    pass->sum[0].v[j] = kn_add(pass->sum[0].v[j], kn_load(pass->x + at));
}

/* a = nearly the mean of the chunk */
KN_INLINE void step_squares(struct pass *pass, size_t at, int j)
{
    kn_vec e = kn_sub(kn_load(pass->x + at), pass->a.v[j]);
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
static void add_chunk(struct moments *m, const float *x, size_t pixels)
{
    struct pass pass = {.x = x, .sum[0] = zeros()};
    float centre[KN_LANES], sum[KN_LANES], squares[KN_LANES];
    stream(&pass, pixels * KN_PARTS, step_sum);
    gather(&pass.sum[0], sum);
    for (int k = 0; k < KN_LANES; k++)
        centre[k] = sum[k] / (float)pixels;
    pass.a = spread(centre);
    pass.sum[0] = pass.sum[1] = zeros();
    stream(&pass, pixels * KN_PARTS, step_squares);
    gather(&pass.sum[0], sum);
    gather(&pass.sum[1], squares);
    double count = m->count + (double)pixels, share = (double)pixels / count;
    for (int k = 0; k < KN_LANES; k++) {
        double off = sum[k] / (double)pixels, delta = centre[k] + off - m->mean[k];
        m->mean[k] += delta * share;
        m->squares[k] += squares[k] - off * sum[k] + delta * delta * m->count * share;
    }
    m->count = count;
}

static void stats(const struct kn_norm_part *part, const float *x, float *mean, float *var)
{
    for (int block = part->first; block < part->first + part->count; block++) {
        struct moments m = {0};
        for (int n = 0; n < part->n; n++)
            for (size_t p = 0; p < part->pixels; p += CHUNK)
                add_chunk(&m, x + block_at(part, n, block) + p * KN_LANES,
                          part->pixels - p < CHUNK ? part->pixels - p : CHUNK);
        int real = real_lanes(part, block);
        for (int k = 0; k < KN_LANES; k++) {
            mean[block * KN_LANES + k] = k < real ? (float)m.mean[k] : 0;
            var[block * KN_LANES + k] = k < real ? (float)(m.squares[k] / m.count) : 0;
        }
    }
}

/* ---- forward ---- */

/* a = mean, b = gamma * invstd, c = beta. Subtracting first keeps the digits of x when the mean is large. */
KN_INLINE void step_fwd(struct pass *pass, size_t at, int j)
{
    kn_vec z = kn_fma(kn_sub(kn_load(pass->x + at), pass->a.v[j]), pass->b.v[j], pass->c.v[j]);
    kn_store(pass->out + at, kn_relu(z));
}

/* a = scale, b = shift */
KN_INLINE void step_apply(struct pass *pass, size_t at, int j)
{
    kn_store(pass->out + at, kn_relu(kn_fma(kn_load(pass->x + at), pass->a.v[j], pass->b.v[j])));
}

/* Block `block` of a channel vector, 0 in the padding lanes. */
KN_INLINE void take(const struct kn_norm_part *part, int block, const float *vector, float out[KN_LANES])
{
    int real = real_lanes(part, block);
    for (int k = 0; k < KN_LANES; k++)
        out[k] = k < real ? vector[block * KN_LANES + k] : 0;
}

KN_INLINE struct lanes spread_block(const struct kn_norm_part *part, int block, const float *vector)
{
    float value[KN_LANES];
    take(part, block, vector, value);
    return spread(value);
}

KN_INLINE struct lanes spread_product(const struct kn_norm_part *part, int block, const float *a, const float *b)
{
    float left[KN_LANES], right[KN_LANES];
    take(part, block, a, left);
    take(part, block, b, right);
    for (int k = 0; k < KN_LANES; k++)
        left[k] *= right[k];
    return spread(left);
}

static void fwd(const struct kn_norm_part *part, const float *x, const float *mean, const float *invstd,
                const float *gamma, const float *beta, float *y)
{
    for (int block = part->first; block < part->first + part->count; block++)
        for (int n = 0; n < part->n; n++) {
            size_t at = block_at(part, n, block);
            struct pass pass = {.x = x + at, .out = y + at};
            pass.a = spread_block(part, block, mean);
            pass.b = spread_product(part, block, gamma, invstd);
            pass.c = spread_block(part, block, beta);
            stream(&pass, part->pixels * KN_PARTS, step_fwd);
        }
}

static void apply(const struct kn_norm_part *part, const float *x, const float *scale, const float *shift, float *y)
{
    for (int block = part->first; block < part->first + part->count; block++)
        for (int n = 0; n < part->n; n++) {
            size_t at = block_at(part, n, block);
            struct pass pass = {.x = x + at, .out = y + at};
            pass.a = spread_block(part, block, scale);
            pass.b = spread_block(part, block, shift);
            stream(&pass, part->pixels * KN_PARTS, step_apply);
        }
}

/* ---- backward ---- */

/* a = mean, b = gamma * invstd, c = beta; sums of dz and of dz * (x - mean). The mask is that of step_fwd, bit for bit.
 */
KN_INLINE void step_reduce(struct pass *pass, size_t at, int j)
{
    kn_vec centred = kn_sub(kn_load(pass->x + at), pass->a.v[j]);
    kn_vec dz = kn_where_positive(kn_fma(centred, pass->b.v[j], pass->c.v[j]), kn_load(pass->dy + at));
    pass->sum[0].v[j] = kn_add(pass->sum[0].v[j], dz);
    pass->sum[1].v[j] = kn_fma(dz, centred, pass->sum[1].v[j]);
}

/* e = -gamma * invstd * sum dz / N, d = -gamma * invstd^3 * sum(dz * (x - mean)) / N, both constant by now */
KN_INLINE kn_vec dx_value(const struct pass *pass, size_t at, int j)
{
    kn_vec centred = kn_sub(kn_load(pass->x + at), pass->a.v[j]);
    kn_vec dz = kn_where_positive(kn_fma(centred, pass->b.v[j], pass->c.v[j]), kn_load(pass->dy + at));
    return kn_fma(dz, pass->b.v[j], kn_fma(centred, pass->d.v[j], pass->e.v[j]));
}
KN_INLINE void step_dx(struct pass *pass, size_t at, int j)
{
    kn_store(pass->out + at, dx_value(pass, at, j));
}
KN_INLINE void step_dx_skip(struct pass *pass, size_t at, int j)
{
    kn_store(pass->out + at, kn_add(kn_load(pass->skip + at), dx_value(pass, at, j)));
}

/* Sums of dz and dz * (x - mean) of one block over all slots. */
static void reduce_block(const struct kn_norm_part *part, const struct kn_norm_bwd_args *args, int block,
                         struct pass *pass, double dz[KN_LANES], double dzx[KN_LANES])
{
    for (int n = 0; n < part->n; n++)
        for (size_t p = 0; p < part->pixels; p += CHUNK) {
            size_t at = block_at(part, n, block) + p * KN_LANES;
            float sum[2][KN_LANES];
            pass->x = args->x + at;
            pass->dy = args->dy + at;
            pass->sum[0] = pass->sum[1] = zeros();
            stream(pass, (part->pixels - p < CHUNK ? part->pixels - p : CHUNK) * KN_PARTS, step_reduce);
            gather(&pass->sum[0], sum[0]);
            gather(&pass->sum[1], sum[1]);
            for (int k = 0; k < KN_LANES; k++) {
                dz[k] += sum[0][k];
                dzx[k] += sum[1][k];
            }
        }
}

static void bwd_block(const struct kn_norm_part *part, const struct kn_norm_bwd_args *args, int block)
{
    double dz[KN_LANES] = {0}, dzx[KN_LANES] = {0}, count = (double)part->n * (double)part->pixels;
    float flat[KN_LANES] = {0}, slope[KN_LANES] = {0};
    struct pass pass = {.a = spread_block(part, block, args->mean),
                        .b = spread_product(part, block, args->gamma, args->invstd),
                        .c = spread_block(part, block, args->beta)};
    reduce_block(part, args, block, &pass, dz, dzx);
    for (int k = 0; k < real_lanes(part, block); k++) {
        int at = block * KN_LANES + k;
        double invstd = args->invstd[at], scale = args->gamma[at] * invstd;
        flat[k] = (float)(-scale * dz[k] / count);
        slope[k] = (float)(-scale * invstd * invstd * dzx[k] / count);
        args->dbeta[at] += (float)dz[k];
        args->dgamma[at] += (float)(dzx[k] * invstd);
    }
    pass.e = spread(flat);
    pass.d = spread(slope);
    for (int n = 0; n < part->n; n++) {
        size_t at = block_at(part, n, block);
        pass.x = args->x + at;
        pass.dy = args->dy + at;
        pass.out = args->dx + at;
        if (args->skip) {
            pass.skip = args->skip + at;
            stream(&pass, part->pixels * KN_PARTS, step_dx_skip);
        } else {
            stream(&pass, part->pixels * KN_PARTS, step_dx);
        }
    }
}

static void bwd(const struct kn_norm_part *part, const struct kn_norm_bwd_args *args)
{
    for (int block = part->first; block < part->first + part->count; block++)
        bwd_block(part, args, block);
}

/* ---- add ---- */

static void add(size_t floats, const float *a, const float *b, float *y)
{
    size_t i = 0;
    for (; i + KN_WIDTH <= floats; i += KN_WIDTH)
        kn_store(y + i, kn_add(kn_load(a + i), kn_load(b + i)));
    for (; i < floats; i++)
        y[i] = a[i] + b[i];
}

#define NORM_OPS                                                                                                       \
    {                                                                                                                  \
        .stats = stats, .fwd = fwd, .apply = apply, .bwd = bwd, .add = add                                             \
    }

#endif
