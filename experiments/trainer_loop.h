/*
 * A training from here to its end, in stretches: after each its energy, a look at the validation slots, a checkpoint, a
 * row of the learning curve and a line of progress.
 */
#ifndef EXPERIMENTS_TRAINER_LOOP_H
#define EXPERIMENTS_TRAINER_LOOP_H
#include "models/receiver/train.h"

struct ex_loop {
    const char *path;                  /* of the checkpoint */
    const char *csv;                   /* of the learning curve, drawn beside it at the end; NULL: none */
    const char *meter, *power_profile; /* as of jrx_meter_open() */
    int64_t every;                     /* steps of a stretch; 0: a hundredth of all, or fewer: 2048 slots */
    int validation;                    /* slots; 0: none */
    int threads, quiet;
};

/** Bytes that the loop takes beside train->bytes. Pure. */
size_t ex_loop_bytes(const struct ex_loop *loop, const struct rx_train *train);

/**
 * Runs it. 0; JRX_EINTERRUPTED after Ctrl-C, with a checkpoint written; what step, meter, checkpoint or table returned.
 * A picture that cannot be drawn is said on stderr and no failure.
 */
int ex_loop_run(const struct ex_loop *loop, struct rx_train *train);

#endif
