/*
 * Multiplier 2: lanes 2i and 2i+1 of an output vector belong to input lane i. A vector is made of half as many floats,
 * each twice, and folded back into half as many, the sums of neighbours.
 */
#ifndef KERNELS_DEPTHWISE_PAIRS_H
#define KERNELS_DEPTHWISE_PAIRS_H
#include "kernels/simd.h"

KN_INLINE kn_vec kn_load_twice(const float *p)
{
#if defined __AVX512F__
    const __m512i from = _mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
    return _mm512_permutexvar_ps(from, _mm512_castps256_ps512(_mm256_loadu_ps(p)));
#elif defined __AVX2__
    const __m256i from = _mm256_set_epi32(3, 3, 2, 2, 1, 1, 0, 0);
    return _mm256_permutevar8x32_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), from);
#else
    __m128 half = _mm_castsi128_ps(_mm_loadl_epi64((const __m128i *)(const void *)p));
    return _mm_unpacklo_ps(half, half);
#endif
}

KN_INLINE void kn_store_pairs(float *p, kn_vec v)
{
#if defined __AVX512F__
    const __m512i even = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 14, 12, 10, 8, 6, 4, 2, 0);
    __m512 sums = _mm512_add_ps(v, _mm512_permute_ps(v, 0xb1));
    _mm256_storeu_ps(p, _mm512_castps512_ps256(_mm512_permutexvar_ps(even, sums)));
#elif defined __AVX2__
    __m128 low = _mm256_castps256_ps128(v), high = _mm256_extractf128_ps(v, 1);
    _mm_storeu_ps(p, _mm_add_ps(_mm_shuffle_ps(low, high, 0x88), _mm_shuffle_ps(low, high, 0xdd)));
#else
    __m128 sums = _mm_add_ps(_mm_shuffle_ps(v, v, 0x88), _mm_shuffle_ps(v, v, 0xdd));
    _mm_storel_epi64((__m128i *)(void *)p, _mm_castps_si128(sums));
#endif
}

/* Traced; with multiplier 1 a plain vector, with 2 half as many floats. `multiplier` is a constant. */
KN_INLINE kn_vec kn_ld_spread(struct kn_trace *trace, enum kn_operand operand, const float *p, const int multiplier)
{
    if (multiplier == 1)
        return kn_ld(trace, operand, p);
    kn_touch(trace, operand, p, 2 * KN_WIDTH, 0);
    return kn_load_twice(p);
}

KN_INLINE void kn_st_folded(struct kn_trace *trace, enum kn_operand operand, float *p, kn_vec v, const int multiplier)
{
    if (multiplier == 1) {
        kn_st(trace, operand, p, v);
        return;
    }
    kn_touch(trace, operand, p, 2 * KN_WIDTH, 1);
    kn_store_pairs(p, v);
}

#endif
