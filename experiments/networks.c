#include "experiments/networks.h"
#include "experiments/series.h"
#include "harness/base/error.h"
#include "models/receiver/train.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct jrx_column columns[] = {
    {"network", JRX_TEXT, "its name: file below models/, receiver of experiment ber"},
    {"role", JRX_TEXT, "teacher, scratch (the student alone) or distilled (the same student with its teacher)"},
    {"given", JRX_INTEGER, "1: trained before this run, by joulerx train; its recipe is that of its checkpoint"},
    {"teacher", JRX_TEXT, "who it learnt from; empty: nobody"},
    {"body", JRX_TEXT, "table of blocks"},
    {"width_ratio", JRX_REAL, "factor on the channels of its body"},
    {"parameters", JRX_INTEGER, "trainable numbers"},
    {"seed", JRX_INTEGER, "which of the trainings of its kind; 0: a teacher"},
    {"steps", JRX_INTEGER, "of the optimiser, done"},
    {"slots", JRX_INTEGER, "trained on"},
    {"prb", JRX_INTEGER, "resource blocks of these slots"},
    {"batch", JRX_INTEGER, "slots a step"},
    {"optimiser", JRX_TEXT, "adamw or lamb"},
    {"rate_ratio", JRX_REAL, "learning rate of the plateau"},
    {"warmup_steps", JRX_INTEGER, "of linear rise"},
    {"hold_steps", JRX_INTEGER, "step at which the fall begins"},
    {"average_ratio", JRX_REAL, "decay of the running average of the weights; 0: none"},
    {"mix_ratio", JRX_REAL, "the teacher's share of the loss; 0: no teacher"},
    {"temperature_ratio", JRX_REAL, "of distillation; empty: no teacher"},
    {"train_flop", JRX_REAL, "useful FLOP of the whole training, the teacher's inference in it"},
    {"processor_s", JRX_REAL, "processor time of the training"},
    {"processor_source", JRX_TEXT, "measured, or estimated: from its FLOP at the rate of those trained in this run"},
    {"energy_j", JRX_REAL, "energy of the training"},
    {"energy_source", JRX_TEXT, "measured, replayed or estimated (by a profile, or likewise)"},
};
const struct jrx_schema ex_networks_schema = {"networks and their recipes", columns, sizeof columns / sizeof *columns};

struct rows {
    const struct ex_run *run;
    const struct jrx_csv *learning;
    enum jrx_source source;        /* of the energies in it */
    double s_per_flop, j_per_flop; /* of all networks trained in this run */
};

static int trained(const struct rows *rows, const char *name, double *processor_s, double *energy_j)
{
    int status = ex_last_real(rows->learning, "network", name, "processor_s", processor_s);
    return status ? status : ex_last_real(rows->learning, "network", name, "energy_j", energy_j);
}

static int find_rates(struct rows *rows)
{
    const struct ex_zoo *zoo = rows->run->settings->zoo;
    double s = 0, j = 0, flop = 0;
    int status = 0;
    for (int i = zoo->given; i < zoo->count && !status; i++) {
        double own_s, own_j;
        status = trained(rows, zoo->network[i].name, &own_s, &own_j);
        s += own_s;
        j += own_j;
        flop += ex_network_flop(zoo, i);
    }
    rows->s_per_flop = s / flop;
    rows->j_per_flop = j / flop;
    return status;
}

/* From the checkpoint of a given teacher. An energy of another source than this run's is not added to it. */
static int given(const struct rows *rows, struct ex_spent *spent, int64_t *steps)
{
    char path[EX_NETWORK_PATH];
    struct rx_history history;
    int64_t done;
    int status = rx_train_history(ex_network_path(rows->run, rows->run->settings->zoo->network, path), &history, &done);
    if (status)
        return status;
    *spent = (struct ex_spent){history.spent.processor_s, history.spent.energy_j, JRX_MEASURED, history.spent.source};
    if (done > 0) /* it may not have been trained to its end, and may have had a start */
        *steps = done;
    const double flop = ex_network_step_flop(rows->run->settings->zoo, 0) * (double)*steps;
    if (isnan(spent->processor_s)) {
        spent->processor_s = flop * rows->s_per_flop;
        spent->processor_source = JRX_ESTIMATED;
    }
    if (isnan(spent->energy_j) || spent->energy_source != rows->source) {
        spent->energy_j = flop * rows->j_per_flop;
        spent->energy_source = JRX_ESTIMATED;
    }
    return 0;
}

static int put_row(void *context, int row, struct jrx_table *table)
{
    const struct rows *rows = context;
    const struct ex_zoo *zoo = rows->run->settings->zoo;
    const struct ex_network *n = &zoo->network[row];
    const struct rx_train_config *config = &n->config;
    const int is_given = row == 0 && zoo->given, taught = n->teacher >= 0;
    struct ex_spent spent = {NAN, NAN, JRX_MEASURED, rows->source};
    int64_t steps = config->schedule.steps;
    int status = is_given ? given(rows, &spent, &steps) : trained(rows, n->name, &spent.processor_s, &spent.energy_j);
    if (status)
        return status;
    jrx_put_text(table, "network", n->name);
    jrx_put_text(table, "role", rx_role_name(n->role));
    jrx_put_integer(table, "given", is_given);
    jrx_put_text(table, "teacher", taught ? zoo->network[n->teacher].name : NULL);
    jrx_put_text(table, "body", config->shape.body->name);
    jrx_put_real(table, "width_ratio", n->width);
    jrx_put_integer(table, "parameters", n->parameters);
    jrx_put_integer(table, "seed", n->seed);
    jrx_put_integer(table, "steps", steps);
    jrx_put_integer(table, "slots", steps * config->batch);
    jrx_put_integer(table, "prb", config->link.prb);
    jrx_put_integer(table, "batch", config->batch);
    jrx_put_text(table, "optimiser", config->optimiser == NN_ADAMW ? "adamw" : "lamb");
    jrx_put_real(table, "rate_ratio", config->schedule.rate);
    jrx_put_integer(table, "warmup_steps", config->schedule.warmup);
    jrx_put_integer(table, "hold_steps", config->schedule.hold);
    jrx_put_real(table, "average_ratio", config->average);
    jrx_put_real(table, "mix_ratio", taught ? n->mix : 0);
    jrx_put_real(table, "temperature_ratio", taught ? n->temperature : (double)NAN);
    jrx_put_real(table, "train_flop", ex_network_step_flop(zoo, row) * (double)steps);
    jrx_put_real(table, "processor_s", spent.processor_s);
    jrx_put_text(table, "processor_source", jrx_source_name(spent.processor_source));
    jrx_put_real(table, "energy_j", spent.energy_j);
    jrx_put_text(table, "energy_source", isnan(spent.energy_j) ? NULL : jrx_source_name(spent.energy_source));
    return 0;
}

int ex_networks_write(const struct ex_run *run, const struct jrx_csv *learning)
{
    const char *source;
    struct rows rows = {.run = run, .learning = learning};
    int status = ex_only_text(learning, "energy_source", &source);
    if (!status)
        status = find_rates(&rows);
    if (status)
        return status;
    rows.source = ex_source(source);
    return ex_rows(run->dir, "networks.csv", &ex_networks_schema, run->settings->zoo->count, put_row, &rows);
}

int ex_networks_spent(const struct jrx_csv *networks, const char *name, struct ex_spent *spent)
{
    *spent = (struct ex_spent){NAN, NAN, JRX_SOURCE_NONE, JRX_SOURCE_NONE};
    int row = ex_last(networks, "network", name, "processor_source");
    if (row < 0)
        return row;
    int status = ex_last_real(networks, "network", name, "processor_s", &spent->processor_s), source;
    if (!status)
        status = ex_last_real(networks, "network", name, "energy_j", &spent->energy_j);
    if (status || (source = jrx_csv_find(networks, "energy_source")) < 0)
        return status ? status : JRX_EFORMAT;
    spent->energy_source = ex_source(jrx_csv_text(networks, (size_t)row, (size_t)source));
    source = jrx_csv_find(networks, "processor_source");
    spent->processor_source = ex_source(jrx_csv_text(networks, (size_t)row, (size_t)source));
    return 0;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* Copies a file, whole or not at all. */
static int copy_file(const char *from, const char *to)
{
    char part[EX_NETWORK_PATH + 8], buffer[1 << 14];
    size_t got;
    snprintf(part, sizeof part, "%s.part", to);
    FILE *in = fopen(from, "re"), *out = in ? fopen(part, "we") : NULL;
    int failed = !out;
    while (!failed && (got = fread(buffer, 1, sizeof buffer, in)) > 0)
        failed = fwrite(buffer, 1, got, out) != got;
    failed = failed || ferror(in);
    if (in)
        fclose(in);
    if (out)
        failed = fclose(out) || failed;
    if (failed || rename(part, to)) {
        unlink(part);
        return jrx_fail(JRX_EIO, "%s: could not be copied to %s", from, to);
    }
    return 0;
}

/* The checkpoint that the preset names for the teacher; the zoo has compared its recipe. */
int ex_networks_take(const struct ex_run *run)
{
    const char *from = run->settings->preset->teacher;
    char path[EX_NETWORK_PATH];
    struct rx_receiver whole = {.parameters = NULL};
    if (!access(ex_network_path(run, run->settings->zoo->network, path), F_OK))
        return 0;
    int status = rx_receiver_load(&whole, from);
    rx_receiver_fini(&whole);
    return status ? status : copy_file(from, path);
}

int ex_run_csv(const struct ex_run *run, const char *experiment, const char *file, struct jrx_csv **csv)
{
    char path[PATH_MAX + 64];
    *csv = NULL;
    snprintf(path, sizeof path, "%s/%s/%s", run->base, experiment, file);
    if (access(path, R_OK))
        return jrx_fail(JRX_EIO, "%s is missing; experiment %s makes it: joulerx run %s %s", path, experiment,
                        experiment, run->experiment->name);
    return jrx_csv_read(csv, path, NULL);
}
