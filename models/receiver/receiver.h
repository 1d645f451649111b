/*
 * A trained receiver: network, parameters and running statistics, read from a checkpoint, ready to detect.
 */
#ifndef MODELS_RECEIVER_RECEIVER_H
#define MODELS_RECEIVER_RECEIVER_H
#include "models/link/detector.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"

struct rx_receiver {
    struct rx_shape shape;
    struct nn_net net;
    float *parameters, *statistics;
    struct nn_context context; /* of the batch and grid it was last run on */
    int threads;
};

/** An untrained one with the starting values of `seed`. 0, JRX_EINVAL, JRX_ENOMEM. */
int rx_receiver_init(struct rx_receiver *receiver, const struct rx_shape *shape, uint64_t seed, int threads);
/** From a checkpoint of rx_train. 0, JRX_EIO, JRX_EFORMAT, JRX_ENOMEM. */
int rx_receiver_load(struct rx_receiver *receiver, const char *path, int threads);
void rx_receiver_fini(struct rx_receiver *receiver); /* also on a zeroed struct */

/**
 * Logits of `count` slots of one size: [count][f][t][16], the first RX_LOGITS (or fewer) lanes of each 16 hold them.
 * Valid until the next call. Memory is got anew only when count or grid change. 0, JRX_EINVAL, JRX_ENOMEM.
 */
int rx_receiver_run(struct rx_receiver *receiver, const struct lk_slot *slot, int count, const float **logits);
/** The same as the common interface; `receiver` must outlive it. */
struct lk_detector rx_receiver_detector(struct rx_receiver *receiver, const char *name);

#endif
