#include "models/link/waveform.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/link/ofdm.h"
#include "models/link/vec.h"
#include <kissfft/kiss_fft.h>
#include <stdlib.h>

enum { ANCHORS_A_SYMBOL = 32, ANCHORS = 15 * ANCHORS_A_SYMBOL + 2 };

int lk_waveform_init(struct lk_waveform *w, int rx, int f)
{
    *w = (struct lk_waveform){.rx = rx, .f = f, .size = lk_fft_size(f)};
    size_t size = (size_t)w->size, samples = (size_t)lk_slot_samples(w->size);
    w->inverse = kiss_fft_alloc(w->size, 1, NULL, NULL);
    w->forward = kiss_fft_alloc(w->size, 0, NULL, NULL);
    w->spectrum = jrx_alloc(size * sizeof *w->spectrum);
    w->symbol = jrx_alloc(size * sizeof *w->symbol);
    w->phasor = jrx_alloc(size * sizeof *w->phasor);
    w->sample = jrx_alloc((size_t)rx * samples * sizeof *w->sample);
    w->gain = jrx_alloc((size_t)rx * LK_MAX_TAPS * ANCHORS * sizeof *w->gain);
    if (w->inverse && w->forward && w->spectrum && w->symbol && w->phasor && w->sample && w->gain)
        return 0;
    lk_waveform_fini(w);
    return jrx_fail(JRX_ENOMEM, "link: no memory for the waveform of %d subcarriers", f);
}

void lk_waveform_fini(struct lk_waveform *w)
{
    free(w->inverse);
    free(w->forward);
    free(w->spectrum);
    free(w->symbol);
    free(w->phasor);
    free(w->sample);
    free(w->gain);
    *w = (struct lk_waveform){0};
}

static void transform(struct kiss_fft_state *plan, const float complex *in, float complex *out)
{
    kiss_fft(plan, (const kiss_fft_cpx *)in, (kiss_fft_cpx *)out);
}

static inline float complex product(float complex a, float complex b)
{
    float ar = crealf(a), ai = cimagf(a), br = crealf(b), bi = cimagf(b);
    return ar * br - ai * bi + I * (ar * bi + ai * br);
}

/* exp(-j 2 pi k scs delay): the phase is referred to subcarrier 0, as that of the grid engine's channel is */
static void delay_phasors(struct lk_waveform *w, double turns)
{
    uint32_t step = lk_turn_step(-turns);
    for (int k = 0; k < w->f; k += LK_LANES) {
        lk_floats c, s;
        lk_turn(lk_turns(step, k, 1), &c, &s);
        for (int i = 0; i < LK_LANES; i++)
            w->phasor[k + i] = c[i] + I * s[i];
    }
}

/* One delayed symbol, periodic in the FFT size: w->symbol[i], i samples after the end of the prefix. */
static void modulate(struct lk_waveform *w, int t, const float complex *x)
{
    memset(w->spectrum, 0, (size_t)w->size * sizeof *w->spectrum);
    for (int k = 0; k < w->f; k++)
        w->spectrum[(k - w->f / 2) & (w->size - 1)] = product(x[k * LK_SYMBOLS + t], w->phasor[k]);
    transform(w->inverse, w->spectrum, w->symbol);
}

/* Adds samples from .. to - 1 of w->symbol, whose prefix ends at sample `origin`, times a tap's gain. */
static void through_tap(struct lk_waveform *w, const float complex *gain, int from, int to, int origin,
                        float complex *sample)
{
    int spacing = w->size / ANCHORS_A_SYMBOL;
    while (from < to) {
        int anchor = from / spacing, end = (anchor + 1) * spacing < to ? (anchor + 1) * spacing : to;
        float complex slope = (gain[anchor + 1] - gain[anchor]) / (float)spacing;
        float complex g = gain[anchor] + slope * (float)(from - anchor * spacing);
        for (; from < end; from++) {
            sample[from] += product(g, w->symbol[(from - origin) & (w->size - 1)]);
            g += slope;
        }
    }
}

void lk_waveform_send(struct lk_waveform *w, const struct lk_channel *channel, double scs_hz, const float complex *x)
{
    int samples = lk_slot_samples(w->size), taps = channel->taps.taps;
    double rate_hz = scs_hz * w->size, time_s[ANCHORS];
    for (int i = 0; i < ANCHORS; i++)
        time_s[i] = i / (scs_hz * ANCHORS_A_SYMBOL);
    lk_channel_gains(channel, time_s, ANCHORS, w->gain);
    for (int l = 0; l < taps; l++) {
        int late = (int)ceil(channel->taps.delay_s[l] * rate_hz), start = 0;
        delay_phasors(w, channel->taps.delay_s[l] * scs_hz);
        for (int t = 0; t < LK_SYMBOLS; t++) {
            int prefix = lk_prefix_samples(scs_hz, t, w->size), end = start + prefix + w->size;
            modulate(w, t, x);
            for (int a = 0; a < w->rx; a++)
                through_tap(w, w->gain + ((size_t)a * taps + l) * ANCHORS, start + late,
                            end + late < samples ? end + late : samples, start + prefix,
                            w->sample + (size_t)a * samples);
            start = end;
        }
    }
}

void lk_waveform_receive(struct lk_waveform *w, double scs_hz, float complex *y)
{
    int samples = lk_slot_samples(w->size), start = 0;
    for (int t = 0; t < LK_SYMBOLS; t++) {
        start += lk_prefix_samples(scs_hz, t, w->size);
        for (int a = 0; a < w->rx; a++) {
            transform(w->forward, w->sample + (size_t)a * samples + start, w->spectrum);
            for (int k = 0; k < w->f; k++)
                y[((size_t)a * w->f + k) * LK_SYMBOLS + t] =
                    w->spectrum[(k - w->f / 2) & (w->size - 1)] / (float)w->size;
        }
        start += w->size;
    }
    memset(w->sample, 0, (size_t)w->rx * samples * sizeof *w->sample);
}
