/*
 * What does quality cost? Time and energy of one slot's inference for each kind of receiver, classical ones included,
 * beside its bit error rate.
 */
#include "experiments/quality.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "models/link/receivers.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double quality_db = 15; /* quality is read at the point of experiment ber next to it */

static const struct jrx_column columns[] = {
    EX_MEASURE_COLUMNS,
    {"receiver", JRX_TEXT, "a network of experiment learning (of several trainings the first), ls, lmmse or genie"},
    {"parameters", JRX_INTEGER, "trainable numbers; empty: classical"},
    {"flop", JRX_REAL, "useful FLOP of the convolutions of one slot; empty: classical, not counted"},
    {"bits", JRX_INTEGER, "data bits of the slot"},
};

struct state {
    struct rx_receiver *network;  /* [receivers of ex_receivers()] */
    struct nn_context *context;   /* one thread each, so that networks of any size are compared alike */
    struct lk_detector *detector; /* of the classical ones */
    uint64_t *iters;
    struct lk_slot slot;
    float *llr;
    int64_t bits;
    int neural, current;
};

/* Cell -> receiver of ex_receivers(): teachers and students of the comparison of widths, of several trainings the
 * first; then the classical ones. -1 beyond the last. */
static int receiver_of(const struct ex_zoo *zoo, int cell)
{
    for (int i = 0; i < ex_receivers(zoo); i++) {
        const struct ex_network *network = i < zoo->count ? &zoo->network[i] : NULL;
        int measured = !network || network->role == RX_TEACHER || (network->sweeps & EX_WIDTH && network->seed == 1);
        if (measured && cell-- == 0)
            return i;
    }
    return -1;
}

static int cells_of(const struct ex_zoo *zoo)
{
    int cells = 0;
    while (receiver_of(zoo, cells) >= 0)
        cells++;
    return cells;
}

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    *plan = (struct ex_plan){.cells = cells_of(settings->zoo),
                             .reps = settings->preset->reps,
                             .shuffled = 1,
                             .item_s = 2 * settings->preset->window_s};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    snprintf(text, size, "%s", ex_receiver_name(settings->zoo, receiver_of(settings->zoo, cell)));
}

static int open_receiver(struct ex_run *run, struct state *state, int receiver, const struct lk_config *link)
{
    const struct ex_zoo *zoo = run->settings->zoo;
    if (receiver >= zoo->count) {
        const struct lk_receiver *classical = lk_receiver_get(ex_receiver_name(zoo, receiver));
        return classical->detector_new(classical->context, link, &state->detector[receiver - zoo->count]);
    }
    int status = ex_network_load(run, &zoo->network[receiver], &state->network[receiver]);
    return status ? status
                  : nn_context_init(&state->context[receiver], &state->network[receiver].net, NN_FUSED_INFERENCE, 1,
                                    state->slot.f, state->slot.t, 1);
}

static int begin(struct ex_run *run)
{
    const struct ex_zoo *zoo = run->settings->zoo;
    struct lk_config link;
    struct state *state = run->state = calloc(1, sizeof *state);
    if (!state || !(state->network = calloc((size_t)zoo->count, sizeof *state->network)) ||
        !(state->context = calloc((size_t)zoo->count, sizeof *state->context)) ||
        !(state->detector = calloc(EX_CLASSICAL, sizeof *state->detector)) ||
        !(state->iters = calloc((size_t)ex_receivers(zoo), sizeof *state->iters)))
        return jrx_fail(JRX_ENOMEM, "frontier: no memory");
    int status = ex_validation_link(run->settings, &link);
    link.snr_db[0] = link.snr_db[1] = quality_db;
    if (!status)
        status = lk_slot_init(&state->slot, &link);
    if (status)
        return status;
    lk_slot_draw(&state->slot, &link, run->settings->seed, 0);
    const size_t res = (size_t)state->slot.f * (size_t)state->slot.t;
    for (size_t i = 0; i < res; i++)
        state->bits += state->slot.re[i] == LK_DATA ? state->slot.bits : 0;
    if (!(state->llr = jrx_alloc(res * (size_t)state->slot.bits * sizeof *state->llr)))
        return JRX_ENOMEM;
    for (int i = 0; i < cells_of(zoo) && !status; i++)
        status = open_receiver(run, state, receiver_of(zoo, i), &link);
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    const struct ex_zoo *zoo = run->settings->zoo;
    for (int i = 0; state && state->context && i < zoo->count; i++) {
        nn_context_fini(&state->context[i]);
        rx_receiver_fini(&state->network[i]);
    }
    for (int i = 0; state && state->detector && i < EX_CLASSICAL; i++)
        if (state->detector[i].self)
            lk_receiver_get(ex_receiver_name(zoo, zoo->count + i))->detector_free(&state->detector[i]);
    if (state) {
        free(state->network);
        free(state->context);
        free(state->detector);
        free(state->iters);
        free(state->llr);
        lk_slot_fini(&state->slot);
    }
    free(state);
    run->state = NULL;
}

static void receive(void *context)
{
    struct state *state = context;
    if (state->current < state->neural) {
        rx_receiver_run(&state->network[state->current], &state->context[state->current], &state->slot);
        return;
    }
    const struct lk_detector *detector = &state->detector[state->current - state->neural];
    detector->detect(detector->self, &state->slot, state->llr);
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    const struct ex_zoo *zoo = run->settings->zoo;
    int receiver = state->current = receiver_of(zoo, index), neural = receiver < zoo->count;
    state->neural = zoo->count;
    double flop =
        neural ? nn_forward_flop(&state->network[receiver].net, 1, state->slot.f, state->slot.t) : (double)NAN;
    double time_ns;
    const struct jrx_region region = {.fn = receive, .ctx = state, .work = {flop, NAN, NAN, NAN, NAN}};
    jrx_put_text(samples, "receiver", ex_receiver_name(zoo, receiver));
    if (neural)
        jrx_put_integer(samples, "parameters", nn_parameters(&state->network[receiver].net));
    jrx_put_real(samples, "flop", flop);
    jrx_put_integer(samples, "bits", state->bits);
    int status = ex_measure(run, &region, &state->iters[index], samples, &time_ns);
    if (!status)
        snprintf(words, size, "%.2f ms a slot", time_ns * 1e-6);
    return status;
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"receiver", JRX_TEXT, "a network of experiment learning (of several trainings the first), ls, lmmse or genie"},
    {"role", JRX_TEXT, "teacher, scratch, distilled or classical"},
    {"width_ratio", JRX_REAL, "factor on the channels of its body; empty: classical"},
    {"flop", JRX_REAL, "useful FLOP of the convolutions of one slot; empty: classical, not counted"},
    {"time_ms", JRX_REAL, "median time of one slot on one thread, measured"},
    {"time_ci_lo_ms", JRX_REAL, "lower end of its 95 % interval"},
    {"time_ci_hi_ms", JRX_REAL, "upper end"},
    {"energy_mj", JRX_REAL, "median energy of one slot, of the source in energy_source"},
    {"energy_ci_lo_mj", JRX_REAL, "lower end of its 95 % interval"},
    {"energy_ci_hi_mj", JRX_REAL, "upper end"},
    {"energy_per_correct_bit_uj", JRX_REAL, "energy of a slot over its correctly received bits"},
    {"energy_per_correct_bit_ci_lo_uj", JRX_REAL, "lower end: of the energy alone"},
    {"energy_per_correct_bit_ci_hi_uj", JRX_REAL, "upper end: of the energy alone"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"sinr_db", JRX_REAL, "SINR at which the quality was counted"},
    {"ber_ratio", JRX_REAL, "bit error rate there, from experiment ber: geometric mean over the trainings"},
    {"ber_ci_lo_ratio", JRX_REAL, "lower end of its 95 % interval, over trainings; with a single one over slots"},
    {"ber_ci_hi_ratio", JRX_REAL, "upper end"},
};
static const struct jrx_schema summary_schema = {"frontier summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

/* The point of experiment ber next to quality_db. */
static int quality_point(const struct ex_quality *quality)
{
    int best = 0;
    for (int i = 1; i < quality->points; i++)
        if (fabs(quality->sinr_db[i] - quality_db) < fabs(quality->sinr_db[best] - quality_db))
            best = i;
    return best;
}

/* BER of a receiver there, over all its trainings. */
static int quality_of(const struct ex_zoo *zoo, const struct ex_quality *quality, int receiver,
                      struct jrx_estimate *ber)
{
    int same[EX_MAX_SEEDS] = {receiver}, seeds = 1, point = quality_point(quality);
    if (receiver < zoo->count && zoo->network[receiver].role != RX_TEACHER)
        for (seeds = 0; seeds < zoo->seeds; seeds++)
            same[seeds] = ex_zoo_student(zoo, zoo->network[receiver].role, zoo->network[receiver].width, seeds + 1);
    return ex_ber_of(quality, same, seeds, point, point + 1, ber);
}

struct summary {
    const struct jrx_csv *samples;
    const struct ex_zoo *zoo;
    const struct ex_quality *quality;
    const char *source;
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct ex_zoo *zoo = summary->zoo;
    const struct jrx_csv *samples = summary->samples;
    int receiver = receiver_of(zoo, row), status;
    const struct ex_network *network = receiver < zoo->count ? &zoo->network[receiver] : NULL;
    const char *name = ex_receiver_name(zoo, receiver);
    struct jrx_estimate time, energy, flop, bits, ber;
    if ((status = ex_median(samples, name, "time_ns", &time)) ||
        (status = ex_median(samples, name, "energy_j", &energy)) ||
        (status = ex_median(samples, name, "flop", &flop)) || (status = ex_median(samples, name, "bits", &bits)) ||
        (status = quality_of(zoo, summary->quality, receiver, &ber)))
        return status;
    jrx_put_text(table, "receiver", name);
    jrx_put_text(table, "role", network ? rx_role_name(network->role) : "classical");
    jrx_put_real(table, "width_ratio", network ? network->width : (double)NAN);
    jrx_put_real(table, "flop", flop.value);
    ex_put_estimate(table, "time", "ms", &time, 1e-6);
    ex_put_estimate(table, "energy", "mj", &energy, 1e3);
    ex_put_estimate(table, "energy_per_correct_bit", "uj", &energy, 1e6 / (bits.value * (1 - ber.value)));
    jrx_put_text(table, "energy_source", summary->source);
    jrx_put_real(table, "sinr_db", summary->quality->sinr_db[quality_point(summary->quality)]);
    ex_put_estimate(table, "ber", "ratio", &ber, 1);
    return 0;
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    const struct ex_zoo *zoo = run->settings->zoo;
    struct ex_quality quality;
    struct summary summary = {samples, zoo, &quality, ""};
    struct jrx_estimate time, energy, of_student, of_teacher;
    const int first = ex_zoo_student(zoo, RX_DISTILLED, zoo->middle, 1);
    const char *student = zoo->network[first].name, *teacher = zoo->network[0].name;
    char note[256];
    int status = ex_quality_read(&quality, run);
    if (!status)
        status = ex_only_text(samples, "energy_source", &summary.source);
    if (!status)
        status = ex_summary(run->dir, &summary_schema, cells_of(zoo), put_row, &summary);
    if (!status && !(status = ex_ratio(samples, student, teacher, "energy_j", &energy)) &&
        !(status = ex_ratio(samples, student, teacher, "time_ns", &time)) &&
        !(status = quality_of(zoo, &quality, first, &of_student)))
        status = quality_of(zoo, &quality, 0, &of_teacher);
    enum jrx_source source = ex_source(summary.source);
    if (!status)
        snprintf(note, sizeof note,
                 "inference of the student of width %g over that of its teacher (%g), one thread; at %g dB SINR their "
                 "BER is %.2g and %.2g",
                 zoo->middle, zoo->network[0].width, quality.sinr_db[quality_point(&quality)], of_student.value,
                 of_teacher.value);
    ex_quality_fini(&quality);
    if (status)
        return status;
    claims[0] = ex_claim_make("student-energy",
                              "The distilled student receives a slot with less than half the energy of its teacher.",
                              note, &energy, ex_verdict_of_energy(source, energy.low, energy.high, 0.5, 1), source);
    claims[1] = ex_claim_make("student-time",
                              "The distilled student receives a slot in less than half the time of its teacher.", note,
                              &time, ex_verdict_of(time.low, time.high, 0.5, 1), JRX_MEASURED);
    return 2;
}

const struct ex_experiment exp_frontier = {
    .name = "frontier",
    .title = "Energy against quality",
    .question = "Each receiver at 15 dB SINR, classical ones included: energy per correctly received bit "
                "(see its label) and time (measured) against its bit "
                "error rate. Towards the lower left is better.",
    .needs = "learning,ber",
    .order = 60,
    .column = columns,
    .columns = sizeof columns / sizeof *columns,
    .summary = &summary_schema,
    .plan = plan,
    .label = label,
    .begin = begin,
    .cell = cell,
    .end = end,
    .conclude = conclude};
