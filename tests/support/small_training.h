/* A training that takes moments, for the tests of trainings. */
#ifndef TESTS_SUPPORT_SMALL_TRAINING_H
#define TESTS_SUPPORT_SMALL_TRAINING_H
#include "models/receiver/train.h"

/** Six steps of three micro-batches of two slots of 1 PRB, of a network of three blocks. */
struct rx_train_config tiny(void);
/** Asserts that so many steps succeed. */
void run_steps(struct rx_train *train, int steps);
/** Asserts that steps, weights, optimiser and statistics are the same to the bit. */
void assert_same_state(const struct rx_train *a, const struct rx_train *b);

#endif
