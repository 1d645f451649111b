/*
 * LMMSE channel estimation, frequency then time: h = R P^T (P R P^T + noise)^-1 y for each dimension, made free of bias
 * in between. In frequency a subcarrier is estimated from the pilots of the LK_LMMSE_PRB resource blocks around its
 * own; antennas alone. Source: Hoeher, Kaiser, Robertson, "Two-dimensional pilot-symbol-aided channel estimation by
 * Wiener filtering", ICASSP 1997.
 */
#ifndef MODELS_LINK_LMMSE_H
#define MODELS_LINK_LMMSE_H
#include "models/link/slot.h"
#include "models/link/tdl.h"

enum { LK_LMMSE_PRB = 9 };

/* What an estimator believes about the channel: R_f(dk) = sum of power exp(-j 2 pi delay scs dk),
 * R_t(dt) = (1 - los) J0(2 pi f_D dt) + los exp(j 2 pi 0.7 f_D dt). */
struct lk_statistics {
    struct lk_tdl_taps taps;
    double doppler_hz;
};

/** The truth: profile, delay spread and Doppler of the slot. Pure. */
void lk_statistics_true(const struct lk_slot *slot, struct lk_statistics *statistics);
/** One design for all channels: delays uniform over 0..2 us, 500 Hz. Pure. */
void lk_statistics_robust(struct lk_statistics *statistics);

struct lk_lmmse; /* tables */

/** NULL with a message if there is no memory. */
struct lk_lmmse *lk_lmmse_new(void);
void lk_lmmse_free(struct lk_lmmse *lmmse);

/**
 * h[rx][f][t] and error[f][t], the mean squared error it believes to have made. noise_power is that on each RE. The
 * error of h is orthogonal to h if the statistics are true, so it adds to the noise.
 */
void lk_lmmse_estimate(struct lk_lmmse *lmmse, const struct lk_statistics *statistics, double noise_power,
                       const struct lk_slot *slot, float complex *h, float *error);

#endif
