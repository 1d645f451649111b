#include "models/receiver/validate.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <omp.h>
#include <stdlib.h>

static size_t label_bytes(const struct lk_config *link)
{
    return (size_t)link->prb * LK_PRB_SUBCARRIERS * LK_SYMBOLS * KN_LANES;
}

int rx_validation_init(struct rx_validation *v, const struct nn_net *net, const struct lk_config *link, uint64_t seed,
                       int slots, int threads)
{
    *v = (struct rx_validation){.link = *link, .seed = seed, .slots = slots};
    if (slots < 1 || threads < 1)
        return jrx_fail(JRX_EINVAL, "validation: %d slots by %d threads; give one at least", slots, threads);
    threads = threads < slots ? threads : slots;
    v->sum = jrx_alloc((size_t)slots * sizeof *v->sum);
    v->worker = jrx_alloc((size_t)threads * sizeof *v->worker);
    int status = v->sum && v->worker ? 0 : JRX_ENOMEM;
    v->threads = v->worker ? threads : 0;
    for (int i = 0; !status && i < threads; i++) {
        struct rx_validator *w = &v->worker[i];
        status = lk_slot_init(&w->slot, link);
        if (!status)
            status =
                nn_context_init(&w->context, net, NN_FUSED_INFERENCE, 1, link->prb * LK_PRB_SUBCARRIERS, LK_SYMBOLS, 1);
        if (!status && !(w->label = jrx_alloc(label_bytes(link))))
            status = JRX_ENOMEM;
    }
    if (status)
        rx_validation_fini(v);
    return status;
}

void rx_validation_fini(struct rx_validation *v)
{
    for (int i = 0; i < v->threads; i++) {
        lk_slot_fini(&v->worker[i].slot);
        nn_context_fini(&v->worker[i].context);
        free(v->worker[i].label);
    }
    free(v->worker);
    free(v->sum);
    *v = (struct rx_validation){.slots = 0};
}

size_t rx_validation_bytes(const struct nn_net *net, const struct lk_config *link, int slots, int threads)
{
    const int f = link->prb * LK_PRB_SUBCARRIERS;
    const size_t worker =
        nn_context_bytes(net, NN_FUSED_INFERENCE, 1, f, LK_SYMBOLS, 1) + lk_slot_bytes(link) + label_bytes(link);
    return (size_t)(threads < slots ? threads : slots) * worker + (size_t)slots * sizeof(struct nn_loss_sum);
}

struct nn_loss_sum rx_validate(struct rx_validation *v, const struct rx_receiver *receiver)
{
    const struct nn_loss bits_alone = {.mix = 0, .temperature = 1};
    struct nn_loss_sum total = {0};
#pragma omp parallel for schedule(dynamic, 1) num_threads(v->threads) if (v->threads > 1)
    for (int i = 0; i < v->slots; i++) {
        struct rx_validator *w = &v->worker[v->threads > 1 ? omp_get_thread_num() : 0];
        lk_slot_draw(&w->slot, &v->link, v->seed, (uint64_t)i);
        const float *logit = rx_receiver_run(receiver, &w->context, &w->slot);
        rx_fill_labels(&w->slot, 0, w->label);
        v->sum[i] = (struct nn_loss_sum){0};
        nn_loss_add(&bits_alone, logit, NULL, w->label, label_bytes(&v->link), NULL, &v->sum[i]);
    }
    for (int i = 0; i < v->slots; i++)
        nn_loss_join(&total, &v->sum[i]);
    return total;
}
