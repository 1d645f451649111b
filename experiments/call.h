/*
 * One kernel call with its own buffers: to be timed, and to be sent through the cache simulator by its traced twin.
 */
#ifndef EXPERIMENTS_CALL_H
#define EXPERIMENTS_CALL_H
#include "experiments/experiment.h"
#include "harness/cachesim.h"
#include "harness/window.h"
#include "kernels/kernel.h"
#include "kernels/trace.h"

struct ex_call {
    const struct kn_kernel *kernel;
    struct kn_shape shape;
    struct kn_tile tile;
    struct kn_args args;
    void *memory;
};

enum { EX_CACHES = 3 }; /* L1, L2, L3 */

/*
 * What a warm call moves between levels, as the cache simulator counts it: source `simulated`. All NAN: not traced
 * (blas). Doubles and nothing else, so that it can be kept as a list of numbers.
 */
struct ex_traffic {
    double l1_bytes; /* registers and L1: every load and store */
    double l2_bytes, l3_bytes,
        dram_bytes; /* L1 and L2, L2 and L3, L3 and memory: lines fetched plus lines written back */
    double bytes[EX_CACHES + 1][KN_OPERANDS]; /* the same by tensor: [0] registers and L1 ... [3] L3 and memory */
    double misses[EX_CACHES][KN_OPERANDS];    /* lines asked of L1, L2, L3 and not found, write-backs among them */
    double accesses;                          /* loads and stores of one call */
    double error_bytes[EX_CACHES + 1]; /* half-width of the 95 % interval where sets were sampled; 0: none were */
};

/* "in", "weight", "bias", "out", "workspace", "norm": x or dx, w or dw ... (kernels/trace.h). */
extern const char *const ex_operand_names[KN_OPERANDS];

/** Buffers filled with normal numbers of `seed`, padding lanes 0. 0, JRX_EINVAL (shape or tile refused), JRX_ENOMEM. */
int ex_call_init(struct ex_call *call, const struct kn_kernel *kernel, const struct kn_shape *shape,
                 const struct kn_tile *tile, int threads, uint64_t seed);
/** The same with zeros in all operands, for calls whose results nobody reads. */
int ex_call_init_zero(struct ex_call *call, const struct kn_kernel *kernel, const struct kn_shape *shape,
                      const struct kn_tile *tile, int threads);
void ex_call_fini(struct ex_call *call); /* also on a zeroed struct */

/** Runs the call once; the `fn` of a struct jrx_region whose ctx is the call. */
void ex_call_run(void *call);

/**
 * Runs the traced twin of the call once; its accesses go to trace->flush, their addresses the same in every run:
 * tensors one after the other on page boundaries. Sets trace->shift. 0, or JRX_EUNAVAILABLE: not traced (blas).
 */
int ex_call_trace(const struct ex_call *call, struct kn_trace *trace);

/* What is simulated: a kernel's call, in caches, as a whole or one cache set in `sample` (a power of two). */
struct ex_question {
    const struct kn_kernel *kernel;
    struct kn_shape shape;
    struct kn_tile tile;
    struct jrx_cache_geometry geometry;
    int sample; /* 1: all sets */
};

/**
 * Simulates two calls in a row, on one thread, and reports the second: what a call costs in the middle of a window of
 * equal calls. The answer depends on the question only, and is kept (simulations.h), so the second time it is there at
 * once. A sampled set is simulated exactly; what the sampled ones, in four groups, say differently of the rest is in
 * error_bytes.
 * 0, JRX_ENOMEM, JRX_EINVAL (geometry, shape or tile refused, too few sets to sample).
 */
int ex_simulate(const struct ex_question *question, struct ex_traffic *traffic);

/** The same of a call that exists, all sets. */
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

/** Measures one window of the call (see ex_measure()) and puts EX_CALL_COLUMNS; `words` for the progress line. time_ns:
 * of a call; may be NULL. */
int ex_call_measure(struct ex_run *run, struct ex_call *call, const struct ex_traffic *traffic, uint64_t *iters,
                    struct jrx_table *samples, double *time_ns, char *words, size_t size);

/** What the model meter wants to know: useful FLOP of the kernel and the simulated traffic. */
struct jrx_work ex_call_work(const struct ex_call *call, const struct ex_traffic *traffic);

#endif
