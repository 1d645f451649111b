/*
 * One kernel call with its own buffers: to be timed, and to be sent through the cache simulator by its traced twin.
 */
#ifndef EXPERIMENTS_CALL_H
#define EXPERIMENTS_CALL_H
#include "experiments/experiment.h"
#include "harness/cachesim.h"
#include "harness/window.h"
#include "kernels/kernel.h"

struct ex_call {
    const struct kn_kernel *kernel;
    struct kn_shape shape;
    struct kn_tile tile;
    struct kn_args args;
    void *memory;
};

/* Bytes a warm call moves between levels, as the cache simulator counts them: source `simulated`. NAN: not traced
 * (blas). */
struct ex_traffic {
    double l1_bytes; /* registers and L1: every load and store */
    double l2_bytes, l3_bytes,
        dram_bytes; /* L1 and L2, L2 and L3, L3 and memory: lines fetched plus lines written back */
};

/** Buffers filled with normal numbers of `seed`, padding lanes 0. 0, JRX_EINVAL (shape or tile refused), JRX_ENOMEM. */
int ex_call_init(struct ex_call *call, const struct kn_kernel *kernel, const struct kn_shape *shape,
                 const struct kn_tile *tile, int threads, uint64_t seed);
void ex_call_fini(struct ex_call *call); /* also on a zeroed struct */

/** Runs the call once; the `fn` of a struct jrx_region whose ctx is the call. */
void ex_call_run(void *call);

/**
 * Simulates two calls in a row and reports the second: what a call costs in the middle of a window of equal calls.
 * The result depends on kernel, shape, tile and geometry only. 0, JRX_ENOMEM, JRX_EINVAL (geometry).
 */
int ex_call_simulate(const struct ex_call *call, const struct jrx_cache_geometry *geometry, struct ex_traffic *traffic);

/* The columns that ex_call_measure() fills, EX_MEASURE_COLUMNS among them. */
#define EX_CALL_COLUMNS                                                                                                \
    EX_MEASURE_COLUMNS, {"kernel", JRX_TEXT, "the kernel's file name"},                                                \
        {"layer", JRX_TEXT, "operator, channels, multiplier, dilation"},                                               \
        {"flop", JRX_REAL, "useful FLOP of one call"},                                                                 \
        {"sim_l1_bytes", JRX_REAL, "simulated: loads and stores of one call"},                                         \
        {"sim_l2_bytes", JRX_REAL, "simulated: bytes between L1 and L2 of one call, caches warm"},                     \
        {"sim_l3_bytes", JRX_REAL, "simulated: bytes between L2 and L3"},                                              \
    {                                                                                                                  \
        "sim_dram_bytes", JRX_REAL, "simulated: bytes between L3 and memory"                                           \
    }

/** Measures one window of the call (see ex_measure()) and puts EX_CALL_COLUMNS; `words` for the progress line. */
int ex_call_measure(struct ex_run *run, struct ex_call *call, const struct ex_traffic *traffic, uint64_t *iters,
                    struct jrx_table *samples, char *words, size_t size);

/** What the model meter wants to know: useful FLOP of the kernel and the simulated traffic. */
struct jrx_work ex_call_work(const struct ex_call *call, const struct ex_traffic *traffic);

#endif
