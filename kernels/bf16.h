/*
 * Products of bf16 numbers summed in FP32, for kernels of the avx512bf16 set: tensors stay FP32, and what is multiplied
 * is rounded while it is packed,
 *     c[i][o] = start + sum over k of a(i, k) * b(k, o)
 * in pairs of neighbouring k, as vdpbf16ps wants them: a pair of a is broadcast, a vector of b holds the pairs of 16
 * results. KN_BF16_PX rows by 2 vectors of results stay in registers while the sum runs.
 *
 * Rounding is to nearest, ties to even; infinities stay, a NaN stays a NaN, and numbers below 2^-126 count as 0: that
 * is what vcvtneps2bf16 and vdpbf16ps do (Intel SDM volume 2; AMD64 Manual volume 4). A sum has the error of an FP32
 * one over the rounded factors.
 *
 * In memory a bf16 tensor of rows of 16 channels is either "flat", [row][16], whose pairs are neighbouring channels, or
 * "paired", [row / 2][16][2], whose pairs are neighbouring rows, the last one with 0 where rows are odd.
 */
#ifndef KERNELS_BF16_H
#define KERNELS_BF16_H
#include "kernels/kernel.h"
#include "kernels/simd.h"

enum {
    KN_BF16_PX = 14,     /* rows by two vectors of results: 28 accumulators of 32 registers */
    KN_BF16_FLAT = 16,   /* numbers a row of 16 channels takes, flat */
    KN_BF16_PAIRED = 32, /* and two rows, paired */
    KN_BF16_PAIRS = KN_LANES / 2
};

/** Rows that two by two are paired. */
static inline int kn_bf16_pairs(int rows)
{
    return (rows + 1) / 2;
}

KN_INLINE void kn_bf16_store_flat(struct kn_trace *trace, uint16_t *to, kn_vec row)
{
    kn_touch(trace, KN_WORKSPACE, to, 2 * KN_BF16_FLAT, 1);
    _mm256_storeu_si256((__m256i *)(void *)to, (__m256i)_mm512_cvtneps_pbh(row));
}

KN_INLINE void kn_bf16_store_paired(struct kn_trace *trace, uint16_t *to, kn_vec even, kn_vec odd)
{
    const __m512i turn = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                          21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    kn_touch(trace, KN_WORKSPACE, to, 2 * KN_BF16_PAIRED, 1);
    _mm512_storeu_si512(to, _mm512_permutexvar_epi16(turn, (__m512i)_mm512_cvtne2ps_pbh(odd, even)));
}

/** Rows of 16 floats, one after the other, to flat ones. */
static inline void kn_bf16_pack_flat(struct kn_trace *trace, enum kn_operand is, const float *from, int rows,
                                     uint16_t *to)
{
    for (int r = 0; r < rows; r++)
        kn_bf16_store_flat(trace, to + (ptrdiff_t)r * KN_BF16_FLAT, kn_ld(trace, is, from + (ptrdiff_t)r * KN_LANES));
}

/** The same to paired ones; adds the rows, unrounded, to sum[16] unless that is NULL. */
static inline void kn_bf16_pack_paired(struct kn_trace *trace, enum kn_operand is, const float *from, int rows,
                                       uint16_t *to, float *sum)
{
    kn_vec evens = kn_zero(), odds = kn_zero();
    for (int r = 0; r < rows; r += 2, to += KN_BF16_PAIRED) {
        const kn_vec even = kn_ld(trace, is, from + (ptrdiff_t)r * KN_LANES);
        const kn_vec odd = r + 1 < rows ? kn_ld(trace, is, from + (ptrdiff_t)(r + 1) * KN_LANES) : kn_zero();
        kn_bf16_store_paired(trace, to, even, odd);
        evens = kn_add(evens, even);
        odds = kn_add(odds, odd);
    }
    if (sum)
        kn_st(trace, KN_BIAS, sum, kn_add(kn_ld(trace, KN_BIAS, sum), kn_add(evens, odds)));
}

struct kn_bf16_sum {
    const uint16_t *a, *b;
    const float *bias; /* [16] a vector of results, NULL: none */
    float *c;
    /* in numbers of their tensor; a(i, k) of pair k = block * steps + step lies at i a_row + block a_block + step
     * a_step */
    ptrdiff_t a_row, a_block, a_step, b_vector, c_vector;
    int blocks, steps; /* of pairs; `pairs` of them in all: the last block may have fewer */
    int pairs;
    int resume; /* start from c as well */
    enum kn_operand c_is;
    struct kn_trace *trace;
};

/** The sum over `in` channels, of rows whose flat planes lie `rows` of them apart; a, b, c and what they are is open.
 */
static inline struct kn_bf16_sum kn_bf16_over_channels(int in, ptrdiff_t rows)
{
    return (struct kn_bf16_sum){.a_row = KN_BF16_FLAT,
                                .a_block = rows * KN_BF16_FLAT,
                                .a_step = 2,
                                .b_vector = (ptrdiff_t)kn_blocks(in) * KN_BF16_PAIRS * KN_BF16_PAIRED,
                                .steps = KN_BF16_PAIRS,
                                .pairs = kn_bf16_pairs(in)};
}

/** Numbers of paired weights of so many channels. */
static inline size_t kn_bf16_weights(int out, int in)
{
    return (size_t)(kn_blocks(out) * kn_blocks(in)) * KN_BF16_PAIRS * KN_BF16_PAIRED;
}

/** Packs block b of w[out/16][in16][16]. */
static inline void kn_bf16_pack_weights(struct kn_trace *trace, const float *w, int in, int b, uint16_t *weights)
{
    const int rows = kn_blocks(in) * KN_LANES;
    const ptrdiff_t first = (ptrdiff_t)b * rows * KN_LANES;
    kn_bf16_pack_paired(trace, KN_WEIGHT, w + first, rows, weights + first, NULL);
}

/* px rows by vc vectors of results; constants wherever this is inlined. */
KN_INLINE void kn_bf16_piece(const struct kn_bf16_sum *s, const uint16_t *a, const uint16_t *b, const float *bias,
                             float *c, const int px, const int vc)
{
    kn_vec acc[KN_BF16_PX * 2];
    KN_UNROLL(2)
    for (int v = 0; v < vc; v++) {
        const kn_vec start = bias ? kn_ld(s->trace, KN_BIAS, bias + v * KN_LANES) : kn_zero();
        const float *from = c + v * s->c_vector;
        KN_UNROLL(14)
        for (int i = 0; i < px; i++)
            acc[i * 2 + v] = s->resume ? kn_add(start, kn_ld(s->trace, s->c_is, from + i * KN_LANES)) : start;
    }
    for (int left = s->pairs; left > 0; left -= s->steps, a += s->a_block) {
        const uint16_t *ak = a;
        for (int k = left < s->steps ? left : s->steps; k > 0; k--, ak += s->a_step, b += KN_BF16_PAIRED) {
            __m512bh out[2];
            KN_UNROLL(2)
            for (int v = 0; v < vc; v++) {
                kn_touch(s->trace, KN_WORKSPACE, b + v * s->b_vector, 2 * KN_BF16_PAIRED, 0);
                out[v] = (__m512bh)_mm512_loadu_si512(b + v * s->b_vector);
            }
            KN_UNROLL(14)
            for (int i = 0; i < px; i++) {
                int pair;
                kn_touch(s->trace, KN_WORKSPACE, ak + i * s->a_row, sizeof pair, 0);
                __builtin_memcpy(&pair, ak + i * s->a_row, sizeof pair);
                const __m512bh in = (__m512bh)_mm512_set1_epi32(pair);
                KN_UNROLL(2)
                for (int v = 0; v < vc; v++)
                    acc[i * 2 + v] = _mm512_dpbf16_ps(acc[i * 2 + v], in, out[v]);
            }
        }
    }
    KN_UNROLL(2)
    for (int v = 0; v < vc; v++) {
        KN_UNROLL(14)
        for (int i = 0; i < px; i++)
            kn_st(s->trace, s->c_is, c + v * s->c_vector + i * KN_LANES, acc[i * 2 + v]);
    }
}

typedef void kn_bf16_fn(const struct kn_bf16_sum *s, const uint16_t *a, const uint16_t *b, const float *bias, float *c);

#define KN_BF16_PIECE(PX, VC)                                                                                          \
    static void kn_bf16_piece_##PX##_##VC(const struct kn_bf16_sum *s, const uint16_t *a, const uint16_t *b,           \
                                          const float *bias, float *c)                                                 \
    {                                                                                                                  \
        kn_bf16_piece(s, a, b, bias, c, PX, VC);                                                                       \
    }
#define KN_BF16_PIECES(VC)                                                                                             \
    KN_BF16_PIECE(14, VC) KN_BF16_PIECE(8, VC) KN_BF16_PIECE(4, VC) KN_BF16_PIECE(2, VC) KN_BF16_PIECE(1, VC)
#define KN_BF16_ROW(VC)                                                                                                \
    {                                                                                                                  \
        kn_bf16_piece_14_##VC, kn_bf16_piece_8_##VC, kn_bf16_piece_4_##VC, kn_bf16_piece_2_##VC, kn_bf16_piece_1_##VC  \
    }
KN_BF16_PIECES(1)
KN_BF16_PIECES(2)
static kn_bf16_fn *const kn_bf16_pieces[2][5] = {KN_BF16_ROW(1), KN_BF16_ROW(2)};
static const int kn_bf16_size[5] = {KN_BF16_PX, 8, 4, 2, 1};

/* The first piece size that is at most `most`. */
static inline int kn_bf16_first(int most)
{
    int size = 0;
    while (kn_bf16_size[size] > most)
        size++;
    return size;
}

/** `rows` rows by `vectors` vectors of results, at most `most` rows at a time. */
static inline void kn_bf16_run(const struct kn_bf16_sum *s, int rows, int vectors, int most)
{
    for (int v = 0; v < vectors; v += 2)
        for (int i = 0, size = kn_bf16_first(most); i < rows; i += kn_bf16_size[size]) {
            while (kn_bf16_size[size] > rows - i)
                size++;
            kn_bf16_pieces[vectors - v > 1][size](s, s->a + i * s->a_row, s->b + v * s->b_vector,
                                                  s->bias ? s->bias + v * KN_LANES : NULL,
                                                  s->c + v * s->c_vector + (ptrdiff_t)i * KN_LANES);
        }
}

/** Adds what kn_bf16_run() does `times` times over; of `s`, pairs and resume are read. */
static inline void kn_bf16_count(struct kn_work *work, double times, const struct kn_bf16_sum *s, int rows, int vectors,
                                 int most, int bias)
{
    const double vector_bytes = KN_LANES * sizeof(float), results = (double)rows * vectors;
    double pieces = 0;
    for (int i = 0, size = kn_bf16_first(most); i < rows; i += kn_bf16_size[size], pieces++)
        while (kn_bf16_size[size] > rows - i)
            size++;
    work->load_bytes += times * s->pairs * (pieces * vectors * vector_bytes + (vectors + 1) / 2 * rows * 4.0);
    work->load_bytes += times * vector_bytes * ((bias ? pieces * vectors : 0) + (s->resume ? results : 0));
    work->store_bytes += times * vector_bytes * results;
    work->executed_flop += times * results * s->pairs * 4 * KN_LANES;
}

#endif
