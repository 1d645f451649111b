/*
 * Classical receivers: an estimator of the channel, a combiner of antennas, a demapper.
 *
 * genie          true channel, maximum ratio, exact LLRs: the bound without interference
 * genie-maxlog   the same with max-log LLRs
 * genie-irc      true channel, interference rejection
 * ls             least squares at the pilots, linear interpolation in frequency then time, maximum ratio, max-log
 * lmmse          LMMSE estimate with the true delay spread, profile and Doppler, maximum ratio, exact LLRs that count
 *                the error of the estimate as noise
 * lmmse-robust   the same with one design for all channels (mismatched)
 * irc            the channel of lmmse, interference rejection with the covariance of the pilots' residual
 *
 * All take the power of noise plus interference as known. On one layer, maximum ratio combining scaled without bias
 * decides as LMMSE equalisation does.
 */
#ifndef MODELS_LINK_RECEIVERS_H
#define MODELS_LINK_RECEIVERS_H
#include "models/link/evaluate.h"

/** The receiver called `name`; NULL with a jrx_fail() message that lists the names. */
const struct lk_receiver *lk_receiver_get(const char *name);
/** All of them. */
const struct lk_receiver *lk_receivers(int *count);

#endif
