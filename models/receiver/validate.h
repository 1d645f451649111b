/*
 * How good a receiver is on slots that never change: the same ones at every look, drawn from a seed and channels that
 * no training has (rx_validation_link()).
 */
#ifndef MODELS_RECEIVER_VALIDATE_H
#define MODELS_RECEIVER_VALIDATE_H
#include "models/nn/loss.h"
#include "models/receiver/receiver.h"

enum { RX_VALIDATION_SEED = 1000000007 };

struct rx_validation {
    struct lk_config link;
    uint64_t seed;
    int slots, threads;
    struct rx_validator {
        struct nn_context context; /* inference, one slot */
        struct lk_slot slot;
        uint8_t *label;
    } * worker;              /* [threads] */
    struct nn_loss_sum *sum; /* [slots] */
};

/** For receivers of this network. 0, JRX_EINVAL (link, or none of slots or threads), JRX_ENOMEM. `net` must outlive it.
 */
int rx_validation_init(struct rx_validation *validation, const struct nn_net *net, const struct lk_config *link,
                       uint64_t seed, int slots, int threads);
void rx_validation_fini(struct rx_validation *validation); /* also on a zeroed struct */

/** Bytes that rx_validation_init() takes. Pure. */
size_t rx_validation_bytes(const struct nn_net *net, const struct lk_config *link, int slots, int threads);

/** Bits, errors and cross-entropy of `receiver` over all slots: the same at any number of threads. */
struct nn_loss_sum rx_validate(struct rx_validation *validation, const struct rx_receiver *receiver);

#endif
