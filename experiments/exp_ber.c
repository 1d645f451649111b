/*
 * How good are the receivers? Bit error rate against SINR on 26 PRB, the same slots for every receiver and SINR: the
 * trained networks beside two classical receivers and one that knows the channel. A cell is a receiver at a SINR, a
 * repetition a block of slots.
 */
#include "experiments/quality.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "models/link/evaluate.h"
#include "models/link/receivers.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct jrx_column columns[] = {
    {"receiver", JRX_TEXT, "a network of experiment learning; ls, lmmse: classical; genie: knows the channel"},
    {"sinr_db", JRX_REAL,
     "SINR per resource element and antenna, by ensemble-average power (no interferer: noise alone)"},
    {"slots", JRX_INTEGER, "slots of this block"},
    {"bits", JRX_INTEGER, "data bits of this block"},
    {"bit_errors", JRX_INTEGER, "wrong ones"},
};

struct state {
    struct rx_receiver *network;  /* [zoo->count] */
    struct lk_receiver *receiver; /* [ex_receivers()] */
    struct lk_config link;
};

static int points(const struct ex_settings *settings)
{
    return settings->preset->sinr_db.count;
}

static int slots_a_block(const struct ex_settings *settings)
{
    return (settings->preset->slots + EX_BLOCKS - 1) / EX_BLOCKS;
}

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    const struct ex_zoo *zoo = settings->zoo;
    const double classical_s = 2e-3; /* a slot of 26 PRB, all three: the LMMSE design is most of it */
    double flop = 0, res = (double)settings->preset->grid_f * LK_SYMBOLS;
    for (int i = 0; i < zoo->count; i++)
        flop += zoo->network[i].slot_flop / ex_network_share(&zoo->network[i]) * res;
    *plan =
        (struct ex_plan){.cells = ex_receivers(zoo) * points(settings),
                         .reps = EX_BLOCKS,
                         .shuffled = 1,
                         .together = points(settings),
                         .things = "receivers",
                         .parts = "SINR points",
                         .item_s = slots_a_block(settings) *
                                   (flop / settings->flop_per_s + classical_s / settings->threads) / ex_receivers(zoo)};
    return 0;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    snprintf(text, size, "%s,sinr=%gdB", ex_receiver_name(settings->zoo, cell / points(settings)),
             settings->preset->sinr_db.value[cell % points(settings)]);
}

static int begin(struct ex_run *run)
{
    const struct ex_zoo *zoo = run->settings->zoo;
    struct state *state = run->state = calloc(1, sizeof *state);
    if (!state || !(state->network = calloc((size_t)zoo->count, sizeof *state->network)) ||
        !(state->receiver = calloc((size_t)ex_receivers(zoo), sizeof *state->receiver)))
        return jrx_fail(JRX_ENOMEM, "ber: no memory");
    int status = ex_validation_link(run->settings, &state->link);
    for (int i = 0; i < ex_receivers(zoo) && !status; i++) {
        const char *name = ex_receiver_name(zoo, i);
        if (i >= zoo->count) {
            state->receiver[i] = *lk_receiver_get(name);
            continue;
        }
        status = ex_network_load(run, &zoo->network[i], &state->network[i]);
        state->receiver[i] = rx_lk_receiver(&state->network[i], name);
    }
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int i = 0; state && state->network && i < run->settings->zoo->count; i++)
        rx_receiver_fini(&state->network[i]);
    if (state) {
        free(state->network);
        free(state->receiver);
    }
    free(state);
    run->state = NULL;
}

static int cell(struct ex_run *run, int index, int rep, struct jrx_table *samples, char *words, size_t size)
{
    struct state *state = run->state;
    int slots = slots_a_block(run->settings), which = index / points(run->settings);
    const double *sinr_db = &run->settings->preset->sinr_db.value[index % points(run->settings)];
    struct lk_evaluation evaluation = {.config = state->link,
                                       .receivers = &state->receiver[which],
                                       .receiver_count = 1,
                                       .snr_db = sinr_db,
                                       .points = 1,
                                       .seed = run->settings->seed + 500000, /* not the slots of any training */
                                       .first_slot = (uint64_t)(rep * slots),
                                       .slots = slots,
                                       .threads = run->settings->threads};
    int status = lk_evaluate(&evaluation);
    if (!status) {
        jrx_put_text(samples, "receiver", ex_receiver_name(run->settings->zoo, which));
        jrx_put_real(samples, "sinr_db", *sinr_db);
        jrx_put_integer(samples, "slots", evaluation.results[0].slots);
        jrx_put_integer(samples, "bits", evaluation.results[0].bits);
        jrx_put_integer(samples, "bit_errors", evaluation.results[0].bit_errors);
        snprintf(words, size, "ber %.2g", evaluation.results[0].ber);
    }
    lk_evaluation_fini(&evaluation);
    return status;
}

/* ---- conclusion ----------------------------------------------------------------------------------------------- */

static const struct jrx_column summary_columns[] = {
    {"receiver", JRX_TEXT, "a network of experiment learning, ls, lmmse or genie"},
    {"role", JRX_TEXT, "teacher, scratch, distilled or classical"},
    {"width_ratio", JRX_REAL, "factor on the channels of its body; empty: classical"},
    {"seed", JRX_INTEGER, "which of the trainings of its kind; 0: a teacher or classical"},
    {"compared", JRX_INTEGER, "1: belongs to the comparison of widths, which the figure shows"},
    {"sinr_db", JRX_REAL, "SINR per resource element and antenna, by ensemble-average power"},
    {"bits", JRX_INTEGER, "data bits"},
    {"bit_errors", JRX_INTEGER, "wrong ones"},
    {"ber_ratio", JRX_REAL, "bit error rate, uncoded, counted on the simulated uplink"},
    {"ber_ci_lo_ratio", JRX_REAL, "lower end of its 95 % interval, bootstrap over blocks of slots"},
    {"ber_ci_hi_ratio", JRX_REAL, "upper end"},
};
static const struct jrx_schema summary_schema = {"ber summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

struct summary {
    const struct ex_zoo *zoo;
    const struct ex_quality *quality;
};

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct ex_quality *quality = summary->quality;
    const struct ex_zoo *zoo = summary->zoo;
    int point = row % quality->points, receiver = row / quality->points; /* a curve's points follow one another */
    const struct ex_network *network = receiver < zoo->count ? &zoo->network[receiver] : NULL;
    struct jrx_estimate ber;
    int status = ex_ber(quality, receiver, point, point + 1, &ber);
    if (status)
        return status;
    jrx_put_text(table, "receiver", ex_receiver_name(zoo, receiver));
    jrx_put_text(table, "role", network ? rx_role_name(network->role) : "classical");
    jrx_put_real(table, "width_ratio", network ? network->width : (double)NAN);
    jrx_put_integer(table, "seed", network ? network->seed : 0);
    jrx_put_integer(table, "compared", !network || network->sweeps & EX_WIDTH);
    jrx_put_real(table, "sinr_db", quality->sinr_db[point]);
    jrx_put_integer(table, "bits", llround(ex_bits(quality, receiver, point, point + 1)));
    jrx_put_integer(table, "bit_errors", llround(ex_bit_errors(quality, receiver, point, point + 1)));
    jrx_put_real(table, "ber_ratio", ber.value);
    jrx_put_real(table, "ber_ci_lo_ratio", ber.low);
    jrx_put_real(table, "ber_ci_hi_ratio", ber.high);
    return 0;
}

/* ---- curves: the trainings of a kind together ---- */

static const struct jrx_column curve_columns[] = {
    {"curve", JRX_TEXT, "teacher, scratch, distilled, ls, lmmse or genie"},
    {"width_ratio", JRX_REAL, "factor on the channels of its body; empty: classical"},
    {"trainings", JRX_INTEGER, "of the network; intervals are over them and slots, with a single one over slots"},
    {"sinr_db", JRX_REAL, "SINR per resource element and antenna, by ensemble-average power"},
    EX_ESTIMATE_COLUMNS("ber", "ratio",
                        "bit error rate, geometric mean over trainings; empty: one of them made no error"),
};
static const struct jrx_schema curve_schema = {"ber curves", curve_columns,
                                               sizeof curve_columns / sizeof *curve_columns};

/* Curve 0 is the teacher, then those of each width in pairs, then the classical receivers. */
static int curves(const struct ex_zoo *zoo)
{
    return 1 + 2 * zoo->widths.count + EX_CLASSICAL;
}

static int put_curve(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct ex_zoo *zoo = summary->zoo;
    const int point = row % summary->quality->points, curve = row / summary->quality->points,
              classical = curve - 1 - 2 * zoo->widths.count, student = curve > 0 && classical < 0,
              seeds = student ? zoo->seeds : 1;
    const enum rx_role role = !student ? RX_TEACHER : curve % 2 ? RX_SCRATCH : RX_DISTILLED;
    const double width = student ? zoo->widths.value[(curve - 1) / 2] : zoo->network[0].width;
    int receiver[EX_MAX_SEEDS] = {classical < 0 ? 0 : zoo->count + classical};
    struct jrx_estimate ber;
    for (int seed = 1; student && seed <= seeds; seed++)
        receiver[seed - 1] = ex_zoo_student(zoo, role, width, seed);
    int status = ex_ber_of(summary->quality, receiver, seeds, point, point + 1, &ber);
    if (!(ber.value > 0)) /* on the axis of a figure there is no 0 */
        ber = (struct jrx_estimate){NAN, NAN, NAN, 0};
    jrx_put_text(table, "curve", classical < 0 ? rx_role_name(role) : ex_receiver_name(zoo, *receiver));
    jrx_put_real(table, "width_ratio", classical < 0 ? width : (double)NAN);
    jrx_put_integer(table, "trainings", seeds);
    jrx_put_real(table, "sinr_db", summary->quality->sinr_db[point]);
    ex_put_estimate(table, "ber", "ratio", &ber, 1);
    return status;
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)max;
    const struct ex_zoo *zoo = run->settings->zoo;
    struct ex_quality quality;
    struct jrx_estimate classical;
    char note[256];
    int status = ex_quality_init(&quality, run->settings, samples);
    if (status)
        return status;
    struct summary summary = {zoo, &quality};
    status = ex_summary(run->dir, &summary_schema, quality.points * quality.receivers, put_row, &summary);
    if (!status)
        status = ex_rows(run->dir, "curves.csv", &curve_schema, quality.points * curves(zoo), put_curve, &summary);
    if (!status)
        status = ex_ber_ratio(&quality, 0, zoo->count, 0, quality.points, &classical);
    int at = snprintf(note, sizeof note, "bit errors of the teacher over those of LS at %g to %g dB SINR, same slots",
                      quality.sinr_db[0], quality.sinr_db[quality.points - 1]);
    const double apart_db = ex_sinr_at(&quality, 0, 1e-2) - ex_sinr_at(&quality, zoo->count + 2, 1e-2);
    if (!isnan(apart_db))
        snprintf(note + at, sizeof note - (size_t)at,
                 "; for BER 1e-2 the teacher needs %.2f dB more than a receiver that knows the channel", apart_db);
    claims[0] =
        ex_claim_make("deeprx-ls", "DeepRx makes fewer bit errors than least squares with interpolation and LMMSE.",
                      note, &classical, ex_verdict_of(classical.low, classical.high, 1, 1), JRX_SIMULATED);
    ex_quality_fini(&quality);
    return status ? status : 1;
}

const struct ex_experiment exp_ber = {
    .name = "ber",
    .title = "Bit error rate against SINR",
    .question = "Uncoded bit error rate of 16QAM on 26 PRB, two antennas, TDL channels: teacher, distilled students, "
                "the same students from scratch, two classical receivers, and one that knows the channel. Counted on a "
                "simulated uplink.",
    .needs = "learning",
    .order = 50,
    .column = columns,
    .columns = sizeof columns / sizeof *columns,
    .summary = &summary_schema,
    .also = "curves.csv",
    .also_schema = &curve_schema,
    .plan = plan,
    .label = label,
    .begin = begin,
    .cell = cell,
    .end = end,
    .conclude = conclude};
