/*
 * What `joulerx train` and `joulerx distill` share: options, the loop, checkpoints, the learning curve.
 */
#ifndef EXPERIMENTS_TRAINER_H
#define EXPERIMENTS_TRAINER_H
#include "models/receiver/presets.h"

/**
 * Parses argv and trains. `role` is RX_TEACHER (train: one argument, the checkpoint to write; --network chooses
 * another role) or RX_DISTILLED (distill: the teacher's checkpoint, then the one to write).
 * 0 or a negative JRX_E code; JRX_EINTERRUPTED after Ctrl-C, with a checkpoint written.
 */
int ex_trainer_run(int argc, char **argv, enum rx_role role, const char *doc);

#endif
