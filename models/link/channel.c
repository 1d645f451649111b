#include "models/link/channel.h"
#include "models/link/draw.h"
#include "models/link/normal.h"
#include "models/link/vec.h"

_Static_assert(LK_SINES % LK_LANES == 0, "sinusoids come in whole vectors");

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
    uint32_t word[LK_MAX_RX + LK_MAX_TAPS * LK_SINES];
    lk_words(seed, stream, sizeof word / sizeof *word, word);
    channel->rx = rx;
    lk_tdl_scale(profile, delay_spread_s, &channel->taps);
    channel->los_rate_hz = (float)(0.7 * doppler_hz);
    float los = (float)sqrt(channel->taps.los);
    for (int a = 0; a < LK_MAX_RX; a++) { /* all of them, so that more antennas leave the first ones as they were */
        lk_floats c, s;
        lk_turn(lk_all((float)(word[a] * 0x1p-32)), &c, &s);
        channel->los_re[a] = los * c[0];
        channel->los_im[a] = los * s[0];
    }
    for (int l = 0; l < channel->taps.taps; l++)
        for (int n = 0; n < LK_SINES; n += LK_LANES) {
            lk_floats angle, c, s;
            for (int i = 0; i < LK_LANES; i++)
                angle[i] = (float)((n + i + word[LK_MAX_RX + l * LK_SINES + n + i] * 0x1p-32) / LK_SINES);
            lk_turn(angle, &c, &s);
            lk_store(&channel->rate_hz[l][n], c * (float)doppler_hz);
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

static void add_line_of_sight(const struct lk_channel *channel, const double *time_s, int n, float complex *gain)
{
    for (int a = 0; a < channel->rx; a++)
        for (int i = 0; i < n; i++) {
            lk_floats c, s;
            lk_turn(lk_all((float)((double)channel->los_rate_hz * time_s[i])), &c, &s);
            float re = channel->los_re[a], im = channel->los_im[a];
            gain[(size_t)a * channel->taps.taps * n + i] += re * c[0] - im * s[0] + I * (re * s[0] + im * c[0]);
        }
}

void lk_channel_gains(const struct lk_channel *channel, const double *time_s, int n, float complex *gain)
{
    lk_draw()->gains(channel, time_s, n, gain);
    if (channel->taps.los > 0)
        add_line_of_sight(channel, time_s, n, gain);
}

void lk_channel_response(const struct lk_channel *channel, const float complex *gain, int f, double scs_hz,
                         float complex *h)
{
    struct lk_draw_gains g;
    for (int a = 0; a < channel->rx; a++)
        for (int l = 0; l < channel->taps.taps; l++) {
            const float complex *of = gain + ((size_t)a * channel->taps.taps + l) * LK_SYMBOLS;
            float *row = g.row[a][l], *turned = g.turned[a][l];
            for (int t = 0; t < LK_SYMBOLS; t++) {
                row[2 * t] = turned[2 * t + 1] = crealf(of[t]);
                row[2 * t + 1] = cimagf(of[t]);
                turned[2 * t] = -cimagf(of[t]);
            }
            memset(row + 2 * LK_SYMBOLS, 0, (LK_DRAW_ROW - 2 * LK_SYMBOLS) * sizeof *row);
            memset(turned + 2 * LK_SYMBOLS, 0, (LK_DRAW_ROW - 2 * LK_SYMBOLS) * sizeof *turned);
        }
    lk_draw()->response(channel, &g, f, scs_hz, h);
}
