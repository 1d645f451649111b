/*
 * One vector of floats, as wide as the file's instruction set: 16 (AVX-512), 8 (AVX2) or 4 (baseline, SSE2). A block of
 * 16 channels is KN_PARTS of them. Included by kernel files only; everything is static inline, so that no AVX copy can
 * be linked into baseline code. kn_keep(v) is v in a register: GCC would rather load a value again for each use of it.
 * kn_relu(NAN) is NAN; kn_where_positive(z, v) is v where z > 0, else 0. kn_ld, kn_ldb
 * and kn_st report to the trace (kernels/trace.h).
 */
#ifndef KERNELS_SIMD_H
#define KERNELS_SIMD_H
#include "kernels/trace.h"
#include <immintrin.h>

#define KN_INLINE static inline __attribute__((always_inline))
#define KN_PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#define KN_UNROLL(n) KN_PRAGMA(clang loop unroll(full))
#else
#define KN_UNROLL(n) KN_PRAGMA(GCC unroll n)
#endif

#if defined __AVX512F__
enum { KN_WIDTH = 16 };
typedef __m512 kn_vec;
KN_INLINE kn_vec kn_zero(void)
{
    return _mm512_setzero_ps();
}
KN_INLINE kn_vec kn_set1(float v)
{
    return _mm512_set1_ps(v);
}
KN_INLINE kn_vec kn_add(kn_vec a, kn_vec b)
{
    return _mm512_add_ps(a, b);
}
KN_INLINE kn_vec kn_fma(kn_vec a, kn_vec b, kn_vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}
KN_INLINE kn_vec kn_sub(kn_vec a, kn_vec b)
{
    return _mm512_sub_ps(a, b);
}
KN_INLINE kn_vec kn_mul(kn_vec a, kn_vec b)
{
    return _mm512_mul_ps(a, b);
}
KN_INLINE kn_vec kn_relu(kn_vec z)
{
    return _mm512_max_ps(_mm512_setzero_ps(), z);
}
KN_INLINE kn_vec kn_where_positive(kn_vec z, kn_vec v)
{
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(z, _mm512_setzero_ps(), _CMP_GT_OQ), v);
}
KN_INLINE kn_vec kn_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
KN_INLINE void kn_store(float *p, kn_vec v)
{
    _mm512_storeu_ps(p, v);
}
KN_INLINE void kn_store_past(float *p, kn_vec v)
{
    _mm512_stream_ps(p, v);
}
KN_INLINE kn_vec kn_keep(kn_vec v)
{
    __asm__("" : "+v"(v));
    return v;
}
#elif defined __AVX2__
enum { KN_WIDTH = 8 };
typedef __m256 kn_vec;
KN_INLINE kn_vec kn_zero(void)
{
    return _mm256_setzero_ps();
}
KN_INLINE kn_vec kn_set1(float v)
{
    return _mm256_set1_ps(v);
}
KN_INLINE kn_vec kn_add(kn_vec a, kn_vec b)
{
    return _mm256_add_ps(a, b);
}
KN_INLINE kn_vec kn_fma(kn_vec a, kn_vec b, kn_vec c)
{
#ifdef __FMA__
    return _mm256_fmadd_ps(a, b, c);
#else /* for valgrind, which emulates it a thousand times slower */
    return _mm256_add_ps(_mm256_mul_ps(a, b), c);
#endif
}
KN_INLINE kn_vec kn_sub(kn_vec a, kn_vec b)
{
    return _mm256_sub_ps(a, b);
}
KN_INLINE kn_vec kn_mul(kn_vec a, kn_vec b)
{
    return _mm256_mul_ps(a, b);
}
KN_INLINE kn_vec kn_relu(kn_vec z)
{
    return _mm256_max_ps(_mm256_setzero_ps(), z);
}
KN_INLINE kn_vec kn_where_positive(kn_vec z, kn_vec v)
{
    return _mm256_and_ps(_mm256_cmp_ps(z, _mm256_setzero_ps(), _CMP_GT_OQ), v);
}
KN_INLINE kn_vec kn_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
KN_INLINE void kn_store(float *p, kn_vec v)
{
    _mm256_storeu_ps(p, v);
}
KN_INLINE void kn_store_past(float *p, kn_vec v)
{
    _mm256_stream_ps(p, v);
}
KN_INLINE kn_vec kn_keep(kn_vec v)
{
    __asm__("" : "+x"(v));
    return v;
}
#else
enum { KN_WIDTH = 4 };
typedef __m128 kn_vec;
KN_INLINE kn_vec kn_zero(void)
{
    return _mm_setzero_ps();
}
KN_INLINE kn_vec kn_set1(float v)
{
    return _mm_set1_ps(v);
}
KN_INLINE kn_vec kn_add(kn_vec a, kn_vec b)
{
    return _mm_add_ps(a, b);
}
KN_INLINE kn_vec kn_fma(kn_vec a, kn_vec b, kn_vec c)
{
    return _mm_add_ps(_mm_mul_ps(a, b), c);
}
KN_INLINE kn_vec kn_sub(kn_vec a, kn_vec b)
{
    return _mm_sub_ps(a, b);
}
KN_INLINE kn_vec kn_mul(kn_vec a, kn_vec b)
{
    return _mm_mul_ps(a, b);
}
KN_INLINE kn_vec kn_relu(kn_vec z)
{
    return _mm_max_ps(_mm_setzero_ps(), z);
}
KN_INLINE kn_vec kn_where_positive(kn_vec z, kn_vec v)
{
    return _mm_and_ps(_mm_cmpgt_ps(z, _mm_setzero_ps()), v);
}
KN_INLINE kn_vec kn_load(const float *p)
{
    return _mm_loadu_ps(p);
}
KN_INLINE void kn_store(float *p, kn_vec v)
{
    _mm_storeu_ps(p, v);
}
KN_INLINE void kn_store_past(float *p, kn_vec v)
{
    _mm_stream_ps(p, v);
}
KN_INLINE kn_vec kn_keep(kn_vec v)
{
    __asm__("" : "+x"(v));
    return v;
}
#endif

enum { KN_PARTS = 16 / KN_WIDTH };

/* Traced forms: a vector load, a broadcast of one float, a vector store; an aligned store that passes the caches by
 * (traced like any other), to be followed by kn_fence() before another thread reads. */
KN_INLINE kn_vec kn_ld(struct kn_trace *trace, enum kn_operand operand, const float *p)
{
    kn_touch(trace, operand, p, 4 * KN_WIDTH, 0);
    return kn_load(p);
}
KN_INLINE kn_vec kn_ldb(struct kn_trace *trace, enum kn_operand operand, const float *p)
{
    kn_touch(trace, operand, p, 4, 0);
    return kn_set1(*p);
}
KN_INLINE void kn_st(struct kn_trace *trace, enum kn_operand operand, float *p, kn_vec v)
{
    kn_touch(trace, operand, p, 4 * KN_WIDTH, 1);
    kn_store(p, v);
}
KN_INLINE void kn_stream(struct kn_trace *trace, enum kn_operand operand, float *p, kn_vec v)
{
    kn_touch(trace, operand, p, 4 * KN_WIDTH, 1);
    kn_store_past(p, v);
}
KN_INLINE void kn_fence(void)
{
    _mm_sfence();
}

#endif
