#include "models/link/channel.h"
#include "harness/base/rng.h"
#include "models/link/normal.h"
#include "models/link/vec.h"

enum {
    LANES = 4,
    VECTORS = LK_SINES / LANES,
    ROW = 2 * LK_SYMBOLS / LANES, /* vectors in the complex row of one subcarrier */
    BLOCK = 16                    /* subcarriers whose phasors are made at once */
};
_Static_assert(2 * LK_SYMBOLS % LANES == 0, "a row of symbols is whole vectors");
_Static_assert(LK_SINES % LANES == 0, "sinusoids come in whole vectors");

/* Lower Cholesky factor of the antenna correlation matrix. */
static void correlation_root(int rx, double correlation, double root[LK_MAX_RX][LK_MAX_RX])
{
    for (int i = 0; i < rx; i++)
        for (int j = 0; j <= i; j++) {
            double distance = i == j ? 0 : (double)(i - j) / (rx - 1);
            double sum = i == j ? 1 : correlation > 0 ? pow(correlation, distance * distance) : 0;
            for (int k = 0; k < j; k++)
                sum -= root[i][k] * root[j][k];
            root[i][j] = i == j ? sqrt(sum) : sum / root[j][j];
        }
}

static void correlate(struct lk_channel *channel, double correlation)
{
    double root[LK_MAX_RX][LK_MAX_RX];
    correlation_root(channel->rx, correlation, root);
    for (int l = 0; l < channel->taps.taps; l++)
        for (int n = 0; n < LK_SINES; n++)
            for (int i = channel->rx - 1; i >= 0; i--) { /* downwards: row i needs the white values of rows below i */
                double re = 0, im = 0;
                for (int k = 0; k <= i; k++) {
                    re += root[i][k] * (double)channel->re[k][l][n];
                    im += root[i][k] * (double)channel->im[k][l][n];
                }
                channel->re[i][l][n] = (float)re;
                channel->im[i][l][n] = (float)im;
            }
}

void lk_channel_draw(struct lk_channel *channel, enum lk_profile profile, int rx, double delay_spread_s,
                     double doppler_hz, double correlation, uint64_t seed, uint64_t stream)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    channel->rx = rx;
    lk_tdl_scale(profile, delay_spread_s, &channel->taps);
    channel->los_rate_hz = (float)(0.7 * doppler_hz);
    float los = (float)sqrt(channel->taps.los);
    for (int a = 0; a < LK_MAX_RX; a++) { /* all of them, so that more antennas leave the first ones as they were */
        lk_f4 c, s;
        lk_turn4(lk_all4((float)(jrx_rng_u32(&rng) * 0x1p-32)), &c, &s);
        channel->los_re[a] = los * c[0];
        channel->los_im[a] = los * s[0];
    }
    for (int l = 0; l < channel->taps.taps; l++)
        for (int v = 0; v < VECTORS; v++) {
            lk_f4 angle, c, s;
            for (int i = 0; i < LANES; i++)
                angle[i] = (float)((v * LANES + i + jrx_rng_u32(&rng) * 0x1p-32) / LK_SINES);
            lk_turn4(angle, &c, &s);
            c *= (float)doppler_hz;
            memcpy(&channel->rate_hz[l][v * LANES], &c, sizeof c);
        }
    float draw[2 * LK_MAX_TAPS * LK_SINES * LK_MAX_RX], *next = draw;
    lk_normal(seed, stream + 1, (size_t)(2 * LK_MAX_TAPS * LK_SINES * rx), draw);
    for (int a = 0; a < rx; a++)
        for (int l = 0; l < LK_MAX_TAPS; l++) {
            float scale = l < channel->taps.taps ? (float)sqrt(channel->taps.power[l] / (2 * LK_SINES)) : 0;
            for (int n = 0; n < LK_SINES; n++) {
                channel->re[a][l][n] = scale * *next++;
                channel->im[a][l][n] = scale * *next++;
            }
        }
    if (correlation > 0 && rx > 1)
        correlate(channel, correlation);
}

/* Sum over the sinusoids of one tap at one time. */
static float complex tap_gain(const float *re, const float *im, const lk_f4 *c, const lk_f4 *s)
{
    lk_f4 sum_re = {0}, sum_im = {0};
    for (int v = 0; v < VECTORS; v++) {
        lk_f4 ar, ai;
        memcpy(&ar, re + v * LANES, sizeof ar);
        memcpy(&ai, im + v * LANES, sizeof ai);
        sum_re += ar * c[v] - ai * s[v];
        sum_im += ar * s[v] + ai * c[v];
    }
    return (sum_re[0] + sum_re[1] + sum_re[2] + sum_re[3]) + I * (sum_im[0] + sum_im[1] + sum_im[2] + sum_im[3]);
}

static void add_line_of_sight(const struct lk_channel *channel, const double *time_s, int n, float complex *gain)
{
    for (int a = 0; a < channel->rx; a++)
        for (int i = 0; i < n; i++) {
            lk_f4 c, s;
            lk_turn4(lk_all4((float)((double)channel->los_rate_hz * time_s[i])), &c, &s);
            float re = channel->los_re[a], im = channel->los_im[a];
            gain[(size_t)a * channel->taps.taps * n + i] += re * c[0] - im * s[0] + I * (re * s[0] + im * c[0]);
        }
}

void lk_channel_gains(const struct lk_channel *channel, const double *time_s, int n, float complex *gain)
{
    int taps = channel->taps.taps;
    for (int l = 0; l < taps; l++) {
        lk_f4 rate[VECTORS], c[VECTORS], s[VECTORS];
        memcpy(rate, channel->rate_hz[l], sizeof rate);
        for (int i = 0; i < n; i++) {
            for (int v = 0; v < VECTORS; v++)
                lk_turn4(rate[v] * (float)time_s[i], &c[v], &s[v]);
            for (int a = 0; a < channel->rx; a++)
                gain[((size_t)a * taps + l) * n + i] = tap_gain(channel->re[a][l], channel->im[a][l], c, s);
        }
    }
    if (channel->taps.los > 0)
        add_line_of_sight(channel, time_s, n, gain);
}

/* One subcarrier of one antenna: sum over taps of phasor times the row of LK_SYMBOLS gains. */
static void response_row(int taps, const lk_f4 (*gain)[ROW], const lk_f4 (*turned)[ROW], const float (*phasor)[2],
                         float complex *h)
{
    lk_f4 sum[ROW] = {{0}};
    for (int l = 0; l < taps; l++) {
        lk_f4 re = lk_all4(phasor[l][0]), im = lk_all4(phasor[l][1]);
#pragma GCC unroll 7
        for (int v = 0; v < ROW; v++)
            sum[v] += re * gain[l][v] + im * turned[l][v];
    }
    memcpy(h, sum, sizeof sum);
}

/* phasor[k][tap] = exp(-j 2 pi (first + k) scs delay) */
static void phasors(const struct lk_channel *channel, const uint32_t *step, int first, float (*phasor)[LK_MAX_TAPS][2])
{
    for (int l = 0; l < channel->taps.taps; l++)
        for (int k = 0; k < BLOCK; k += LANES) {
            lk_f4 c, s;
            lk_turn4(lk_turns4(step[l], first + k), &c, &s);
            for (int i = 0; i < LANES; i++) {
                phasor[k + i][l][0] = c[i];
                phasor[k + i][l][1] = s[i];
            }
        }
}

void lk_channel_response(const struct lk_channel *channel, const float complex *gain, int f, double scs_hz,
                         float complex *h)
{
    int taps = channel->taps.taps;
    lk_f4 row[LK_MAX_RX][LK_MAX_TAPS][ROW], turned[LK_MAX_RX][LK_MAX_TAPS][ROW]; /* gains, and gains times j */
    uint32_t step[LK_MAX_TAPS];
    for (int l = 0; l < taps; l++)
        step[l] = lk_turn_step(-scs_hz * channel->taps.delay_s[l]);
    for (int a = 0; a < channel->rx; a++)
        for (int l = 0; l < taps; l++) {
            const float complex *g = gain + ((size_t)a * taps + l) * LK_SYMBOLS;
            float complex j[LK_SYMBOLS];
            for (int t = 0; t < LK_SYMBOLS; t++)
                j[t] = -cimagf(g[t]) + I * crealf(g[t]);
            memcpy(row[a][l], g, sizeof row[a][l]);
            memcpy(turned[a][l], j, sizeof turned[a][l]);
        }
    for (int first = 0; first < f; first += BLOCK) {
        float phasor[BLOCK][LK_MAX_TAPS][2];
        phasors(channel, step, first, phasor);
        int n = f - first < BLOCK ? f - first : BLOCK;
        for (int a = 0; a < channel->rx; a++)
            for (int k = 0; k < n; k++)
                response_row(taps, row[a], turned[a], phasor[k], h + ((size_t)a * f + first + k) * LK_SYMBOLS);
    }
}
