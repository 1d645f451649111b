/*
 * Does distillation lower the error floor, and for students of which size? The floors of distilled students over those
 * of the same students from scratch, from what experiment ber counted.
 */
#include "experiments/quality.h"
#include <stdio.h>

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    (void)settings;
    *plan = (struct ex_plan){.reps = 1};
    return 0;
}

static const struct jrx_column summary_columns[] = {
    {"width_ratio", JRX_REAL, "width of the students: factor on the channels of their body"},
    {"trainings", JRX_INTEGER, "of each kind; intervals are over them and slots, with a single one over slots"},
    {"sinr_db", JRX_REAL, "the lower of the two points that make the floor"},
    EX_PAIR_COLUMNS,
    EX_ESTIMATE_COLUMNS("teacher", "ratio", "bit error rate of the teacher there, interval over slots"),
    EX_ESTIMATE_COLUMNS("genie", "ratio",
                        "bit error rate there of a receiver that knows the channel, interval over slots"),
};
static const struct jrx_schema summary_schema = {"student-width summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

static void students(const struct ex_zoo *zoo, double width, int *scratch, int *distilled)
{
    for (int seed = 1; seed <= zoo->seeds; seed++) {
        scratch[seed - 1] = ex_zoo_student(zoo, RX_SCRATCH, width, seed);
        distilled[seed - 1] = ex_zoo_student(zoo, RX_DISTILLED, width, seed);
    }
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct ex_comparison *of = context;
    const struct ex_zoo *zoo = of->settings->zoo;
    const struct ex_quality *quality = of->quality;
    int scratch[EX_MAX_SEEDS], distilled[EX_MAX_SEEDS], from = ex_floor(quality), to = quality->points, status;
    struct jrx_estimate teacher, genie;
    students(zoo, zoo->widths.value[row], scratch, distilled);
    if ((status = ex_ber(quality, 0, from, to, &teacher)) ||
        (status = ex_ber(quality, quality->receivers - 1, from, to, &genie)))
        return status;
    jrx_put_real(table, "width_ratio", zoo->widths.value[row]);
    jrx_put_integer(table, "trainings", zoo->seeds);
    jrx_put_real(table, "sinr_db", quality->sinr_db[from]);
    ex_put_estimate(table, "teacher", "ratio", &teacher, 1);
    ex_put_estimate(table, "genie", "ratio", &genie, 1);
    return ex_put_pair(of, scratch, distilled, table);
}

/* All widths together: the geometric mean over them. With a single training the middle width stands for all. */
static int all_widths(const struct ex_zoo *zoo, const struct ex_quality *quality, struct jrx_estimate *ratio)
{
    struct ex_side side[2 * EX_NUMBERS];
    const int widths = zoo->widths.count;
    for (int w = 0; w < widths; w++) {
        students(zoo, zoo->widths.value[w], side[2 * w].receiver, side[2 * w + 1].receiver);
        side[2 * w].weight = -1.0 / widths;
        side[2 * w + 1].weight = 1.0 / widths;
    }
    if (zoo->seeds == 1) {
        students(zoo, zoo->middle, side[0].receiver, side[1].receiver);
        return ex_floor_ratio(quality, side[1].receiver, side[0].receiver, 1, ratio);
    }
    ex_contrast(quality, side, 2 * widths, zoo->seeds, ex_floor(quality), quality->points, ratio);
    return 0;
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
    status = ex_summary(run->dir, &summary_schema, zoo->widths.count, put_row, &of);
    if (!status)
        status = all_widths(zoo, &quality, &ratio);
    int at = snprintf(note, sizeof note, "BER of distilled over scratch students at %g dB SINR and above, same slots; ",
                      quality.sinr_db[ex_floor(&quality)]);
    if (zoo->seeds == 1)
        snprintf(note + at, sizeof note - (size_t)at,
                 "one training each, so the interval covers the slots and not the luck of training");
    else
        snprintf(note + at, sizeof note - (size_t)at,
                 "geometric mean over %d widths, interval over %d pairs of trainings a width and over slots",
                 zoo->widths.count, zoo->seeds);
    ex_quality_fini(&quality);
    if (status)
        return status;
    claims[0] = ex_claim_make("kd-floor",
                              "A distilled student has a lower error floor than the same student trained from scratch.",
                              note, &ratio, ex_verdict_of(ratio.low, ratio.high, 1, 1), JRX_SIMULATED);
    return 1;
}

const struct ex_experiment exp_student_width = {
    .name = "student-width",
    .title = "Error floor against the size of the student",
    .question = "Bit error rate at the two highest SINR of experiment ber, for students of each width, distilled and "
                "from scratch, beside their teacher; and the ratio of the two. Below 1 distillation helps. Counted on "
                "a simulated uplink.",
    .needs = "learning,ber",
    .order = 52,
    .summary = &summary_schema,
    .plan = plan,
    .conclude = conclude};
