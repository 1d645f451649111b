/*
 * After how many slots in service has a distilled student paid back what it took to make it? Its training and its share
 * of the teacher's (experiment learning) over what it saves on each slot beside the teacher (experiment frontier).
 */
#include "experiments/experiment.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "models/nn/safetensors.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double slots_a_day = 1000 * 86400.0; /* of 1 ms each */

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    (void)settings;
    *plan = (struct ex_plan){.reps = 1};
    return 0;
}

static const struct jrx_column summary_columns[] = {
    {"width_ratio", JRX_REAL, "width of the student"},
    {"students", JRX_INTEGER, "how many share the teacher: all that it taught in this run"},
    {"student_training_j", JRX_REAL,
     "energy of a distilled student's training, teacher's inference in it, mean over trainings"},
    {"teacher_training_j", JRX_REAL, "energy of the teacher's training, whole"},
    {"saved_per_slot_mj", JRX_REAL, "energy of a slot by the teacher minus by the student, one thread"},
    EX_ESTIMATE_COLUMNS("energy_payback", "slots",
                        "slots until the energy is paid back, with its share of the teacher"),
    {"energy_payback_whole_slots", JRX_REAL, "the same if it carries the whole teacher"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated"},
    {"student_training_s", JRX_REAL, "processor time of its training, measured"},
    {"teacher_training_s", JRX_REAL, "processor time of the teacher's training, measured"},
    {"saved_per_slot_ms", JRX_REAL, "time of a slot by the teacher minus by the student, one thread"},
    EX_ESTIMATE_COLUMNS("time_payback", "slots", "slots until the processor time is paid back, with its share"),
    {"time_payback_whole_slots", JRX_REAL, "the same if it carries the whole teacher"},
};
static const struct jrx_schema summary_schema = {"payback summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

/* What of one kind (energy, or processor time) a student costs and saves. */
struct account {
    double student, teacher;   /* training [J] or [s] */
    struct jrx_estimate saved; /* each slot, likewise */
    struct jrx_estimate slots; /* until paid back */
    double whole;
};

struct inputs {
    const struct ex_run *run;
    struct jrx_csv *learning, *frontier;
    const char *source;
    double given_s, given_j; /* what a given teacher took, from its checkpoint; NAN: unknown */
};

static int read_summary(const struct ex_run *run, const char *experiment, struct jrx_csv **csv)
{
    char path[PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s/summary.csv", run->base, experiment);
    if (access(path, R_OK))
        return jrx_fail(JRX_EIO, "%s is missing; joulerx run %s makes it", path, experiment);
    return jrx_csv_read(csv, path, NULL);
}

/* The number in `column` of the last row whose `key` is `name`; NAN if there is none. */
static int last_of(const struct jrx_csv *csv, const char *key, const char *name, const char *column, double *value)
{
    int at = jrx_csv_find(csv, key), from = jrx_csv_find(csv, column), status = 0;
    *value = NAN;
    if (at < 0 || from < 0)
        return JRX_EFORMAT;
    for (size_t row = 0; row < jrx_csv_rows(csv) && !status; row++)
        if (!strcmp(jrx_csv_text(csv, row, (size_t)at), name))
            status = jrx_csv_real(csv, row, (size_t)from, value);
    return status;
}

static int training_of(const struct inputs *in, const char *network, double *energy_j, double *processor_s)
{
    int status = last_of(in->learning, "network", network, "energy_j", energy_j);
    return status ? status : last_of(in->learning, "network", network, "processor_s", processor_s);
}

/* What a slot by the teacher takes more than by the student; the ends are those furthest apart. */
static int saved(const struct inputs *in, const char *teacher, const char *student, const char *name, const char *unit,
                 double scale, struct jrx_estimate *out)
{
    static const char *const end[] = {"", "_ci_lo", "_ci_hi"};
    double t[3], s[3];
    int status = 0;
    for (int i = 0; i < 3 && !status; i++) {
        char column[64];
        snprintf(column, sizeof column, "%s%s_%s", name, end[i], unit);
        status = last_of(in->frontier, "receiver", teacher, column, &t[i]);
        if (!status)
            status = last_of(in->frontier, "receiver", student, column, &s[i]);
    }
    *out = (struct jrx_estimate){(t[0] - s[0]) * scale, (t[1] - s[2]) * scale, (t[2] - s[1]) * scale, 0};
    return status;
}

/* Slots until `cost` is saved; NAN: never. */
static double slots_until(double cost, double saved)
{
    return saved > 0 ? cost / saved : (double)NAN;
}

static void settle(struct account *account, int students)
{
    const double cost = account->student + account->teacher / students;
    account->slots =
        (struct jrx_estimate){slots_until(cost, account->saved.value), slots_until(cost, account->saved.high),
                              slots_until(cost, account->saved.low), 0};
    account->whole = slots_until(account->student + account->teacher, account->saved.value);
}

static int pupils(const struct ex_zoo *zoo)
{
    int count = 0;
    for (int i = 0; i < zoo->count; i++)
        count += zoo->network[i].teacher == 0;
    return count;
}

static int accounts(const struct inputs *in, double width, struct account *energy, struct account *time)
{
    const struct ex_zoo *zoo = in->run->settings->zoo;
    const char *teacher = zoo->network[0].name, *first = zoo->network[ex_zoo_student(zoo, RX_DISTILLED, width, 1)].name;
    int status = 0;
    *energy = *time = (struct account){.teacher = NAN};
    for (int seed = 1; seed <= zoo->seeds && !status; seed++) {
        double j, s;
        status = training_of(in, zoo->network[ex_zoo_student(zoo, RX_DISTILLED, width, seed)].name, &j, &s);
        energy->student += j / zoo->seeds;
        time->student += s / zoo->seeds;
    }
    if (!status && !zoo->given)
        status = training_of(in, teacher, &energy->teacher, &time->teacher);
    if (zoo->given) {
        energy->teacher = in->given_j;
        time->teacher = in->given_s;
    }
    if (status || (status = saved(in, teacher, first, "energy", "mj", 1e-3, &energy->saved)) ||
        (status = saved(in, teacher, first, "time", "ms", 1e-3, &time->saved)))
        return status;
    settle(energy, pupils(zoo));
    settle(time, pupils(zoo));
    return 0;
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct inputs *in = context;
    const struct ex_zoo *zoo = in->run->settings->zoo;
    struct account energy, time;
    int status = accounts(in, zoo->widths.value[row], &energy, &time);
    if (status)
        return status;
    jrx_put_real(table, "width_ratio", zoo->widths.value[row]);
    jrx_put_integer(table, "students", pupils(zoo));
    jrx_put_real(table, "student_training_j", energy.student);
    jrx_put_real(table, "teacher_training_j", energy.teacher);
    jrx_put_real(table, "saved_per_slot_mj", energy.saved.value * 1e3);
    ex_put_estimate(table, "energy_payback", "slots", &energy.slots, 1);
    jrx_put_real(table, "energy_payback_whole_slots", energy.whole);
    jrx_put_text(table, "energy_source", in->source);
    jrx_put_real(table, "student_training_s", time.student);
    jrx_put_real(table, "teacher_training_s", time.teacher);
    jrx_put_real(table, "saved_per_slot_ms", time.saved.value * 1e3);
    ex_put_estimate(table, "time_payback", "slots", &time.slots, 1);
    jrx_put_real(table, "time_payback_whole_slots", time.whole);
    return 0;
}

static double meta_real(const struct nn_st_file *file, const char *key)
{
    const char *text = nn_st_meta(file, key);
    char *end = NULL;
    double value = text ? strtod(text, &end) : (double)NAN;
    return text && end != text && !*end ? value : (double)NAN;
}

/* What a given teacher took, as its checkpoint says, if its energy is of the source of this run. */
static int read_given(struct inputs *in)
{
    const struct ex_zoo *zoo = in->run->settings->zoo;
    char path[EX_NETWORK_PATH];
    struct nn_st_file file;
    in->given_s = in->given_j = NAN;
    if (!zoo->given)
        return 0;
    int status = nn_st_open(&file, ex_network_path(in->run, zoo->network, path));
    if (status)
        return status;
    const char *source = nn_st_meta(&file, "energy_source");
    in->given_s = meta_real(&file, "time_s") * meta_real(&file, "threads");
    if (source && !strcmp(source, in->source))
        in->given_j = meta_real(&file, "energy_j");
    nn_st_close(&file);
    return 0;
}

static struct ex_claim claim_of(const char *id, const char *what, const struct ex_zoo *zoo,
                                const struct account *account, enum jrx_source source)
{
    char statement[256], note[256];
    const struct jrx_estimate days = {account->slots.value / slots_a_day, account->slots.low / slots_a_day,
                                      account->slots.high / slots_a_day, 0};
    snprintf(statement, sizeof statement,
             "A distilled student pays back the %s of its training, and its share of the teacher's, within a day of "
             "service.",
             what);
    snprintf(
        note, sizeof note,
        "days of 1000 slots a second until training of the student of width %g and 1/%d of its teacher's equal what "
        "its inference saves beside the teacher; with the whole teacher %.2g days%s",
        zoo->middle, pupils(zoo), account->whole / slots_a_day,
        isnan(account->teacher) ? "; what the given teacher took is not known" : "");
    return ex_claim_make(id, statement, note, &days,
                         source == JRX_MEASURED && strcmp(what, "energy")
                             ? ex_verdict_of(days.low, days.high, 1, 1)
                             : ex_verdict_of_energy(source, days.low, days.high, 1, 1),
                         source);
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)samples, (void)max;
    const struct ex_zoo *zoo = run->settings->zoo;
    struct inputs in = {.run = run, .source = ""};
    struct account energy, time;
    int status = read_summary(run, "learning", &in.learning);
    if (!status)
        status = read_summary(run, "frontier", &in.frontier);
    if (!status)
        status = ex_only_text(in.learning, "energy_source", &in.source);
    if (!status)
        status = read_given(&in);
    if (!status)
        status = ex_summary(run->dir, &summary_schema, zoo->widths.count, put_row, &in);
    if (!status)
        status = accounts(&in, zoo->middle, &energy, &time);
    if (!status) {
        claims[0] = claim_of("payback-energy", "energy", zoo, &energy, ex_source(in.source));
        claims[1] = claim_of("payback-time", "processor time", zoo, &time, JRX_MEASURED);
    }
    jrx_csv_free(in.learning);
    jrx_csv_free(in.frontier);
    return status ? status : 2;
}

const struct ex_experiment exp_payback = {
    .name = "payback",
    .title = "When a distilled student has paid back its making",
    .question = "Slots in service after which the training of a distilled student, and its share of its teacher's, is "
                "made up for by what its inference saves beside the teacher: energy (see its label) and processor time "
                "(measured). A slot is 1 ms, so a day has 86.4 million.",
    .needs = "learning,ber,frontier",
    .order = 62,
    .summary = &summary_schema,
    .plan = plan,
    .conclude = conclude};
