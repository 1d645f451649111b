/*
 * A trained receiver: network, parameters and running statistics. Nothing of it changes when it is run, so threads
 * share one; each brings its own context.
 */
#ifndef MODELS_RECEIVER_RECEIVER_H
#define MODELS_RECEIVER_RECEIVER_H
#include "models/link/evaluate.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"

struct rx_receiver {
    struct rx_shape shape;
    struct nn_net net;
    float *parameters, *statistics;
};

/** An untrained one with the starting values of `seed`. 0, JRX_EINVAL, JRX_ENOMEM. */
int rx_receiver_init(struct rx_receiver *receiver, const struct rx_shape *shape, uint64_t seed);
/** From a checkpoint of rx_train. 0, JRX_EIO, JRX_EPERMISSION, JRX_EFORMAT, JRX_ENOMEM. */
int rx_receiver_load(struct rx_receiver *receiver, const char *path);
void rx_receiver_fini(struct rx_receiver *receiver); /* also on a zeroed struct */

/**
 * Logits of the slots that `context` has room for: [n][f][t][16], of which the first shape.logits lanes hold them.
 * The context is an inference one of receiver->net; any number of PRB will do, the network is fully convolutional.
 * Returns nn_output(context).
 */
const float *rx_receiver_run(const struct rx_receiver *receiver, struct nn_context *context,
                             const struct lk_slot *slot);

/** The same for the common evaluator; both arguments must outlive it. */
struct lk_receiver rx_lk_receiver(const struct rx_receiver *receiver, const char *name);

#endif
