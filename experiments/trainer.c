#include "experiments/trainer.h"
#include "experiments/link_options.h"
#include "experiments/net_calls.h"
#include "experiments/trainer_loop.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/interrupt.h"
#include "models/receiver/fields.h"
#include <libgen.h>
#include <limits.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct arguments {
    enum rx_role role;
    const char *preset;
    const char *file[2]; /* [teacher,] checkpoint */
    const char *start;   /* a receiver to begin from; NULL: from starting values */
    int files, resume;
    struct ex_loop loop;
    uint64_t seed;                        /* 0: not given */
    struct rx_train_config base;          /* what is given is put on top of it */
    struct ex_link link;                  /* its config is that of the slots */
    const char *setting[RX_MAX_SETTINGS]; /* as given; NULL: as in the preset */
};

enum {
    KEY_NETWORK = 256,
    KEY_SNR,
    KEY_SEED,
    KEY_CSV,
    KEY_RESUME,
    KEY_START,
    KEY_EVERY,
    KEY_VALIDATE,
    KEY_METER,
    KEY_POWER,
    KEY_SETTING
};

static const struct argp_option common_options[] = {
    {"preset", 'p', "NAME", 0,
     "where all is taken from that is not given: quick (default), smoke, study, paper; with --resume it is the "
     "checkpoint",
     0},
    {"seed", KEY_SEED, "N", 0, "of starting weights and slots (default 1)", 0},
    {"resume", KEY_RESUME, NULL, 0, "go on with the checkpoint; what is given besides must be as it was", 0},
    {"start", KEY_START, "FILE", 0,
     "begin from this trained receiver of the same network, not from starting values, with an optimiser that begins "
     "anew; give another --seed than it had",
     0},
    {"csv", KEY_CSV, "FILE", 0, "learning curve, one row a checkpoint; drawn beside it at the end, as SVG and PNG", 0},
    {"every", KEY_EVERY, "N", 0, "steps between checkpoints (default: a hundredth of all, 2048 slots at most)", 0},
    {"validate", KEY_VALIDATE, "N", 0, "slots for validation at each checkpoint, always the same (default 64; 0: none)",
     0},
    {"meter", KEY_METER, "NAME", 0, "energy meter (default auto: the best that works here)", 0},
    {"power-profile", KEY_POWER, "NAME", 0, "energy profile of the model meter", 0},
    {"threads", 't', "N", 0, "threads (default: all processors); the result does not depend on it", 0},
    {"quiet", 'q', NULL, 0, "no progress", 0},
    {0}};
static const struct argp_option train_options[] = {
    {"network", KEY_NETWORK, "ROLE", 0, "which of the preset: teacher (default) or scratch, the student on its own", 0},
    {0}};
static const struct argp_option distill_options[] = {{0}};
static const struct argp_option snr_option[] = {{"snr", KEY_SNR, "RANGE", 0, "in dB, drawn for each slot, as -4-32", 0},
                                                {0}};

static int whole(struct argp_state *state, const char *name, const char *text, long least, long most)
{
    long value = 0;
    if (ex_parse_integer(name, text, least, most, &value))
        argp_error(state, "%s", jrx_last_error());
    return (int)value;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case 'p': to->preset = text; break;
    case KEY_SEED: to->seed = (uint64_t)whole(state, "seed", text, 1, INT_MAX); break;
    case KEY_RESUME: to->resume = 1; break;
    case KEY_START: to->start = text; break;
    case KEY_CSV: to->loop.csv = text; break;
    case KEY_EVERY: to->loop.every = whole(state, "every", text, 1, 1000000000); break;
    case KEY_VALIDATE: to->loop.validation = whole(state, "validate", text, 0, 1000000); break;
    case KEY_METER: to->loop.meter = text; break;
    case KEY_POWER: to->loop.power_profile = text; break;
    case 't': to->loop.threads = whole(state, "threads", text, 1, 1024); break;
    case 'q': to->loop.quiet = 1; break;
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
        if (to->start && to->resume)
            argp_error(state, "--start=%s: a training that is resumed has begun; leave it out", to->start);
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

/* Where all comes from that is not given: the checkpoint, or a preset. */
static int begin(struct arguments *a)
{
    if (a->resume && !a->preset)
        return rx_config_load(&a->base, a->file[a->role == RX_DISTILLED]);
    const struct rx_preset *preset = rx_preset_find(a->preset ? a->preset : "quick");
    if (preset)
        a->base = rx_preset_config(preset, a->role, a->seed ? a->seed : 1);
    return preset ? 0 : JRX_EINVAL;
}

static int configure(const struct arguments *a, struct rx_train_config *config)
{
    int status = a->link.status;
    *config = a->base;
    if (a->seed)
        config->seed = rx_role_seed(a->role, a->seed);
    config->link = a->link.config;
    config->shape.rx = config->link.rx;
    for (int i = 0; !status && rx_setting(i); i++)
        if (a->setting[i])
            status = rx_setting_set(config, rx_setting(i)->name, a->setting[i]);
    return status ? status : rx_train_config_check(config);
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

/* Before hours of work, not after them: checkpoints replace each other, so they need their folder. */
static int need_folder(const char *path)
{
    char folder[4096];
    if (snprintf(folder, sizeof folder, "%s", path) >= (int)sizeof folder)
        return jrx_fail(JRX_EINVAL, "%.40s...: a name of %zu letters; give a shorter one", path, strlen(path));
    return access(dirname(folder), W_OK | X_OK)
               ? jrx_file_error(path, "could not be made", "make the folder, or give another name")
               : 0;
}

/* What it will be, before it begins; of a process, the program and its libraries come on top. */
static void announce(const struct arguments *a, const struct ex_loop *loop, const struct rx_train *training)
{
    const struct rx_train_config *c = &training->config;
    if (!loop->quiet)
        fprintf(stderr,
                "%s: %s of width %g, %lld parameters; %lld steps of %d slots of %d PRB; peak memory %.1f MiB "
                "beside the program's own\n",
                loop->path, c->shape.body->name, c->shape.width, (long long)nn_parameters(&training->student.net),
                (long long)c->schedule.steps, c->batch, c->link.prb,
                (double)(training->bytes + ex_loop_bytes(loop, training)) / (1 << 20));
    if (!loop->quiet && training->history.start)
        fprintf(stderr, "%s: begun from a receiver of %lld steps\n", loop->path,
                (long long)training->history.start_steps);
    if (!loop->quiet && a->resume)
        fprintf(stderr, "%s: from step %lld\n", loop->path, (long long)training->step);
}

/* They decide how fast it goes and nothing else, so no checkpoint speaks of them. */
static void announce_tiles(struct ex_tiles *tiles, struct rx_train *training)
{
    char text[PATH_MAX + 128];
    struct ex_net_call call[EX_NET_CALLS];
    const struct rx_train_config *c = &training->config;
    const int calls = ex_net_calls(&training->student.net, rx_train_mode(c), c->micro, c->link.prb * LK_PRB_SUBCARRIERS,
                                   LK_SYMBOLS, rx_train_inner(c, training->asked), call);
    fprintf(stderr, "%s", ex_tiles_say(tiles, text, sizeof text));
    if (tiles->found && calls > 0)
        fprintf(stderr, "; %d of the %d different calls of a step have a row",
                ex_net_calls_from_file(tiles, call, calls), calls);
    fputc('\n', stderr);
}

static int train(const struct arguments *a)
{
    struct ex_loop loop = a->loop;
    struct rx_train_config config;
    struct rx_receiver teacher = {.parameters = NULL};
    struct rx_train training = {.step = 0};
    struct ex_tiles tiles = {.rows = 0};
    const struct nn_tilings tilings = ex_tilings(&tiles);
    loop.path = a->file[a->role == RX_DISTILLED];
    loop.threads = loop.threads ? loop.threads : omp_get_max_threads();
    int status = configure(a, &config); /* first: what the options' parsers had to say is the last error until then */
    if (!status && !a->resume)
        status = refuse_existing(loop.path);
    if (!status && !a->resume && loop.csv)
        status = refuse_existing(loop.csv);
    if (!status)
        status = need_folder(loop.path);
    if (!status)
        status = ex_tiles_read(&tiles);
    if (!status && a->role == RX_DISTILLED)
        status = rx_receiver_load(&teacher, a->file[0]);
    teacher.net.tilings = config.tilings = &tilings;
    if (!status)
        status = rx_train_init(&training, &config, a->role == RX_DISTILLED ? &teacher : NULL, loop.threads);
    if (!status && a->start)
        status = rx_train_start(&training, a->start);
    if (!status && a->resume)
        status = rx_train_load(&training, loop.path);
    if (!status)
        status = jrx_interrupt_catch();
    if (!status) {
        announce(a, &loop, &training);
        if (!loop.quiet)
            announce_tiles(&tiles, &training);
        status = ex_loop_run(&loop, &training);
        jrx_interrupt_release();
    }
    rx_train_fini(&training);
    rx_receiver_fini(&teacher);
    ex_tiles_fini(&tiles);
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
    struct arguments arguments = {.role = role, .loop.validation = 64};
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
    argp_parse(&argp, argc, argv, 0, NULL, &arguments); /* for preset and file, wherever they stand; then on top: */
    int status = begin(&arguments);
    if (status)
        return status;
    arguments.files = 0;
    arguments.link = (struct ex_link){.config = arguments.base.link};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    return train(&arguments);
}
