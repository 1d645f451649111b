/*
 * Runs as Slurm jobs: an array job an experiment, one task a share on a node of its own (RAPL counts the whole
 * package), and a job that merges it, on which the next experiment waits.
 */
#ifndef EXPERIMENTS_SLURM_H
#define EXPERIMENTS_SLURM_H
#include "experiments/runner.h"
#include <stdio.h>

/**
 * Makes the run's folder (or goes on with options->resume: then only what is not finished is submitted), writes the job
 * scripts into it, submits them and prints their numbers.
 * 0; JRX_EUNAVAILABLE if there is no sbatch, or it refused: with its words; JRX_EINVAL for options that a batch job
 * cannot have; JRX_EIO, JRX_EPERMISSION.
 */
int ex_slurm_submit(const struct ex_session_options *options, const struct ex_experiment *const *list, size_t count,
                    FILE *to);

#endif
