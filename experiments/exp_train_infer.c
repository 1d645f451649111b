/*
 * What does training a slot cost beside inferring one? DeepRx at several widths and batches on one thread: inference,
 * and the parts of a training step, by the fused engine that `joulerx train` and all receivers run. Its forward pass
 * keeps few maps and its backward pass makes the others again, which is why the parts can be told apart by pass alone.
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
static const int batches[] = {1, 4};
static const char *const phases[] = {"inference", "data", "forward", "backward", "update"};
enum { INFERENCE, DATA, FORWARD, BACKWARD, UPDATE, PHASES };
enum { WIDTHS = 3, BATCHES = 2, NETWORKS = WIDTHS * BATCHES, CELLS = NETWORKS * PHASES };

static const struct jrx_column columns[] = {
    EX_MEASURE_COLUMNS,
    {"width_ratio", JRX_REAL, "width of the network relative to DeepRx"},
    {"batch", JRX_INTEGER, "slots of one call"},
    {"phase", JRX_TEXT,
     "inference; data (draws the slots, fills input and labels), forward, backward, update: the parts of a training "
     "step"},
    {"parameters", JRX_INTEGER, "trainable numbers"},
    {"flop", JRX_REAL, "useful FLOP of the convolutions of one call"},
};

struct network {
    struct nn_net net;
    struct nn_context inference, training;
    float *parameters, *statistics, *gradient, *m, *v;
    struct lk_config link;
    struct lk_slot slot;
    uint8_t *label;
    uint64_t seed, drawn; /* slots so far */
    int batch;
    double forward_flop;
};

struct state {
    struct network network[NETWORKS];
    uint64_t iters[CELLS];
};

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    /* mean over the cells: DeepRx has 2.43 MFLOP a resource element in full width */
    const double flop =
        2.43e6 * settings->preset->grid_f * LK_SYMBOLS * 0.4375 /* widths squared */ * 2.5 * 0.8 / 0.6 /* share */;
    *plan =
        (struct ex_plan){.cells = CELLS,
                         .reps = settings->preset->reps,
                         .shuffled = 1,
                         .item_s = 1.5 * settings->preset->window_s + flop * settings->threads / settings->flop_per_s};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    (void)settings;
    snprintf(text, size, "width=%g,batch=%d,%s", widths[cell / PHASES / BATCHES], batches[cell / PHASES % BATCHES],
             phases[cell % PHASES]);
}

/* Draws the slots of a batch into the input of the training context. */
static void draw(struct network *network)
{
    for (int n = 0; n < network->batch; n++) {
        lk_slot_draw(&network->slot, &network->link, network->seed, network->drawn++);
        rx_fill_input(&network->slot, n, nn_input(&network->training));
        rx_fill_labels(&network->slot, n, network->label);
    }
}

static int network_init(struct network *network, double width, int batch, const struct ex_settings *settings)
{
    const struct rx_shape shape = {.body = rx_bodies(), .width = width, .rx = 2, .logits = RX_LOGITS};
    int f = settings->preset->grid_f, status = rx_net_init(&network->net, &shape);
    size_t maps = (size_t)batch * (size_t)f * LK_SYMBOLS * KN_LANES;
    network->batch = batch;
    network->seed = settings->seed;
    network->link = lk_config_default();
    network->link.prb = f / LK_PRB_SUBCARRIERS;
    network->net.tilings = settings->tilings;
    if (!status)
        status = lk_slot_init(&network->slot, &network->link);
    if (!status)
        status = nn_context_init(&network->inference, &network->net, NN_FUSED_INFERENCE, batch, f, LK_SYMBOLS, 1);
    if (!status)
        status = nn_context_init(&network->training, &network->net, NN_FUSED_TRAINING, batch, f, LK_SYMBOLS, 1);
    if (status)
        return status;
    float **block[] = {&network->parameters, &network->gradient, &network->m, &network->v};
    for (int i = 0; i < 4; i++)
        if (!(*block[i] = jrx_alloc(network->net.parameter_floats * sizeof(float))))
            return JRX_ENOMEM;
    if (!(network->statistics = jrx_alloc(network->net.statistic_floats * sizeof(float))) ||
        !(network->label = jrx_alloc(maps)))
        return JRX_ENOMEM;
    nn_net_start(&network->net, settings->seed, network->parameters, network->statistics);
    network->forward_flop = nn_forward_flop(&network->net, batch, f, LK_SYMBOLS);
    draw(network);
    memcpy(nn_input(&network->inference), nn_input(&network->training), maps * sizeof(float));
    for (size_t i = 0; i < maps; i++)
        nn_output_gradient(&network->training)[i] = i % KN_LANES < RX_LOGITS ? 1e-4f : 0;
    nn_forward(&network->training, network->parameters, network->statistics);
    return 0;
}

static void network_fini(struct network *network)
{
    nn_context_fini(&network->inference);
    nn_context_fini(&network->training);
    nn_net_fini(&network->net);
    lk_slot_fini(&network->slot);
    free(network->label);
    float *block[] = {network->parameters, network->gradient, network->m, network->v, network->statistics};
    for (int i = 0; i < 5; i++)
        free(block[i]);
}

static int begin(struct ex_run *run)
{
    struct state *state = run->state = calloc(1, sizeof *state);
    int status = state ? 0 : jrx_fail(JRX_ENOMEM, "train-infer: no memory");
    for (int i = 0; i < NETWORKS && !status; i++)
        status = network_init(&state->network[i], widths[i / BATCHES], batches[i % BATCHES], run->settings);
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int i = 0; state && i < NETWORKS; i++)
        network_fini(&state->network[i]);
    free(state);
    run->state = NULL;
}

static void infer(void *context)
{
    struct network *network = context;
    nn_forward(&network->inference, network->parameters, network->statistics);
}

static void data(void *context)
{
    draw(context);
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
    static void (*const phase_run[PHASES])(void *) = {infer, data, forward, backward, update};
    static const double forwards[PHASES] = {1, 0, 1, 2, 0}; /* FLOP of the convolutions in forward passes */
    struct state *state = run->state;
    struct network *network = &state->network[index / PHASES];
    int phase = index % PHASES;
    double flop = forwards[phase] * network->forward_flop, time_ns;
    const struct jrx_region region = {.fn = phase_run[phase], .ctx = network, .work = {flop, NAN, NAN, NAN, NAN}};
    jrx_put_real(samples, "width_ratio", widths[index / PHASES / BATCHES]);
    jrx_put_integer(samples, "batch", network->batch);
    jrx_put_text(samples, "phase", phases[phase]);
    jrx_put_integer(samples, "parameters", nn_parameters(&network->net));
    jrx_put_real(samples, "flop", flop);
    int status = ex_measure(run, &region, &state->iters[index], samples, &time_ns);
    if (!status)
        snprintf(words, size, "%.2f ms a slot", time_ns * 1e-6 / network->batch);
    return status;
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"width_ratio", JRX_REAL, "width of the network relative to DeepRx"},
    {"batch", JRX_INTEGER, "slots at a time; times and energies are of one slot"},
    EX_ESTIMATE_COLUMNS("inference_time", "ms", "median time of inferring a slot, measured"),
    EX_ESTIMATE_COLUMNS("data_time", "ms", "median time of drawing a slot and its labels, measured"),
    EX_ESTIMATE_COLUMNS("forward_time", "ms", "median time of the training forward pass, measured"),
    EX_ESTIMATE_COLUMNS("backward_time", "ms", "median time of the backward pass, measured"),
    EX_ESTIMATE_COLUMNS("update_time", "ms", "median time of AdamW, its share for a slot, measured"),
    EX_ESTIMATE_COLUMNS("inference_energy", "mj", "median energy of inferring a slot; source in energy_source"),
    EX_ESTIMATE_COLUMNS("data_energy", "mj", "median energy of drawing a slot and its labels; source in energy_source"),
    EX_ESTIMATE_COLUMNS("forward_energy", "mj", "median energy of the training forward pass; source in energy_source"),
    EX_ESTIMATE_COLUMNS("backward_energy", "mj", "median energy of the backward pass; source in energy_source"),
    EX_ESTIMATE_COLUMNS("update_energy", "mj", "median energy of AdamW, its share for a slot; source in energy_source"),
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
};
static const struct jrx_schema summary_schema = {"train-infer summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

static int put_phase(const struct ex_run *run, const struct jrx_csv *samples, int index, struct jrx_table *table)
{
    struct jrx_estimate time, energy;
    char name[64], what[64];
    const int batch = batches[index / PHASES % BATCHES];
    label(run->settings, index, name, sizeof name);
    int status = ex_median(samples, name, "time_ns", &time);
    if (!status)
        status = ex_median(samples, name, "energy_j", &energy);
    if (status)
        return status;
    snprintf(what, sizeof what, "%s_time", phases[index % PHASES]);
    ex_put_estimate(table, what, "ms", &time, 1e-6 / batch);
    snprintf(what, sizeof what, "%s_energy", phases[index % PHASES]);
    ex_put_estimate(table, what, "mj", &energy, 1e3 / batch);
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
    jrx_put_real(table, "width_ratio", widths[row / BATCHES]);
    jrx_put_integer(table, "batch", batches[row % BATCHES]);
    jrx_put_text(table, "energy_source", summary->source);
    for (int phase = 0; phase < PHASES && !status; phase++)
        status = put_phase(summary->run, summary->samples, row * PHASES + phase, table);
    return status;
}

/* Training (data, forward, backward, update, added block by block) over inference of the same blocks, of one network.
 */
static int training_ratio(const struct ex_run *run, const struct jrx_csv *samples, int network, const char *column,
                          struct jrx_estimate *estimate)
{
    double part[PHASES][EX_MAX_REPS];
    int count = EX_MAX_REPS;
    for (int phase = 0; phase < PHASES; phase++) {
        char name[64];
        label(run->settings, network * PHASES + phase, name, sizeof name);
        int n = ex_series(samples, name, column, part[phase], EX_MAX_REPS);
        if (n < 0)
            return n;
        if (n < count)
            count = n;
    }
    for (int i = 0; i < count; i++)
        part[DATA][i] += part[FORWARD][i] + part[BACKWARD][i] + part[UPDATE][i];
    const struct jrx_sample sample = {.a = part[DATA], .b = part[INFERENCE], .n = (size_t)count};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    return jrx_bootstrap(&sample, JRX_MEDIAN_RATIO, &how, estimate);
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    static const char note[] =
        "data, forward, backward and update over inference, DeepRx at full width, a slot at a time, one thread";
    struct summary summary = {run, samples, ""};
    struct jrx_estimate time, energy;
    int status = ex_only_text(samples, "energy_source", &summary.source);
    if (!status)
        status = ex_summary(run->dir, &summary_schema, NETWORKS, put_row, &summary);
    if (!status && !(status = training_ratio(run, samples, NETWORKS - BATCHES, "time_ns", &time)))
        status = training_ratio(run, samples, NETWORKS - BATCHES, "energy_j", &energy);
    if (status)
        return status;
    enum jrx_source source = ex_source(summary.source);
    claims[0] = ex_claim_make("training-energy", "Training on a slot takes more than twice the energy of inferring it.",
                              note, &energy, ex_verdict_of_energy(source, energy.low, energy.high, 2, 0), source);
    claims[1] = ex_claim_make("training-time", "Training on a slot takes more than twice the time of inferring it.",
                              note, &time, ex_verdict_of(time.low, time.high, 2, 0), JRX_MEASURED);
    return 2;
}

const struct ex_experiment exp_train_infer = {
    .name = "train-infer",
    .title = "Training told apart from inference",
    .question = "One slot of 26 PRB through DeepRx at three widths, alone and four at a time: run time "
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
