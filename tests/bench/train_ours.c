#include "tests/bench/train_ours.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/nn/loss.h"
#include "models/nn/optimiser.h"
#include <stdlib.h>
#include <string.h>

static void fill(struct ours *o, int n, int f)
{
    struct jrx_rng rng;
    const int c = o->net.channels;
    const size_t pixels = (size_t)f * OURS_T;
    o->input = jrx_alloc((size_t)n * (size_t)c * pixels * sizeof *o->input);
    o->label_dense = jrx_alloc((size_t)n * OURS_LOGITS * pixels * sizeof *o->label_dense);
    o->label = jrx_alloc((size_t)n * pixels * KN_LANES);
    jrx_rng_init(&rng, 1, 0);
    for (size_t i = 0; i < (size_t)n * (size_t)c * pixels; i++)
        o->input[i] = (float)(2 * jrx_rng_uniform(&rng) - 1);
    memset(o->label, NN_NO_BIT, (size_t)n * pixels * KN_LANES);
    for (size_t i = 0; i < (size_t)n * OURS_LOGITS * pixels; i++) {
        const size_t slot = i / pixels / OURS_LOGITS, plane = i / pixels % OURS_LOGITS, p = i % pixels;
        const uint8_t bit = p % OURS_T == 2 ? NN_NO_BIT : (uint8_t)jrx_rng_below(&rng, 2); /* symbol 2 is pilots */
        o->label[(slot * pixels + p) * KN_LANES + plane] = bit;
        o->label_dense[i] = bit;
    }
}

/* As the network wants it, once: it is what a receiver fills from a slot. */
static void arrange(struct ours *o, int n, int f)
{
    const size_t pixels = (size_t)f * OURS_T, c = (size_t)o->net.channels, blocks = (size_t)kn_blocks(o->net.channels);
    o->blocked_floats = (size_t)n * blocks * KN_LANES * pixels;
    o->blocked = jrx_alloc(o->blocked_floats * sizeof *o->blocked);
    memset(o->blocked, 0, o->blocked_floats * sizeof *o->blocked);
    for (size_t i = 0; i < (size_t)n * c * pixels; i++) {
        const size_t slot = i / pixels / c, plane = i / pixels % c, p = i % pixels;
        o->blocked[((slot * blocks + plane / KN_LANES) * pixels + p) * KN_LANES + plane % KN_LANES] = o->input[i];
    }
}

/* Anew for each pass: other maps may have lain there since. */
static void give_input(struct ours *o)
{
    memcpy(nn_input(&o->context), o->blocked, o->blocked_floats * sizeof *o->blocked);
}

int ours_init(struct ours *o, enum nn_mode mode, double width, int n, int f, int threads)
{
    const struct rx_shape shape = {.body = rx_bodies(), .width = width, .rx = 2, .logits = OURS_LOGITS};
    *o = (struct ours){.step = 0};
    int status = rx_net_init(&o->net, &shape);
    if (status)
        return status;
    const size_t bytes = o->net.parameter_floats * sizeof(float);
    o->parameters = jrx_alloc(bytes);
    o->gradient = jrx_alloc(bytes);
    o->m = jrx_alloc(bytes);
    o->v = jrx_alloc(bytes);
    o->statistics = jrx_alloc(o->net.statistic_floats * sizeof(float));
    nn_net_start(&o->net, 1, o->parameters, o->statistics);
    fill(o, n, f);
    arrange(o, n, f);
    return nn_context_init(&o->context, &o->net, mode, n, f, OURS_T, threads);
}

int ours_round(struct ours *o)
{
    const struct nn_context c = o->context;
    nn_context_fini(&o->context);
    o->net.precision = NN_BF16;
    return nn_context_init(&o->context, &o->net, c.mode, c.n, c.f, c.t, c.threads);
}

void ours_fini(struct ours *o)
{
    nn_context_fini(&o->context);
    nn_net_fini(&o->net);
    free(o->parameters);
    free(o->gradient);
    free(o->m);
    free(o->v);
    free(o->statistics);
    free(o->input);
    free(o->blocked);
    free(o->label_dense);
    free(o->label);
}

void ours_train(struct ours *o)
{
    struct nn_context *c = &o->context;
    const struct nn_loss loss = {0, 1};
    const struct nn_adamw adamw = nn_adamw_default();
    const size_t places = (size_t)c->f * OURS_T * KN_LANES;
    struct nn_loss_sum sum = {0}, part[OURS_SLOTS] = {{0}};
    give_input(o);
    nn_forward(c, o->parameters, o->statistics);
#pragma omp parallel for num_threads(c->threads) /* as models/receiver/worker.c does */
    for (int i = 0; i < c->n; i++)
        nn_loss_add(&loss, nn_output(c) + (size_t)i * places, NULL, o->label + (size_t)i * places, places,
                    nn_output_gradient(c) + (size_t)i * places, &part[i]);
    for (int i = 0; i < c->n; i++)
        nn_loss_join(&sum, &part[i]);
    memset(o->gradient, 0, o->net.parameter_floats * sizeof(float));
    nn_backward(c, o->parameters, o->gradient);
    nn_adamw_step(&adamw, ++o->step, 1e-3, o->parameters, o->m, o->v, o->net.parameter_floats, o->net.decayed_floats,
                  &o->gradient, 1, 1.0 / (double)sum.bits, c->threads);
    o->value = sum.loss / (double)sum.bits;
}

void ours_infer(struct ours *o)
{
    const struct nn_context *c = &o->context;
    give_input(o);
    nn_forward(&o->context, o->parameters, o->statistics);
    const size_t pixels = (size_t)c->n * (size_t)c->f * OURS_T;
    double sum = 0;
    for (size_t i = 0; i < pixels; i++)
        for (size_t k = 0; k < OURS_LOGITS; k++)
            sum += nn_output(c)[i * KN_LANES + k];
    o->value = sum / (double)(pixels * OURS_LOGITS);
}
