/*
 * After how many slots in service has a distilled student paid back what it took to make it? Its training and its share
 * of the teacher's (experiment learning) over what it saves on each slot beside the teacher (experiment frontier).
 */
#include "experiments/networks.h"
#include "experiments/series.h"
#include <math.h>
#include <stdio.h>

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
    {"teacher_energy_source", JRX_TEXT, "of teacher_training_j: learning/networks.csv"},
    {"student_training_s", JRX_REAL, "processor time of its training, measured"},
    {"teacher_training_s", JRX_REAL, "processor time of the teacher's training"},
    {"teacher_processor_source", JRX_TEXT,
     "measured, or estimated if its checkpoint does not say: learning/networks.csv"},
    {"saved_per_slot_ms", JRX_REAL, "time of a slot by the teacher minus by the student, one thread"},
    EX_ESTIMATE_COLUMNS("time_payback", "slots", "slots until the processor time is paid back, with its share"),
    {"time_payback_whole_slots", JRX_REAL, "the same if it carries the whole teacher"},
};
static const struct jrx_schema summary_schema = {"payback summary", summary_columns,
                                                 sizeof summary_columns / sizeof *summary_columns};

/* What of one kind (energy, or processor time) a student costs and saves. */
struct account {
    double student, teacher;   /* training [J] or [s] */
    enum jrx_source source;    /* of what the teacher took */
    struct jrx_estimate saved; /* each slot, likewise */
    struct jrx_estimate slots; /* until paid back */
    double whole;
};

struct inputs {
    const struct ex_run *run;
    struct jrx_csv *networks, *frontier;
    const char *source; /* of the energies of this run */
};

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
        status = ex_last_real(in->frontier, "receiver", teacher, column, &t[i]);
        if (!status)
            status = ex_last_real(in->frontier, "receiver", student, column, &s[i]);
    }
    *out = (struct jrx_estimate){(t[0] - s[0]) * scale, (t[1] - s[2]) * scale, (t[2] - s[1]) * scale, 0};
    return status;
}

/* Slots until `cost` is saved; infinite: never. */
static double slots_until(double cost, double saved)
{
    return saved > 0 || isnan(saved) ? cost / saved : (double)INFINITY;
}

/* Never has no number in a table. */
static double or_missing(double slots)
{
    return isinf(slots) ? (double)NAN : slots;
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
    struct ex_spent spent;
    int status = 0;
    *energy = *time = (struct account){.student = 0};
    for (int seed = 1; seed <= zoo->seeds && !status; seed++) {
        status =
            ex_networks_spent(in->networks, zoo->network[ex_zoo_student(zoo, RX_DISTILLED, width, seed)].name, &spent);
        energy->student += spent.energy_j / zoo->seeds;
        time->student += spent.processor_s / zoo->seeds;
    }
    if (!status)
        status = ex_networks_spent(in->networks, teacher, &spent);
    energy->teacher = spent.energy_j;
    energy->source = spent.energy_source;
    time->teacher = spent.processor_s;
    time->source = spent.processor_source;
    if (status || (status = saved(in, teacher, first, "energy", "mj", 1e-3, &energy->saved)) ||
        (status = saved(in, teacher, first, "time", "ms", 1e-3, &time->saved)))
        return status;
    settle(energy, pupils(zoo));
    settle(time, pupils(zoo));
    return 0;
}

static void put_slots(struct jrx_table *table, const char *name, const struct account *account)
{
    char whole[64];
    const struct jrx_estimate slots = {or_missing(account->slots.value), or_missing(account->slots.low),
                                       or_missing(account->slots.high), 0};
    snprintf(whole, sizeof whole, "%s_whole_slots", name);
    ex_put_estimate(table, name, "slots", &slots, 1);
    jrx_put_real(table, whole, or_missing(account->whole));
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
    put_slots(table, "energy_payback", &energy);
    jrx_put_text(table, "energy_source", in->source);
    jrx_put_text(table, "teacher_energy_source", jrx_source_name(energy.source));
    jrx_put_real(table, "student_training_s", time.student);
    jrx_put_real(table, "teacher_training_s", time.teacher);
    jrx_put_text(table, "teacher_processor_source", jrx_source_name(time.source));
    jrx_put_real(table, "saved_per_slot_ms", time.saved.value * 1e3);
    put_slots(table, "time_payback", &time);
    return 0;
}

/* A sum of what was measured and what was estimated is an estimate, and supports nothing. */
static struct ex_claim claim_of(const char *id, const char *what, const struct ex_zoo *zoo,
                                const struct account *account, enum jrx_source source)
{
    char statement[256], note[256], whole[32] = "never";
    const int estimated = account->source != source;
    const struct jrx_estimate days = {account->slots.value / slots_a_day, account->slots.low / slots_a_day,
                                      account->slots.high / slots_a_day, 0};
    const struct jrx_estimate shown = {or_missing(days.value), or_missing(days.low), or_missing(days.high), 0};
    enum ex_verdict verdict =
        source == JRX_MEASURED || source == JRX_REPLAYED ? ex_verdict_of(days.low, days.high, 1, 1) : EX_NOT_TESTABLE;
    if (estimated && verdict != EX_NOT_TESTABLE)
        verdict = EX_INCONCLUSIVE;
    if (isfinite(account->whole))
        snprintf(whole, sizeof whole, "%.2g days", account->whole / slots_a_day);
    snprintf(statement, sizeof statement,
             "A distilled student pays back the %s of its training, and its share of the teacher's, within a day of "
             "service.",
             what);
    snprintf(note, sizeof note,
             "days of 1000 slots a second until training of the student of width %g and 1/%d of its teacher's equal "
             "what its inference saves beside the teacher%s; with the whole teacher %s%s",
             zoo->middle, pupils(zoo), isinf(days.value) ? ", which is never" : "", whole,
             estimated ? "; what the teacher took is estimated" : "");
    return ex_claim_make(id, statement, note, &shown, verdict, estimated ? JRX_ESTIMATED : source);
}

static int conclude(struct ex_run *run, const struct jrx_csv *samples, struct ex_claim *claims, int max)
{
    (void)samples, (void)max;
    const struct ex_zoo *zoo = run->settings->zoo;
    struct inputs in = {.run = run, .source = ""};
    struct account energy, time;
    int status = ex_run_csv(run, "learning", "networks.csv", &in.networks);
    if (!status)
        status = ex_run_csv(run, "frontier", "summary.csv", &in.frontier);
    if (!status)
        status = ex_only_text(in.frontier, "energy_source", &in.source);
    if (!status)
        status = ex_summary(run->dir, &summary_schema, zoo->widths.count, put_row, &in);
    if (!status)
        status = accounts(&in, zoo->middle, &energy, &time);
    if (!status) {
        claims[0] = claim_of("payback-energy", "energy", zoo, &energy, ex_source(in.source));
        claims[1] = claim_of("payback-time", "processor time", zoo, &time, JRX_MEASURED);
    }
    jrx_csv_free(in.networks);
    jrx_csv_free(in.frontier);
    return status ? status : 2;
}

const struct ex_experiment exp_payback = {
    .name = "payback",
    .title = "When a distilled student has paid back its making",
    .question =
        "Slots in service after which the training of a distilled student, and its share of its teacher's, is "
        "made up for by what its inference saves beside the teacher: energy and processor time (see their labels). "
        "A slot is 1 ms, so a day has 86.4 million.",
    .needs = "learning,ber,frontier",
    .order = 62,
    .summary = &summary_schema,
    .plan = plan,
    .conclude = conclude};
