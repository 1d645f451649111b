/*
 * The networks of a run: teachers, and students that differ in one thing at a time, as the preset asks. Experiment
 * learning trains them; ber, frontier and all comparisons between them read what came of it.
 *
 * Students of one width and seed start from the same weights and see the same slots in the same order, with or without
 * a teacher, whichever it is and whatever its weight: differences between them are paired.
 */
#ifndef EXPERIMENTS_ZOO_H
#define EXPERIMENTS_ZOO_H
#include "experiments/preset.h"
#include "models/receiver/presets.h"
#include <limits.h>

/* What students are compared over: a bit each, in ex_network.sweeps. */
enum ex_compared {
    EX_WIDTH = 1,       /* of the student */
    EX_TEMPERATURE = 2, /* and the mix, in a grid */
    EX_TEACHER = 4,     /* its width */
    EX_DATA = 8         /* slots trained on */
};

enum {
    EX_NETWORKS = 256,
    EX_NETWORK_NAME = 48,
    EX_MAX_SEEDS = 99,
    EX_STRETCHES = 20, /* a training is measured and kept in so many parts */
    EX_NETWORK_PATH = PATH_MAX + 96
};

struct ex_network {
    char name[EX_NETWORK_NAME]; /* "teacher", "distilled-w0.5-s1-T4-a0.7": its file, its rows */
    enum rx_role role;
    double width;
    int seed; /* 1, 2, ...; 0: a teacher */
    double mix, temperature;
    double share;     /* of the recipe's steps */
    int teacher;      /* in the zoo; -1: none */
    unsigned sweeps;  /* those it takes part in */
    double slot_flop; /* of one inference, for each resource element */
    int64_t parameters;
    struct rx_train_config config;
};

struct ex_zoo {
    int count;                  /* teachers come before who learns from them; the first is the recipe's */
    int given;                  /* 1: the preset names a file for the first, which is not trained */
    struct ex_network *network; /* [EX_NETWORKS] */
    struct ex_numbers widths;   /* of students */
    double middle;              /* width of the students that everything but width is compared on */
    int seeds;
};

/** The networks that a preset asks for, with run seed `seed`. 0; JRX_EINVAL: too many, or a recipe that fits none;
 * JRX_ENOMEM. */
int ex_zoo_new(struct ex_zoo **out, const struct ex_preset *preset, uint64_t seed);
void ex_zoo_free(struct ex_zoo *zoo); /* also NULL */

/** By what it is, in a sweep: share 1 and the recipe's teacher where that is not what is swept. -1 if there is none.
 * Pure. */
int ex_zoo_student(const struct ex_zoo *zoo, enum rx_role role, double width, int seed);
int ex_zoo_grid(const struct ex_zoo *zoo, double temperature, double mix, int seed);
int ex_zoo_taught(const struct ex_zoo *zoo, int teacher, int seed);
int ex_zoo_share(const struct ex_zoo *zoo, enum rx_role role, double share, int seed);

/** Useful FLOP of a training step, the teacher's inference in it; and of all its steps. Pure. */
double ex_network_step_flop(const struct ex_zoo *zoo, int network);
double ex_network_flop(const struct ex_zoo *zoo, int network);

/** Guesses, for a machine never seen: the share of the FMA peak that training a network reaches, above 0, below 1; and
 * the FLOP of all its steps, as many as a machine at its peak would do in their time. Pure. */
double ex_network_share(const struct ex_network *network);
double ex_network_peak_flop(const struct ex_zoo *zoo, int network);

struct ex_run;
struct ex_settings;
struct lk_config;

/** <base>/models/<name>.safetensors, into path[EX_NETWORK_PATH]; returns path. */
char *ex_network_path(const struct ex_run *run, const struct ex_network *network, char *path);

/** Loads a trained receiver of this run; a missing one is JRX_EIO with the experiment that makes it. */
int ex_network_load(const struct ex_run *run, const struct ex_network *network, struct rx_receiver *receiver);

/** What slots the quality of a receiver is measured on: the full grid, the pilots of the preset. */
int ex_validation_link(const struct ex_settings *settings, struct lk_config *link);

#endif
