/*
 * The tilings that `joulerx tune` considers, and which of them the traffic model thinks worth measuring.
 */
#ifndef EXPERIMENTS_TUNE_SEARCH_H
#define EXPERIMENTS_TUNE_SEARCH_H
#include "experiments/call.h"
#include "experiments/measured.h"

enum ex_objective { EX_BY_TIME, EX_BY_ENERGY, EX_BY_EDP, EX_BY_BYTES, EX_OBJECTIVES };
/** "time", "energy", "edp", "bytes". */
const char *ex_objective_name(enum ex_objective objective);
/** The objective of that name, or JRX_EINVAL with the names. */
int ex_objective_parse(const char *name, enum ex_objective *objective);

struct ex_candidate {
    struct kn_tile tile;         /* resolved */
    double bytes[EX_CACHES + 1]; /* modelled, as ex_cell_model() has them */
    double score;                /* the smaller the better; NAN: the model does not know the kernel */
    int rank;                    /* 1: the model's first */
    int chosen;                  /* to be measured */
};

/**
 * All tilings that the kernel takes for the call, of blocks of 1, 2, 4 ... times the least and the whole axis, each
 * order, register block and keep, for a call of a network only those that keep the order of its sums: once each, sorted
 * by score, equal scores in the order of the grammar. cell: kernel and shape are read. Returns how many, at most `max`;
 * JRX_EINVAL, JRX_ENOMEM.
 */
int ex_tune_candidates(const struct ex_cell *cell, const struct jrx_cache_geometry *geometry,
                       enum ex_objective objective, struct ex_candidate *candidate, int max);

/**
 * The model's score. For bytes: those that cross between levels, all levels together. For any other objective the
 * bytes of each level by what one costs beside one between registers and L1: 1, 2, 4 and 12, in rough agreement with
 * bandwidths and with published energies an access; only the order counts. Levels that are NAN are left out; NAN if
 * all are. Pure.
 */
double ex_tune_score(const double bytes[EX_CACHES + 1], enum ex_objective objective);

/**
 * Marks `wanted` of `count` sorted candidates: three quarters the first, the rest spread evenly over the others, so
 * that the model's order is tested and not only believed; and `always` (NULL: nothing), if it is among them, on top.
 * Returns how many. Pure.
 */
int ex_tune_choose(struct ex_candidate *candidate, int count, int wanted, const struct kn_tile *always);

/**
 * Marks front[i] of those of which no other is at least as good in all of time, energy and bytes and better in one;
 * a value that is missing (NAN) is left out of the comparison. Pure.
 */
void ex_pareto(int count, const double *time, const double *energy, const double *bytes, int *front);

enum { EX_CANDIDATES = 16384 };

#endif
