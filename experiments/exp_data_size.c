/*
 * Does the gain of distillation shrink as training goes on? Bits are binary, so what a teacher adds is the confidence
 * of a label: less noise in the gradient, which more slots average out as well. Students of the middle width trained on
 * parts of the slots and on all of them, distilled and from scratch, from what experiment ber counted.
 */
#include "experiments/quality.h"
#include <math.h>
#include <stdio.h>

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    int none = !settings->preset->shares.count;
    *plan = (struct ex_plan){.reps = 1, .nothing = none ? "it lists no shares of the training slots" : NULL};
    return 0;
}

static const struct jrx_column summary_columns[] = {
    {"share_ratio", JRX_REAL, "part of the training slots; the schedule is shortened alike"},
    {"slots", JRX_INTEGER, "slots trained on"},
    {"trainings", JRX_INTEGER, "of each kind; intervals are over them and slots, with a single one over slots"},
    EX_PAIR_COLUMNS,
};
static const struct jrx_schema summary_schema = {"data-size summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

static double share(const struct ex_settings *settings, int row)
{
    const struct ex_numbers *shares = &settings->preset->shares;
    return row < shares->count ? shares->value[row] : 1;
}

static void students(const struct ex_settings *settings, int row, int *scratch, int *distilled)
{
    for (int seed = 1; seed <= settings->zoo->seeds; seed++) {
        scratch[seed - 1] = ex_zoo_share(settings->zoo, RX_SCRATCH, share(settings, row), seed);
        distilled[seed - 1] = ex_zoo_share(settings->zoo, RX_DISTILLED, share(settings, row), seed);
    }
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct ex_comparison *of = context;
    const struct ex_zoo *zoo = of->settings->zoo;
    int scratch[EX_MAX_SEEDS], distilled[EX_MAX_SEEDS];
    students(of->settings, row, scratch, distilled);
    const struct rx_train_config *config = &zoo->network[scratch[0]].config;
    jrx_put_real(table, "share_ratio", share(of->settings, row));
    jrx_put_integer(table, "slots", config->schedule.steps * config->batch);
    jrx_put_integer(table, "trainings", zoo->seeds);
    return ex_put_pair(of, scratch, distilled, table);
}

/* The ratio distilled to scratch with all slots over that with the fewest, seed by seed; of a single training no
 * interval. */
static void shrinking(const struct ex_settings *settings, const struct ex_quality *quality, struct jrx_estimate *ratio)
{
    struct ex_side side[4] = {{.weight = 1}, {.weight = -1}, {.weight = -1}, {.weight = 1}};
    students(settings, 0, side[0].receiver, side[1].receiver);
    students(settings, settings->preset->shares.count, side[2].receiver, side[3].receiver);
    ex_contrast(quality, side, 4, settings->zoo->seeds, ex_floor(quality), quality->points, ratio);
    if (settings->zoo->seeds == 1)
        ratio->low = ratio->high = NAN;
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)samples, (void)max;
    const struct ex_zoo *zoo = run->settings->zoo;
    struct ex_quality quality;
    struct jrx_estimate ratio;
    char note[256];
    int status = ex_quality_read(&quality, run);
    if (status)
        return status;
    struct ex_comparison of = {run->settings, &quality};
    status = ex_summary(run->dir, &summary_schema, run->settings->preset->shares.count + 1, put_row, &of);
    shrinking(run->settings, &quality, &ratio);
    ex_quality_fini(&quality);
    if (status)
        return status;
    snprintf(
        note, sizeof note,
        "floor of distilled over scratch students of width %g with all slots, over the same with %g of them: above "
        "1 the gain shrinks; %d trainings%s",
        zoo->middle, share(run->settings, 0), zoo->seeds, zoo->seeds > 1 ? "" : ": two at least are needed");
    claims[0] = ex_claim_make("kd-data", "The gain of distillation shrinks as the number of training slots grows.",
                              note, &ratio, ex_verdict_of(ratio.low, ratio.high, 1, 0), JRX_SIMULATED);
    return 1;
}

const struct ex_experiment exp_data_size = {
    .name = "data-size",
    .title = "Distillation and the number of training slots",
    .question = "Bit error rate at the two highest SINR of students trained on parts of the slots, distilled and from "
                "scratch. Every slot is seen once, so fewer slots are also fewer steps. Counted on a simulated uplink.",
    .needs = "learning,ber",
    .order = 55,
    .summary = &summary_schema,
    .plan = plan,
    .conclude = conclude};
