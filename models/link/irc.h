/*
 * Interference rejection: the spatial covariance of noise plus interference, from what the pilots leave unexplained.
 */
#ifndef MODELS_LINK_IRC_H
#define MODELS_LINK_IRC_H
#include "models/link/slot.h"

enum { LK_IRC_PRB = 5 }; /* averaged over: the block itself and its neighbours */

/**
 * inverse[prb][rx][rx] of S = mean of r r^H with r = y - h xp at the pilots (all pilot symbols) of the LK_IRC_PRB
 * resource blocks around each. h[rx][f][t]: an estimate of the channel that is smoother than the pilots themselves;
 * where it follows the noise, S is too small (linear interpolation makes it 0).
 */
void lk_irc_inverse(const struct lk_slot *slot, const float complex *h, float complex *inverse);

#endif
