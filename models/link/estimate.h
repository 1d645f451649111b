/* Channel estimators: the channel of every RE from the pilots of a slot. */
#ifndef MODELS_LINK_ESTIMATE_H
#define MODELS_LINK_ESTIMATE_H
#include "models/link/slot.h"

/**
 * Least squares at the pilots, h = y conj(xp) / |xp|^2, then linear interpolation: along the comb to every subcarrier,
 * then over the pilot symbols to every symbol. Edges are extrapolated by the nearest pair; one pilot symbol is held.
 * h[rx][f][t]. Pure. A slot of one PRB or more has pilots enough.
 */
void lk_estimate_ls(const struct lk_slot *slot, float complex *h);

#endif
