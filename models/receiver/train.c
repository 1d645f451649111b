#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/receiver/worker.h"
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

struct lk_config rx_validation_link(const struct lk_config *training)
{
    struct lk_config link = *training;
    link.profiles = 1 << LK_TDL_A | 1 << LK_TDL_E;
    return link;
}

int rx_train_config_check(const struct rx_train_config *c)
{
    const struct nn_schedule *s = &c->schedule;
    int status = lk_config_check(&c->link);
    if (status)
        return status;
    if (c->shape.rx != c->link.rx || (int)c->link.modulation > c->shape.logits)
        return jrx_fail(
            JRX_EINVAL,
            "training: a network of %d antennas and %d outputs on slots of %d antennas and up to %d bits a symbol",
            c->shape.rx, c->shape.logits, c->link.rx, (int)c->link.modulation);
    if (c->batch < 1 || c->micro < 1 || c->batch % c->micro)
        return jrx_fail(JRX_EINVAL, "training: batch %d is no multiple of micro-batch %d", c->batch, c->micro);
    if (s->steps < 1 || s->warmup < 0 || s->hold < s->warmup || s->hold > s->steps || !(s->rate > 0))
        return jrx_fail(JRX_EINVAL,
                        "training: rate %g, warm-up to step %" PRId64 ", constant to %" PRId64 ", %" PRId64
                        " steps; they must not fall",
                        s->rate, s->warmup, s->hold, s->steps);
    if (!(c->momentum > 0 && c->momentum <= 1))
        return jrx_fail(JRX_EINVAL, "training: momentum %g of the running statistics; above 0, at most 1", c->momentum);
    if (!(c->loss.mix >= 0 && c->loss.mix <= 1) || (c->loss.mix > 0 && !(c->loss.temperature > 0)))
        return jrx_fail(JRX_EINVAL, "training: mix %g (0 to 1) at temperature %g (above 0)", c->loss.mix,
                        c->loss.temperature);
    if (!(c->clip >= 0 && c->average >= 0 && c->average < 1 && c->hint >= 0))
        return jrx_fail(JRX_EINVAL, "training: clip %g and hint %g from 0, average %g from 0 and below 1", c->clip,
                        c->hint, c->average);
    return nn_precision_check(c->precision);
}

static int blocks_init(struct rx_train *train)
{
    const size_t parameters = train->student.net.parameter_floats * sizeof(float);
    const size_t statistics = train->student.net.statistic_floats * sizeof(float);
    train->m = jrx_alloc(parameters);
    train->v = jrx_alloc(parameters);
    train->update = jrx_alloc(train->config.optimiser == NN_LAMB ? parameters : 1);
    if (train->config.average > 0) {
        train->average = jrx_alloc(parameters);
        train->average_statistics = jrx_alloc(statistics);
        if (!train->average || !train->average_statistics)
            return JRX_ENOMEM;
        memcpy(train->average, train->student.parameters, parameters);
        memcpy(train->average_statistics, train->student.statistics, statistics);
    }
    train->worker = jrx_alloc((size_t)train->threads * sizeof *train->worker);
    train->gradient = jrx_alloc((size_t)train->parts * sizeof *train->gradient);
    train->statistic = jrx_alloc((size_t)train->parts * sizeof *train->statistic);
    train->sum = jrx_alloc((size_t)train->parts * sizeof *train->sum);
    if (!train->m || !train->v || !train->update || !train->worker || !train->gradient || !train->statistic ||
        !train->sum)
        return JRX_ENOMEM;
    for (int i = 0; i < train->parts; i++) {
        train->gradient[i] = jrx_alloc(parameters);
        train->statistic[i] = jrx_alloc(statistics);
        if (!train->gradient[i] || !train->statistic[i])
            return JRX_ENOMEM;
    }
    return 0;
}

enum nn_mode rx_train_mode(const struct rx_train_config *config)
{
    return config->checkpointing ? NN_CHECKPOINTED_TRAINING : NN_FUSED_TRAINING;
}

int rx_train_inner(const struct rx_train_config *config, int threads)
{
    return config->batch == config->micro ? threads : 1;
}

static int teacher_fits(const struct rx_train_config *c, const struct rx_receiver *teacher)
{
    if (!teacher)
        return jrx_fail(JRX_EINVAL, "training: mix %g and hint %g need a teacher", c->loss.mix, c->hint);
    if (teacher->shape.rx != c->link.rx || teacher->shape.logits < (int)c->link.modulation)
        return jrx_fail(JRX_EINVAL, "training: the teacher is for %d antennas and %d bits, the slots have %d and %d",
                        teacher->shape.rx, teacher->shape.logits, c->link.rx, (int)c->link.modulation);
    return 0;
}

static size_t held_bytes(const struct rx_train *train)
{
    const struct rx_train_config *c = &train->config;
    const struct nn_net *net = &train->student.net;
    const int f = c->link.prb * LK_PRB_SUBCARRIERS, inner = rx_train_inner(c, train->asked);
    const size_t saved = 3 + (c->average > 0); /* weights, m, v, average: there, and once more while being written */
    const size_t blocks = (size_t)(train->parts + (c->optimiser == NN_LAMB)) + 2 * saved;
    const size_t pixels = (size_t)(c->micro * f) * LK_SYMBOLS;
    size_t worker = nn_context_bytes(net, rx_train_mode(c), c->micro, f, LK_SYMBOLS, inner);
    if (train->teacher)
        worker += nn_context_bytes(&train->teacher->net, NN_FUSED_INFERENCE, c->micro, f, LK_SYMBOLS, inner);
    if (c->hint > 0)
        worker += pixels * (size_t)(kn_blocks(train->config.shape.hint) * KN_LANES) * sizeof(float);
    worker += pixels * KN_LANES + (size_t)inner * lk_slot_bytes(&c->link);
    return (size_t)train->threads * worker + blocks * net->parameter_floats * sizeof(float);
}

/* Everything but memory. */
static int prepare(struct rx_train *train, const struct rx_train_config *config, const struct rx_receiver *teacher,
                   int threads)
{
    *train = (struct rx_train){.config = *config};
    int status = rx_train_config_check(config);
    if (!status && threads < 1)
        status = jrx_fail(JRX_EINVAL, "training: %d threads; give 1 or more", threads);
    if (!status && (config->loss.mix > 0 || config->hint > 0)) {
        status = teacher_fits(config, teacher);
        train->teacher = teacher;
    }
    if (status)
        return status;
    train->config.shape.hint = config->hint > 0 ? nn_channels(&teacher->net, rx_last_map(&teacher->net)) : 0;
    train->parts = config->batch / config->micro;
    train->asked = threads;
    train->threads = threads < train->parts ? threads : train->parts;
    status = rx_receiver_init(&train->student, &train->config.shape, config->seed);
    train->student.net.precision = config->precision;
    train->student.net.tilings = config->tilings;
    return status;
}

size_t rx_train_bytes(const struct rx_train_config *config, const struct rx_receiver *teacher, int threads)
{
    struct rx_train train;
    const size_t bytes = prepare(&train, config, teacher, threads) ? 0 : held_bytes(&train);
    rx_receiver_fini(&train.student);
    return bytes;
}

int rx_train_init(struct rx_train *train, const struct rx_train_config *config, const struct rx_receiver *teacher,
                  int threads)
{
    int status = prepare(train, config, teacher, threads);
    if (!status)
        status = blocks_init(train);
    for (int i = 0; !status && i < train->threads; i++)
        status = rx_worker_init(&train->worker[i], train, rx_train_inner(config, threads));
    if (status)
        rx_train_fini(train);
    else
        train->bytes = held_bytes(train);
    return status;
}

void rx_train_fini(struct rx_train *train)
{
    for (int i = 0; train->worker && i < train->threads; i++)
        rx_worker_fini(&train->worker[i]);
    for (int i = 0; i < train->parts; i++) {
        if (train->gradient)
            free(train->gradient[i]);
        if (train->statistic)
            free(train->statistic[i]);
    }
    free(train->worker);
    free(train->gradient);
    free(train->statistic);
    free(train->sum);
    free(train->m);
    free(train->v);
    free(train->update);
    free(train->average);
    free(train->average_statistics);
    rx_receiver_fini(&train->student);
    *train = (struct rx_train){.step = 0};
}

struct rx_receiver rx_train_receiver(const struct rx_train *train)
{
    struct rx_receiver receiver = train->student;
    if (train->average) {
        receiver.parameters = train->average;
        receiver.statistics = train->average_statistics;
    }
    return receiver;
}

double rx_step_flop(const struct rx_train *train)
{
    const struct rx_train_config *c = &train->config;
    const int f = c->link.prb * LK_PRB_SUBCARRIERS;
    double flop = 3 * nn_forward_flop(&train->student.net, c->batch, f, LK_SYMBOLS);
    if (train->teacher)
        flop += nn_forward_flop(&train->teacher->net, c->batch, f, LK_SYMBOLS);
    return flop;
}

static void merge_statistics(struct rx_train *train)
{
    const double keep = 1 - train->config.momentum;
    for (size_t i = 0; i < train->student.net.statistic_floats; i++) {
        double mean = 0;
        for (int part = 0; part < train->parts; part++)
            mean += train->statistic[part][i] / (double)train->parts;
        float *running = &train->student.statistics[i];
        *running = (float)(keep * *running + (1 - keep) * mean);
    }
}

/* From the gradients of the parts to new weights. */
static void update(struct rx_train *train, double weight)
{
    const struct rx_train_config *c = &train->config;
    struct nn_net *net = &train->student.net;
    float *w = train->student.parameters, *gradient = train->gradient[0];
    const double rate = nn_rate(&c->schedule, train->step);
    const double norm =
        nn_gradient_merge(train->gradient, train->parts, net->parameter_floats, 1 / weight, train->asked);
    const double scale = c->clip > 0 && norm > c->clip ? c->clip / norm : 1;
    if (c->optimiser == NN_LAMB)
        nn_lamb_step(&c->adamw, net, train->step, rate, w, train->m, train->v, gradient, train->update, scale,
                     train->asked);
    else
        nn_adamw_step(&c->adamw, train->step, rate, w, train->m, train->v, net->parameter_floats, net->decayed_floats,
                      &gradient, 1, scale, train->asked);
    merge_statistics(train);
    if (!train->average)
        return;
    nn_average(c->average, train->step, w, train->average, net->parameter_floats);
    nn_average(c->average, train->step, train->student.statistics, train->average_statistics, net->statistic_floats);
}

int rx_train_step(struct rx_train *train)
{
    const struct rx_train_config *c = &train->config;
    struct nn_loss_sum all = {0};
    if (train->step >= c->schedule.steps)
        return jrx_fail(JRX_EINVAL, "training: all %" PRId64 " steps are done", c->schedule.steps);
    if (train->threads == 1) {
        for (int part = 0; part < train->parts; part++)
            rx_worker_run(&train->worker[0], train, part);
    } else {
#pragma omp parallel for schedule(dynamic, 1) num_threads(train->threads)
        for (int part = 0; part < train->parts; part++)
            rx_worker_run(&train->worker[omp_get_thread_num()], train, part);
    }
    for (int part = 0; part < train->parts; part++)
        nn_loss_join(&all, &train->sum[part]);
    if (!isfinite(all.loss))
        return jrx_fail(JRX_EIMPLAUSIBLE, "training: the loss is not finite at step %" PRId64 "; lower the rate %g",
                        train->step + 1, c->schedule.rate);
    train->last = all;
    train->step++;
    update(train, all.weight);
    return 0;
}
