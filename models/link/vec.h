/*
 * Four floats at a time: the few elementary functions that drawing a slot needs some ten thousand times. Compiled for
 * the baseline processor, so that a seed gives the same slot on every machine.
 */
#ifndef MODELS_LINK_VEC_H
#define MODELS_LINK_VEC_H
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float lk_f4 __attribute__((vector_size(16)));
typedef int32_t lk_i4 __attribute__((vector_size(16)));

static inline lk_f4 lk_all4(float v)
{
    return (lk_f4){v, v, v, v};
}

/** Natural logarithm of x in (0, 1], absolute error below 3e-7 * max(1, |ln x|). */
static inline lk_f4 lk_log4(lk_f4 x)
{
    /* x = 2^e m with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m - 1) / (m + 1)), an odd series in |s| < 0.172 */
    enum { ONE = 0x3f800000, HALF_ROOT = 0x3f3504f3, MANTISSA = 0x7fffff };
    lk_i4 bits = (lk_i4)x + (ONE - HALF_ROOT);
    lk_f4 e = __builtin_convertvector((bits >> 23) - 127, lk_f4);
    lk_f4 m = (lk_f4)((bits & MANTISSA) + HALF_ROOT);
    lk_f4 s = (m - 1) / (m + 1), q = s * s;
    lk_f4 series = 2 * s * (1 + q * (1.0f / 3 + q * (1.0f / 5 + q * (1.0f / 7 + q * (1.0f / 9)))));
    return e * (float)M_LN2 + series;
}

/** Cosine and sine of 2 pi u, |u| < 2^20 turns; error below 2e-7 beside the rounding of u itself. */
static inline void lk_turn4(lk_f4 u, lk_f4 *c, lk_f4 *s)
{
    /* quarter turns by the rounding of a float that has no fraction bits left, then Taylor within an eighth */
    const float rounder = 12582912; /* 1.5 * 2^23 */
    lk_f4 shifted = u * 4 + rounder;
    lk_i4 quarter = (lk_i4)shifted;
    lk_f4 a = (u - (shifted - rounder) * 0.25f) * (float)(2 * M_PI), q = a * a;
    lk_f4 sine = a * (1 + q * (-1.0f / 6 + q * (1.0f / 120 + q * (-1.0f / 5040 + q * (1.0f / 362880)))));
    lk_f4 cosine = 1 + q * (-1.0f / 2 + q * (1.0f / 24 + q * (-1.0f / 720 + q * (1.0f / 40320))));
    lk_i4 odd = -(quarter & 1), sign_s = (quarter & 2) << 30, sign_c = ((quarter + 1) & 2) << 30;
    *s = (lk_f4)((((lk_i4)cosine & odd) | ((lk_i4)sine & ~odd)) ^ sign_s);
    *c = (lk_f4)((((lk_i4)sine & odd) | ((lk_i4)cosine & ~odd)) ^ sign_c);
}

/**
 * A phase that grows by `turns` a step, as a 32-bit fraction of a turn: it wraps by itself, so step 3000 is as exact as
 * step 3. lk_turns4() gives steps first .. first + 3, for lk_turn4().
 */
static inline uint32_t lk_turn_step(double turns)
{
    return (uint32_t)llrint((turns - floor(turns)) * 0x1p32);
}

static inline lk_f4 lk_turns4(uint32_t step, int first)
{
    uint32_t phase = (uint32_t)first * step;
    lk_i4 phases = {(int32_t)phase, (int32_t)(phase + step), (int32_t)(phase + 2 * step), (int32_t)(phase + 3 * step)};
    return __builtin_convertvector(phases, lk_f4) * 0x1p-32f;
}

static inline lk_f4 lk_sqrt4(lk_f4 x)
{
    return (lk_f4){sqrtf(x[0]), sqrtf(x[1]), sqrtf(x[2]), sqrtf(x[3])};
}

#endif
