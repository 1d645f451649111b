/* The functions of struct lk_draw_ops for one instruction set. Included by draw_<isa>.c only; all static. */
#ifndef MODELS_LINK_DRAW_TEMPLATE_H
#define MODELS_LINK_DRAW_TEMPLATE_H
#include "models/link/draw.h"
#include "models/link/vec.h"

#define ALWAYS static inline __attribute__((always_inline))

/* ---- random numbers ---- */

enum {
    QUADS = LK_LANES / 4, /* of four words, a Philox block, in a vector */
    GROUP = 16,           /* normal numbers of a group: four blocks, two of radii and two of angles */
    STEP = GROUP * QUADS, /* made at once: a group in each quad */
    VECTORS = STEP / LK_LANES
};

/* The keys of Philox's ten rounds, and the stream. */
struct source {
    uint64_t key[10][2], stream[2];
};

static struct source source_of(uint64_t seed, uint64_t stream)
{
    struct source source = {.stream = {(uint32_t)stream, stream >> 32}};
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        source.key[round][0] = k0;
        source.key[round][1] = k1;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return source;
}

/*
 * Philox4x32-10 of harness/base/rng.h: quad q of block[i] becomes block first + 4 q + i. On the way a block's words are
 * in the lower halves of 64-bit lanes, and nobody reads the upper halves.
 */
ALWAYS void four_blocks(const struct source *source, uint32_t first, lk_ints block[4])
{
    const lk_longs zero = {0}, low = zero + UINT32_MAX;
    lk_longs a0, a1 = zero, a2 = zero + source->stream[0], a3 = zero + source->stream[1], b0, b1 = a1, b2 = a2, b3 = a3;
    for (unsigned q = 0; q < QUADS; q++) {
        a0[2 * q] = first + 4 * q;
        a0[2 * q + 1] = first + 4 * q + 1;
    }
    b0 = a0 + 2;
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
        lk_longs k0 = zero + source->key[round][0], k1 = zero + source->key[round][1];
        lk_longs pa = lk_multiply(a0, 0xD2511F53u), qa = lk_multiply(a2, 0xCD9E8D57u);
        lk_longs pb = lk_multiply(b0, 0xD2511F53u), qb = lk_multiply(b2, 0xCD9E8D57u);
        a0 = qa >> 32 ^ a1 ^ k0;
        b0 = qb >> 32 ^ b1 ^ k0;
        a2 = pa >> 32 ^ a3 ^ k1;
        b2 = pb >> 32 ^ b3 ^ k1;
        a1 = qa;
        b1 = qb;
        a3 = pa;
        b3 = pb;
    }
    a0 = (a0 & low) | a1 << 32;
    a2 = (a2 & low) | a3 << 32;
    b0 = (b0 & low) | b1 << 32;
    b2 = (b2 & low) | b3 << 32;
    block[0] = lk_first_halves(a0, a2);
    block[1] = lk_second_halves(a0, a2);
    block[2] = lk_first_halves(b0, b2);
    block[3] = lk_second_halves(b0, b2);
}

static void words(uint64_t seed, uint64_t stream, size_t n, uint32_t *out)
{
    const struct source source = source_of(seed, stream);
    for (size_t i = 0; i < n; i += STEP) {
        lk_ints block[VECTORS];
        lk_floats made[VECTORS];
        four_blocks(&source, (uint32_t)(i / 4), block);
        memcpy(made, block, sizeof made); /* bits that nobody takes for numbers */
        lk_turn_quads(made);
        memcpy(out + i, made, n - i < STEP ? (n - i) * sizeof *out : sizeof made);
    }
}

/* Box-Muller: radii from `radius`, directions from `angle`. */
ALWAYS void box_muller(lk_ints radius, lk_ints angle, lk_floats *c, lk_floats *s)
{
    /* 31 bits to (0, 1], never 0; 32 signed bits to [-1/2, 1/2] turns */
    lk_floats u = (__builtin_convertvector(radius & 0x7fffffff, lk_floats) + 0.5f) * 0x1p-31f;
    lk_floats r = lk_sqrt(-2 * lk_log(u));
    lk_turn(__builtin_convertvector(angle, lk_floats) * 0x1p-32f, c, s);
    *c *= r;
    *s *= r;
}

/* Numbers first .. first + STEP - 1; `first` is a multiple of STEP. */
ALWAYS void step(const struct source *source, size_t first, lk_floats made[VECTORS])
{
    lk_ints block[VECTORS];
    four_blocks(source, (uint32_t)(first / 4), block);
    box_muller(block[0], block[2], &made[0], &made[1]);
    box_muller(block[1], block[3], &made[2], &made[3]);
    lk_turn_quads(made);
}

static void normal(uint64_t seed, uint64_t stream, size_t n, float *out)
{
    const struct source source = source_of(seed, stream);
    for (size_t i = 0; i < n; i += STEP) {
        lk_floats made[VECTORS];
        step(&source, i, made);
        memcpy(out + i, made, n - i < STEP ? (n - i) * sizeof *out : sizeof made);
    }
}

static void add_normal(uint64_t seed, uint64_t stream, size_t n, float scale, float *out)
{
    const struct source source = source_of(seed, stream);
    for (size_t i = 0; i < n; i += STEP) {
        lk_floats made[VECTORS];
        float rest[STEP], *to = n - i < STEP ? rest : out + i;
        step(&source, i, made);
        if (to == rest)
            memcpy(rest, out + i, (n - i) * sizeof *out);
        for (int v = 0; v < VECTORS; v++)
            lk_store(to + v * LK_LANES, lk_load(to + v * LK_LANES) + scale * made[v]);
        if (to == rest)
            memcpy(out + i, rest, (n - i) * sizeof *out);
    }
}

/* ---- the channel ---- */

/* One antenna's gain of one tap at LK_LANES times: sinusoids 0, 4, 8, 12 are summed, then 1, 5, .., then these sums. */
static inline void sum_of_sines(const float *re, const float *im, const lk_floats *c, const lk_floats *s,
                                lk_floats gain[2])
{
    for (int i = 0; i < 4; i++) {
        lk_floats sum_re = {0}, sum_im = {0};
        for (int n = i; n < LK_SINES; n += 4) {
            sum_re += re[n] * c[n] - im[n] * s[n];
            sum_im += re[n] * s[n] + im[n] * c[n];
        }
        gain[0] = i ? gain[0] + sum_re : sum_re;
        gain[1] = i ? gain[1] + sum_im : sum_im;
    }
}

static void gains(const struct lk_channel *channel, const double *time_s, int n, float complex *gain)
{
    int taps = channel->taps.taps;
    for (int first = 0; first < n; first += LK_LANES) {
        int count = n - first < LK_LANES ? n - first : LK_LANES;
        float time[LK_LANES] = {0};
        for (int i = 0; i < count; i++)
            time[i] = (float)time_s[first + i];
        for (int l = 0; l < taps; l++) {
            lk_floats c[LK_SINES], s[LK_SINES], sum[2];
            for (int k = 0; k < LK_SINES; k++)
                lk_turn(channel->rate_hz[l][k] * lk_load(time), &c[k], &s[k]);
            for (int a = 0; a < channel->rx; a++) {
                sum_of_sines(channel->re[a][l], channel->im[a][l], c, s, sum);
                for (int i = 0; i < count; i++)
                    gain[((size_t)a * taps + l) * n + first + i] = sum[0][i] + I * sum[1][i];
            }
        }
    }
}

enum {
    ROW = (2 * LK_SYMBOLS + LK_LANES - 1) / LK_LANES, /* vectors in the complex row of one subcarrier */
    HALF = 16,                                        /* subcarriers on either side of the middle of a block */
    PAIRS = LK_LANES == 16 ? 2 : 1                    /* summed at once: what the registers hold */
};
_Static_assert(ROW *LK_LANES <= LK_DRAW_ROW, "gains are padded to whole vectors");

/*
 * Phases as 32-bit fractions of a turn, in steps of half a subcarrier: of each tap, and cosines and sines of 1, 3, 5,
 * .. steps. Subcarriers that lie as far above as below a middle share them: with the gains g turned to the middle, h =
 * sum of g cos +- sum of j g sin.
 */
struct phases {
    uint32_t step[LK_MAX_TAPS];
    float cosine[LK_MAX_TAPS][HALF], sine[LK_MAX_TAPS][HALF];
};

static void fill_phases(const struct lk_channel *channel, double scs_hz, struct phases *phases)
{
    for (int l = 0; l < channel->taps.taps; l++) {
        phases->step[l] = lk_turn_step(-0.5 * scs_hz * channel->taps.delay_s[l]);
        for (int k = 0; k < HALF; k += LK_LANES) {
            lk_floats c, s;
            lk_turn(lk_turns(phases->step[l], 1 + 2 * k, 2), &c, &s);
            lk_store(phases->cosine[l] + k, c);
            lk_store(phases->sine[l] + k, s);
        }
    }
}

/* row[tap] = gain exp(j middle steps), turned[tap] = j times that; `middle` in steps of half a subcarrier */
static void turn_gains(int taps, const struct phases *phases, uint32_t middle, const float (*row)[LK_DRAW_ROW],
                       const float (*turned)[LK_DRAW_ROW], float (*to)[2][LK_DRAW_ROW])
{
    for (int first = 0; first < taps; first += LK_LANES) {
        uint32_t phase[LK_LANES] = {0};
        lk_ints all;
        lk_floats c, s;
        for (int i = 0; i < LK_LANES && first + i < taps; i++)
            phase[i] = middle * phases->step[first + i];
        memcpy(&all, phase, sizeof all);
        lk_turn(__builtin_convertvector(all, lk_floats) * 0x1p-32f, &c, &s);
        for (int i = 0; i < LK_LANES && first + i < taps; i++)
            for (int v = 0; v < ROW * LK_LANES; v += LK_LANES) {
                lk_floats g = lk_load(row[first + i] + v), j = lk_load(turned[first + i] + v);
                lk_store(to[first + i][0] + v, c[i] * g + s[i] * j);
                lk_store(to[first + i][1] + v, c[i] * j - s[i] * g);
            }
    }
}

/* PAIRS pairs of subcarriers of one antenna, the first pair 2 * first + 1 half steps from the middle. */
ALWAYS void add_pairs(int taps, const struct phases *phases, const float (*gain)[2][LK_DRAW_ROW], int first,
                      lk_floats even[PAIRS][ROW], lk_floats odd[PAIRS][ROW])
{
    const lk_floats zero = {0};
    for (int k = 0; k < PAIRS; k++)
#pragma GCC unroll 7
        for (int v = 0; v < ROW; v++)
            even[k][v] = odd[k][v] = zero;
    for (int l = 0; l < taps; l++)
#pragma GCC unroll 2
        for (int k = 0; k < PAIRS; k++) {
            lk_floats c = lk_all(phases->cosine[l][first + k]), s = lk_all(phases->sine[l][first + k]);
#pragma GCC unroll 7
            for (int v = 0; v < ROW; v++) {
                even[k][v] += c * lk_load(gain[l][0] + v * LK_LANES);
                odd[k][v] += s * lk_load(gain[l][1] + v * LK_LANES);
            }
        }
}

/* even + sign * odd; vector by vector, as a copy of the whole row would wait for all of it */
ALWAYS void store_sum(const lk_floats *even, const lk_floats *odd, float sign, float complex *row)
{
#pragma GCC unroll 7
    for (int v = 0; v < ROW; v++) {
        enum { ALL = 2 * LK_SYMBOLS };
        lk_floats sum = even[v] + sign * odd[v];
        memcpy((float *)row + v * LK_LANES, &sum,
               ALL - v * LK_LANES < LK_LANES ? (ALL - v * LK_LANES) * 4u : sizeof sum);
    }
}

static void response(const struct lk_channel *channel, const struct lk_draw_gains *g, int f, double scs_hz,
                     float complex *h)
{
    const int taps = channel->taps.taps;
    struct phases phases;
    fill_phases(channel, scs_hz, &phases);
    for (int first = 0; first < f; first += 2 * HALF) {
        int n = f - first < 2 * HALF ? f - first : 2 * HALF, half = (n + 1) / 2; /* below the middle; n - half above */
        for (int a = 0; a < channel->rx; a++) {
            float gain[LK_MAX_TAPS][2][LK_DRAW_ROW];
            float complex *middle = h + ((size_t)a * f + first + half) * LK_SYMBOLS;
            turn_gains(taps, &phases, (uint32_t)(2 * (first + half) - 1), g->row[a], g->turned[a], gain);
            for (int k = 0; k < half; k += PAIRS) {
                lk_floats even[PAIRS][ROW], odd[PAIRS][ROW];
                add_pairs(taps, &phases, gain, k, even, odd);
                for (int i = 0; i < PAIRS; i++) {
                    if (k + i < n - half)
                        store_sum(even[i], odd[i], 1, middle + (k + i) * LK_SYMBOLS);
                    if (k + i < half)
                        store_sum(even[i], odd[i], -1, middle - (k + i + 1) * LK_SYMBOLS);
                }
            }
        }
    }
}

static void hear(size_t n, const float complex *h, const float complex *x, int add, float complex *y)
{
    const lk_floats zero = {0};
    for (size_t i = 0; i < n; i += LK_LANES / 2) {
        float *to = (float *)(y + i);
        lk_floats before = add ? lk_load(to) : zero;
        lk_store(to, before + lk_complex_product(lk_load((const float *)(h + i)), lk_load((const float *)(x + i))));
    }
}

#define DRAW_OPS                                                                                                       \
    {                                                                                                                  \
        words, normal, add_normal, gains, response, hear                                                               \
    }

#endif
