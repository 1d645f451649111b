/* The definitions of SNR in use. Slots know one (models/link/slot.h); the others are drawn through it. */
#ifndef MODELS_LINK_SNR_H
#define MODELS_LINK_SNR_H
#include "models/link/slot.h"

/*
 * What lk_config.snr_db means. RE: per resource element and antenna, ensemble average, as in slot.h.
 * BAND: the noise of all points of the FFT counts, so the same slot has an SNR 10 log10(FFT size / subcarriers) dB
 * lower (2.15 dB at 26 PRB). SLOT: relative to the power that this slot's channel gives, mean over REs and antennas;
 * hides the fading of slots, and so flatters.
 */
enum lk_snr_definition { LK_SNR_RE, LK_SNR_BAND, LK_SNR_SLOT, LK_SNR_DEFINITIONS };

/** lk_slot_draw() with SNRs of that definition; slot->snr_db, noise_power and sinr_db are per RE as ever. */
void lk_slot_draw_snr(struct lk_slot *slot, const struct lk_config *config, enum lk_snr_definition definition,
                      uint64_t seed, uint64_t index);

#endif
