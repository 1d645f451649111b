/*
 * Passes over the pixels of a block of 16 channels, for norm, relu and add: memory-bound, without tiles. A block's
 * pixels are a stream of vectors: vector v holds lanes (v % KN_PARTS) * KN_WIDTH and on. Sums keep KN_SETS vectors in
 * flight to hide the latency of the adder; KN_SETS is a multiple of KN_PARTS for every width.
 */
#ifndef KERNELS_STREAM_H
#define KERNELS_STREAM_H
#include "kernels/kernel.h"
#include "kernels/simd.h"
#include "kernels/tile.h"

/* Sums run in float over KN_CHUNK pixels, which stay in L1 for a second look, and in double over chunks. */
enum { KN_SETS = 4, KN_CHUNK = 128 };

/* One value a channel of a block, repeated so that index v % KN_SETS finds the lanes of vector v. */
struct kn_spread {
    kn_vec v[KN_SETS];
};

KN_INLINE struct kn_spread kn_spread_zero(void)
{
    struct kn_spread out;
    KN_UNROLL(4) for (int j = 0; j < KN_SETS; j++) out.v[j] = kn_zero();
    return out;
}

/* Of an array on the stack, which is not traced. */
KN_INLINE struct kn_spread kn_spread_of(const float value[KN_LANES])
{
    struct kn_spread out;
    KN_UNROLL(4) for (int j = 0; j < KN_SETS; j++) out.v[j] = kn_load(value + j % KN_PARTS * KN_WIDTH);
    return out;
}

/* A block of a channel vector, loaded once, onto the stack. */
KN_INLINE void kn_take(struct kn_trace *trace, enum kn_operand operand, const float *from, float value[KN_LANES])
{
    KN_UNROLL(4)
    for (int q = 0; q < KN_PARTS; q++)
        kn_store(value + q * KN_WIDTH, kn_ld(trace, operand, from + q * KN_WIDTH));
}

KN_INLINE struct kn_spread kn_spread_ld(struct kn_trace *trace, enum kn_operand operand, const float *from)
{
    float value[KN_LANES];
    kn_take(trace, operand, from, value);
    return kn_spread_of(value);
}

/* to = value, or to += value, a block of a channel vector. */
KN_INLINE void kn_give(struct kn_trace *trace, enum kn_operand operand, const float value[KN_LANES], float *to)
{
    KN_UNROLL(4)
    for (int q = 0; q < KN_PARTS; q++)
        kn_st(trace, operand, to + q * KN_WIDTH, kn_load(value + q * KN_WIDTH));
}
KN_INLINE void kn_give_more(struct kn_trace *trace, enum kn_operand operand, const float value[KN_LANES], float *to)
{
    KN_UNROLL(4)
    for (int q = 0; q < KN_PARTS; q++) {
        float *at = to + q * KN_WIDTH;
        kn_st(trace, operand, at, kn_add(kn_ld(trace, operand, at), kn_load(value + q * KN_WIDTH)));
    }
}

/* sum[k] = the total of lane k over the vectors in flight. */
KN_INLINE void kn_gather(const struct kn_spread *total, float sum[KN_LANES])
{
    KN_UNROLL(4) for (int q = 0; q < KN_PARTS; q++)
    {
        kn_vec s = total->v[q];
        KN_UNROLL(4) for (int j = q + KN_PARTS; j < KN_SETS; j += KN_PARTS) s = kn_add(s, total->v[j]);
        kn_store(sum + q * KN_WIDTH, s);
    }
}

/* What a pass does with vector v of a block: the constants it needs, the sums it feeds, where it reads and writes. */
struct kn_pass {
    struct kn_spread a, b, c, d, e;
    struct kn_spread sum[2];
    struct kn_trace *trace;
    const float *x, *dy, *w;
    float *out;
};
typedef void kn_step(struct kn_pass *pass, size_t at, int j);

/* `step` over `vectors` vectors. Inlined with a constant step, so nothing is called. */
KN_INLINE void kn_stream_pass(struct kn_pass *pass, size_t vectors, kn_step *step)
{
    size_t v = 0;
    for (; v + KN_SETS <= vectors; v += KN_SETS)
        KN_UNROLL(4) for (int j = 0; j < KN_SETS; j++) step(pass, (v + (size_t)j) * KN_WIDTH, j);
    KN_UNROLL(4)
    for (int j = 0; j < KN_SETS - 1; j++)
        if (v + (size_t)j < vectors)
            step(pass, (v + (size_t)j) * KN_WIDTH, j);
}

/* Pixels and vectors of a block in one slot, and where slot n's begin. */
KN_INLINE size_t kn_pixels(const struct kn_shape *s)
{
    return (size_t)s->f * (size_t)s->t;
}
KN_INLINE size_t kn_vectors(const struct kn_shape *s)
{
    return kn_pixels(s) * KN_PARTS;
}
KN_INLINE size_t kn_block_at(const struct kn_shape *s, int n, int block)
{
    return ((size_t)n * (size_t)kn_blocks(s->ic) + (size_t)block) * kn_pixels(s) * KN_LANES;
}

/* Sums of one block over all slots: `step` feeds sum[0] and sum[1] a chunk at a time, `total` adds up in double. */
KN_INLINE void kn_reduce(const struct kn_args *a, int block, struct kn_pass *pass, kn_step *step,
                         double total[2][KN_LANES])
{
    const struct kn_shape *s = a->shape;
    for (int k = 0; k < KN_LANES; k++)
        total[0][k] = total[1][k] = 0;
    for (int n = 0; n < s->n; n++)
        for (size_t p = 0; p < kn_pixels(s); p += KN_CHUNK) {
            const size_t at = kn_block_at(s, n, block) + p * KN_LANES, left = kn_pixels(s) - p;
            float sum[2][KN_LANES];
            pass->x = a->x + at;
            pass->dy = a->dy + at;
            pass->sum[0] = pass->sum[1] = kn_spread_zero();
            kn_stream_pass(pass, (left < KN_CHUNK ? left : KN_CHUNK) * KN_PARTS, step);
            kn_gather(&pass->sum[0], sum[0]);
            kn_gather(&pass->sum[1], sum[1]);
            for (int k = 0; k < KN_LANES; k++) {
                total[0][k] += sum[0][k];
                total[1][k] += sum[1][k];
            }
        }
}

/* ---- what is not run(): no tiles, no workspace ---- */

static inline size_t kn_stream_workspace(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)shape, (void)tile, (void)threads;
    return 0;
}

static inline struct kn_tile kn_stream_resolve(const struct kn_shape *shape, const struct kn_tile *tile)
{
    (void)shape, (void)tile;
    return (struct kn_tile){0};
}

/* Tensors and channel vectors loaded and stored, and FLOP done for every lane, the padding's too. */
static inline void kn_stream_work(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, const double tensors[2],
                                  const double vectors[2], double lane_flop, struct kn_work *work)
{
    const double tensor = (double)kn_x_floats(s), vector = (double)kn_blocks(s->ic) * KN_LANES;
    kn_work_init(work, op, dir, s);
    work->executed_flop = lane_flop * tensor;
    work->load_bytes = sizeof(float) * (tensors[0] * tensor + vectors[0] * vector);
    work->store_bytes = sizeof(float) * (tensors[1] * tensor + vectors[1] * vector);
}

/* supports() and work() of OP in direction DIR. */
#define KN_STREAM(OP, DIR, LOADED, STORED, VECTORS_LOADED, VECTORS_STORED, LANE_FLOP)                                  \
    static int supports(const struct kn_shape *shape, const struct kn_tile *tile)                                      \
    {                                                                                                                  \
        return kn_tile_check(OP, 0, shape, tile);                                                                      \
    }                                                                                                                  \
    static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)                      \
    {                                                                                                                  \
        (void)tile;                                                                                                    \
        kn_stream_work(OP, DIR, shape, (const double[]){LOADED, STORED},                                               \
                       (const double[]){VECTORS_LOADED, VECTORS_STORED}, LANE_FLOP, w);                                \
    }

#define KN_STREAM_KERNEL(OP, DIR)                                                                                      \
    .op = OP, .dir = DIR, .supports = supports, .workspace_bytes = kn_stream_workspace, .run = run,                    \
    .resolve = kn_stream_resolve, .work = work

#endif
