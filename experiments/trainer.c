#include "experiments/trainer.h"
#include "experiments/link_options.h"
#include "harness/base/error.h"
#include "harness/interrupt.h"
#include "harness/progress.h"
#include "harness/table.h"
#include "models/receiver/fields.h"
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    enum rx_role role;
    const char *preset, *csv;
    const char *file[2]; /* [teacher,] checkpoint */
    int files, threads, quiet, resume;
    uint64_t seed;
    struct ex_link link;                  /* its config is that of the slots */
    const char *setting[RX_MAX_SETTINGS]; /* as given; NULL: as in the preset */
};

enum { KEY_NETWORK = 256, KEY_SNR, KEY_SEED, KEY_CSV, KEY_RESUME, KEY_SETTING };

static const struct argp_option common_options[] = {
    {"preset", 'p', "NAME", 0, "where all is taken from that is not given: quick (default), smoke, paper", 0},
    {"seed", KEY_SEED, "N", 0, "of starting weights and slots (default 1)", 0},
    {"resume", KEY_RESUME, NULL, 0, "go on with the checkpoint; the other options must be the same", 0},
    {"csv", KEY_CSV, "FILE", 0, "learning curve, one row for each hundredth of the steps", 0},
    {"threads", 't', "N", 0, "threads (default: all processors); the result does not depend on it", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};
static const struct argp_option train_options[] = {
    {"network", KEY_NETWORK, "ROLE", 0, "which of the preset: teacher (default) or scratch, the student on its own", 0},
    {0}};
static const struct argp_option distill_options[] = {{0}};
static const struct argp_option snr_option[] = {{"snr", KEY_SNR, "RANGE", 0, "in dB, drawn for each slot, as -4-32", 0},
                                                {0}};

static const struct jrx_column curve_columns[] = {
    {"step", JRX_INTEGER, "steps done"},
    {"slots", JRX_INTEGER, "slots seen"},
    {"rate_ratio", JRX_REAL, "learning rate of the last step"},
    {"loss_bit", JRX_REAL, "what is minimised, a bit; mean over the steps since the row before, or since resuming"},
    {"bce_bit", JRX_REAL, "cross-entropy against the bits alone, a bit; mean over the same steps"},
    {"ber_ratio", JRX_REAL, "bit errors over bits of the same steps"},
};
static const struct jrx_schema curve_schema = {"curve", curve_columns, sizeof curve_columns / sizeof *curve_columns};

static int64_t whole(struct argp_state *state, const char *name, const char *text, int64_t most)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno || value < 1 || value > most)
        argp_error(state, "--%s=%s: not a whole number from 1 to %lld", name, text, (long long)most);
    return value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case 'p': to->preset = text; break;
    case KEY_SEED: to->seed = (uint64_t)whole(state, "seed", text, INT64_MAX); break;
    case KEY_RESUME: to->resume = 1; break;
    case KEY_CSV: to->csv = text; break;
    case 't': to->threads = (int)whole(state, "threads", text, 1024); break;
    case 'q': to->quiet = 1; break;
    case KEY_NETWORK:
        if (strcmp(text, "teacher") && strcmp(text, "scratch"))
            argp_error(state, "--network=%s: there are teacher and scratch", text);
        to->role = strcmp(text, "scratch") ? RX_TEACHER : RX_SCRATCH;
        break;
    case ARGP_KEY_ARG:
        if (to->files == (to->role == RX_DISTILLED ? 2 : 1))
            argp_usage(state);
        to->file[to->files++] = text;
        break;
    case ARGP_KEY_END:
        if (to->files < (to->role == RX_DISTILLED ? 2 : 1))
            argp_usage(state);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse_setting(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    if (key < KEY_SETTING || key >= KEY_SETTING + RX_MAX_SETTINGS)
        return ARGP_ERR_UNKNOWN;
    to->setting[key - KEY_SETTING] = text;
    return 0;
}

static error_t parse_link(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = &to->link;
    if (key != KEY_SNR)
        return ARGP_ERR_UNKNOWN;
    int status = ex_parse_range("snr", text, to->link.config.snr_db);
    to->link.status = to->link.status ? to->link.status : status;
    return 0;
}

static error_t parse_root(int key, char *text, struct argp_state *state)
{
    if (key != ARGP_KEY_INIT)
        return parse(key, text, state);
    for (int i = 0; i < 3; i++)
        state->child_inputs[i] = state->input;
    return 0;
}

/* The preset with what was given instead. */
static int configure(const struct arguments *a, struct rx_train_config *config)
{
    const struct rx_preset *preset = rx_preset_find(a->preset);
    int status = preset ? a->link.status : JRX_EINVAL;
    if (status)
        return status;
    *config = rx_preset_config(preset, a->role, a->seed);
    config->link = a->link.config;
    config->shape.rx = config->link.rx;
    for (int i = 0; !status && rx_setting(i); i++)
        if (a->setting[i])
            status = rx_setting_set(config, rx_setting(i)->name, a->setting[i]);
    return status ? status : rx_train_config_check(config);
}

static int put_row(struct jrx_table *table, const struct rx_train *train, const struct nn_loss_sum *sum)
{
    const double bits = (double)sum->bits;
    if (!table)
        return 0;
    jrx_put_integer(table, "step", train->step);
    jrx_put_integer(table, "slots", train->step * train->config.batch);
    jrx_put_real(table, "rate_ratio", nn_rate(&train->config.schedule, train->step));
    jrx_put_real(table, "loss_bit", sum->loss / bits / log(2));
    jrx_put_real(table, "bce_bit", sum->bce / bits / log(2));
    jrx_put_real(table, "ber_ratio", (double)sum->errors / bits);
    return jrx_table_row(table);
}

/* To the end of the next hundredth of the steps, or to Ctrl-C; then a checkpoint. The row comes after it: a run that is
 * killed between the two loses a row and repeats none. */
static int stretch(struct rx_train *train, const char *path, struct jrx_table *table, struct jrx_progress *progress)
{
    const int64_t steps = train->config.schedule.steps, length = (steps + 99) / 100;
    const int64_t end = (train->step / length + 1) * length;
    struct nn_loss_sum sum = {0};
    char text[JRX_PROGRESS_TEXT];
    int status = 0;
    snprintf(text, sizeof text, "step %lld", (long long)train->step);
    jrx_progress_item(progress, text);
    while (!status && train->step < end && train->step < steps && !jrx_interrupted()) {
        status = rx_train_step(train);
        sum.loss += train->last.loss;
        sum.bce += train->last.bce;
        sum.bits += train->last.bits;
        sum.errors += train->last.errors;
    }
    if (!status)
        status = rx_train_save(train, path);
    if (!status)
        status = jrx_interrupt_check();
    if (!status)
        status = put_row(table, train, &sum);
    snprintf(text, sizeof text, "loss %.4f bit, BER %.4f", sum.loss / (double)sum.bits / log(2),
             (double)sum.errors / (double)sum.bits);
    if (!status)
        jrx_progress_done(progress, text);
    return status;
}

static int loop(struct rx_train *train, const struct arguments *a, const char *path)
{
    const int64_t steps = train->config.schedule.steps, length = (steps + 99) / 100;
    struct jrx_table *table = NULL;
    struct jrx_progress progress;
    int status = a->csv ? jrx_table_open(&table, a->csv, &curve_schema, JRX_TABLE_APPEND) : 0;
    jrx_progress_init(&progress, stderr, a->quiet ? JRX_PROGRESS_QUIET : JRX_PROGRESS_AUTO);
    unsigned group = jrx_progress_plan(&progress, path, (uint32_t)((steps + length - 1) / length), NAN);
    jrx_progress_enter(&progress, group);
    jrx_progress_skip(&progress, (uint32_t)(train->step / length));
    while (!status && train->step < steps)
        status = stretch(train, path, table, &progress);
    jrx_progress_fini(&progress);
    if (status) {
        jrx_table_leave(table);
        if (status == JRX_EINTERRUPTED)
            jrx_fail(status, "interrupted after step %lld of %lld; %s is kept, go on with --resume",
                     (long long)train->step, (long long)steps, path);
        return status;
    }
    status = jrx_table_close(table);
    if (!status)
        printf("%s: %lld parameters after %lld steps\n", path, (long long)nn_parameters(&train->student.net),
               (long long)train->step);
    return status;
}

static int refuse_existing(const char *path)
{
    char part[4096];
    snprintf(part, sizeof part, "%s.part", path);
    if (!access(path, F_OK) || !access(part, F_OK))
        return jrx_fail(JRX_EINVAL, "%s: there is such a file already; go on with it by --resume, or give another name",
                        path);
    return 0;
}

static int train(const struct arguments *a)
{
    const char *path = a->file[a->role == RX_DISTILLED];
    struct rx_train_config config;
    struct rx_receiver teacher = {.parameters = NULL};
    struct rx_train training = {.step = 0};
    int status = configure(a, &config);
    if (!status && !a->resume)
        status = refuse_existing(path);
    if (!status && !a->resume && a->csv)
        status = refuse_existing(a->csv);
    if (!status && a->role == RX_DISTILLED)
        status = rx_receiver_load(&teacher, a->file[0]);
    if (!status)
        status = rx_train_init(&training, &config, a->role == RX_DISTILLED ? &teacher : NULL,
                               a->threads ? a->threads : omp_get_max_threads());
    if (!status && a->resume)
        status = rx_train_load(&training, path);
    if (!status)
        status = jrx_interrupt_catch();
    if (!status) {
        status = loop(&training, a, path);
        jrx_interrupt_release();
    }
    rx_train_fini(&training);
    rx_receiver_fini(&teacher);
    return status;
}

/* An option for each setting; those that need a teacher for distill only. */
static void list_settings(struct argp_option option[RX_MAX_SETTINGS + 1], int taught)
{
    for (int i = 0; rx_setting(i); i++)
        if (taught || !rx_setting(i)->taught)
            *option++ = (struct argp_option){
                rx_setting(i)->name, KEY_SETTING + i, rx_setting(i)->argument, 0, rx_setting(i)->doc, 0};
    *option = (struct argp_option){0};
}

int ex_trainer_run(int argc, char **argv, enum rx_role role, const char *doc)
{
    struct arguments arguments = {.role = role, .preset = "quick", .seed = 1};
    const int taught = role == RX_DISTILLED;
    struct argp_option settings[RX_MAX_SETTINGS + 1];
    list_settings(settings, taught);
    const struct argp common = {.options = common_options, .parser = parse};
    const struct argp own = {.options = settings, .parser = parse_setting};
    const struct argp_child channel[] = {{&ex_channel_argp, 0, NULL, 0}, {0}};
    const struct argp link = {.options = snr_option, .parser = parse_link, .children = channel};
    const struct argp_child children[] = {{&common, 0, NULL, 0},
                                          {&own, 0, "Network and training (default: the preset's):", 1},
                                          {&link, 0, "The slots (default: the preset's):", 2},
                                          {0}};
    const struct argp argp = {.options = taught ? distill_options : train_options,
                              .parser = parse_root,
                              .args_doc = taught ? "TEACHER FILE" : "FILE",
                              .doc = doc,
                              .children = children};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments); /* for the preset, wherever it stands; then on top of it: */
    const struct rx_preset *preset = rx_preset_find(arguments.preset);
    if (!preset)
        return JRX_EINVAL;
    arguments.files = 0;
    arguments.link = (struct ex_link){.config = preset->common.link};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    return train(&arguments);
}
