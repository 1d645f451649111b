/*
 * What a network as published (two antennas, full width) consists of: its layers, each as one call of a kernel; and the
 * calls that it makes as its context plans them, stages fused, slots and threads as they are shared out.
 */
#ifndef EXPERIMENTS_NET_CALLS_H
#define EXPERIMENTS_NET_CALLS_H
#include "experiments/tiles.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"

/** One of rx_bodies(), with 2 antennas and RX_LOGITS, full width. 0, JRX_ENOMEM. */
int ex_published_new(struct nn_net **net, const struct rx_body *body);
void ex_published_free(struct nn_net *net); /* also NULL */

struct ex_net_layer {
    enum kn_op op; /* norms are KN_RELU, as in inference */
    int conv;      /* 1: a convolution */
    struct kn_shape shape;
    int times; /* how many layers are this one */
};

enum { EX_NET_LAYERS = 64 };

/** The distinct layers of a published network on a slot of f subcarriers, in their order, into layer[EX_NET_LAYERS].
 * How many; JRX_EINVAL: too many; JRX_ENOMEM. */
int ex_net_layers(const struct rx_body *body, int f, struct ex_net_layer *layer);

struct ex_net_call {
    const struct kn_kernel *kernel;
    struct kn_shape shape;
    int threads, times; /* times: how many layers make it */
};

enum { EX_NET_CALLS = 256 };

/**
 * Into call[EX_NET_CALLS], each once, in the order of the layers, then of the stages; net->tilings is left as it was.
 * How many; JRX_EINVAL: what nn_context_init() would refuse, or too many.
 */
int ex_net_calls(struct nn_net *net, enum nn_mode mode, int n, int f, int t, int threads, struct ex_net_call *call);

/** The tiling that a network would take for a call: as ex_tiles_get(), but a row that would change a bit is none. Pure.
 */
struct kn_tile ex_net_call_tile(const struct ex_tiles *tiles, const struct ex_net_call *call, enum ex_tile_from *from);
/** How many of the calls get their tiling from the file. Pure. */
int ex_net_calls_from_file(const struct ex_tiles *tiles, const struct ex_net_call *call, int calls);

#endif
