/*
 * Trainings that belong together: a teacher, a student on its own, and the same student taught.
 */
#ifndef MODELS_RECEIVER_PRESETS_H
#define MODELS_RECEIVER_PRESETS_H
#include "models/receiver/train.h"

enum rx_role { RX_TEACHER, RX_SCRATCH, RX_DISTILLED, RX_ROLES };

struct rx_preset {
    const char *name, *about;
    struct {
        const char *body;
        double width;
        int64_t steps;
        double rate;
    } network[RX_ROLES];           /* scratch and distilled differ in the loss only */
    double warmup, hold;           /* of nn_schedule, as shares of the steps */
    struct rx_train_config common; /* all the rest; mix and hint are those of the distilled one */
};

/** All of them, ended by one whose name is NULL. */
const struct rx_preset *rx_presets(void);
/** By name; NULL with a jrx_fail() message that lists the names. */
const struct rx_preset *rx_preset_find(const char *name);

/** "teacher", "scratch", "distilled". */
const char *rx_role_name(enum rx_role role);

/** What a training of `seed` draws from: the teacher sees other slots than the students, seed + 1000000. Pure. */
uint64_t rx_role_seed(enum rx_role role, uint64_t seed);

/**
 * The configuration of one network of a preset, for rx_setting_set() to change. Scratch and distilled start from the
 * same weights and see the same slots, the teacher others. Pure.
 */
struct rx_train_config rx_preset_config(const struct rx_preset *preset, enum rx_role role, uint64_t seed);

#endif
