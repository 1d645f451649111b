/*
 * The networks of a run as a table, learning/networks.csv: how each was trained and what that took. A teacher that was
 * given is in it with the recipe of its checkpoint.
 */
#ifndef EXPERIMENTS_NETWORKS_H
#define EXPERIMENTS_NETWORKS_H
#include "experiments/experiment.h"

/* What a training took. */
struct ex_spent {
    double processor_s, energy_j;                    /* NAN: not known */
    enum jrx_source processor_source, energy_source; /* JRX_SOURCE_NONE: not known */
};

/** Columns of networks.csv. */
extern const struct jrx_schema ex_networks_schema;

/**
 * Writes <run->dir>/networks.csv from the summary of experiment learning. What the checkpoint of a given teacher does
 * not say is estimated: its FLOP at the mean rate of the networks trained in this run, all of them together.
 * 0, JRX_EFORMAT, JRX_EIO, JRX_ENOMEM.
 */
int ex_networks_write(const struct ex_run *run, const struct jrx_csv *learning);

/** What the network `name` took, from that table. 0, JRX_EFORMAT. Pure. */
int ex_networks_spent(const struct jrx_csv *networks, const char *name, struct ex_spent *spent);

/** Copies the checkpoint of a given teacher to where this run looks for it, unless it is there. 0, JRX_EIO. */
int ex_networks_take(const struct ex_run *run);

/** Reads <base>/<experiment>/<file> of this run; JRX_EIO with the experiment that makes it. */
int ex_run_csv(const struct ex_run *run, const char *experiment, const char *file, struct jrx_csv **csv);

#endif
