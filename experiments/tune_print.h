/*
 * What tuning came to: for people, and as tune.csv with its figure.
 */
#ifndef EXPERIMENTS_TUNE_PRINT_H
#define EXPERIMENTS_TUNE_PRINT_H
#include "experiments/tune_search.h"
#include <stdio.h>

struct ex_tuned { /* a tiling that was measured */
    struct kn_tile tile;
    double time_ms, energy_mj, bytes; /* bytes: simulated, between all levels together */
    double value;                     /* of the objective */
    double score;                     /* the model's */
    int rank, usual;                  /* the model's; 1: the kernel's default */
};

struct ex_gain { /* the default's value over the tiling's, of a second measurement */
    struct kn_tile tile;
    double ratio, low, high;
    int better; /* the interval excludes 1 */
};

struct ex_tuned_layer {
    const struct ex_cell *cell;
    int candidates;
    const struct ex_tuned *tuned; /* sorted by value */
    int count;
    const struct ex_gain *gain;
    const char *energy_source;
    enum ex_objective objective;
};

/* Rows of tune.csv, kept until the end. Starts zeroed. */
struct ex_tuned_table {
    struct ex_tuned_row *row;
    int rows;
};

/** "pointwise_fwd_avx512 pw:c64:k64 312x14 n1 t1": the cell without a tiling, into text[EX_CELL_TEXT], returned. */
char *ex_tuned_name(const struct ex_cell *cell, char *text);

/** The model's first `most` tilings and the default. */
void ex_tuned_print_model(FILE *to, const struct ex_cell *cell, const struct ex_candidate *candidate, int count,
                          const struct kn_tile *usual, int most);
/** Rank correlation, Pareto front, gain. 0 or JRX_ENOMEM. */
int ex_tuned_print(FILE *to, const struct ex_tuned_layer *layer);
/** Keeps the layer's rows. 0 or JRX_ENOMEM. */
int ex_tuned_add(struct ex_tuned_table *table, const struct ex_tuned_layer *layer);
/** Writes <dir>/tune.csv and draws tune.svg, .png and .pdf; a figure that cannot be drawn is no failure. 0, JRX_EIO. */
int ex_tuned_finish(const struct ex_tuned_table *table, const char *dir);

#endif
