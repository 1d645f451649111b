#include "models/receiver/receiver.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/nn/checkpoint.h"
#include "models/receiver/fields.h"
#include <stdlib.h>
#include <string.h>

int rx_receiver_init(struct rx_receiver *receiver, const struct rx_shape *shape, uint64_t seed)
{
    *receiver = (struct rx_receiver){.shape = *shape};
    int status = rx_net_init(&receiver->net, shape);
    if (status)
        return status;
    receiver->parameters = jrx_alloc(receiver->net.parameter_floats * sizeof(float));
    receiver->statistics = jrx_alloc(receiver->net.statistic_floats * sizeof(float));
    if (!receiver->parameters || !receiver->statistics) {
        rx_receiver_fini(receiver);
        return JRX_ENOMEM;
    }
    nn_net_start(&receiver->net, seed, receiver->parameters, receiver->statistics);
    return 0;
}

void rx_receiver_fini(struct rx_receiver *receiver)
{
    nn_net_fini(&receiver->net);
    free(receiver->parameters);
    free(receiver->statistics);
    *receiver = (struct rx_receiver){.parameters = NULL};
}

int rx_receiver_load(struct rx_receiver *receiver, const char *path)
{
    struct nn_st_file file;
    struct rx_shape shape;
    *receiver = (struct rx_receiver){.parameters = NULL};
    int status = nn_st_open(&file, path);
    if (status)
        return status;
    status = rx_shape_read(&shape, &file, path);
    if (!status)
        status = rx_receiver_init(receiver, &shape, 0);
    if (!status) {
        const char *average = nn_st_meta(&file, "average"); /* what was averaged is what is used */
        const char *prefix = average && strcmp(average, "0") != 0 ? RX_AVERAGE : "";
        const struct nn_block block[] = {{prefix, 0, receiver->parameters}, {prefix, 1, receiver->statistics}};
        status = nn_checkpoint_read(&file, &receiver->net, block, 2);
    }
    if (status)
        rx_receiver_fini(receiver);
    nn_st_close(&file);
    return status;
}

const float *rx_receiver_run(const struct rx_receiver *receiver, struct nn_context *context, const struct lk_slot *slot)
{
    for (int i = 0; i < context->n; i++)
        rx_fill_input(&slot[i], i, nn_input(context));
    nn_forward(context, receiver->parameters, receiver->statistics);
    return nn_output(context);
}

/* ---- as a receiver of the evaluator: one slot at a time, one thread ---- */

struct detector {
    const struct rx_receiver *receiver;
    struct nn_context context;
};

static int detect(void *self, const struct lk_slot *slot, float *llr)
{
    struct detector *d = self;
    const float *logit = rx_receiver_run(d->receiver, &d->context, slot);
    const size_t bits = (size_t)slot->bits;
    for (size_t p = 0; p < (size_t)slot->f * (size_t)slot->t; p++)
        for (size_t b = 0; b < bits; b++)
            llr[p * bits + b] = slot->re[p] == LK_DATA ? logit[p * KN_LANES + b] : 0;
    return 0;
}

static void detector_free(struct lk_detector *detector)
{
    struct detector *d = detector->self;
    if (d)
        nn_context_fini(&d->context);
    free(d);
    *detector = (struct lk_detector){0};
}

static int detector_new(const void *context, const struct lk_config *config, struct lk_detector *detector)
{
    const struct rx_receiver *receiver = context;
    *detector = (struct lk_detector){.name = "neural", .detect = detect};
    if (config->rx != receiver->shape.rx || (int)config->modulation > receiver->shape.logits)
        return jrx_fail(JRX_EINVAL, "receiver is for %d antennas and up to %d bits a symbol, the slots have %d and %d",
                        receiver->shape.rx, receiver->shape.logits, config->rx, (int)config->modulation);
    struct detector *d = jrx_alloc(sizeof *d);
    if (!d)
        return JRX_ENOMEM;
    d->receiver = receiver;
    detector->self = d;
    int status = nn_context_init(&d->context, &receiver->net, NN_FUSED_INFERENCE, 1, config->prb * LK_PRB_SUBCARRIERS,
                                 LK_SYMBOLS, 1);
    if (status)
        detector_free(detector);
    return status;
}

struct lk_receiver rx_lk_receiver(const struct rx_receiver *receiver, const char *name)
{
    return (struct lk_receiver){name, detector_new, detector_free, receiver};
}
