/*
 * A vector of floats, as wide as the file's instruction set (LK_LANES: 4, 8, 16), and the few elementary functions that
 * drawing a slot needs some ten thousand times. Every lane gets the same operations in the same order whatever the
 * width, and files that include this are compiled without contraction: so a seed gives the same slot on every machine.
 */
#ifndef MODELS_LINK_VEC_H
#define MODELS_LINK_VEC_H
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined __AVX512F__
#define LK_OP(name) _mm512_##name
#define LK_PAIRS(v, order) _mm512_permute_ps(v, order)
#define LK_WHOLE(v) ((__m512i)(v))
enum { LK_LANES = 16 };
#elif defined __AVX2__
#define LK_OP(name) _mm256_##name
#define LK_PAIRS(v, order) _mm256_permute_ps(v, order)
#define LK_WHOLE(v) ((__m256i)(v))
enum { LK_LANES = 8 };
#else
#define LK_OP(name) _mm_##name
#define LK_PAIRS(v, order) _mm_shuffle_ps(v, v, order)
#define LK_WHOLE(v) ((__m128i)(v))
enum { LK_LANES = 4 };
#endif

typedef float lk_floats __attribute__((vector_size(4 * LK_LANES)));
typedef int32_t lk_ints __attribute__((vector_size(4 * LK_LANES)));
typedef uint64_t lk_longs __attribute__((vector_size(4 * LK_LANES)));

static inline lk_floats lk_all(float v)
{
    return (lk_floats)LK_OP(set1_ps)(v);
}

static inline lk_floats lk_load(const float *from)
{
    return (lk_floats)LK_OP(loadu_ps)(from);
}

static inline void lk_store(float *to, lk_floats v)
{
    memcpy(to, &v, sizeof v);
}

/** The lower halves of a's lanes times m. */
static inline lk_longs lk_multiply(lk_longs a, uint32_t m)
{
    const lk_longs zero = {0};
    return (lk_longs)LK_OP(mul_epu32)(LK_WHOLE(a), LK_WHOLE(zero + m));
}

/** In each 128 bits: the first half of a's and the first half of b's. */
static inline lk_ints lk_first_halves(lk_longs a, lk_longs b)
{
    return (lk_ints)LK_OP(unpacklo_epi64)(LK_WHOLE(a), LK_WHOLE(b));
}
static inline lk_ints lk_second_halves(lk_longs a, lk_longs b)
{
    return (lk_ints)LK_OP(unpackhi_epi64)(LK_WHOLE(a), LK_WHOLE(b));
}

static inline lk_floats lk_sqrt(lk_floats x)
{
    return (lk_floats)LK_OP(sqrt_ps)(x);
}

/**
 * A matrix of 4 vectors by quads of four floats is turned: then the quads of v[0], v[1], .. are first all first quads,
 * of v[0], v[1], v[2], v[3], then all second ones.
 */
static inline void lk_turn_quads(lk_floats v[4])
{
#if defined __AVX512F__
    __m512 a = _mm512_shuffle_f32x4((__m512)v[0], (__m512)v[1], 0x44),
           b = _mm512_shuffle_f32x4((__m512)v[2], (__m512)v[3], 0x44);
    __m512 c = _mm512_shuffle_f32x4((__m512)v[0], (__m512)v[1], 0xee),
           d = _mm512_shuffle_f32x4((__m512)v[2], (__m512)v[3], 0xee);
    v[0] = (lk_floats)_mm512_shuffle_f32x4(a, b, 0x88);
    v[1] = (lk_floats)_mm512_shuffle_f32x4(a, b, 0xdd);
    v[2] = (lk_floats)_mm512_shuffle_f32x4(c, d, 0x88);
    v[3] = (lk_floats)_mm512_shuffle_f32x4(c, d, 0xdd);
#elif defined __AVX2__
    __m256 a = (__m256)v[0], b = (__m256)v[1], c = (__m256)v[2], d = (__m256)v[3];
    v[0] = (lk_floats)_mm256_permute2f128_ps(a, b, 0x20);
    v[1] = (lk_floats)_mm256_permute2f128_ps(c, d, 0x20);
    v[2] = (lk_floats)_mm256_permute2f128_ps(a, b, 0x31);
    v[3] = (lk_floats)_mm256_permute2f128_ps(c, d, 0x31);
#else
    (void)v;
#endif
}

/** Natural logarithm of x in (0, 1], absolute error below 3e-7 * max(1, |ln x|). */
static inline lk_floats lk_log(lk_floats x)
{
    /* x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m - 1) / (m + 1)), an odd series in |s| < 0.172 */
    enum { ONE = 0x3f800000, HALF_ROOT = 0x3f3504f3, MANTISSA = 0x7fffff };
    lk_ints bits = (lk_ints)x + (ONE - HALF_ROOT);
    lk_floats e = __builtin_convertvector((bits >> 23) - 127, lk_floats);
    lk_floats m = (lk_floats)((bits & MANTISSA) + HALF_ROOT);
    lk_floats s = (m - 1) / (m + 1), q = s * s;
    lk_floats series = 2 * s * (1 + q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9)))));
    return e * (float)M_LN2 + series;
}

/** Cosine and sine of 2 pi u, |u| < 2^20 turns; error below 2e-7 beside the rounding of u itself. */
static inline void lk_turn(lk_floats u, lk_floats *c, lk_floats *s)
{
    /* quarter turns by the rounding of a float that has no fraction bits left, then Taylor within an eighth */
    const float rounder = 12582912; /* 1.5 * 2^23 */
    lk_floats shifted = u * 4 + rounder;
    lk_ints quarter = (lk_ints)shifted;
    lk_floats a = (u - (shifted - rounder) * 0.25f) * (float)(2 * M_PI), q = a * a;
    lk_floats sine = a * (1 + q * (-1.0f / 6 + q * (1.0f / 120 + q * (-1.0f / 5040 + q * (1.0f / 362880)))));
    lk_floats cosine = 1 + q * (-1.0f / 2 + q * (1.0f / 24 + q * (-1.0f / 720 + q * (1.0f / 40320))));
    lk_ints odd = -(quarter & 1), sign_s = (quarter & 2) << 30, sign_c = ((quarter + 1) & 2) << 30;
    *s = (lk_floats)((((lk_ints)cosine & odd) | ((lk_ints)sine & ~odd)) ^ sign_s);
    *c = (lk_floats)((((lk_ints)sine & odd) | ((lk_ints)cosine & ~odd)) ^ sign_c);
}

/**
 * A phase that grows by `turns` a step, as a 32-bit fraction of a turn: it wraps by itself, so step 3000 is as exact as
 * step 3. lk_turns() gives LK_LANES steps, first, first + apart, .., for lk_turn().
 */
static inline uint32_t lk_turn_step(double turns)
{
    return (uint32_t)llrint((turns - floor(turns)) * 0x1p32);
}

static inline lk_floats lk_turns(uint32_t step, int first, int apart)
{
    uint32_t phase[LK_LANES];
    lk_ints phases;
    for (int i = 0; i < LK_LANES; i++)
        phase[i] = (uint32_t)(first + i * apart) * step;
    memcpy(&phases, phase, sizeof phases);
    return __builtin_convertvector(phases, lk_floats) * 0x1p-32f;
}

/** a * b of LK_LANES / 2 complex numbers each, (re, im) pairs. */
static inline lk_floats lk_complex_product(lk_floats a, lk_floats b)
{
    lk_floats re = (lk_floats)LK_PAIRS(a, 0xa0), im = (lk_floats)LK_PAIRS(a, 0xf5),
              turned = (lk_floats)LK_PAIRS(b, 0xb1);
    im = (lk_floats)((lk_longs)im ^ 0x80000000u); /* the sign of every first of a pair: re = ar br - ai bi */
    return re * b + im * turned;
}

#endif
