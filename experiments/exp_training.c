/*
 * What does training a slot cost beside inferring one? DeepRx at several widths, one slot of the full grid at a time on
 * one thread: inference, and the parts of a training step.
 */
#include "experiments/experiment.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/nn/optimiser.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double widths[] = {0.25, 0.5, 1};
static const char *const phases[] = {"inference", "forward", "backward", "update"};
enum { WIDTHS = 3, PHASES = 4, CELLS = WIDTHS * PHASES };

static const struct jrx_column columns[] = {
    EX_MEASURE_COLUMNS,
    {"width_ratio", JRX_REAL, "width of the network relative to DeepRx"},
    {"phase", JRX_TEXT, "inference; forward, backward, update: the parts of a training step"},
    {"parameters", JRX_INTEGER, "trainable numbers"},
    {"flop", JRX_REAL, "useful FLOP of the convolutions of one call"},
};

struct network {
    struct nn_net net;
    struct nn_context inference, training;
    float *parameters, *statistics, *gradient, *m, *v;
    double forward_flop;
};

struct state {
    struct network network[WIDTHS];
    uint64_t iters[CELLS];
};

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    *plan = (struct ex_plan){
        .cells = CELLS, .reps = settings->preset->reps, .shuffled = 1, .item_s = 3 * settings->preset->window_s};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    (void)settings;
    snprintf(text, size, "width=%g,%s", widths[cell / PHASES], phases[cell % PHASES]);
}

static int network_init(struct network *network, double width, const struct ex_settings *settings)
{
    const struct rx_shape shape = {.body = rx_bodies(), .width = width, .rx = 2, .logits = RX_LOGITS};
    int f = settings->preset->grid_f, status = rx_net_init(&network->net, &shape);
    if (!status)
        status = nn_context_init(&network->inference, &network->net, NN_INFERENCE, 1, f, LK_SYMBOLS, 1);
    if (!status)
        status = nn_context_init(&network->training, &network->net, NN_TRAINING, 1, f, LK_SYMBOLS, 1);
    if (status)
        return status;
    float **block[] = {&network->parameters, &network->gradient, &network->m, &network->v};
    for (int i = 0; i < 4; i++)
        if (!(*block[i] = jrx_alloc(network->net.parameter_floats * sizeof(float))))
            return JRX_ENOMEM;
    if (!(network->statistics = jrx_alloc(network->net.statistic_floats * sizeof(float))))
        return JRX_ENOMEM;
    nn_net_start(&network->net, settings->seed, network->parameters, network->statistics);
    network->forward_flop = nn_forward_flop(&network->net, 1, f, LK_SYMBOLS);
    struct jrx_rng rng;
    jrx_rng_init(&rng, settings->seed, 1);
    int planes = rx_planes(2);
    for (int i = 0; i < f * LK_SYMBOLS; i++)
        for (int c = 0; c < planes; c++)
            nn_input(&network->inference)[i * KN_LANES + c] = nn_input(&network->training)[i * KN_LANES + c] =
                (float)(2 * jrx_rng_uniform(&rng) - 1);
    for (int i = 0; i < f * LK_SYMBOLS * KN_LANES; i++)
        nn_output_gradient(&network->training)[i] = i % KN_LANES < RX_LOGITS ? 1e-4f : 0;
    return 0;
}

static void network_fini(struct network *network)
{
    nn_context_fini(&network->inference);
    nn_context_fini(&network->training);
    nn_net_fini(&network->net);
    float *block[] = {network->parameters, network->gradient, network->m, network->v, network->statistics};
    for (int i = 0; i < 5; i++)
        free(block[i]);
}

static int begin(struct ex_run *run)
{
    struct state *state = run->state = calloc(1, sizeof *state);
    int status = state ? 0 : jrx_fail(JRX_ENOMEM, "training: no memory");
    for (int i = 0; i < WIDTHS && !status; i++)
        if (!(status = network_init(&state->network[i], widths[i], run->settings)))
            nn_forward(&state->network[i].training, state->network[i].parameters, state->network[i].statistics);
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int i = 0; state && i < WIDTHS; i++)
        network_fini(&state->network[i]);
    free(state);
    run->state = NULL;
}

static void infer(void *context)
{
    struct network *network = context;
    nn_forward(&network->inference, network->parameters, network->statistics);
}

static void forward(void *context)
{
    struct network *network = context;
    nn_forward(&network->training, network->parameters, network->statistics);
}

/* Reads what the last forward kept; may be repeated, as gradients only add up. */
static void backward(void *context)
{
    struct network *network = context;
    nn_backward(&network->training, network->parameters, network->gradient);
}

/* A learning rate of 0: the same arithmetic, and the network stays what it is. */
static void update(void *context)
{
    struct network *network = context;
    const struct nn_adamw adamw = nn_adamw_default();
    nn_adamw_step(&adamw, 1, 0, network->parameters, network->m, network->v, network->net.parameter_floats,
                  network->net.decayed_floats, &network->gradient, 1, 0, 1);
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    static void (*const phase_run[PHASES])(void *) = {infer, forward, backward, update};
    static const double forwards[PHASES] = {1, 1, 2, 0}; /* FLOP of the convolutions in forward passes */
    struct state *state = run->state;
    struct network *network = &state->network[index / PHASES];
    int phase = index % PHASES;
    double flop = forwards[phase] * network->forward_flop, time_ns;
    const struct jrx_region region = {.fn = phase_run[phase], .ctx = network, .work = {flop, NAN, NAN, NAN, NAN}};
    jrx_put_real(samples, "width_ratio", widths[index / PHASES]);
    jrx_put_text(samples, "phase", phases[phase]);
    jrx_put_integer(samples, "parameters", nn_parameters(&network->net));
    jrx_put_real(samples, "flop", flop);
    int status = ex_measure(run, &region, &state->iters[index], samples, &time_ns);
    if (!status)
        snprintf(words, size, "%.2f ms", time_ns * 1e-6);
    return status;
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"width_ratio", JRX_REAL, "width of the network relative to DeepRx"},
    EX_ESTIMATE_COLUMNS("inference_time", "ms", "median time of a slot, measured"),
    EX_ESTIMATE_COLUMNS("forward_time", "ms", "median time of the training forward pass, measured"),
    EX_ESTIMATE_COLUMNS("backward_time", "ms", "median time of the backward pass, measured"),
    EX_ESTIMATE_COLUMNS("update_time", "ms", "median time of AdamW, measured"),
    EX_ESTIMATE_COLUMNS("inference_energy", "mj", "median energy of a slot, of the source in energy_source"),
    EX_ESTIMATE_COLUMNS("forward_energy", "mj", "median energy of the training forward pass"),
    EX_ESTIMATE_COLUMNS("backward_energy", "mj", "median energy of the backward pass"),
    EX_ESTIMATE_COLUMNS("update_energy", "mj", "median energy of AdamW"),
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
};
static const struct jrx_schema summary_schema = {"training summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

static int put_phase(const struct ex_run *run, const struct jrx_csv *samples, int index, struct jrx_table *table)
{
    struct jrx_estimate time, energy;
    char name[64], what[64];
    label(run->settings, index, name, sizeof name);
    int status = ex_median(samples, name, "time_ns", &time);
    if (!status)
        status = ex_median(samples, name, "energy_j", &energy);
    if (status)
        return status;
    snprintf(what, sizeof what, "%s_time", phases[index % PHASES]);
    ex_put_estimate(table, what, "ms", &time, 1e-6);
    snprintf(what, sizeof what, "%s_energy", phases[index % PHASES]);
    ex_put_estimate(table, what, "mj", &energy, 1e3);
    return 0;
}

struct summary {
    const struct ex_run *run;
    const struct jrx_csv *samples;
    const char *source;
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    int status = 0;
    jrx_put_real(table, "width_ratio", widths[row]);
    jrx_put_text(table, "energy_source", summary->source);
    for (int phase = 0; phase < PHASES && !status; phase++)
        status = put_phase(summary->run, summary->samples, row * PHASES + phase, table);
    return status;
}

/* Training (forward + backward + update, added block by block) over inference of the same blocks, at width `w`. */
static int training_ratio(const struct ex_run *run, const struct jrx_csv *samples, int w, const char *column,
                          struct jrx_estimate *estimate)
{
    double part[PHASES][EX_MAX_REPS];
    int count = EX_MAX_REPS;
    for (int phase = 0; phase < PHASES; phase++) {
        char name[64];
        label(run->settings, w * PHASES + phase, name, sizeof name);
        int n = ex_series(samples, name, column, part[phase], EX_MAX_REPS);
        if (n < 0)
            return n;
        if (n < count)
            count = n;
    }
    for (int i = 0; i < count; i++)
        part[1][i] += part[2][i] + part[3][i];
    const struct jrx_sample sample = {.a = part[1], .b = part[0], .n = (size_t)count};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    return jrx_bootstrap(&sample, JRX_MEDIAN_RATIO, &how, estimate);
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    static const char note[] = "forward, backward and update over inference, DeepRx at full width, one thread";
    struct summary summary = {run, samples, ""};
    struct jrx_estimate time, energy;
    int status = ex_only_text(samples, "energy_source", &summary.source);
    if (!status)
        status = ex_summary(run->dir, &summary_schema, WIDTHS, put_row, &summary);
    if (!status && !(status = training_ratio(run, samples, WIDTHS - 1, "time_ns", &time)))
        status = training_ratio(run, samples, WIDTHS - 1, "energy_j", &energy);
    if (status)
        return status;
    enum jrx_source source = ex_source(summary.source);
    claims[0] = ex_claim_make("training-energy", "Training on a slot takes more than twice the energy of inferring it.",
                              note, &energy, ex_verdict_of_energy(source, energy.low, energy.high, 2, 0), source);
    claims[1] = ex_claim_make("training-time", "Training on a slot takes more than twice the time of inferring it.",
                              note, &time, ex_verdict_of(time.low, time.high, 2, 0), JRX_MEASURED);
    return 2;
}

const struct ex_experiment exp_training = {.name = "training",
                                           .title = "Training told apart from inference",
                                           .question = "One slot of 26 PRB through DeepRx at three widths: run time "
                                                       "(measured) and energy (see its label) of inference beside the "
                                                       "parts of a training step.",
                                           .needs = "",
                                           .order = 30,
                                           .column = columns,
                                           .columns = sizeof columns / sizeof *columns,
                                           .summary = &summary_schema,
                                           .plan = plan,
                                           .label = label,
                                           .begin = begin,
                                           .cell = cell,
                                           .end = end,
                                           .conclude = conclude};
