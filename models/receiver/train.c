#include "models/receiver/train.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/nn/checkpoint.h"
#include "models/receiver/fields.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* What a thread needs to take a micro-batch through the network. */
struct rx_worker {
    struct nn_context student, teacher;
    struct lk_slot slot;
    uint8_t *label;
};

int rx_train_config_check(const struct rx_train_config *c)
{
    const struct nn_schedule *s = &c->schedule;
    int status = lk_config_check(&c->link);
    if (status)
        return status;
    if (c->shape.rx != c->link.rx || (int)c->link.modulation > c->shape.logits)
        return jrx_fail(JRX_EINVAL, "training: a network for %d antennas and %d bits on slots of %d and %d",
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
    return 0;
}

static int worker_init(struct rx_worker *worker, const struct rx_train *train)
{
    const struct rx_train_config *c = &train->config;
    const int f = c->link.prb * LK_PRB_SUBCARRIERS;
    const int inner = train->parts == 1 ? train->asked : 1; /* a batch in one piece: the kernels share it out instead */
    int status = nn_context_init(&worker->student, &train->student.net, NN_TRAINING, c->micro, f, LK_SYMBOLS, inner);
    if (!status && train->teacher)
        status = nn_context_init(&worker->teacher, &train->teacher->net, NN_INFERENCE, c->micro, f, LK_SYMBOLS, inner);
    if (!status)
        status = lk_slot_init(&worker->slot, &c->link);
    if (status)
        return status;
    worker->label = jrx_alloc((size_t)c->micro * (size_t)f * LK_SYMBOLS * KN_LANES);
    return worker->label ? 0 : JRX_ENOMEM;
}

static int blocks_init(struct rx_train *train)
{
    const size_t parameters = train->student.net.parameter_floats * sizeof(float);
    const size_t statistics = train->student.net.statistic_floats * sizeof(float);
    train->m = jrx_alloc(parameters);
    train->v = jrx_alloc(parameters);
    train->worker = jrx_alloc((size_t)train->threads * sizeof *train->worker);
    train->gradient = jrx_alloc((size_t)train->parts * sizeof *train->gradient);
    train->statistic = jrx_alloc((size_t)train->parts * sizeof *train->statistic);
    train->sum = jrx_alloc((size_t)train->parts * sizeof *train->sum);
    if (!train->m || !train->v || !train->worker || !train->gradient || !train->statistic || !train->sum)
        return JRX_ENOMEM;
    for (int i = 0; i < train->parts; i++) {
        train->gradient[i] = jrx_alloc(parameters);
        train->statistic[i] = jrx_alloc(statistics);
        if (!train->gradient[i] || !train->statistic[i])
            return JRX_ENOMEM;
    }
    return 0;
}

int rx_train_init(struct rx_train *train, const struct rx_train_config *config, const struct rx_receiver *teacher,
                  int threads)
{
    *train = (struct rx_train){.config = *config};
    int status = rx_train_config_check(config);
    if (status)
        return status;
    if (threads < 1)
        return jrx_fail(JRX_EINVAL, "training: %d threads; give 1 or more", threads);
    if (config->loss.mix > 0) {
        if (!teacher)
            return jrx_fail(JRX_EINVAL, "training: mix %g needs a teacher", config->loss.mix);
        if (teacher->shape.rx != config->link.rx || teacher->shape.logits < (int)config->link.modulation)
            return jrx_fail(JRX_EINVAL,
                            "training: the teacher is for %d antennas and %d bits, the slots have %d and %d",
                            teacher->shape.rx, teacher->shape.logits, config->link.rx, (int)config->link.modulation);
        train->teacher = teacher;
    }
    train->parts = config->batch / config->micro;
    train->asked = threads;
    train->threads = threads < train->parts ? threads : train->parts;
    status = rx_receiver_init(&train->student, &config->shape, config->seed);
    if (!status)
        status = blocks_init(train);
    for (int i = 0; !status && i < train->threads; i++)
        status = worker_init(&train->worker[i], train);
    if (status)
        rx_train_fini(train);
    return status;
}

void rx_train_fini(struct rx_train *train)
{
    for (int i = 0; train->worker && i < train->threads; i++) {
        nn_context_fini(&train->worker[i].student);
        nn_context_fini(&train->worker[i].teacher);
        lk_slot_fini(&train->worker[i].slot);
        free(train->worker[i].label);
    }
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
    rx_receiver_fini(&train->student);
    *train = (struct rx_train){.step = 0};
}

/* Micro-batch `part` of the next step: draw, forward, loss, backward. Touches nothing that another part does. */
static void run_part(struct rx_train *train, struct rx_worker *worker, int part)
{
    const struct rx_train_config *c = &train->config;
    const struct nn_net *net = &train->student.net;
    struct nn_context *student = &worker->student, *teacher = &worker->teacher;
    const uint64_t first = (uint64_t)train->step * (uint64_t)c->batch + (uint64_t)part * (uint64_t)c->micro;
    const size_t places = (size_t)c->micro * (size_t)student->f * (size_t)student->t * KN_LANES;
    for (int i = 0; i < c->micro; i++) {
        lk_slot_draw(&worker->slot, &c->link, c->seed, first + (uint64_t)i);
        rx_fill_input(&worker->slot, i, nn_input(student));
        rx_fill_labels(&worker->slot, i, worker->label);
        if (train->teacher)
            rx_fill_input(&worker->slot, i, nn_input(teacher));
    }
    if (train->teacher)
        nn_forward(teacher, train->teacher->parameters, train->teacher->statistics);
    nn_forward(student, train->student.parameters, train->statistic[part]);
    train->sum[part] = (struct nn_loss_sum){0};
    nn_loss_add(&c->loss, nn_output(student), train->teacher ? nn_output(teacher) : NULL, worker->label, places,
                nn_output_gradient(student), &train->sum[part]);
    memset(train->gradient[part], 0, net->parameter_floats * sizeof(float));
    nn_backward(student, train->student.parameters, train->gradient[part]);
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

int rx_train_step(struct rx_train *train)
{
    const struct rx_train_config *c = &train->config;
    struct nn_loss_sum all = {0};
    if (train->step >= c->schedule.steps)
        return jrx_fail(JRX_EINVAL, "training: all %" PRId64 " steps are done", c->schedule.steps);
#pragma omp parallel for schedule(dynamic, 1) num_threads(train->threads)
    for (int part = 0; part < train->parts; part++)
        run_part(train, &train->worker[omp_get_thread_num()], part);
    for (int part = 0; part < train->parts; part++) {
        all.loss += train->sum[part].loss;
        all.bce += train->sum[part].bce;
        all.bits += train->sum[part].bits;
        all.errors += train->sum[part].errors;
    }
    if (!isfinite(all.loss))
        return jrx_fail(JRX_EIMPLAUSIBLE, "training: the loss is not finite at step %" PRId64 "; lower the rate %g",
                        train->step + 1, c->schedule.rate);
    train->last = all;
    train->step++;
    nn_adamw_step(&c->adamw, train->step, nn_rate(&c->schedule, train->step), train->student.parameters, train->m,
                  train->v, train->student.net.parameter_floats, train->student.net.decayed_floats, train->gradient,
                  train->parts, 1.0 / (double)all.bits, train->asked);
    merge_statistics(train);
    return 0;
}

int rx_train_save(const struct rx_train *train, const char *path)
{
    struct rx_fields fields;
    const struct nn_block block[] = {{"", 0, train->student.parameters},
                                     {"", 1, train->student.statistics},
                                     {"adamw.m.", 0, train->m},
                                     {"adamw.v.", 0, train->v}};
    rx_fields_fill(&fields, train);
    return nn_checkpoint_write(path, fields.pair, fields.count, &train->student.net, block, 4);
}

int rx_train_load(struct rx_train *train, const char *path)
{
    struct nn_st_file file;
    struct rx_fields fields;
    const struct nn_block block[] = {{"", 0, train->student.parameters},
                                     {"", 1, train->student.statistics},
                                     {"adamw.m.", 0, train->m},
                                     {"adamw.v.", 0, train->v}};
    int status = nn_st_open(&file, path);
    if (status)
        return status;
    rx_fields_fill(&fields, train);
    status = rx_fields_compare(&fields, &file, path);
    if (!status)
        status = nn_checkpoint_read(&file, &train->student.net, block, 4);
    if (!status) {
        const char *text = nn_st_meta(&file, "step");
        char *end = NULL;
        errno = 0;
        train->step = text ? strtoll(text, &end, 10) : -1;
        if (!text || end == text || *end || errno || train->step < 0 || train->step > train->config.schedule.steps)
            status = jrx_fail(JRX_EFORMAT, "%s: step %s of %" PRId64 "; the file is damaged", path,
                              text ? text : "(missing)", train->config.schedule.steps);
    }
    nn_st_close(&file);
    return status;
}
