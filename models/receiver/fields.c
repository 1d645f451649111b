#include "models/receiver/fields.h"
#include "harness/base/error.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { INT, INT64, UINT64, UNSIGNED, REAL, BODY, OPTIMISER, PRECISION, YES_NO };

static const char *const optimisers[] = {[NN_ADAMW] = "adamw", [NN_LAMB] = "lamb"};
static const char *const precisions[] = {[NN_FP32] = "fp32", [NN_BF16] = "bf16"};
static const char *const yes_no[] = {"no", "yes"};

/* Every number that has a part in the trajectory; step and teacher are put beside. Those with a line of explanation are
 * for users to set, in this order: the steps stretch the schedule before the schedule is set. */
static const struct field {
    struct rx_setting setting; /* name: the key in a checkpoint */
    enum type type;
    size_t offset;
    double least, most; /* of what users may set; further conditions are rx_train_config_check()'s */
} fields_table[] = {
#define AT(member) offsetof(struct rx_train_config, member)
    {{"body", "NAME", "table of blocks: deeprx, short7, short5, short3", 0}, BODY, AT(shape.body), 0, 0},
    {{"width", "X", "factor on all channel counts", 0}, REAL, AT(shape.width), 1e-3, 16},
    {{"blocks", "N", "so many of the table's blocks, spread evenly; 0: all", 0}, INT, AT(shape.blocks), 0, 64},
    {{"multiplier", "N", "of depthwise layers, 1 to 4; 0: 2, as published", 0}, INT, AT(shape.multiplier), 0, 4},
    {{"logits", "N", "outputs: 8 serve QPSK to 256QAM, 4 are the published form for 16QAM", 0},
     INT,
     AT(shape.logits),
     2,
     KN_LANES},
    {{"steps", "N", "steps of the optimiser; warm-up and plateau become longer or shorter along", 0},
     INT64,
     AT(schedule.steps),
     1,
     1e9},
    {{"warmup", "N", "steps of linear rise of the learning rate", 0}, INT64, AT(schedule.warmup), 0, 1e9},
    {{"hold", "N", "step at which its linear fall to 0 begins", 0}, INT64, AT(schedule.hold), 0, 1e9},
    {{"rate", "X", "learning rate of the plateau", 0}, REAL, AT(schedule.rate), 1e-12, 1e3},
    {{"batch", "N", "slots a step", 0}, INT, AT(batch), 1, 65536},
    {{"micro", "N", "slots that are normalised together, a divisor of the batch", 0}, INT, AT(micro), 1, 65536},
    {{"optimiser", "NAME", "adamw or lamb; published: lamb at rate 1e-2, which adamw would not survive", 0},
     OPTIMISER,
     AT(optimiser),
     0,
     0},
    {{"decay", "X", "weight decay, of either optimiser", 0}, REAL, AT(adamw.decay), 0, 1},
    {{"beta1", "X", "decay of the mean of gradients", 0}, REAL, AT(adamw.beta1), 0, 0.999999},
    {{"beta2", "X", "decay of the mean of their squares", 0}, REAL, AT(adamw.beta2), 0, 0.999999},
    {{"epsilon", "X", "added to the root of that mean", 0}, REAL, AT(adamw.epsilon), 0, 1},
    {{"clip", "X", "gradients longer than this are shrunk to it; 0: none are", 0}, REAL, AT(clip), 0, 1e9},
    {{"average", "X", "decay of a running average of the weights, which the receiver then uses; 0: none", 0},
     REAL,
     AT(average),
     0,
     0.999999},
    {{"momentum", "X", "share of a new batch in the running statistics of norms", 0}, REAL, AT(momentum), 1e-6, 1},
    {{"snr-weight", "yes|no", "whether a slot counts log2(1 + SNR) times", 0}, YES_NO, AT(snr_weight), 0, 0},
    {{"checkpointing", "yes|no",
      "whether half the maps are made again, not kept: 40 % less memory, 10 to 15 % more time, the same result", 0},
     YES_NO,
     AT(checkpointing),
     0,
     0},
    {{"precision", "NAME",
      "fp32, or bf16: factors of pointwise layers are rounded in training; needs AVX512_BF16, makes another receiver",
      0},
     PRECISION,
     AT(precision),
     0,
     0},
    {{"mix", "X", "share of the teacher in the loss, 0 to 1", 1}, REAL, AT(loss.mix), 0, 1},
    {{"temperature", "X", "of both sigmoids of the teacher's share", 1}, REAL, AT(loss.temperature), 1e-6, 1e6},
    {{"hint", "X", "weight of the teacher's last map in the loss; 0: none", 1}, REAL, AT(hint), 0, 1e6},
#define HIDDEN(key, type, member)                                                                                      \
    {                                                                                                                  \
        {key, NULL, NULL, 0}, type, AT(member), 0, 0                                                                   \
    }
    HIDDEN("seed", UINT64, seed),
    HIDDEN("rx", INT, shape.rx),
    HIDDEN("hint_channels", INT, shape.hint),
    HIDDEN("link.prb", INT, link.prb),
    HIDDEN("link.rx", INT, link.rx),
    HIDDEN("link.bits", UNSIGNED, link.modulation),
    HIDDEN("link.mixture", UNSIGNED, link.mixture),
    HIDDEN("link.carrier_hz", REAL, link.carrier_hz),
    HIDDEN("link.scs_hz", REAL, link.scs_hz),
    HIDDEN("link.profiles", UNSIGNED, link.profiles),
    HIDDEN("link.patterns", UNSIGNED, link.patterns),
    HIDDEN("link.delay_spread_min_s", REAL, link.delay_spread_s[0]),
    HIDDEN("link.delay_spread_max_s", REAL, link.delay_spread_s[1]),
    HIDDEN("link.doppler_min_hz", REAL, link.doppler_hz[0]),
    HIDDEN("link.doppler_max_hz", REAL, link.doppler_hz[1]),
    HIDDEN("link.snr_min_db", REAL, link.snr_db[0]),
    HIDDEN("link.snr_max_db", REAL, link.snr_db[1]),
    HIDDEN("link.sir_min_db", REAL, link.sir_db[0]),
    HIDDEN("link.sir_max_db", REAL, link.sir_db[1]),
    HIDDEN("link.interferers", INT, link.interferers),
    HIDDEN("link.rx_correlation", REAL, link.rx_correlation),
    HIDDEN("link.engine", UNSIGNED, link.engine),
    HIDDEN("link.dmrs_id", INT, link.dmrs_id),
#undef HIDDEN
#undef AT
};
enum { NUMBERS = sizeof fields_table / sizeof *fields_table };
_Static_assert(NUMBERS + 5 <= RX_FIELDS, "room for the fields");
_Static_assert(sizeof(enum lk_modulation) == sizeof(unsigned) && sizeof(enum lk_engine) == sizeof(unsigned) &&
                   sizeof(enum nn_optimiser) == sizeof(unsigned) && sizeof(enum nn_precision) == sizeof(unsigned),
               "enums are read as unsigned");
_Static_assert(sizeof(struct lk_config) == 128, "a new field of struct lk_config belongs in this table");

/* ---- what users set ---- */

const struct rx_setting *rx_setting(int i)
{
    return i >= 0 && i < NUMBERS && fields_table[i].setting.doc ? &fields_table[i].setting : NULL;
}

/* Index of text among `count` names, -1 if it is none. */
static int among(const char *const *name, int count, const char *text)
{
    while (count-- && strcmp(name[count], text))
        ;
    return count;
}

static int set_number(const struct field *field, void *to, const char *text)
{
    char *end;
    const double value = strtod(text, &end);
    const int real = field->type == REAL;
    if (end == text || *end || !(value >= field->least && value <= field->most) || (!real && value != floor(value)))
        return jrx_fail(JRX_EINVAL, "--%s=%s: give a %snumber from %g to %g", field->setting.name, text,
                        real ? "" : "whole ", field->least, field->most);
    if (real)
        *(double *)to = value;
    else if (field->type == INT)
        *(int *)to = (int)value;
    else
        *(int64_t *)to = (int64_t)value;
    return 0;
}

static int set_body(struct rx_train_config *config, const char *text)
{
    const struct rx_body *body = rx_body_find(text);
    if (body)
        config->shape.body = body;
    return body ? 0 : JRX_EINVAL;
}

/* Keeps warm-up and plateau the shares of a training that they are. */
static int set_steps(const struct field *field, struct rx_train_config *config, const char *text)
{
    struct nn_schedule *s = &config->schedule;
    const double before = (double)s->steps;
    int status = set_number(field, &s->steps, text);
    if (!status && before > 0) {
        s->warmup = llround((double)s->warmup * (double)s->steps / before);
        s->hold = llround((double)s->hold * (double)s->steps / before);
    }
    return status;
}

int rx_setting_set(struct rx_train_config *config, const char *name, const char *text)
{
    const struct field *field = fields_table;
    while (field < fields_table + NUMBERS && (!field->setting.doc || strcmp(field->setting.name, name)))
        field++;
    if (field == fields_table + NUMBERS)
        return jrx_fail(JRX_EINVAL, "training: no setting is called %s; see joulerx train --help", name);
    void *to = (char *)config + field->offset;
    int choice;
    switch (field->type) {
    case BODY: return set_body(config, text);
    case OPTIMISER:
        if ((choice = among(optimisers, 2, text)) < 0)
            return jrx_fail(JRX_EINVAL, "--%s=%s: give adamw or lamb", name, text);
        config->optimiser = (enum nn_optimiser)choice;
        return 0;
    case PRECISION:
        if ((choice = among(precisions, 2, text)) < 0)
            return jrx_fail(JRX_EINVAL, "--%s=%s: give fp32 or bf16", name, text);
        config->precision = (enum nn_precision)choice;
        return 0;
    case YES_NO:
        if ((choice = among(yes_no, 2, text)) < 0)
            return jrx_fail(JRX_EINVAL, "--%s=%s: give yes or no", name, text);
        *(int *)to = choice;
        return 0;
    default: return to == &config->schedule.steps ? set_steps(field, config, text) : set_number(field, to, text);
    }
}

/* ---- what checkpoints keep ---- */

static char *put(struct rx_fields *fields, const char *key)
{
    char *text = fields->text[fields->count];
    fields->pair[fields->count++] = (struct nn_st_pair){key, text};
    return text;
}

uint64_t rx_fingerprint(const struct rx_receiver *receiver)
{
    uint64_t hash = receiver ? 0xcbf29ce484222325u : 0;
    for (int block = 0; receiver && block < 2; block++) {
        const unsigned char *byte = (const void *)(block ? receiver->statistics : receiver->parameters);
        size_t bytes = sizeof(float) * (block ? receiver->net.statistic_floats : receiver->net.parameter_floats);
        for (size_t i = 0; i < bytes; i++)
            hash = (hash ^ byte[i]) * 0x100000001b3u;
    }
    return hash;
}

/* Missing is empty. */
static void put_known(struct rx_fields *fields, const char *key, double value)
{
    char *text = put(fields, key);
    *text = 0;
    if (!isnan(value))
        snprintf(text, RX_FIELD_TEXT, "%.17g", value);
}

void rx_fields_fill(struct rx_fields *fields, const struct rx_train *train)
{
    fields->count = 0;
    for (int i = 0; i < NUMBERS; i++) {
        const void *value = (const char *)&train->config + fields_table[i].offset;
        char *text = put(fields, fields_table[i].setting.name);
        switch (fields_table[i].type) {
        case INT: snprintf(text, RX_FIELD_TEXT, "%d", *(const int *)value); break;
        case INT64: snprintf(text, RX_FIELD_TEXT, "%" PRId64, *(const int64_t *)value); break;
        case UINT64: snprintf(text, RX_FIELD_TEXT, "%" PRIu64, *(const uint64_t *)value); break;
        case UNSIGNED: snprintf(text, RX_FIELD_TEXT, "%u", *(const unsigned *)value); break;
        case REAL: snprintf(text, RX_FIELD_TEXT, "%.17g", *(const double *)value); break;
        case BODY: snprintf(text, RX_FIELD_TEXT, "%s", train->config.shape.body->name); break;
        case OPTIMISER: snprintf(text, RX_FIELD_TEXT, "%s", optimisers[train->config.optimiser != NN_ADAMW]); break;
        case PRECISION: snprintf(text, RX_FIELD_TEXT, "%s", precisions[train->config.precision != NN_FP32]); break;
        case YES_NO: snprintf(text, RX_FIELD_TEXT, "%s", yes_no[*(const int *)value != 0]); break;
        }
    }
    snprintf(put(fields, "teacher"), RX_FIELD_TEXT, "%016" PRIx64, rx_fingerprint(train->teacher));
    fields->compared = fields->count;
    snprintf(put(fields, "step"), RX_FIELD_TEXT, "%" PRId64, train->step);
    snprintf(put(fields, "start"), RX_FIELD_TEXT, "%016" PRIx64, train->history.start);
    snprintf(put(fields, "start_steps"), RX_FIELD_TEXT, "%" PRId64, train->history.start_steps);
    put_known(fields, "time_s", train->history.spent.time_s);
    put_known(fields, "processor_s", train->history.spent.processor_s);
    put_known(fields, "energy_j", train->history.spent.energy_j);
    snprintf(put(fields, "energy_source"), RX_FIELD_TEXT, "%s", jrx_source_name(train->history.spent.source));
}

int rx_fields_compare(const struct rx_fields *fields, const struct nn_st_file *file, const char *path)
{
    for (int i = 0; i < fields->compared; i++) {
        const struct nn_st_pair *want = &fields->pair[i];
        const char *got = nn_st_meta(file, want->key);
        if (!got && !strcmp(want->key, "precision")) /* younger than checkpoints that are in use */
            got = precisions[NN_FP32];
        if (!got || strcmp(got, want->value))
            return jrx_fail(JRX_EINVAL, "%s: it was trained with %s %s, not %s; give the same options to resume", path,
                            want->key, got ? got : "(not recorded)", want->value);
    }
    return 0;
}

/* A field that users do not set, as it was recorded. 1 if it is a number of its type. */
static int read_hidden(const struct field *field, void *to, const char *text)
{
    char *end;
    errno = 0;
    switch (field->type) {
    case REAL: *(double *)to = strtod(text, &end); break;
    case UINT64: *(uint64_t *)to = strtoull(text, &end, 10); break;
    case UNSIGNED: *(unsigned *)to = (unsigned)strtoul(text, &end, 10); break;
    default: *(int *)to = (int)strtol(text, &end, 10); break;
    }
    return end != text && !*end && !errno;
}

static int read_config(struct rx_train_config *config, const struct nn_st_file *file, const char *path)
{
    *config = (struct rx_train_config){.batch = 0};
    for (int i = 0; i < NUMBERS; i++) {
        const struct field *field = &fields_table[i];
        const char *name = field->setting.name, *text = nn_st_meta(file, name);
        if (!text && (field->type == PRECISION || field->offset == offsetof(struct rx_train_config, checkpointing)))
            continue; /* younger than checkpoints that are in use, which were all FP32; changes no bit */
        const int good = text && (field->setting.doc ? !rx_setting_set(config, name, text)
                                                     : read_hidden(field, (char *)config + field->offset, text));
        if (!good)
            return jrx_fail(JRX_EFORMAT, "%s: metadata %s is %s; it was not written by this version of `joulerx train`",
                            path, name, text ? text : "missing");
    }
    return 0;
}

int rx_config_load(struct rx_train_config *config, const char *path)
{
    struct nn_st_file file;
    int status = nn_st_open(&file, path);
    if (status)
        return status;
    status = read_config(config, &file, path);
    nn_st_close(&file);
    return status;
}

static int number(const struct nn_st_file *file, const char *path, const char *key, double *value)
{
    const char *text = nn_st_meta(file, key);
    char *end = NULL;
    if (text)
        *value = strtod(text, &end);
    if (!text || end == text || *end)
        return jrx_fail(JRX_EFORMAT, "%s: metadata %s is %s; a checkpoint of `joulerx train` has a number there", path,
                        key, text ? text : "missing");
    return 0;
}

int rx_shape_read(struct rx_shape *shape, const struct nn_st_file *file, const char *path)
{
    const char *body = nn_st_meta(file, "body");
    double rx, logits, blocks = 0, multiplier = 0;
    if (!body)
        return jrx_fail(JRX_EFORMAT, "%s: metadata body is missing; it is no checkpoint of `joulerx train`", path);
    int status = number(file, path, "width", &shape->width);
    if (!status)
        status = number(file, path, "rx", &rx);
    if (!status)
        status = number(file, path, "logits", &logits);
    if (!status && nn_st_meta(file, "blocks"))
        status = number(file, path, "blocks", &blocks);
    if (!status && nn_st_meta(file, "multiplier"))
        status = number(file, path, "multiplier", &multiplier);
    if (status)
        return status;
    if (!(blocks >= 0 && blocks <= 1000 && multiplier >= 0 && multiplier <= 4))
        return jrx_fail(JRX_EFORMAT, "%s: metadata says %g blocks of multiplier %g", path, blocks, multiplier);
    if (!(rx >= 1 && rx <= LK_MAX_RX && logits >= 1 && logits <= KN_LANES))
        return jrx_fail(JRX_EFORMAT, "%s: metadata says %g antennas and %g logits", path, rx, logits);
    shape->hint = 0;
    shape->blocks = (int)blocks;
    shape->multiplier = (int)multiplier;
    shape->rx = (int)rx;
    shape->logits = (int)logits;
    shape->body = rx_body_find(body);
    return shape->body ? 0 : jrx_fail(JRX_EFORMAT, "%s: %s", path, jrx_last_error());
}
