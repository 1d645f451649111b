/* joulerx export: the network of a checkpoint, without what only training needs, for other programs. */
#include "experiments/command.h"
#include "harness/base/error.h"
#include "models/nn/checkpoint.h"
#include "models/nn/onnx.h"
#include "models/receiver/receiver.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct arguments {
    const char *file[2]; /* checkpoint, result */
    int files;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (to->files == 2)
            argp_usage(state);
        to->file[to->files++] = text;
        break;
    case ARGP_KEY_END:
        if (to->files < 2)
            argp_usage(state);
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* What a reader of the network needs to know of its origin; `average` is what is exported, not beside it. */
static int pairs_of(const struct nn_st_file *file, struct nn_st_pair *pair)
{
    static const char *const keys[] = {"body", "width", "blocks",    "multiplier", "rx",   "logits",
                                       "seed", "steps", "link.bits", "link.prb",   "step", "teacher"};
    int count = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = nn_st_meta(file, keys[i]);
        if (value)
            pair[count++] = (struct nn_st_pair){keys[i], value};
    }
    return count;
}
enum { PAIRS = 16 };

static int write_onnx(const char *path, const struct rx_receiver *receiver, const struct nn_st_pair *pair, int pairs)
{
    char text[640];
    snprintf(text, sizeof text,
             "input: real planes Re Y and Im Y of each of %d antennas, Re Xp, Im Xp, Re Hr and Im Hr of each antenna; "
             "Xp the pilots sent, 0 elsewhere; Hr = Y conj(Xp); Y scaled to mean power 1 over the slot and its "
             "antennas. logits: of the bits of each resource element, in the order of TS 38.211; above 0 means 1.",
             receiver->shape.rx);
    const struct nn_onnx_about about = {receiver->shape.body->name, text, pair, pairs};
    return nn_onnx_write(path, &about, &receiver->net, receiver->parameters, receiver->statistics);
}

static int write_safetensors(const char *path, const struct rx_receiver *receiver, const struct nn_st_pair *pair,
                             int pairs)
{
    const struct nn_block block[] = {{"", 0, receiver->parameters}, {"", 1, receiver->statistics}};
    return nn_checkpoint_write(path, pair, pairs, &receiver->net, block, 2);
}

static const struct format {
    const char *ending;
    int (*write)(const char *path, const struct rx_receiver *receiver, const struct nn_st_pair *pair, int pairs);
} formats[] = {{".onnx", write_onnx}, {".safetensors", write_safetensors}};

static const struct format *format_of(const char *path)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const size_t length = strlen(path), ending = strlen(formats[i].ending);
        if (length > ending && !strcmp(path + length - ending, formats[i].ending))
            return &formats[i];
    }
    jrx_fail(JRX_EINVAL, "%s: what it shall be is told by its ending; there are .onnx and .safetensors", path);
    return NULL;
}

static int same_file(const char *a, const char *b)
{
    struct stat one, other;
    return !stat(a, &one) && !stat(b, &other) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static int export(const char *from, const char *to)
{
    struct rx_receiver receiver = {.parameters = NULL};
    struct nn_st_file file = {.memory = NULL};
    struct nn_st_pair pair[PAIRS];
    struct stat written = {0};
    const struct format *format = format_of(to);
    if (!format)
        return JRX_EINVAL;
    if (same_file(from, to))
        return jrx_fail(JRX_EINVAL, "%s: is the checkpoint itself, which a training goes on from; give another name",
                        to);
    int status = rx_receiver_load(&receiver, from);
    if (!status)
        status = nn_st_open(&file, from);
    if (!status)
        status = format->write(to, &receiver, pair, pairs_of(&file, pair));
    if (!status && !stat(to, &written))
        printf("%s: %lld parameters, %lld bytes\n", to, (long long)nn_parameters(&receiver.net),
               (long long)written.st_size);
    nn_st_close(&file);
    rx_receiver_fini(&receiver);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments a = {.files = 0};
    const struct argp argp = {
        .parser = parse,
        .args_doc = "CHECKPOINT OUT.onnx|OUT.safetensors",
        .doc = "Writes the network of a checkpoint of `joulerx train` or `distill` for inference: as ONNX, batch norm "
               "folded into the convolutions where it can be, for any number of slots, subcarriers and symbols; or as "
               "safetensors with the weights alone, which `joulerx evaluate` reads too. Averaged weights are taken "
               "where there are some."};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    return export(a.file[0], a.file[1]);
}

const struct ex_command cmd_export = {
    .name = "export", .summary = "a trained receiver as ONNX or plain safetensors", .order = 33, .run = run};
