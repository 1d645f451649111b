/*
 * One kernel call with its own buffers: to be timed, and to be sent through the cache simulator by its traced twin.
 */
#ifndef EXPERIMENTS_CALL_H
#define EXPERIMENTS_CALL_H
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

/** What the model meter wants to know: useful FLOP of the kernel and the simulated traffic. */
struct jrx_work ex_call_work(const struct ex_call *call, const struct ex_traffic *traffic);

#endif
