/*
 * Where the time of a step or a pass goes, and what all of a training would take.
 */
#ifndef TESTS_BENCH_TRAIN_LAYERS_H
#define TESTS_BENCH_TRAIN_LAYERS_H
#include "models/nn/run.h"

/** A table of the units of the published network, least of a few rounds each, and their sums by kind. 0 or an error. */
int layers_print(enum nn_mode mode, int n, int threads, double peak_flop_per_s);
/** Days that 30,000 steps of 80 slots would take at 4, 6 and 26 PRB, from steps of 8 slots timed here. 0 or an error.
 */
int recipe_print(int threads);

#endif
