/*
 * The order in which cells and repetitions are run. Pure: the same seed gives the same order everywhere.
 */
#ifndef HARNESS_SCHEDULE_H
#define HARNESS_SCHEDULE_H
#include <stdint.h>

enum jrx_order {
    JRX_SHUFFLED,  /* blocks that hold every cell once, each block in a new random order: drift hits all cells alike */
    JRX_BLOCKED,   /* the same blocks, each in the order of the plan */
    JRX_SEQUENTIAL /* all repetitions of a cell, then the next cell */
};

/** "shuffled", "blocked", "sequential". */
const char *jrx_order_name(enum jrx_order order);
/** The order of that name, or JRX_EINVAL. */
int jrx_order_parse(const char *name, enum jrx_order *order);

struct jrx_step {
    uint32_t cell;
    uint32_t rep; /* 0 .. reps-1; in blocked orders also the number of the block */
};

/**
 * Fills steps[cells * reps]. Block b of a shuffled order depends on (seed, b) only, so a run that is extended by more
 * repetitions keeps the order it had. Returns 0; JRX_EINVAL if cells * reps is 0 or does not fit 32 bits.
 */
int jrx_schedule(struct jrx_step *steps, uint32_t cells, uint32_t reps, enum jrx_order order, uint64_t seed);

#endif
