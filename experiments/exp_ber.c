/*
 * How good are the receivers? Bit error rate against SINR on 26 PRB, the same slots for every receiver and SINR: the
 * three trained networks beside a classical receiver and one that knows the channel.
 */
#include "experiments/experiment.h"
#include "experiments/networks.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "models/link/evaluate.h"
#include "models/link/receivers.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double sinr_db[] = {0, 3, 6, 9, 12, 15, 18, 21};
enum { POINTS = 8, BLOCKS = 12, CLASSICAL = 2, RECEIVERS = RX_ROLES + CLASSICAL };
static const char *const names[RECEIVERS] = {"teacher", "scratch", "distilled", "ls", "genie"};

static const struct jrx_column columns[] = {
    {"sinr_db", JRX_REAL,
     "SINR per resource element and antenna, by ensemble-average power (no interferer: noise alone)"},
    {"slots", JRX_INTEGER, "slots of this block"},
    {"bits", JRX_INTEGER, "data bits of this block"},
    {"teacher_errors", JRX_INTEGER, "wrong bits of the teacher"},
    {"scratch_errors", JRX_INTEGER, "wrong bits of the student trained alone"},
    {"distilled_errors", JRX_INTEGER, "wrong bits of the distilled student"},
    {"ls_errors", JRX_INTEGER, "wrong bits of least squares, linear interpolation, LMMSE equaliser"},
    {"genie_errors", JRX_INTEGER, "wrong bits of the receiver that knows the channel"},
};

struct state {
    struct rx_receiver network[RX_ROLES];
    struct lk_receiver receiver[RECEIVERS];
    struct lk_config link;
};

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    *plan = (struct ex_plan){
        .cells = POINTS, .reps = BLOCKS, .shuffled = 1, .item_s = settings->preset->slots / (100.0 * BLOCKS)};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    (void)settings;
    snprintf(text, size, "sinr=%gdB", sinr_db[cell]);
}

static int begin(struct ex_run *run)
{
    struct state *state = run->state = calloc(1, sizeof *state);
    int status = state ? ex_networks_load(run, state->network) : jrx_fail(JRX_ENOMEM, "ber: no memory");
    if (!status)
        status = ex_validation_link(run->settings, &state->link);
    for (int i = 0; i < RX_ROLES && !status; i++)
        state->receiver[i] = rx_lk_receiver(&state->network[i], names[i]);
    if (!status) {
        state->receiver[RX_ROLES] = *lk_receiver_get("ls");
        state->receiver[RX_ROLES + 1] = *lk_receiver_get("genie");
    }
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    if (state)
        ex_networks_fini(state->network);
    free(state);
    run->state = NULL;
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    struct state *state = run->state;
    int slots = (run->settings->preset->slots + BLOCKS - 1) / BLOCKS;
    struct lk_evaluation evaluation = {.config = state->link,
                                       .receivers = state->receiver,
                                       .receiver_count = RECEIVERS,
                                       .snr_db = &sinr_db[index],
                                       .points = 1,
                                       .seed = run->settings->seed + 1, /* not the slots of training */
                                       .first_slot = (uint64_t)(rep * slots),
                                       .slots = slots,
                                       .threads = run->settings->threads};
    int status = lk_evaluate(&evaluation);
    if (!status) {
        jrx_put_real(samples, "sinr_db", sinr_db[index]);
        jrx_put_integer(samples, "slots", evaluation.results[0].slots);
        jrx_put_integer(samples, "bits", evaluation.results[0].bits);
        for (int i = 0; i < RECEIVERS; i++) {
            char column[32];
            snprintf(column, sizeof column, "%s_errors", names[i]);
            jrx_put_integer(samples, column, evaluation.results[i].bit_errors);
        }
        snprintf(words, size, "ber teacher %.2g, scratch %.2g, distilled %.2g", evaluation.results[0].ber,
                 evaluation.results[1].ber, evaluation.results[2].ber);
    }
    lk_evaluation_fini(&evaluation);
    return status;
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"sinr_db", JRX_REAL, "SINR per resource element and antenna, by ensemble-average power"},
    {"receiver", JRX_TEXT, "teacher, scratch, distilled, ls or genie"},
    {"bits", JRX_INTEGER, "data bits"},
    {"bit_errors", JRX_INTEGER, "wrong ones"},
    {"ber_ratio", JRX_REAL, "bit error rate, uncoded, counted on the simulated uplink"},
    {"ber_ci_lo_ratio", JRX_REAL, "lower end of its 95 % interval, bootstrap over blocks of slots"},
    {"ber_ci_hi_ratio", JRX_REAL, "upper end"},
};
static const struct jrx_schema summary_schema = {"ber summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

/* Errors of each block at one point, and the bits they are of. */
static int blocks_of(const struct ex_run *run, const struct jrx_csv *samples, int point, const char *receiver,
                     double *errors, double *bits)
{
    char name[32], column[32];
    label(run->settings, point, name, sizeof name);
    snprintf(column, sizeof column, "%s_errors", receiver);
    int count = ex_series(samples, name, column, errors, BLOCKS);
    int same = count < 0 ? count : ex_series(samples, name, "bits", bits, BLOCKS);
    if (same >= 0 && (same != BLOCKS || count != BLOCKS))
        return jrx_fail(JRX_EFORMAT, "ber: %d of %d blocks at %s", count, BLOCKS, name);
    return same < 0 ? same : 0;
}

static double sum(const double *values)
{
    double total = 0;
    for (int i = 0; i < BLOCKS; i++)
        total += values[i];
    return total;
}

struct summary {
    const struct ex_run *run;
    const struct jrx_csv *samples;
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    double errors[BLOCKS], bits[BLOCKS], interval[2];
    int point = row % POINTS; /* a curve's points follow one another */
    const char *receiver = names[row / POINTS];
    int status = blocks_of(summary->run, summary->samples, point, receiver, errors, bits);
    if (!status)
        status = lk_bootstrap(errors, bits, BLOCKS, 1, interval);
    if (status)
        return status;
    jrx_put_real(table, "sinr_db", sinr_db[point]);
    jrx_put_text(table, "receiver", receiver);
    jrx_put_integer(table, "bits", (int64_t)sum(bits));
    jrx_put_integer(table, "bit_errors", (int64_t)sum(errors));
    jrx_put_real(table, "ber_ratio", sum(errors) / sum(bits));
    jrx_put_real(table, "ber_ci_lo_ratio", interval[0]);
    jrx_put_real(table, "ber_ci_hi_ratio", interval[1]);
    return 0;
}

/* BER of `a` over BER of `b` in the points from..POINTS-1 together, blocks drawn as pairs: the same slots made both. */
static int paired_ratio(const struct ex_run *run, const struct jrx_csv *samples, const char *a, const char *b, int from,
                        struct jrx_estimate *ratio)
{
    double ea[BLOCKS] = {0}, eb[BLOCKS] = {0}, errors[BLOCKS], bits[BLOCKS];
    for (int point = from; point < POINTS; point++) {
        int status = blocks_of(run, samples, point, a, errors, bits);
        for (int i = 0; i < BLOCKS && !status; i++)
            ea[i] += errors[i];
        if (!status)
            status = blocks_of(run, samples, point, b, errors, bits);
        for (int i = 0; i < BLOCKS && !status; i++)
            eb[i] += errors[i];
        if (status)
            return status;
    }
    double interval[2];
    int status = lk_bootstrap(ea, eb, BLOCKS, 1, interval);
    *ratio = (struct jrx_estimate){sum(ea) / sum(eb), interval[0], interval[1], BLOCKS};
    return status;
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    struct summary summary = {run, samples};
    struct jrx_estimate low, classical;
    int status = ex_summary(run->dir, &summary_schema, POINTS * RECEIVERS, put_row, &summary);
    if (!status)
        status = paired_ratio(run, samples, "distilled", "scratch", POINTS - 2, &low);
    if (!status)
        status = paired_ratio(run, samples, "teacher", "ls", 0, &classical);
    if (status)
        return status;
    claims[0] = ex_claim_make(
        "kd-floor", "A distilled student has a lower error floor than the same student trained from scratch.",
        "BER of the distilled over BER of the scratch student at 18 and 21 dB SINR, same slots; one "
        "training each, so the interval covers the slots and not the luck of training",
        &low, ex_verdict_of(low.low, low.high, 1, 1), JRX_SIMULATED);
    claims[1] =
        ex_claim_make("deeprx-ls", "DeepRx makes fewer bit errors than least squares with interpolation and LMMSE.",
                      "bit errors of the teacher over those of LS at 0 to 21 dB SINR together, same slots", &classical,
                      ex_verdict_of(classical.low, classical.high, 1, 1), JRX_SIMULATED);
    return 2;
}

const struct ex_experiment exp_ber = {
    .name = "ber",
    .title = "Bit error rate against SINR",
    .question = "Uncoded bit error rate of 16QAM on 26 PRB, two antennas, TDL channels: teacher, distilled student, "
                "the same student from "
                "scratch, a classical receiver, and one that knows the channel. Counted on a simulated uplink.",
    .needs = "learning",
    .order = 50,
    .column = columns,
    .columns = sizeof columns / sizeof *columns,
    .summary = &summary_schema,
    .plan = plan,
    .label = label,
    .begin = begin,
    .cell = cell,
    .end = end,
    .conclude = conclude};
