/*
 * A network is a table of layers over values. Value 0 is the input, layer i makes value i + 1; a layer reads values
 * made before it. Every value is a grid of channels, any number of subcarriers and symbols (all layers keep the grid),
 * in the blocked layout of kernels/kernel.h. The table knows no grid, no batch and no memory: nn/run.h binds it to
 * those.
 *
 * Parameters are one flat block of floats in the kernels' padded layout: first the convolution weights (which weight
 * decay shrinks), then biases and the scale and shift of the norms. Running statistics are a second block. Padding
 * holds zeros and stays zero. Counts that are reported are of real, unpadded numbers.
 */
#ifndef MODELS_NN_NET_H
#define MODELS_NN_NET_H
#include "kernels/kernel.h"
#include <stddef.h>
#include <stdint.h>

enum { NN_NAME = 32, NN_MAX_LAYERS = 256 };

enum nn_kind {
    NN_CONV,      /* any operator of kernels/shape.h, with bias */
    NN_NORM_RELU, /* batch normalisation over slots, subcarriers and symbols, then max(0, .) */
    NN_ADD        /* the sum of two values */
};

struct nn_layer {
    char name[NN_NAME]; /* "block3.pw1": the prefix of its tensors */
    enum nn_kind kind;
    enum kn_op op;         /* of a NN_CONV */
    int in[2];             /* values read; the second by NN_ADD only, else -1 */
    int ic, oc;            /* real channels */
    int dil_f, dil_t;      /* of a 3x3 stencil */
    size_t weight, bias;   /* [float] into the parameter block; a norm's scale and shift */
    size_t mean, variance; /* [float] into the statistics block; norms only */
    /* What runs it; NULL: kn_best(). An experiment swaps a variant or tile here and leaves the model alone. */
    const struct kn_kernel *kernel[KN_DIRS];
    struct kn_tile tile[KN_DIRS];
};

/* One named tensor, as a checkpoint stores it: real shape, [oc][ic / groups][f][t] for weights, [c] for the rest. */
struct nn_tensor {
    char name[NN_NAME + 16]; /* "block3.pw1.weight", ".bias"; norms also ".running_mean", ".running_var" */
    int layer;
    int statistic; /* 1: offset is into the statistics block, not the parameters */
    size_t offset; /* [float] */
    int dims, dim[4];
};

/* Of matrix products in training: NN_BF16 rounds the factors of every pointwise layer to bf16 in all three directions
 * and sums in FP32. Weights, maps, 3x3 and depthwise layers, norms, loss and optimiser stay FP32, and so does
 * inference.
 */
enum nn_precision { NN_FP32, NN_BF16 };

/*
 * Where the tilings of a network's calls are looked up: get(self, ...) for each call that a context will make, with its
 * shape and threads. A tiling that the kernel refuses, or that would add numbers in another order than the kernel's
 * default (kernels/sums.h), is not used: no table of tilings changes a bit of what a network computes.
 */
struct nn_tilings {
    struct kn_tile (*get)(void *self, const struct kn_kernel *kernel, const struct kn_shape *shape, int threads);
    void *self;
};

struct nn_net {
    const struct nn_tilings *tilings; /* for contexts to come; borrowed; NULL: the kernels' defaults */
    struct nn_layer layer[NN_MAX_LAYERS];
    int layers;
    int output;                  /* the value that is the result */
    int side;                    /* a second result, for training only; 0: none. Set before nn_net_done() */
    int channels;                /* of value 0 */
    enum nn_precision precision; /* set before a context is made */
    struct nn_tensor *tensor;
    int tensors;
    size_t parameter_floats; /* of the padded block; the first decayed_floats are subject to weight decay */
    size_t decayed_floats;
    size_t statistic_floats;
};

/** An empty network whose input has `channels` channels. */
void nn_net_init(struct nn_net *net, int channels);
void nn_net_fini(struct nn_net *net);

/*
 * Each appends a layer and returns the value it makes, or a negative JRX_E code (too many layers, a value that does not
 * exist, channels that do not match). A negative `in` is returned as it is, so a chain of calls needs one check, at
 * its end.
 */
int nn_conv(struct nn_net *net, const char *name, enum kn_op op, int in, int oc, int dil_f, int dil_t);
int nn_norm_relu(struct nn_net *net, const char *name, int in);
int nn_add(struct nn_net *net, const char *name, int in, int other);
/**
 * Ends the table: `output` is the result, net->side may be another. Lays out the blocks and lists the tensors. 0,
 * JRX_ENOMEM, JRX_EINVAL (a value that nobody reads, or a result that somebody does).
 */
int nn_net_done(struct nn_net *net, int output);

/** Channels of a value. */
int nn_channels(const struct nn_net *net, int value);
/** The kernels' shape of a NN_CONV layer on a grid. Pure. */
struct kn_shape nn_layer_shape(const struct nn_layer *layer, int n, int f, int t);
/** Trainable numbers, padding not counted. */
int64_t nn_parameters(const struct nn_net *net);
/** Multiply-adds of the convolutions for one resource element with all taps in the grid: the figure papers print. */
int64_t nn_macs_per_re(const struct nn_net *net);
/** Useful FLOP of the convolutions in one forward pass on a grid; taps outside it are not counted. */
double nn_forward_flop(const struct nn_net *net, int n, int f, int t);

/** Copies a tensor out of, or into, its padded block; real[] is dense in the order of dim[]. */
void nn_tensor_unpack(const struct nn_net *net, const struct nn_tensor *tensor, const float *block, float *real);
void nn_tensor_pack(const struct nn_net *net, const struct nn_tensor *tensor, const float *real, float *block);
/** Product of the dims. */
size_t nn_tensor_size(const struct nn_tensor *tensor);

/**
 * Starting values, a pure function of (net, seed): weights normal with variance g / fan-in, g = 2 where the input comes
 * out of a ReLU (He et al., ICCV 2015) and 1 elsewhere; biases 0; norms scale 1, shift 0, mean 0, variance 1.
 */
void nn_net_start(const struct nn_net *net, uint64_t seed, float *parameters, float *statistics);

#endif
