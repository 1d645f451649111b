#include "models/receiver/presets.h"
#include "harness/base/error.h"
#include <stdio.h>
#include <string.h>

/*
 * What short runs showed for "quick": three blocks learn in a third of the updates that five need, at equal cost. Slots
 * of one PRB are mostly edge, whose statistics do not fit 26; two do. Micro-batches of 4 or 8 slots make the norms so
 * noisy that inference and training part ways, 16 do not.
 */
static const struct rx_preset presets[] = {
    {.name = "quick",
     .about = "four minutes on two cores of 110 GFLOP/s each",
     .network = {{"short3", 1, 7000, 4e-3}, {"short3", 0.5, 7000, 4e-3}, {"short3", 0.5, 7000, 4e-3}},
     .prb = 2,
     .batch = 32,
     .micro = 16,
     .snr_db = {0, 25},
     .mix = 0.7,
     .temperature = 2},
    {.name = "smoke",
     .about = "seconds: shows that everything runs, and nothing else",
     .network = {{"short3", 0.25, 40, 4e-3}, {"short3", 0.125, 40, 4e-3}, {"short3", 0.125, 40, 4e-3}},
     .prb = 1,
     .batch = 4,
     .micro = 2,
     .snr_db = {0, 25},
     .mix = 0.7,
     .temperature = 2},
    {.name = "paper",
     .about = "DeepRx in full width and the schedule published for it: days on a workstation",
     .network = {{"deeprx", 1, 30000, 4e-3}, {"deeprx", 0.5, 30000, 4e-3}, {"deeprx", 0.5, 30000, 4e-3}},
     .prb = 26,
     .batch = 80,
     .micro = 8,
     .snr_db = {-4, 32},
     .mix = 0.7,
     .temperature = 2},
    {.name = NULL},
};

const struct rx_preset *rx_presets(void)
{
    return presets;
}

const struct rx_preset *rx_preset_find(const char *name)
{
    char names[128] = "";
    for (const struct rx_preset *preset = presets; preset->name; preset++) {
        if (!strcmp(preset->name, name))
            return preset;
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%s%s", at ? ", " : "", preset->name);
    }
    jrx_fail(JRX_EINVAL, "no training preset is called %s; there are %s", name, names);
    return NULL;
}

const char *rx_role_name(enum rx_role role)
{
    static const char *const names[RX_ROLES] = {"teacher", "scratch", "distilled"};
    return names[role];
}

struct rx_train_config rx_preset_config(const struct rx_preset *preset, enum rx_role role, uint64_t seed)
{
    const int64_t steps = preset->network[role].steps;
    struct rx_train_config config = {
        .shape = {.body = rx_body_find(preset->network[role].body),
                  .width = preset->network[role].width,
                  .rx = 2,
                  .logits = RX_LOGITS},
        .link = lk_config_default(),
        .seed = role == RX_TEACHER ? seed + 1000000 : seed,
        .batch = preset->batch,
        .micro = preset->micro,
        .schedule = {.rate = preset->network[role].rate, .warmup = steps / 50, .hold = steps / 2, .steps = steps},
        .adamw = nn_adamw_default(),
        .momentum = 0.1,
        .loss = {.mix = role == RX_DISTILLED ? preset->mix : 0, .temperature = preset->temperature}};
    config.link.prb = preset->prb;
    config.link.snr_db[0] = preset->snr_db[0];
    config.link.snr_db[1] = preset->snr_db[1];
    return config;
}
