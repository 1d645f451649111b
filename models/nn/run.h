/*
 * A network bound to a batch and a grid: the walks forward and backward, and the memory they need, which is one
 * allocation whose size is known before it is made. Inference reuses the buffer of a value as soon as nobody reads it.
 *
 * Norms use the statistics of this very call in training and given ones in inference. A batch that is cut into several
 * calls is therefore normalised piece by piece ("ghost" batch norm, Hoffer et al., NeurIPS 2017): the size of the
 * pieces is part of the result, and must not depend on the number of threads.
 */
#ifndef MODELS_NN_RUN_H
#define MODELS_NN_RUN_H
#include "models/nn/unit.h"

/*
 * Fused modes run whole stages at once (nn/unit.h): faster, and training keeps a quarter of the activations, because
 * the others are made again on the way back. Checkpointed training keeps what enters a residual block alone: the rest
 * of the block is made again, which changes no bit. The plain modes run layer by layer, for whoever studies layers.
 */
enum nn_mode { NN_INFERENCE, NN_TRAINING, NN_FUSED_INFERENCE, NN_FUSED_TRAINING, NN_CHECKPOINTED_TRAINING };

static inline int nn_trains(enum nn_mode mode)
{
    return mode == NN_TRAINING || mode == NN_FUSED_TRAINING || mode == NN_CHECKPOINTED_TRAINING;
}

/* What backward of a fused stage makes of one slot; each thread has its own. */
struct nn_scratch {
    float *a, *d, *second, *workspace;
};

enum { NN_GROUPS = 8 /* at most this many parts of a batch gather weight gradients apart, at any number of threads */ };

struct nn_context {
    const struct nn_net *net;
    enum nn_mode mode;
    int n, f, t, threads;
    size_t bytes; /* of the arena */
    char *arena;
    float *value[NN_MAX_LAYERS + 1];    /* activations; some share a buffer */
    float *again[NN_MAX_LAYERS + 1];    /* where a value lies that is made again on the way back; else NULL */
    float *gradient[NN_MAX_LAYERS + 1]; /* training; NULL for the input, whose gradient nobody needs */
    int last_reader[NN_MAX_LAYERS + 1]; /* the last layer that reads a value: the first to add to its gradient */
    const struct kn_kernel *kernel[NN_MAX_LAYERS][KN_DIRS];      /* of convolutions */
    const struct kn_kernel *norm[KN_DIRS], *relu, *add[KN_DIRS]; /* of all other layers */
    struct kn_tile tile[NN_MAX_LAYERS][KN_DIRS]; /* the layer's own, or of net->tilings; all 0: the default */
    struct nn_unit unit[NN_MAX_LAYERS];
    int units;
    /* fused modes only: */
    const struct kn_kernel *separable;
    struct kn_tile stage_tile[NN_MAX_LAYERS]; /* of separable, for each unit */
    float *scale, *shift;                     /* of the stage that runs, folded */
    char *slots;                              /* [workers] of slot_bytes: struct nn_scratch */
    size_t slot_bytes;
    int workers, inner; /* threads over slots, threads within a kernel: one of them is 1 */
    float *partial;     /* [groups][partial_floats] weight gradients of a stage */
    int groups;
    size_t partial_floats;
    float *scratch;   /* a second contribution to a gradient, before it is added */
    float *workspace; /* of the kernels */
    float *saved;     /* mean and variance of the norms; scale and shift where inference goes layer by layer */
};

/** 0, or JRX_EINVAL if this CPU, as masked by JOULERX_ISA, cannot train in that precision. */
int nn_precision_check(enum nn_precision precision);

/**
 * Bytes that nn_context_init() will allocate for the arena; the shape of the whole plan is a pure function of the
 * arguments, net->tilings among them.
 */
size_t nn_context_bytes(const struct nn_net *net, enum nn_mode mode, int n, int f, int t, int threads);
/** 0, JRX_ENOMEM, JRX_EINVAL (a grid that is none, a kernel that refuses its shape or tile, a
 * precision that this CPU has not). */
int nn_context_init(struct nn_context *context, const struct nn_net *net, enum nn_mode mode, int n, int f, int t,
                    int threads);
void nn_context_fini(struct nn_context *context);

/** [n][c/16][f][t][16]: to be filled before forward; the result of forward; dloss/doutput, to be filled before
 * backward.
 */
float *nn_input(const struct nn_context *context);
const float *nn_output(const struct nn_context *context);
float *nn_output_gradient(const struct nn_context *context);

/**
 * All layers. Training writes the mean and variance of this batch to `statistics`; inference normalises with those in
 * it. The result is the same at any number of threads.
 */
void nn_forward(struct nn_context *context, const float *parameters, float *statistics);
/** After a training forward: adds dloss/dparameters to `gradient` (a block like the parameters; the caller zeroes). */
void nn_backward(struct nn_context *context, const float *parameters, float *gradient);

/** One unit of those walks, context->unit[u], for whoever measures piece by piece. */
void nn_forward_unit(struct nn_context *context, int u, const float *parameters, float *statistics);
void nn_backward_unit(struct nn_context *context, int u, const float *parameters, float *gradient);

#endif
