/*
 * Which teacher is best for a given student? Students of the middle width, taught by teachers of several widths: their
 * error floors beside those of the teachers, from what experiment ber counted.
 */
#include "experiments/quality.h"
#include "experiments/series.h"
#include <math.h>
#include <stdio.h>

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    int none = !settings->preset->teachers.count;
    *plan = (struct ex_plan){.reps = 1, .nothing = none ? "it lists no more teachers than one" : NULL};
    return 0;
}

static const struct jrx_column summary_columns[] = {
    {"width_ratio", JRX_REAL, "width of the teacher"},
    {"trainings", JRX_INTEGER, "of the student; its intervals are over them and slots, with a single one over slots"},
    EX_ESTIMATE_COLUMNS("teacher", "ratio",
                        "bit error rate of the teacher at the two highest SINR, interval over slots"),
    EX_ESTIMATE_COLUMNS("student", "ratio", "bit error rate there of its students, geometric mean over trainings"),
    EX_ESTIMATE_COLUMNS("over_scratch", "ratio", "over that of the same students from scratch, trainings as pairs"),
};
static const struct jrx_schema summary_schema = {"teacher-size summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

struct summary {
    const struct ex_zoo *zoo;
    const struct ex_quality *quality;
    int order[EX_NUMBERS + 1]; /* teachers, the narrowest first */
};

static void taught_by(const struct ex_zoo *zoo, int teacher, int *student)
{
    for (int seed = 1; seed <= zoo->seeds; seed++)
        student[seed - 1] = ex_zoo_taught(zoo, teacher, seed);
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct summary *summary = context;
    const struct ex_zoo *zoo = summary->zoo;
    const struct ex_quality *quality = summary->quality;
    int taught[EX_MAX_SEEDS], alone[EX_MAX_SEEDS], from = ex_floor(quality), teacher = summary->order[row], status;
    struct jrx_estimate own, ber, ratio;
    taught_by(zoo, teacher, taught);
    for (int seed = 1; seed <= zoo->seeds; seed++)
        alone[seed - 1] = ex_zoo_student(zoo, RX_SCRATCH, zoo->middle, seed);
    if ((status = ex_ber(quality, teacher, from, quality->points, &own)) ||
        (status = ex_ber_of(quality, taught, zoo->seeds, from, quality->points, &ber)) ||
        (status = ex_floor_ratio(quality, taught, alone, zoo->seeds, &ratio)))
        return status;
    jrx_put_real(table, "width_ratio", zoo->network[teacher].width);
    jrx_put_integer(table, "trainings", zoo->seeds);
    ex_put_estimate(table, "teacher", "ratio", &own, 1);
    ex_put_estimate(table, "student", "ratio", &ber, 1);
    ex_put_estimate(table, "over_scratch", "ratio", &ratio, 1);
    return 0;
}

/* Teachers by width; how many. */
static int sort_teachers(const struct ex_zoo *zoo, int *order)
{
    int count = 0;
    for (; count < zoo->count && zoo->network[count].role == RX_TEACHER; count++) {
        int at = count;
        for (; at > 0 && zoo->network[order[at - 1]].width > zoo->network[count].width; at--)
            order[at] = order[at - 1];
        order[at] = count;
    }
    return count;
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)samples, (void)max;
    const struct ex_zoo *zoo = run->settings->zoo;
    struct ex_quality quality;
    struct jrx_estimate ratio;
    int widest[EX_MAX_SEEDS], narrowest[EX_MAX_SEEDS];
    char note[256];
    int status = ex_quality_read(&quality, run);
    if (status)
        return status;
    struct summary summary = {.zoo = zoo, .quality = &quality};
    int teachers = sort_teachers(zoo, summary.order), first = summary.order[0], last = summary.order[teachers - 1];
    status = ex_summary(run->dir, &summary_schema, teachers, put_row, &summary);
    taught_by(zoo, last, widest);
    taught_by(zoo, first, narrowest);
    if (!status)
        status = ex_floor_ratio(&quality, widest, narrowest, zoo->seeds, &ratio);
    ex_quality_fini(&quality);
    if (status)
        return status;
    snprintf(note, sizeof note,
             "floor of the student of width %g taught by the widest teacher (%g) over that of the same student taught "
             "by the narrowest (%g); %d trainings of the student, one of each teacher",
             zoo->middle, zoo->network[last].width, zoo->network[first].width, zoo->seeds);
    claims[0] = ex_claim_make("teacher-size", "A larger teacher makes a student with a lower error floor.", note,
                              &ratio, ex_verdict_of(ratio.low, ratio.high, 1, 1), JRX_SIMULATED);
    return 1;
}

const struct ex_experiment exp_teacher_size = {
    .name = "teacher-size",
    .title = "The size of the teacher",
    .question = "Bit error rate at the two highest SINR of one student taught by teachers of several widths, beside "
                "that of the teachers. Counted on a simulated uplink.",
    .needs = "learning,ber",
    .order = 54,
    .summary = &summary_schema,
    .plan = plan,
    .conclude = conclude};
