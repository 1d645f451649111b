/*
 * A receiver turns slots into log-likelihood ratios; classical and neural ones share this interface, so that every BER
 * curve comes from one evaluator.
 */
#ifndef MODELS_LINK_DETECTOR_H
#define MODELS_LINK_DETECTOR_H
#include "models/link/slot.h"

struct lk_detector {
    const char *name; /* "genie", "ls", "deeprx", ...: CSV value and legend */
    /**
     * llr[f][t][bits] of one slot, natural logarithm, positive = bit 1 is more likely; 0 on REs without data.
     * Returns 0 or a negative JRX_E code. `self` may be used by one thread at a time.
     */
    int (*detect)(void *self, const struct lk_slot *slot, float *llr);
    void *self;
};

#endif
