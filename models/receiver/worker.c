#include "models/receiver/worker.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

int rx_worker_init(struct rx_worker *w, const struct rx_train *train, int inner)
{
    const struct rx_train_config *c = &train->config;
    const int f = c->link.prb * LK_PRB_SUBCARRIERS;
    const struct nn_net *teacher = train->teacher ? &train->teacher->net : NULL;
    int status = nn_context_init(&w->student, &train->student.net, rx_train_mode(c), c->micro, f, LK_SYMBOLS, inner);
    if (!status && teacher)
        status = nn_context_init(&w->teacher, teacher, NN_FUSED_INFERENCE, c->micro, f, LK_SYMBOLS, inner);
    w->slot = jrx_alloc((size_t)inner * sizeof *w->slot);
    w->inner = w->slot ? inner : 0;
    for (int i = 0; !status && i < w->inner; i++)
        status = lk_slot_init(&w->slot[i], &c->link);
    if (status)
        return status;
    const size_t pixels = (size_t)c->micro * (size_t)f * LK_SYMBOLS;
    w->label = jrx_alloc(pixels * KN_LANES);
    w->weight = jrx_alloc((size_t)c->micro * sizeof *w->weight);
    w->bits = jrx_alloc((size_t)c->micro * sizeof *w->bits);
    w->sum = jrx_alloc((size_t)c->micro * sizeof *w->sum);
    if (c->hint > 0)
        w->map = jrx_alloc(pixels * (size_t)kn_blocks(c->shape.hint) * KN_LANES * sizeof *w->map);
    return w->slot && w->label && w->weight && w->bits && w->sum && (w->map || !(c->hint > 0)) ? 0 : JRX_ENOMEM;
}

void rx_worker_fini(struct rx_worker *w)
{
    nn_context_fini(&w->student);
    nn_context_fini(&w->teacher);
    for (int i = 0; i < w->inner; i++)
        lk_slot_fini(&w->slot[i]);
    free(w->slot);
    free(w->label);
    free(w->weight);
    free(w->bits);
    free(w->sum);
    free(w->map);
    *w = (struct rx_worker){.inner = 0};
}

double rx_slot_weight(const struct rx_train_config *config, const struct lk_slot *slot)
{
    return config->snr_weight ? log2(1 + pow(10, slot->snr_db / 10)) : 1;
}

static void draw(struct rx_worker *w, const struct rx_train *train, uint64_t first, int i)
{
    const struct rx_train_config *c = &train->config;
    struct lk_slot *slot = &w->slot[w->inner == 1 ? 0 : omp_get_thread_num()];
    lk_slot_draw(slot, &c->link, c->seed, first + (uint64_t)i);
    rx_fill_input(slot, i, nn_input(&w->student));
    rx_fill_labels(slot, i, w->label);
    if (train->teacher)
        rx_fill_input(slot, i, nn_input(&w->teacher));
    w->weight[i] = rx_slot_weight(c, slot);
    w->bits[i] = slot->bits;
}

/* The teacher's logits; on the way its last map is kept, which the norm after it may write over. */
static void ask_teacher(struct rx_worker *w, const struct rx_train *train)
{
    struct nn_context *t = &w->teacher;
    const struct rx_receiver *teacher = train->teacher;
    const int map = rx_last_map(&teacher->net);
    for (int u = 0; u < t->units; u++) {
        nn_forward_unit(t, u, teacher->parameters, teacher->statistics);
        if (w->map && t->unit[u].last + 1 == map)
            memcpy(w->map, t->value[map],
                   (size_t)t->n * (size_t)kn_blocks(train->config.shape.hint) * KN_LANES * (size_t)t->f * (size_t)t->t *
                       sizeof *w->map);
    }
}

/* Squared difference to the teacher's map, and its gradient where the adapter's is expected. */
static double hint_loss(struct rx_worker *w, const struct rx_train_config *c, int i)
{
    const int side = w->student.net->side;
    const size_t floats = (size_t)kn_blocks(c->shape.hint) * KN_LANES * (size_t)w->student.f * (size_t)w->student.t;
    const float *got = w->student.value[side] + (size_t)i * floats, *want = w->map + (size_t)i * floats;
    float *gradient = w->student.gradient[side] + (size_t)i * floats;
    const double scale = w->weight[i] * c->hint * (double)w->bits[i] / c->shape.hint;
    double sum = 0;
    for (size_t k = 0; k < floats; k++) { /* padding is 0 in both */
        const double difference = (double)got[k] - (double)want[k];
        sum += difference * difference;
        gradient[k] = (float)(2 * scale * difference);
    }
    return scale * sum;
}

static void judge(struct rx_worker *w, const struct rx_train *train, int i)
{
    const struct rx_train_config *c = &train->config;
    const size_t places = (size_t)w->student.f * (size_t)w->student.t * KN_LANES, at = (size_t)i * places;
    float *dz = nn_output_gradient(&w->student) + at;
    struct nn_loss_sum *sum = &w->sum[i];
    *sum = (struct nn_loss_sum){0};
    nn_loss_add(&c->loss, nn_output(&w->student) + at, train->teacher ? nn_output(&w->teacher) + at : NULL,
                w->label + at, places, dz, sum);
    const float weight = (float)w->weight[i];
    for (size_t k = 0; k < places && c->snr_weight; k++)
        dz[k] *= weight;
    sum->loss *= w->weight[i];
    sum->weight *= w->weight[i];
    if (w->map)
        sum->loss += hint_loss(w, c, i);
}

void rx_worker_run(struct rx_worker *w, struct rx_train *train, int part)
{
    const struct rx_train_config *c = &train->config;
    const uint64_t first = (uint64_t)train->step * (uint64_t)c->batch + (uint64_t)part * (uint64_t)c->micro;
    const int shared = w->inner > 1; /* see models/nn/stage.c: no parallel region around kernels that have their own */
#pragma omp parallel for num_threads(w->inner) if (shared) schedule(dynamic)
    for (int i = 0; i < c->micro; i++)
        draw(w, train, first, i);
    if (train->teacher)
        ask_teacher(w, train);
    nn_forward(&w->student, train->student.parameters, train->statistic[part]);
#pragma omp parallel for num_threads(w->inner) if (shared) schedule(dynamic)
    for (int i = 0; i < c->micro; i++)
        judge(w, train, i);
    struct nn_loss_sum *sum = &train->sum[part];
    *sum = (struct nn_loss_sum){0};
    for (int i = 0; i < c->micro; i++)
        nn_loss_join(sum, &w->sum[i]);
    memset(train->gradient[part], 0, train->student.net.parameter_floats * sizeof(float));
    nn_backward(&w->student, train->student.parameters, train->gradient[part]);
}
