/*
 * How much a run does: an INI file of experiments/presets/, or a copy of one that somebody changed. Its values are also
 * options of the commands that run experiments, and go into session.json, so a resumed run needs the file no more.
 */
#ifndef EXPERIMENTS_PRESET_H
#define EXPERIMENTS_PRESET_H
#include <jansson.h>
#include <stddef.h>

enum { EX_NUMBERS = 24 };
struct ex_numbers {
    int count;
    double value[EX_NUMBERS]; /* ascending */
};

struct ex_preset {
    char name[64]; /* as it was asked for: "quick", "./mine.ini" */
    char about[160];
    double window_s;                  /* least length of a measuring window */
    int reps;                         /* repetitions of a measured cell */
    int grid_f;                       /* subcarriers of measured layers and networks, a multiple of 12 */
    char recipe[32];                  /* of training: models/receiver/presets.h */
    struct ex_numbers widths;         /* of students, factors on the channels of the recipe's student body */
    int seeds;                        /* trainings of each student */
    struct ex_numbers temperatures;   /* of distillation: a grid with the mixes, at the middle width */
    struct ex_numbers mixes;          /* shares of the teacher in the loss */
    struct ex_numbers teachers;       /* more teachers, as factors on the width of the recipe's */
    struct ex_numbers shares;         /* of the training slots, below 1 */
    int teacher_steps, student_steps; /* of training; 0: the recipe's */
    char teacher[256];                /* checkpoint of `joulerx train` that is the teacher; "": it is trained */
    struct ex_numbers sinr_db;        /* points of a BER curve */
    int pilots;                       /* symbols with pilots in the slots that BER is counted on, 1 or 2; 0: drawn */
    int slots;                        /* per SINR point of a BER curve */
    int evidence;                     /* 0: too little is measured for any verdict but inconclusive */
};

/* Its values: member and key in the file, name of the option, type and range, argument, one line. The one table that
 * file, options and session.json are read by. */
#define EX_PRESET_FIELDS(X)                                                                                            \
    X(window_s, "window-s", REAL, 1e-4, 60, 0, "S", "least length of a measuring window [s]")                          \
    X(reps, "reps", WHOLE, 1, 1000, 1, "N", "repetitions of a measured cell")                                          \
    X(grid_f, "grid-f", WHOLE, 12, 3276, 12, "N", "subcarriers of measured layers and networks, a multiple of 12")     \
    X(recipe, "recipe", RECIPE, 0, 0, 0, "NAME", "how networks are trained, see joulerx train --help")                 \
    X(widths, "widths", NUMBERS, 0.01, 4, 1, "X,X", "widths of the students, factors on channels")                     \
    X(seeds, "seeds", WHOLE, 1, 99, 1, "N", "trainings of each student, from other weights and on other slots")        \
    X(temperatures, "temperatures", NUMBERS, 0.1, 100, 0, "X,X", "of distillation, a grid with the mixes")             \
    X(mixes, "mixes", NUMBERS, 0.01, 1, 0, "X,X", "shares of the teacher in the loss, a grid with the temperatures")   \
    X(teachers, "teachers", NUMBERS, 0.01, 4, 0, "X,X", "more teachers, factors on the width of the recipe's")         \
    X(shares, "shares", NUMBERS, 0.001, 0.999, 0, "X,X", "smaller parts of the training slots to compare with all")    \
    X(teacher_steps, "teacher-steps", WHOLE, 0, 1e9, 1, "N", "steps of a teacher's training; 0: the recipe's")         \
    X(student_steps, "student-steps", WHOLE, 0, 1e9, 1, "N", "steps of a student's training; 0: the recipe's")         \
    X(teacher, "teacher", FILE_NAME, 0, 0, 0, "FILE",                                                                  \
      "checkpoint of joulerx train to use; none: the teacher is trained")                                              \
    X(sinr_db, "sinr-db", NUMBERS, -30, 60, 1, "A:STEP:B", "where bit error rates are counted [dB], or a list")        \
    X(pilots, "pilots", WHOLE, 0, 2, 1, "N", "symbols with pilots where bit error rates are counted; 0: one or two")   \
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
