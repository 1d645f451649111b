/*
 * What the three estimators (models/energy/estimate.h) need to know: this machine's datasheet and caches, a cited
 * profile, and where there is one its own fitted profile; and what is counted of a layer or a network.
 */
#ifndef EXPERIMENTS_ESTIMATES_H
#define EXPERIMENTS_ESTIMATES_H
#include "harness/cachesim.h"
#include "models/energy/estimate.h"
#include "models/nn/net.h"

struct ex_figures {
    struct em_datasheet sheet;
    struct em_prices prices; /* of the cited profile */
    char priced[64];         /* its name */
    int fitted;              /* whether there is a fitted profile */
    struct em_profile profile;
    struct em_caches caches;
};

enum ex_estimator { EX_DATASHEET, EX_ACCESS, EX_FITTED, EX_ESTIMATORS };

/** "datasheet", "access", "fitted": value of the column `estimator`. */
const char *ex_estimator_name(enum ex_estimator estimator);
/** Whose figures it uses. */
const char *ex_estimator_figures(const struct ex_figures *figures, enum ex_estimator estimator);

/**
 * cpu: model string; prices: jrx_profile_read() name, NULL its default; fitted: path of a profile.ini, NULL for none.
 * 0 or what reading them returned.
 */
int ex_figures_read(struct ex_figures *figures, const char *cpu, const char *prices, const char *fitted,
                    const struct jrx_cache_geometry *geometry);

/** All estimates of what was counted, in `use`; those there are no figures for are NAN. */
void ex_estimate(const struct ex_figures *figures, const struct em_count *count, const struct em_use *use,
                 double utilisation_ratio, struct em_energy energy[EX_ESTIMATORS]);

/**
 * Counts a network on a grid, layer by layer, each by its best kernel: norms and sums too, as passes of their own over
 * whole tensors, which is what they cost at most: fused stages keep part of it in the caches. FLOP are kn_flop()'s; the
 * optimiser (AdamW) has 12 a parameter, 28 bytes.
 * A training step is forward, both backward directions (no gradient for the input), and the optimiser. 0 or JRX_EINVAL.
 */
int ex_count_network(const struct nn_net *net, int n, int f, int t, int training, const struct em_caches *caches,
                     struct em_count *count);

#endif
