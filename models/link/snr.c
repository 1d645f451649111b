#include "models/link/snr.h"
#include "models/link/ofdm.h"
#include <math.h>
#include <stddef.h>

static double channel_power(const struct lk_slot *slot)
{
    size_t n = (size_t)slot->rx * slot->f * slot->t;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double re = (double)crealf(slot->h[i]), im = (double)cimagf(slot->h[i]);
        sum += re * re + im * im;
    }
    return sum / (double)n;
}

void lk_slot_draw_snr(struct lk_slot *slot, const struct lk_config *config, enum lk_snr_definition definition,
                      uint64_t seed, uint64_t index)
{
    struct lk_config per_re = *config;
    if (definition == LK_SNR_BAND)
        for (int i = 0; i < 2; i++)
            per_re.snr_db[i] += 10 * log10((double)lk_fft_size(slot->f) / slot->f);
    lk_slot_draw(slot, &per_re, seed, index);
    if (definition == LK_SNR_SLOT) { /* the same slot again, its noise scaled: drawing is pure */
        per_re.snr_db[0] = per_re.snr_db[1] = slot->snr_db - 10 * log10(channel_power(slot));
        lk_slot_draw(slot, &per_re, seed, index);
    }
}
