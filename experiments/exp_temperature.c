/*
 * Do the hyper-parameters of distillation matter, and where? The error floor of students of the middle width over a
 * grid of temperatures and mixes, beside the same students from scratch, from what experiment ber counted.
 */
#include "experiments/quality.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    const struct ex_preset *preset = settings->preset;
    int none = !preset->temperatures.count || !preset->mixes.count;
    *plan = (struct ex_plan){.reps = 1, .nothing = none ? "it lists no temperatures or no mixes" : NULL};
    return 0;
}

static const struct jrx_column summary_columns[] = {
    {"temperature_ratio", JRX_REAL, "of both sigmoids of the teacher's share of the loss"},
    {"mix_ratio", JRX_REAL, "the teacher's share of the loss"},
    {"trainings", JRX_INTEGER, "students; intervals are over them and slots, with a single one over slots"},
    EX_ESTIMATE_COLUMNS("floor", "ratio", "bit error rate at the two highest SINR, geometric mean over trainings"),
    EX_ESTIMATE_COLUMNS("over_scratch", "ratio", "over that of the same students from scratch, trainings as pairs"),
};
static const struct jrx_schema summary_schema = {"temperature summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

static int cells(const struct ex_settings *settings)
{
    return settings->preset->temperatures.count * settings->preset->mixes.count;
}

/* The student of cell `cell` of the grid, rows of equal mix together. */
static int student(const struct ex_settings *settings, int cell, int seed)
{
    const struct ex_preset *preset = settings->preset;
    return ex_zoo_grid(settings->zoo, preset->temperatures.value[cell % preset->temperatures.count],
                       preset->mixes.value[cell / preset->temperatures.count], seed);
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct ex_comparison *of = context;
    const struct ex_settings *settings = of->settings;
    const struct ex_zoo *zoo = settings->zoo;
    const struct ex_quality *quality = of->quality;
    int taught[EX_MAX_SEEDS], alone[EX_MAX_SEEDS];
    struct jrx_estimate ber, ratio;
    for (int seed = 1; seed <= zoo->seeds; seed++) {
        taught[seed - 1] = student(settings, row, seed);
        alone[seed - 1] = ex_zoo_student(zoo, RX_SCRATCH, zoo->middle, seed);
    }
    int status = ex_ber_of(quality, taught, zoo->seeds, ex_floor(quality), quality->points, &ber);
    if (!status)
        status = ex_floor_ratio(quality, taught, alone, zoo->seeds, &ratio);
    jrx_put_real(table, "temperature_ratio", zoo->network[taught[0]].temperature);
    jrx_put_real(table, "mix_ratio", zoo->network[taught[0]].mix);
    jrx_put_integer(table, "trainings", zoo->seeds);
    ex_put_estimate(table, "floor", "ratio", &ber, 1);
    ex_put_estimate(table, "over_scratch", "ratio", &ratio, 1);
    return status;
}

/* The cell with the highest or lowest floor in all trainings but that of seed `out`: to choose and to judge by the same
 * numbers would find differences in pure noise. */
static int extreme(const struct ex_settings *settings, const struct ex_quality *quality, int out, int highest)
{
    int best = -1;
    double best_log = 0;
    for (int cell = 0; cell < cells(settings); cell++) {
        double sum = 0;
        for (int seed = 1; seed <= settings->zoo->seeds; seed++)
            if (seed != out)
                sum += log(ex_bit_errors(quality, student(settings, cell, seed), ex_floor(quality), quality->points));
        if (best < 0 || (highest ? sum > best_log : sum < best_log)) {
            best = cell;
            best_log = sum;
        }
    }
    return best;
}

/*
 * Trainings that choose for each other err together: an interval that takes their ratios for independent leaves out the
 * truth one time in eight. With n trainings, n - 1 of them choosing, its variance of 1/n becomes 1/n + 1/(n - 1).
 * Source: Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003.
 */
static void widen(struct jrx_estimate *ratio, int seeds)
{
    const double times = sqrt((2. * seeds - 1) / (seeds - 1));
    ratio->low = ratio->value * pow(ratio->low / ratio->value, times);
    ratio->high = ratio->value * pow(ratio->high / ratio->value, times);
}

static void worst_over_best(const struct ex_settings *settings, const struct ex_quality *quality,
                            struct jrx_estimate *ratio)
{
    struct ex_side side[2] = {{.weight = 1}, {.weight = -1}};
    const int seeds = settings->zoo->seeds;
    *ratio = (struct jrx_estimate){NAN, NAN, NAN, 0};
    if (seeds == 1) /* nothing is left to judge by */
        return;
    for (int seed = 1; seed <= seeds; seed++)
        for (int i = 0; i < 2; i++)
            side[i].receiver[seed - 1] = student(settings, extreme(settings, quality, seed, !i), seed);
    ex_contrast(quality, side, 2, seeds, ex_floor(quality), quality->points, ratio);
    widen(ratio, seeds);
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)samples, (void)max;
    struct ex_quality quality;
    struct jrx_estimate ratio;
    char note[256];
    int status = ex_quality_read(&quality, run);
    if (status)
        return status;
    struct ex_comparison of = {run->settings, &quality};
    status = ex_summary(run->dir, &summary_schema, cells(run->settings), put_row, &of);
    worst_over_best(run->settings, &quality, &ratio);
    const struct ex_network *best =
        &run->settings->zoo->network[student(run->settings, extreme(run->settings, &quality, 0, 0), 1)];
    snprintf(note, sizeof note,
             "floor of the worst over that of the best cell of the grid, each chosen by the other trainings; lowest of "
             "all at T = %g, mix %g; %d trainings%s",
             best->temperature, best->mix, run->settings->zoo->seeds,
             run->settings->zoo->seeds > 1 ? "" : ": two at least are needed");
    ex_quality_fini(&quality);
    if (status)
        return status;
    claims[0] = ex_claim_make("kd-hyper", "Temperature and mix of distillation change the error floor of the student.",
                              note, &ratio, ex_verdict_of(ratio.low, ratio.high, 1, 0), JRX_SIMULATED);
    return 1;
}

const struct ex_experiment exp_temperature = {
    .name = "temperature",
    .title = "Temperature and mix of distillation",
    .question = "Bit error rate at the two highest SINR of students distilled with each temperature and each share of "
                "the teacher in the loss, over that of the same students from scratch. Counted on a simulated uplink.",
    .needs = "learning,ber",
    .order = 53,
    .summary = &summary_schema,
    .plan = plan,
    .conclude = conclude};
