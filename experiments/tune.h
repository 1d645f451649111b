/*
 * Searching tilings: the traffic model proposes, measurement decides, a second measurement confirms.
 */
#ifndef EXPERIMENTS_TUNE_H
#define EXPERIMENTS_TUNE_H
#include "experiments/sweep.h"
#include "experiments/tune_search.h"

struct ex_tune_options {
    enum ex_objective objective;
    double budget_s;     /* a layer: search, simulation and confirmation together */
    const char *out;     /* tile file; NULL: this machine's, see tiles.h */
    const char *results; /* folder of samples and tune.csv; NULL: results/tune/<run id> */
    const char *meter, *profile, *caches, *sysfs;
    uint64_t seed;
    int quiet, dry, list; /* dry: print the model's first `list` tilings of each layer, measure nothing */
    int argc;
    char **argv;
};

/**
 * Tunes each call of the sweep (its tilings are not read), prints on stdout the Pareto front of time, energy and bytes,
 * the rank correlation of model and measurement, and what was gained; after each layer writes the tile file and
 * <results>/tune.csv, at the end the figure. A tiling is written only if a second measurement, of the three best and
 * the default, has it better with a 95 % interval that excludes equality; a row that the default beats is removed. The
 * gain is that of the best of three, so a little flattering, and one layer in some tens gains by chance: tune again
 * before resting anything on a row.
 *
 * Ends within budget_s a layer, give or take the repetition under way and two seconds. 0; JRX_EINVAL, also for a budget
 * in which nothing can be measured; JRX_EINTERRUPTED: layers tuned before are in the file; JRX_EIO, JRX_EPERMISSION:
 * before anything is measured if the tile file cannot be written; what sessions return.
 */
int ex_tune(const struct ex_sweep *sweep, const struct ex_tune_options *options);

#endif
