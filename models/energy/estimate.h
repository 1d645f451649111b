/*
 * The three estimators of energy, side by side, for whatever has been counted (count.h): a kernel with a tiling, a
 * layer, a network, a training step.
 *
 *   datasheet  FLOPs over FLOPs/Watt, or FLOPs over FLOPs/clock times power; knows no memory and no idle power
 *   access     energy per operation and per byte of each level, from a cited profile, plus constant power
 *   fitted     the same form with this machine's own coefficients, so it alone has an interval
 *
 * Every result is an *estimate* and must be labelled so. All pure; fitted.h has the file of coefficients.
 * Source of the form of the latter two: Choi et al., "A roofline model of energy", IPDPS 2013, a term per cache level.
 */
#ifndef MODELS_ENERGY_ESTIMATE_H
#define MODELS_ENERGY_ESTIMATE_H
#include "models/energy/count.h"
#include "models/energy/datasheet.h"
#include "models/energy/fitted.h"

enum em_part { EM_PART_FLOP, EM_PART_L1, EM_PART_L2, EM_PART_L3, EM_PART_DRAM, EM_PART_CONSTANT, EM_PARTS };

struct em_energy {
    double total_j;              /* sum of the parts; NAN if one that is priced is not known */
    double part_j[EM_PARTS];     /* by what is charged */
    struct em_interval interval; /* of total_j; NAN: this estimator has none */
};

/* How long it takes, and on how many threads: what constant power is charged for. */
struct em_use {
    double time_s, threads;
};

/** "flop", "l1", "l2", "l3", "dram", "constant". */
const char *em_part_name(enum em_part part);

/**
 * Passes over whole tensors that no loop nest reuses (batch norm, residual add, optimiser): every level moves what is
 * read once and what is written twice (fetched, written back); registers move it once. flop, read_bytes, write_bytes
 * >= 0. Adds to `sum`, for the levels that `caches` has.
 */
void em_count_pass(double flop, double read_bytes, double write_bytes, const struct em_caches *caches,
                   struct em_count *sum);

/** Time [s] from FLOPs/clock at `utilisation_ratio` of the datasheet's peak of `threads` cores. NAN outside (0, 1]. */
double em_estimate_time_s(const struct em_datasheet *sheet, const struct em_count *count, double threads,
                          double utilisation_ratio);

/**
 * datasheet: the time above at the threads' share of the TDP, which is FLOPs over FLOPs/Watt of as many cores over the
 * utilisation. All of it is charged to FLOPs: the other parts are 0.
 */
struct em_energy em_estimate_datasheet(const struct em_datasheet *sheet, const struct em_count *count, double threads,
                                       double utilisation_ratio);

/** access: prices [J/FLOP, J/byte, W] of a cited profile; constant_w is for the whole machine, whatever the threads. */
struct em_energy em_estimate_access(const struct em_prices *prices, const struct em_count *count,
                                    const struct em_use *use);

/**
 * fitted: package and, where it was measured, memory. The interval comes from the covariance of the coefficients and
 * Student's t; those of the two responses, which share their rows, are added up as if they erred together.
 */
struct em_energy em_estimate_fitted(const struct em_profile *profile, const struct em_count *count,
                                    const struct em_use *use);

#endif
