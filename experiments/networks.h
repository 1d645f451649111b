/*
 * The networks that a run trains: a teacher, a student from scratch, and the same student distilled. What the
 * experiments learning, ber and frontier have in common.
 */
#ifndef EXPERIMENTS_NETWORKS_H
#define EXPERIMENTS_NETWORKS_H
#include "experiments/experiment.h"
#include "models/receiver/presets.h"

/** How the preset trains it. 0 or JRX_EINVAL. */
int ex_network_config(const struct ex_settings *settings, enum rx_role role, struct rx_train_config *config);

/** <base>/models/<role>.safetensors, into path[PATH_MAX + 64]; returns path. */
char *ex_network_path(const struct ex_run *run, enum rx_role role, char *path);

/** What slots the quality of a receiver is measured on: the full grid, channels as in training. */
int ex_validation_link(const struct ex_settings *settings, struct lk_config *link);

/** Loads the three trained receivers of this run; a missing one is JRX_EIO with the experiment that makes it. */
int ex_networks_load(const struct ex_run *run, struct rx_receiver *receiver);
void ex_networks_fini(struct rx_receiver *receiver); /* also zeroed ones */

#endif
