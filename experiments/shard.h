/*
 * An experiment in shares: each run by a task of its own into <run>/<experiment>/shards/<index>/, then merged.
 */
#ifndef EXPERIMENTS_SHARD_H
#define EXPERIMENTS_SHARD_H
#include "experiments/runner.h"

/** "2/8": share 2 of 0..7. 0 or JRX_EINVAL. Pure. */
int ex_shard_parse(const char *text, struct ex_shard *shard);

/** How many shares an experiment is cut into where `asked` are wanted: one if its order is fixed, never more than it
 * has rounds. Pure. */
int ex_shard_count(const struct ex_plan *plan, int asked);

/** Whether the share is finished: its samples.csv is there. */
int ex_shard_finished(const char *dir, const struct ex_experiment *experiment, int index);

/**
 * Puts the shares of one experiment together into <dir>/<experiment>/samples.csv, in the order of a run in one piece,
 * and their provenance into <dir>/meta.json ("shards": one entry each). Then draws its conclusion.
 * 0; JRX_EFORMAT if a repetition is missing or there twice, or if shares are of machines, builds or meters that differ
 * (they are never averaged); JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM; what ex_session_conclude() returns.
 */
int ex_merge(const char *dir, const struct ex_experiment *experiment);

#endif
