#include "models/receiver/fields.h"
#include "harness/base/error.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum type { INT, INT64, UINT64, UNSIGNED, REAL };

/* Every number that has a part in the trajectory. The body's name, the step and the teacher are put beside. */
static const struct field {
    const char *key;
    enum type type;
    size_t offset;
} fields_table[] = {
#define FIELD(key, type, member)                                                                                       \
    {                                                                                                                  \
        key, type, offsetof(struct rx_train_config, member)                                                            \
    }
    FIELD("width", REAL, shape.width),
    FIELD("blocks", INT, shape.blocks),
    FIELD("multiplier", INT, shape.multiplier),
    FIELD("rx", INT, shape.rx),
    FIELD("logits", INT, shape.logits),
    FIELD("seed", UINT64, seed),
    FIELD("batch", INT, batch),
    FIELD("micro", INT, micro),
    FIELD("momentum", REAL, momentum),
    FIELD("rate", REAL, schedule.rate),
    FIELD("warmup", INT64, schedule.warmup),
    FIELD("hold", INT64, schedule.hold),
    FIELD("steps", INT64, schedule.steps),
    FIELD("beta1", REAL, adamw.beta1),
    FIELD("beta2", REAL, adamw.beta2),
    FIELD("epsilon", REAL, adamw.epsilon),
    FIELD("decay", REAL, adamw.decay),
    FIELD("optimiser", UNSIGNED, optimiser),
    FIELD("clip", REAL, clip),
    FIELD("average", REAL, average),
    FIELD("snr_weight", INT, snr_weight),
    FIELD("hint", REAL, hint),
    FIELD("hint_channels", INT, shape.hint),
    FIELD("mix", REAL, loss.mix),
    FIELD("temperature", REAL, loss.temperature),
    FIELD("link.prb", INT, link.prb),
    FIELD("link.rx", INT, link.rx),
    FIELD("link.bits", UNSIGNED, link.modulation),
    FIELD("link.carrier_hz", REAL, link.carrier_hz),
    FIELD("link.scs_hz", REAL, link.scs_hz),
    FIELD("link.profiles", UNSIGNED, link.profiles),
    FIELD("link.patterns", UNSIGNED, link.patterns),
    FIELD("link.delay_spread_min_s", REAL, link.delay_spread_s[0]),
    FIELD("link.delay_spread_max_s", REAL, link.delay_spread_s[1]),
    FIELD("link.doppler_min_hz", REAL, link.doppler_hz[0]),
    FIELD("link.doppler_max_hz", REAL, link.doppler_hz[1]),
    FIELD("link.snr_min_db", REAL, link.snr_db[0]),
    FIELD("link.snr_max_db", REAL, link.snr_db[1]),
    FIELD("link.sir_min_db", REAL, link.sir_db[0]),
    FIELD("link.sir_max_db", REAL, link.sir_db[1]),
    FIELD("link.interferers", INT, link.interferers),
    FIELD("link.rx_correlation", REAL, link.rx_correlation),
    FIELD("link.engine", UNSIGNED, link.engine),
    FIELD("link.dmrs_id", INT, link.dmrs_id),
#undef FIELD
};
enum { NUMBERS = sizeof fields_table / sizeof *fields_table };
_Static_assert(NUMBERS + 3 <= RX_FIELDS, "room for the fields");
_Static_assert(sizeof(enum lk_modulation) == sizeof(unsigned) && sizeof(enum lk_engine) == sizeof(unsigned) &&
                   sizeof(enum nn_optimiser) == sizeof(unsigned),
               "enums are read as unsigned");
_Static_assert(sizeof(struct lk_config) == 128, "a new field of struct lk_config belongs in this table");

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

void rx_fields_fill(struct rx_fields *fields, const struct rx_train *train)
{
    fields->count = 0;
    snprintf(put(fields, "body"), RX_FIELD_TEXT, "%s", train->config.shape.body->name);
    for (int i = 0; i < NUMBERS; i++) {
        const void *value = (const char *)&train->config + fields_table[i].offset;
        char *text = put(fields, fields_table[i].key);
        switch (fields_table[i].type) {
        case INT: snprintf(text, RX_FIELD_TEXT, "%d", *(const int *)value); break;
        case INT64: snprintf(text, RX_FIELD_TEXT, "%" PRId64, *(const int64_t *)value); break;
        case UINT64: snprintf(text, RX_FIELD_TEXT, "%" PRIu64, *(const uint64_t *)value); break;
        case UNSIGNED: snprintf(text, RX_FIELD_TEXT, "%u", *(const unsigned *)value); break;
        case REAL: snprintf(text, RX_FIELD_TEXT, "%.17g", *(const double *)value); break;
        }
    }
    snprintf(put(fields, "teacher"), RX_FIELD_TEXT, "%016" PRIx64, rx_fingerprint(train->teacher));
    snprintf(put(fields, "step"), RX_FIELD_TEXT, "%" PRId64, train->step);
}

int rx_fields_compare(const struct rx_fields *fields, const struct nn_st_file *file, const char *path)
{
    for (int i = 0; i < fields->count; i++) {
        const struct nn_st_pair *want = &fields->pair[i];
        const char *got = nn_st_meta(file, want->key);
        if (strcmp(want->key, "step") && (!got || strcmp(got, want->value)))
            return jrx_fail(JRX_EINVAL, "%s: it was trained with %s %s, not %s; give the same options to resume", path,
                            want->key, got ? got : "(not recorded)", want->value);
    }
    return 0;
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
