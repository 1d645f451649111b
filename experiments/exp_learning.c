/*
 * Trains the networks of the zoo, and measures what that takes: each cell is a stretch of a training, in order. A run
 * that was killed goes on from the last checkpoint; the stretch it was in is done again.
 */
#include "experiments/networks.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/interrupt.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRETCHES = EX_STRETCHES };

static const struct jrx_column columns[] = {
    EX_MEASURE_COLUMNS,
    {"network", JRX_TEXT, "its name: file below models/, receiver of experiment ber"},
    {"role", JRX_TEXT, "teacher, scratch (the student alone) or distilled (the same student with its teacher)"},
    {"step", JRX_INTEGER, "steps done at the end of the stretch"},
    {"slots", JRX_INTEGER, "slots trained on so far"},
    {"parameters", JRX_INTEGER, "trainable numbers of the network"},
    {"bce_ratio", JRX_REAL, "mean binary cross-entropy [nat] a bit against the sent bits, over the stretch"},
    {"ber_ratio", JRX_REAL, "bit error rate over the stretch, on the training slots"},
    {"threads", JRX_INTEGER, "threads it is trained with"},
    {"flop", JRX_REAL,
     "useful FLOP of the convolutions of one step, forward and backward, and of the teacher's forward"},
};

struct state {
    struct rx_train train;
    struct rx_receiver teacher;
    int network;   /* of `train`; -1: none */
    int64_t saved; /* step of the checkpoint on disk */
    int64_t until; /* of the stretch being run */
    struct nn_loss_sum sum;
    int status;
};

static int64_t stretch_end(const struct rx_train_config *config, int stretch)
{
    return config->schedule.steps * (stretch + 1) / STRETCHES;
}

/* A teacher that is given is not trained. */
static int network_of(const struct ex_zoo *zoo, int cell)
{
    return cell / STRETCHES + zoo->given;
}

static double cell_s(const struct ex_settings *settings, int cell)
{
    const struct ex_zoo *zoo = settings->zoo;
    const struct rx_train_config *config = &zoo->network[network_of(zoo, cell)].config;
    const double slots = (double)config->schedule.steps * config->batch / STRETCHES;
    return ex_network_peak_flop(zoo, network_of(zoo, cell)) / STRETCHES / settings->flop_per_s +
           slots * settings->slot_s / settings->threads;
}

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    const struct ex_zoo *zoo = settings->zoo;
    int networks = zoo->count - zoo->given;
    *plan = (struct ex_plan){
        .cells = networks * STRETCHES, .reps = 1, .together = STRETCHES, .things = "networks", .parts = "stretches"};
    for (int i = 0; i < networks; i++)
        plan->item_s += cell_s(settings, i * STRETCHES) / networks;
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    snprintf(text, size, "%s,%d/%d", settings->zoo->network[network_of(settings->zoo, cell)].name, cell % STRETCHES + 1,
             STRETCHES);
}

/* Writes the checkpoint of a whole stretch; called once its row is on disk, so that none is ever ahead of its row. */
static int save(const struct ex_run *run, struct state *state)
{
    char path[EX_NETWORK_PATH];
    if (state->network < 0 || state->train.step == state->saved)
        return 0;
    int status = rx_train_save(&state->train, ex_network_path(run, &run->settings->zoo->network[state->network], path));
    if (!status)
        state->saved = state->train.step;
    return status;
}

static void drop(struct state *state)
{
    rx_train_fini(&state->train);
    rx_receiver_fini(&state->teacher);
    memset(&state->train, 0, sizeof state->train);
    memset(&state->teacher, 0, sizeof state->teacher);
    state->network = -1;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    if (state) {
        if (!state->status)
            save(run, state);
        drop(state);
    }
    free(state);
    run->state = NULL;
}

static int begin(struct ex_run *run)
{
    char folder[PATH_MAX + 64];
    struct state *state = run->state = calloc(1, sizeof *state);
    if (!state)
        return jrx_fail(JRX_ENOMEM, "learning: no memory");
    state->network = -1;
    snprintf(folder, sizeof folder, "%s/models", run->base);
    if (mkdir(folder, 0777) && errno != EEXIST)
        return jrx_fail(JRX_EIO, "%s: %s", folder, strerror(errno));
    return run->settings->zoo->given ? ex_networks_take(run) : 0;
}

/* Steps up to state->until; the region that is measured. */
static void stretch(void *context)
{
    struct state *state = context;
    while (!state->status && state->train.step < state->until) {
        state->status = jrx_interrupt_check();
        if (!state->status)
            state->status = rx_train_step(&state->train);
        state->sum.loss += state->train.last.loss;
        state->sum.bce += state->train.last.bce;
        state->sum.bits += state->train.last.bits;
        state->sum.errors += state->train.last.errors;
    }
}

/* The training of a network, from its checkpoint if there is one. */
static int open_training(struct ex_run *run, struct state *state, int index)
{
    char path[EX_NETWORK_PATH];
    const struct ex_zoo *zoo = run->settings->zoo;
    const struct ex_network *network = &zoo->network[index];
    struct rx_train_config config = network->config;
    int status = 0, taught = network->teacher >= 0;
    config.tilings = run->settings->tilings;
    if (taught)
        status = ex_network_load(run, &zoo->network[network->teacher], &state->teacher);
    if (!status)
        status = rx_train_init(&state->train, &config, taught ? &state->teacher : NULL, run->settings->threads);
    if (status)
        return status;
    state->network = index;
    state->train.history.spent = (struct rx_spent){NAN, NAN, NAN, JRX_SOURCE_NONE}; /* samples.csv says */
    if (!access(ex_network_path(run, network, path), F_OK))
        status = rx_train_load(&state->train, path);
    state->saved = state->train.step;
    return status;
}

/* A run that was killed between the last row of a network and its checkpoint left it a stretch behind: catches up,
 * unmeasured, before others learn from it. */
static int finish(struct ex_run *run, struct state *state, int index)
{
    int status = open_training(run, state, index);
    state->until = state->train.config.schedule.steps;
    if (!status) {
        stretch(state);
        status = state->status ? state->status : save(run, state);
    }
    drop(state);
    return status;
}

static int take_up(struct ex_run *run, struct state *state, int index)
{
    const int resumed = state->network < 0;
    int status = save(run, state);
    drop(state);
    if (!status && resumed && index > run->settings->zoo->given)
        status = finish(run, state, index - 1);
    return status ? status : open_training(run, state, index);
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    const struct ex_network *network = &run->settings->zoo->network[network_of(run->settings->zoo, index)];
    int which = network_of(run->settings->zoo, index), part = index % STRETCHES;
    int status = which == state->network ? save(run, state) : take_up(run, state, which);
    if (status)
        return status;
    const struct rx_train_config *config = &state->train.config;
    /* rows may be ahead of the checkpoint by one stretch if the run was killed between the two: catch up, unmeasured */
    state->until = part ? stretch_end(config, part - 1) : 0;
    if (state->train.step > state->until)
        return jrx_fail(JRX_EFORMAT,
                        "models/%s.safetensors is at step %lld, beyond samples.csv; remove it to train anew",
                        network->name, (long long)state->train.step);
    stretch(state);
    memset(&state->sum, 0, sizeof state->sum);
    state->until = stretch_end(config, part);
    int64_t steps = state->until - state->train.step;
    double flop = rx_step_flop(&state->train), time_ns;
    const struct jrx_region region = {
        .fn = stretch, .ctx = state, .work = {flop * (double)steps, NAN, NAN, NAN, NAN}, .once = true};
    uint64_t once = 1;
    if (!state->status) {
        status = ex_measure(run, &region, &once, samples, &time_ns);
        state->status = state->status ? state->status : status; /* the stretch may have been interrupted */
    }
    if (state->status)
        return state->status;
    double bits = (double)state->sum.bits;
    jrx_put_text(samples, "network", network->name);
    jrx_put_text(samples, "role", rx_role_name(network->role));
    jrx_put_integer(samples, "step", state->train.step);
    jrx_put_integer(samples, "slots", state->train.step * config->batch);
    jrx_put_integer(samples, "parameters", nn_parameters(&state->train.student.net));
    jrx_put_real(samples, "bce_ratio", state->sum.bce / bits);
    jrx_put_real(samples, "ber_ratio", (double)state->sum.errors / bits);
    jrx_put_integer(samples, "threads", run->settings->threads);
    jrx_put_real(samples, "flop", flop);
    snprintf(words, size, "bce %.4f, ber %.4f, %.0f slots/s", state->sum.bce / bits, (double)state->sum.errors / bits,
             (double)(steps * config->batch) / (time_ns * 1e-9));
    return 0;
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"network", JRX_TEXT, "its name"},
    {"role", JRX_TEXT, "teacher, scratch or distilled"},
    {"width_ratio", JRX_REAL, "factor on the channels of its body"},
    {"seed", JRX_INTEGER, "which of the trainings of its kind; 0: a teacher"},
    {"shown", JRX_INTEGER, "1: in the figure (the teacher, students of the middle width, seed 1)"},
    {"step", JRX_INTEGER, "steps done"},
    {"slots", JRX_INTEGER, "slots trained on"},
    {"bce_ratio", JRX_REAL, "mean binary cross-entropy [nat] a bit, over the stretch that ends here"},
    {"ber_ratio", JRX_REAL, "bit error rate over the stretch, on the training slots"},
    {"time_s", JRX_REAL, "run time from the start, measured"},
    {"processor_s", JRX_REAL, "processor time from the start, all threads together, measured"},
    {"energy_j", JRX_REAL, "energy from the start, of the source in energy_source"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
};
static const struct jrx_schema summary_schema = {"learning summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

static double one(const struct jrx_csv *samples, const char *cell, const char *column, int *status)
{
    double value = NAN;
    if (!*status) {
        int count = ex_series(samples, cell, column, &value, 1);
        *status = count < 0 ? count : 0;
    }
    return value;
}

struct summary {
    const struct ex_run *run;
    const struct jrx_csv *samples;
    const char *source;
    double time_s, processor_s, energy_j; /* of the network so far */
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    struct summary *summary = context;
    const struct ex_zoo *zoo = summary->run->settings->zoo;
    const struct ex_network *network = &zoo->network[network_of(zoo, row)];
    char name[64];
    int status = 0;
    label(summary->run->settings, row, name, sizeof name);
    if (row % STRETCHES == 0)
        summary->time_s = summary->processor_s = summary->energy_j = 0;
    summary->time_s += one(summary->samples, name, "time_ns", &status) * 1e-9;
    summary->processor_s += one(summary->samples, name, "cpu_time_ns", &status) * 1e-9;
    summary->energy_j += one(summary->samples, name, "energy_j", &status);
    jrx_put_text(table, "network", network->name);
    jrx_put_text(table, "role", rx_role_name(network->role));
    jrx_put_real(table, "width_ratio", network->width);
    jrx_put_integer(table, "seed", network->seed);
    jrx_put_integer(table, "shown",
                    network->sweeps & EX_WIDTH && network->seed <= 1 &&
                        (!network->seed || network->width == zoo->middle));
    jrx_put_integer(table, "step", (int64_t)one(summary->samples, name, "step", &status));
    jrx_put_integer(table, "slots", (int64_t)one(summary->samples, name, "slots", &status));
    jrx_put_real(table, "bce_ratio", one(summary->samples, name, "bce_ratio", &status));
    jrx_put_real(table, "ber_ratio", one(summary->samples, name, "ber_ratio", &status));
    jrx_put_real(table, "time_s", summary->time_s);
    jrx_put_real(table, "processor_s", summary->processor_s);
    jrx_put_real(table, "energy_j", summary->energy_j);
    jrx_put_text(table, "energy_source", summary->source);
    return status;
}

/* The distilled student over the student alone, stretch by stretch, middle width: what the teacher's company costs. */
static int cost_of_teaching(const struct ex_run *run, const struct jrx_csv *samples, const char *column,
                            struct jrx_estimate *estimate)
{
    enum { MOST = 99 * STRETCHES };
    double *taught = calloc(2 * MOST, sizeof *taught), *alone = taught + MOST;
    const struct ex_zoo *zoo = run->settings->zoo;
    char name[64];
    int status = taught ? 0 : jrx_fail(JRX_ENOMEM, "learning: no memory"), pairs = zoo->seeds * STRETCHES;
    for (int i = 0; i < pairs && !status; i++) {
        int seed = i / STRETCHES + 1, part = i % STRETCHES;
        int cell = (ex_zoo_student(zoo, RX_DISTILLED, zoo->middle, seed) - zoo->given) * STRETCHES + part;
        label(run->settings, cell, name, sizeof name);
        taught[i] = one(samples, name, column, &status);
        cell = (ex_zoo_student(zoo, RX_SCRATCH, zoo->middle, seed) - zoo->given) * STRETCHES + part;
        label(run->settings, cell, name, sizeof name);
        alone[i] = one(samples, name, column, &status);
    }
    const struct jrx_sample sample = {.a = taught, .b = alone, .n = (size_t)pairs};
    const struct jrx_bootstrap how = {.level = 0.95, .draws = 4000, .seed = 1};
    if (!status)
        status = jrx_bootstrap(&sample, JRX_MEDIAN_RATIO, &how, estimate);
    free(taught);
    return status;
}

static int write_networks(const struct ex_run *run)
{
    struct jrx_csv *summary;
    int status = ex_run_csv(run, "learning", "summary.csv", &summary);
    if (status)
        return status;
    status = ex_networks_write(run, summary);
    jrx_csv_free(summary);
    return status;
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    static const char note[] =
        "training of the distilled student over that of the student alone, same steps and slots; "
        "the teacher's own training is not in it";
    struct summary summary = {.run = run, .samples = samples};
    struct jrx_estimate time, energy;
    int status = ex_only_text(samples, "energy_source", &summary.source);
    if (!status)
        status = ex_summary(run->dir, &summary_schema,
                            (run->settings->zoo->count - run->settings->zoo->given) * STRETCHES, put_row, &summary);
    if (!status)
        status = write_networks(run);
    /* of all threads together: it counts nothing of the others that a long run shares its machine with */
    if (!status && !(status = cost_of_teaching(run, samples, "cpu_time_ns", &time)))
        status = cost_of_teaching(run, samples, "energy_j", &energy);
    if (status)
        return status;
    enum jrx_source source = ex_source(summary.source);
    claims[0] = ex_claim_make("distill-energy", "Distilling a student takes more energy than training it from scratch.",
                              note, &energy, ex_verdict_of_energy(source, energy.low, energy.high, 1, 0), source);
    claims[1] =
        ex_claim_make("distill-time", "Distilling a student takes more processor time than training it from scratch.",
                      note, &time, ex_verdict_of(time.low, time.high, 1, 0), JRX_MEASURED);
    return 2;
}

const struct ex_experiment exp_learning = {.name = "learning",
                                           .title = "Training of teacher and students",
                                           .question =
                                               "Cross-entropy on fresh slots of the simulated uplink against training "
                                               "time (measured) and energy (see its label): a "
                                               "teacher, a student from scratch, and the same student distilled. The "
                                               "teacher's own inference is part of distillation.",
                                           .needs = "",
                                           .order = 40,
                                           .column = columns,
                                           .columns = sizeof columns / sizeof *columns,
                                           .summary = &summary_schema,
                                           .also = "networks.csv",
                                           .also_schema = &ex_networks_schema,
                                           .plan = plan,
                                           .label = label,
                                           .cell_s = cell_s,
                                           .begin = begin,
                                           .cell = cell,
                                           .end = end,
                                           .conclude = conclude};
