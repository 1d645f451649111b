/*
 * The waveform engine: OFDM samples through taps that move while a symbol lasts. So it has what y = h x has not:
 * interference between subcarriers (Doppler), and between symbols (delays beyond the cyclic prefix).
 *
 * A delay need not be a whole number of samples: each tap gets the band-limited signal itself, delayed in phase before
 * the inverse FFT, and cut into symbols where its own delay says. Before and after the slot there is silence. The
 * receiver's FFT starts where the prefix ends on the first path. Tap gains are linear between anchors, 32 of them to a
 * symbol (error below -80 dB up to a Doppler of a tenth of the subcarrier spacing). Noise is white, so it is added
 * after the FFT, by lk_slot_draw().
 */
#ifndef MODELS_LINK_WAVEFORM_H
#define MODELS_LINK_WAVEFORM_H
#include "models/link/channel.h"

struct kiss_fft_state;

struct lk_waveform {
    int rx, f, size; /* antennas, subcarriers, points of the FFT */
    struct kiss_fft_state *inverse, *forward;
    float complex *spectrum, *symbol, *phasor; /* [size] */
    float complex *sample;                     /* [rx][samples of a slot] */
    float complex *gain;                       /* [rx][taps][anchors] */
};

/** JRX_ENOMEM. */
int lk_waveform_init(struct lk_waveform *w, int rx, int f);
void lk_waveform_fini(struct lk_waveform *w); /* also on a zeroed struct */

/** Adds x[f][LK_SYMBOLS] through `channel` to the samples. Subcarrier f / 2 is the carrier. */
void lk_waveform_send(struct lk_waveform *w, const struct lk_channel *channel, double scs_hz, const float complex *x);

/** y[rx][f][LK_SYMBOLS] of the samples, which are then silent again. A channel that stands still gives y = h x. */
void lk_waveform_receive(struct lk_waveform *w, double scs_hz, float complex *y);

#endif
