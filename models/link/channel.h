/*
 * One user's fading channel: taps of a TDL profile, each a sum of sinusoids with Jakes Doppler spectrum.
 *
 * Sinusoid n of a tap arrives from angle a_n = (n + u_n) turns / LK_SINES (u_n uniform: stratified over the circle), so
 * its Doppler shift is f_D cos a_n; its complex amplitude is Gaussian. Hence every channel coefficient is exactly
 * CN(0, power) with few sinusoids, and the time covariance is J0(2 pi f_D dt) in the mean over draws. (With constant
 * amplitudes, the usual choice, deep fades would be too rare by some percent.) Antennas share the angles, not the
 * amplitudes. The line of sight has constant amplitude, Doppler 0.7 f_D and a random phase per antenna.
 * Source: TR 38.901, 7.7.2; Xiao, Zheng, Beaulieu, IEEE Trans. Wireless Commun. 5(6), 2006, for the angles.
 */
#ifndef MODELS_LINK_CHANNEL_H
#define MODELS_LINK_CHANNEL_H
#include "models/link/tdl.h"

enum { LK_SINES = 16 };

struct lk_channel {
    int rx;
    struct lk_tdl_taps taps;
    float rate_hz[LK_MAX_TAPS][LK_SINES]; /* Doppler shift of each sinusoid */
    float re[LK_MAX_RX][LK_MAX_TAPS][LK_SINES], im[LK_MAX_RX][LK_MAX_TAPS][LK_SINES];
    float los_rate_hz, los_re[LK_MAX_RX], los_im[LK_MAX_RX];
};

/**
 * Draws a channel: a pure function of the arguments. Uses streams `stream` and `stream` + 1 of `seed`.
 * correlation: between neighbours of LK_MAX_RX or fewer antennas as in TS 38.104, G.2.3: antennas i and j of n have
 * correlation^(((i - j) / (n - 1))^2); 0: independent. The Rayleigh part only: the line of sight keeps its phases.
 */
void lk_channel_draw(struct lk_channel *channel, enum lk_profile profile, int rx, double delay_spread_s,
                     double doppler_hz, double correlation, uint64_t seed, uint64_t stream);

/** Tap gains at times [s]: gain[rx][taps][n]. Pure. */
void lk_channel_gains(const struct lk_channel *channel, const double *time_s, int n, float complex *gain);

/**
 * Frequency response h[rx][f][LK_SYMBOLS] from gains at LK_SYMBOLS times, subcarrier k at k * scs_hz:
 * sum over taps of gain * exp(-j 2 pi k scs delay). Pure. Cost is linear in f and rx.
 */
void lk_channel_response(const struct lk_channel *channel, const float complex *gain, int f, double scs_hz,
                         float complex *h);

#endif
