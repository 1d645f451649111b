#include "models/link/lmmse.h"
#include "harness/base/mem.h"
#include "models/link/dmrs.h"
#include "models/link/hermitian.h"
#include "models/link/ofdm.h"
#include <math.h>
#include <stdlib.h>

enum { SPAN = LK_LMMSE_PRB * LK_PRB_SUBCARRIERS, PILOTS = SPAN / 2 };

/*
 * The pilots of a comb are evenly spaced, so filters depend on the place of the subcarrier in its window only, not on
 * the window: one table serves the whole band.
 */
struct lk_lmmse {
    double complex r_f[SPAN];
    double complex matrix[PILOTS * PILOTS];
    double complex filter[2][SPAN][PILOTS]; /* by comb; conjugate */
    double error_f[2][SPAN];
    float complex weight_f[2][SPAN][PILOTS]; /* as applied: free of bias */
    float complex weight_t[SPAN][LK_SYMBOLS][LK_MAX_PILOT_SYMBOLS];
    float error[SPAN][LK_SYMBOLS];
};

struct lk_lmmse *lk_lmmse_new(void)
{
    return jrx_alloc(sizeof(struct lk_lmmse));
}

void lk_lmmse_free(struct lk_lmmse *lmmse)
{
    free(lmmse);
}

void lk_statistics_true(const struct lk_slot *slot, struct lk_statistics *statistics)
{
    lk_tdl_scale(slot->profile, slot->delay_spread_s, &statistics->taps);
    statistics->doppler_hz = slot->doppler_hz;
}

void lk_statistics_robust(struct lk_statistics *statistics)
{
    const double longest_s = 2e-6;
    *statistics = (struct lk_statistics){.taps = {.taps = LK_MAX_TAPS}, .doppler_hz = 500};
    for (int l = 0; l < LK_MAX_TAPS; l++) {
        statistics->taps.delay_s[l] = longest_s * l / (LK_MAX_TAPS - 1);
        statistics->taps.power[l] = 1.0 / LK_MAX_TAPS;
    }
}

static void frequency_covariance(const struct lk_statistics *s, double scs_hz, int span, double complex *r)
{
    for (int dk = 0; dk < span; dk++) {
        r[dk] = s->taps.los;
        for (int l = 0; l < s->taps.taps; l++)
            r[dk] += s->taps.power[l] * cexp(-2 * I * M_PI * s->taps.delay_s[l] * scs_hz * dk);
    }
}

static double complex lag(const double complex *r, int dk)
{
    return dk < 0 ? conj(r[-dk]) : r[dk];
}

/* Filters of every place in a window of `span` subcarriers, for pilots on `comb`. */
static void frequency_filters(struct lk_lmmse *m, int span, int comb, double noise)
{
    int n = span / 2;
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            m->matrix[i * n + j] = lag(m->r_f, 2 * (i - j)) + (i == j ? noise : 0);
    double complex *rhs = &m->filter[comb][0][0]; /* used as [span][n] */
    for (int k = 0; k < span; k++)
        for (int i = 0; i < n; i++)
            rhs[k * n + i] = lag(m->r_f, comb + 2 * i - k);
    lk_hermitian_solve(n, m->matrix, span, rhs);
    for (int k = 0; k < span; k++) {
        double kept = 0;
        for (int i = 0; i < n; i++)
            kept += creal(conj(rhs[k * n + i]) * lag(m->r_f, comb + 2 * i - k));
        kept = fmin(fmax(kept, 1e-9), 1 - 1e-12);
        m->error_f[comb][k] = (1 - kept) / kept; /* after the bias `kept` is divided out */
        for (int i = 0; i < n; i++)
            m->weight_f[comb][k][i] = (float complex)(conj(rhs[k * n + i]) / kept);
    }
}

static double complex time_covariance(const struct lk_statistics *s, double dt_s)
{
    return (1 - s->taps.los) * j0(2 * M_PI * s->doppler_hz * dt_s) +
           s->taps.los * cexp(2 * I * M_PI * 0.7 * s->doppler_hz * dt_s);
}

/* From the pilot symbols to all symbols, at one place of the window. */
static void time_filters(struct lk_lmmse *m, const struct lk_statistics *s, double scs_hz,
                         const struct lk_pattern *pattern, int place)
{
    int n = pattern->symbols;
    double time_s[LK_SYMBOLS];
    double complex matrix[LK_MAX_PILOT_SYMBOLS * LK_MAX_PILOT_SYMBOLS], rhs[LK_SYMBOLS * LK_MAX_PILOT_SYMBOLS];
    for (int t = 0; t < LK_SYMBOLS; t++)
        time_s[t] = lk_symbol_middle_s(scs_hz, t);
    for (int i = 0; i < n; i++)
        for (int j = 0; j <= i; j++)
            matrix[i * n + j] = time_covariance(s, time_s[pattern->symbol[i]] - time_s[pattern->symbol[j]]) +
                                (i == j ? m->error_f[pattern->comb[i]][place] : 0);
    for (int t = 0; t < LK_SYMBOLS; t++)
        for (int i = 0; i < n; i++)
            rhs[t * n + i] = time_covariance(s, time_s[pattern->symbol[i]] - time_s[t]);
    lk_hermitian_solve(n, matrix, LK_SYMBOLS, rhs);
    for (int t = 0; t < LK_SYMBOLS; t++) {
        double kept = 0;
        for (int i = 0; i < n; i++) {
            m->weight_t[place][t][i] = (float complex)conj(rhs[t * n + i]);
            kept += creal(conj(rhs[t * n + i]) * time_covariance(s, time_s[pattern->symbol[i]] - time_s[t]));
        }
        m->error[place][t] = (float)fmax(1 - kept, 0);
    }
}

static void make_filters(struct lk_lmmse *m, const struct lk_statistics *s, double noise_power,
                         const struct lk_slot *slot, const struct lk_pattern *pattern, int span)
{
    double pilot_power = pattern->data_beside ? 1 : 2;
    int made[2] = {0, 0};
    frequency_covariance(s, slot->scs_hz, span, m->r_f);
    for (int p = 0; p < pattern->symbols; p++)
        if (!made[pattern->comb[p]]++)
            frequency_filters(m, span, pattern->comb[p], noise_power / pilot_power);
    for (int place = 0; place < span; place++)
        time_filters(m, s, slot->scs_hz, pattern, place);
}

/* Least squares at the pilots of one symbol of one antenna, packed. */
static void at_pilots(const struct lk_slot *slot, const float complex *y, int t, int comb, float complex *pilot)
{
    for (int i = 0; i < slot->f / 2; i++) {
        size_t at = (size_t)(comb + 2 * i) * slot->t + t;
        float re = crealf(slot->xp[at]), im = cimagf(slot->xp[at]);
        pilot[i] = y[at] * conjf(slot->xp[at]) / (re * re + im * im);
    }
}

static float complex dot(const float complex *a, const float complex *b, int n)
{
    float re = 0, im = 0;
    for (int i = 0; i < n; i++) {
        re += crealf(a[i]) * crealf(b[i]) - cimagf(a[i]) * cimagf(b[i]);
        im += crealf(a[i]) * cimagf(b[i]) + cimagf(a[i]) * crealf(b[i]);
    }
    return re + I * im;
}

void lk_lmmse_estimate(struct lk_lmmse *m, const struct lk_statistics *statistics, double noise_power,
                       const struct lk_slot *slot, float complex *h, float *error)
{
    const struct lk_pattern *pattern = lk_pattern_get(slot->pattern);
    int span = slot->f < SPAN ? slot->f : SPAN;
    float complex pilot[LK_MAX_PILOT_SYMBOLS][273 * LK_PRB_SUBCARRIERS / 2];
    make_filters(m, statistics, noise_power, slot, pattern, span);
    for (int a = 0; a < slot->rx; a++) {
        size_t antenna = (size_t)a * slot->f * slot->t;
        for (int p = 0; p < pattern->symbols; p++)
            at_pilots(slot, slot->y + antenna, pattern->symbol[p], pattern->comb[p], pilot[p]);
        for (int k = 0; k < slot->f; k++) {
            int start = (k / LK_PRB_SUBCARRIERS - LK_LMMSE_PRB / 2) * LK_PRB_SUBCARRIERS;
            start = start < 0 ? 0 : start > slot->f - span ? slot->f - span : start;
            int place = k - start;
            float complex along[LK_MAX_PILOT_SYMBOLS];
            for (int p = 0; p < pattern->symbols; p++)
                along[p] = dot(m->weight_f[pattern->comb[p]][place], pilot[p] + start / 2, span / 2);
            for (int t = 0; t < slot->t; t++) {
                h[antenna + (size_t)k * slot->t + t] = dot(m->weight_t[place][t], along, pattern->symbols);
                error[(size_t)k * slot->t + t] = m->error[place][t];
            }
        }
    }
}
