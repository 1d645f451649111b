/*
 * Experiment tiling: kinds of layers of DeepRx, each under several tilings of its loop nest, and what is concluded.
 */
#ifndef EXPERIMENTS_TILING_H
#define EXPERIMENTS_TILING_H
#include "experiments/experiment.h"
#include "kernels/kernel.h"

enum { EX_TILING_KINDS = 10, EX_TILINGS = 7, EX_TILING_CELLS = EX_TILING_KINDS * EX_TILINGS };

/*
 * A call that DeepRx makes at its published width, and tilings of it: the default first, the others fixed beforehand so
 * that they differ in simulated traffic; no time was looked at. tests/test_tiling.c holds kinds against the network.
 */
struct ex_tiling_kind {
    const char *name;  /* "fused-wide": column of the tables, without commas or spaces */
    const char *layer; /* of kn_layer_parse() */
    enum kn_dir dir;
    const char *tiling[EX_TILINGS]; /* of kn_tile_parse(); a block larger than its axis is all of it */
};
extern const struct ex_tiling_kind ex_tiling_kinds[EX_TILING_KINDS];

/** The cell's name, "<kind>,<tiling>"; cells are numbered kind by kind. Into text[size], returned. Pure. */
char *ex_tiling_label(int cell, char *text, size_t size);

/* What is kept apart by tensor: the first of enum kn_operand; these layers have no norm. */
enum { EX_TILING_LEVELS = 4, EX_TILING_TENSORS = 5, EX_TILING_ALL = -1 };
/**
 * Column "sim_<level>_<tensor>_bytes" of samples.csv and summary.csv, l1 to dram, or "sim_<level>_bytes" of
 * EX_TILING_ALL, into text[size], returned. Pure.
 */
char *ex_tiling_column(int level, int tensor, char *text, size_t size);

/* The columns of that name, in this order: X(level, tensor, what crosses). */
#define EX_TILING_TENSOR_COLUMNS(level, where)                                                                         \
    {"sim_" level "_in_bytes", JRX_REAL, "simulated: bytes of the input (or its gradient) " where},                    \
        {"sim_" level "_weight_bytes", JRX_REAL, "simulated: bytes of the weights (or their gradient) " where},        \
        {"sim_" level "_bias_bytes", JRX_REAL, "simulated: bytes of the bias (or its gradient) " where},               \
        {"sim_" level "_out_bytes", JRX_REAL, "simulated: bytes of the output (or its gradient) " where},              \
    {                                                                                                                  \
        "sim_" level "_workspace_bytes", JRX_REAL, "simulated: bytes of the kernel's workspace " where                 \
    }
#define EX_TILING_BYTES                                                                                                \
    EX_TILING_TENSOR_COLUMNS("l1", "loaded and stored"), EX_TILING_TENSOR_COLUMNS("l2", "between L1 and L2"),          \
        EX_TILING_TENSOR_COLUMNS("l3", "between L2 and L3"), EX_TILING_TENSOR_COLUMNS("dram", "between L3 and memory")

extern const struct jrx_schema ex_tiling_summary; /* summary.csv: a row a cell, of a kind in order of bytes */
extern const struct jrx_schema ex_tiling_layers;  /* layers.csv: a row a kind, how far its best tilings are apart */

/**
 * Writes both tables and makes the claims. Whoever is best by time or energy is chosen by the even repetitions, and the
 * ratios of layers.csv are those of the odd ones, so that noise does not choose its own extremes; pairs chosen by
 * simulated bytes are compared in all repetitions. Returns how many claims, or JRX_EFORMAT (a column is missing, two
 * sources of energy, tilings of a layer with different FLOP), JRX_EIO, JRX_ENOMEM.
 */
int ex_tiling_conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max);

#endif
