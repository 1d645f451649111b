/*
 * How much a run does: an INI file of experiments/presets/, or a copy of one that somebody changed. Its values are also
 * options of the commands that run experiments, and go into session.json, so a resumed run needs the file no more.
 */
#ifndef EXPERIMENTS_PRESET_H
#define EXPERIMENTS_PRESET_H
#include <jansson.h>
#include <stddef.h>

struct ex_preset {
    char name[64]; /* as it was asked for: "quick", "./mine.ini" */
    char about[160];
    double window_s; /* least length of a measuring window */
    int reps;        /* repetitions of a measured cell */
    int grid_f;      /* subcarriers of measured layers and networks, a multiple of 12 */
    char recipe[32]; /* of training: models/receiver/presets.h */
    int slots;       /* per SINR point of a BER curve */
    int evidence;    /* 0: too little is measured for any verdict but inconclusive */
};

/* Its values: member and key in the file, name of the option, type and range, argument, one line. The one table that
 * file, options and session.json are read by. */
#define EX_PRESET_FIELDS(X)                                                                                            \
    X(window_s, "window-s", REAL, 1e-4, 60, 0, "S", "least length of a measuring window [s]")                          \
    X(reps, "reps", WHOLE, 1, 1000, 1, "N", "repetitions of a measured cell")                                          \
    X(grid_f, "grid-f", WHOLE, 12, 3276, 12, "N", "subcarriers of measured layers and networks, a multiple of 12")     \
    X(recipe, "recipe", RECIPE, 0, 0, 0, "NAME", "how networks are trained, see joulerx train --help")                 \
    X(slots, "slots", WHOLE, 1, 1e9, 1, "N", "simulated slots per SINR point")                                         \
    X(evidence, "evidence", YES_NO, 0, 0, 0, "yes|no", "whether enough is measured for a verdict")

enum ex_preset_field {
#define X(member, ...) EX_PRESET_##member,
    EX_PRESET_FIELDS(X)
#undef X
        EX_PRESET_VALUES
};

/** Key of a value in the file. */
const char *ex_preset_key(enum ex_preset_field field);

/**
 * Reads a preset. name: a path if it holds '/', else experiments/presets/NAME.ini of the checkout.
 * 0; JRX_EINVAL not found (lists what there is); JRX_EFORMAT with file and line: unknown section or key, value out of
 * range, missing key; JRX_EPERMISSION, JRX_EUNAVAILABLE (no checkout).
 */
int ex_preset_read(struct ex_preset *preset, const char *name);

/** Sets one value from text, as file and options do. 0, or JRX_EINVAL with key, text and the allowed range. Pure. */
int ex_preset_set(struct ex_preset *preset, const char *key, const char *text);

/** All values as an object, NULL without memory; and back: 0 or JRX_EFORMAT. */
json_t *ex_preset_json(const struct ex_preset *preset);
int ex_preset_unpack(struct ex_preset *preset, const json_t *object);

#endif
