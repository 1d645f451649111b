/*
 * Classical receivers: an estimator of the channel, a combiner of antennas, a demapper.
 *
 * genie        true channel, MRC, exact LLRs: the bound without interference
 * ls           least squares at the pilots, linear interpolation in frequency then time, MRC
 * All take the power of noise plus interference as known. With one antenna of interest to a symbol, MRC with unbiased
 * scaling decides as LMMSE does.
 */
#ifndef MODELS_LINK_RECEIVERS_H
#define MODELS_LINK_RECEIVERS_H
#include "models/link/evaluate.h"

/** The receiver called `name`; NULL with a jrx_fail() message that lists the names. */
const struct lk_receiver *lk_receiver_get(const char *name);
/** All of them. */
const struct lk_receiver *lk_receivers(int *count);

#endif
