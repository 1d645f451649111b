/*
 * What does quality cost? Time and energy of one slot's inference for each trained receiver, beside its bit error rate.
 */
#include "experiments/experiment.h"
#include "experiments/networks.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUALITY_DB = 15 }; /* the SINR at which quality is read from experiment ber */

static const struct jrx_column columns[] = {
    EX_MEASURE_COLUMNS,
    {"network", JRX_TEXT, "teacher, scratch or distilled"},
    {"parameters", JRX_INTEGER, "trainable numbers"},
    {"flop", JRX_REAL, "useful FLOP of the convolutions of one slot"},
    {"bits", JRX_INTEGER, "data bits of the slot"},
};

struct state {
    struct rx_receiver network[RX_ROLES];
    struct lk_slot slot;
    int64_t bits;
    uint64_t iters[RX_ROLES];
    struct nn_context
        context[RX_ROLES]; /* one thread each, so that networks of any size are compared at the same parallelism */
    int current;
};

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    *plan = (struct ex_plan){
        .cells = RX_ROLES, .reps = settings->preset->reps, .shuffled = 1, .item_s = 2 * settings->preset->window_s};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    (void)settings;
    snprintf(text, size, "%s", rx_role_name((enum rx_role)cell));
}

static int begin(struct ex_run *run)
{
    struct lk_config link;
    struct state *state = run->state = calloc(1, sizeof *state);
    int status = state ? ex_networks_load(run, state->network) : jrx_fail(JRX_ENOMEM, "frontier: no memory");
    if (!status)
        status = ex_validation_link(run->settings, &link);
    if (!status)
        status = lk_slot_init(&state->slot, &link);
    if (status)
        return status;
    lk_slot_draw(&state->slot, &link, run->settings->seed, 0);
    for (int i = 0; i < state->slot.f * state->slot.t; i++)
        state->bits += state->slot.re[i] == LK_DATA ? state->slot.bits : 0;
    for (int i = 0; i < RX_ROLES && !status; i++)
        status = nn_context_init(&state->context[i], &state->network[i].net, NN_INFERENCE, 1, state->slot.f,
                                 state->slot.t, 1);
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    if (state) {
        for (int i = 0; i < RX_ROLES; i++)
            nn_context_fini(&state->context[i]);
        ex_networks_fini(state->network);
        lk_slot_fini(&state->slot);
    }
    free(state);
    run->state = NULL;
}

static void receive(void *context)
{
    struct state *state = context;
    rx_receiver_run(&state->network[state->current], &state->context[state->current], &state->slot);
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    state->current = index;
    double flop = nn_forward_flop(&state->network[index].net, 1, state->slot.f, state->slot.t), time_ns;
    const struct jrx_region region = {.fn = receive, .ctx = state, .work = {flop, NAN, NAN, NAN, NAN}};
    jrx_put_text(samples, "network", rx_role_name((enum rx_role)index));
    jrx_put_integer(samples, "parameters", nn_parameters(&state->network[index].net));
    jrx_put_real(samples, "flop", flop);
    jrx_put_integer(samples, "bits", state->bits);
    int status = ex_measure(run, &region, &state->iters[index], samples, &time_ns);
    if (!status)
        snprintf(words, size, "%.2f ms a slot", time_ns * 1e-6);
    return status;
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"network", JRX_TEXT, "teacher, scratch or distilled"},
    {"flop", JRX_REAL, "useful FLOP of the convolutions of one slot"},
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
    {"ber_ratio", JRX_REAL, "bit error rate there, from experiment ber"},
    {"ber_ci_lo_ratio", JRX_REAL, "lower end of its 95 % interval"},
    {"ber_ci_hi_ratio", JRX_REAL, "upper end"},
};
static const struct jrx_schema summary_schema = {"frontier summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

struct quality {
    double ber, lo, hi;
};

/* Bit error rates at QUALITY_DB, from the summary of experiment ber in the same run. */
static int read_quality(const struct ex_run *run, struct quality *quality)
{
    char path[PATH_MAX + 32];
    struct jrx_csv *csv;
    snprintf(path, sizeof path, "%s/ber/summary.csv", run->base);
    int status = jrx_csv_read(&csv, path, NULL);
    if (status)
        return status;
    int sinr = jrx_csv_find(csv, "sinr_db"), receiver = jrx_csv_find(csv, "receiver"),
        ber = jrx_csv_find(csv, "ber_ratio"), lo = jrx_csv_find(csv, "ber_ci_lo_ratio"),
        hi = jrx_csv_find(csv, "ber_ci_hi_ratio");
    if (sinr < 0 || receiver < 0 || ber < 0 || lo < 0 || hi < 0)
        status = JRX_EFORMAT;
    for (size_t row = 0; !status && row < jrx_csv_rows(csv); row++) {
        double db;
        status = jrx_csv_real(csv, row, (size_t)sinr, &db);
        for (int i = 0; i < RX_ROLES && !status && db == QUALITY_DB; i++)
            if (!strcmp(jrx_csv_text(csv, row, (size_t)receiver), rx_role_name((enum rx_role)i)) &&
                !(status = jrx_csv_real(csv, row, (size_t)ber, &quality[i].ber)) &&
                !(status = jrx_csv_real(csv, row, (size_t)lo, &quality[i].lo)))
                status = jrx_csv_real(csv, row, (size_t)hi, &quality[i].hi);
    }
    jrx_csv_free(csv);
    return status;
}

static int put_network(const struct jrx_csv *samples, int network, const struct quality *quality,
                       struct jrx_table *table)
{
    struct jrx_estimate time, energy, flop, bits;
    const char *name = rx_role_name((enum rx_role)network);
    int status;
    if ((status = ex_median(samples, name, "time_ns", &time)) ||
        (status = ex_median(samples, name, "energy_j", &energy)) ||
        (status = ex_median(samples, name, "flop", &flop)) || (status = ex_median(samples, name, "bits", &bits)))
        return status;
    jrx_put_text(table, "network", name);
    jrx_put_real(table, "flop", flop.value);
    ex_put_estimate(table, "time", "ms", &time, 1e-6);
    ex_put_estimate(table, "energy", "mj", &energy, 1e3);
    ex_put_estimate(table, "energy_per_correct_bit", "uj", &energy, 1e6 / (bits.value * (1 - quality->ber)));
    jrx_put_real(table, "sinr_db", QUALITY_DB);
    jrx_put_real(table, "ber_ratio", quality->ber);
    jrx_put_real(table, "ber_ci_lo_ratio", quality->lo);
    jrx_put_real(table, "ber_ci_hi_ratio", quality->hi);
    return 0;
}

struct summary {
    const struct jrx_csv *samples;
    const struct quality *quality;
    const char *source;
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    jrx_put_text(table, "energy_source", summary->source);
    return put_network(summary->samples, row, &summary->quality[row], table);
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    struct quality quality[RX_ROLES] = {{NAN, NAN, NAN}, {NAN, NAN, NAN}, {NAN, NAN, NAN}};
    struct summary summary = {samples, quality, ""};
    struct jrx_estimate time, energy;
    const char *student = rx_role_name(RX_DISTILLED), *teacher = rx_role_name(RX_TEACHER);
    char note[256];
    int status = ex_only_text(samples, "energy_source", &summary.source);
    if (!status)
        status = read_quality(run, quality);
    if (!status)
        status = ex_summary(run->dir, &summary_schema, RX_ROLES, put_row, &summary);
    if (!status && !(status = ex_ratio(samples, student, teacher, "energy_j", &energy)))
        status = ex_ratio(samples, student, teacher, "time_ns", &time);
    if (status)
        return status;
    enum jrx_source source = ex_source(summary.source);
    snprintf(note, sizeof note,
             "inference of the student over that of its teacher, one thread; at %d dB SINR their BER is %.2g and %.2g",
             QUALITY_DB, quality[RX_DISTILLED].ber, quality[RX_TEACHER].ber);
    claims[0] = ex_claim_make("student-energy",
                              "The distilled student receives a slot with less than half the energy of its teacher.",
                              note, &energy, ex_verdict_of_energy(source, energy.low, energy.high, 0.5, 1), source);
    claims[1] = ex_claim_make("student-time",
                              "The distilled student receives a slot in less than half the time of its teacher.", note,
                              &time, ex_verdict_of(time.low, time.high, 0.5, 1), JRX_MEASURED);
    return 2;
}

const struct ex_experiment exp_frontier = {.name = "frontier",
                                           .title = "Energy against quality",
                                           .question =
                                               "Each trained receiver at 15 dB SINR: energy per correctly received bit "
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
