/*
 * What takes a micro-batch through the networks: one for each thread that works on micro-batches, or one whose threads
 * share a micro-batch. For models/receiver only.
 */
#ifndef MODELS_RECEIVER_WORKER_H
#define MODELS_RECEIVER_WORKER_H
#include "models/receiver/train.h"

struct rx_worker {
    struct nn_context student, teacher;
    struct lk_slot *slot;    /* [inner] */
    int inner;               /* threads that share the micro-batch */
    uint8_t *label;          /* [micro][f][t][16] */
    double *weight;          /* [micro] */
    int *bits;               /* [micro] bits a QAM symbol */
    struct nn_loss_sum *sum; /* [micro] */
    float *map;              /* the teacher's last map, for hints */
};

int rx_worker_init(struct rx_worker *worker, const struct rx_train *train, int inner);
void rx_worker_fini(struct rx_worker *worker); /* also on a zeroed struct */

/** Micro-batch `part` of the next step: draw, forward, loss, backward. Touches nothing that another part does. */
void rx_worker_run(struct rx_worker *worker, struct rx_train *train, int part);

#endif
