/*
 * The slots that a command line asks for: which link, at which SNRs, how many. For `simulate`,
 * `dataset`, `evaluate`, `train` and `distill`.
 */
#ifndef EXPERIMENTS_LINK_OPTIONS_H
#define EXPERIMENTS_LINK_OPTIONS_H
#include "models/link/snr.h"
#include <argp.h>
#include <stddef.h>

enum { EX_LINK_POINTS = 128 };

struct ex_link {
    struct lk_config config;
    double snr_db[EX_LINK_POINTS];
    enum lk_snr_definition snr_definition;
    int points; /* 0: drawn from config.snr_db */
    int slots, threads;
    int mixes; /* set by commands that take several modulations at once */
    uint64_t seed;
    int status; /* of the first option that was wrong; its message is jrx_last_error() */
};

/** lk_config_default(), SNRs drawn, 200 slots, seed 1, all processors. */
void ex_link_init(struct ex_link *link);

/* For struct argp_child; the input of either is a struct ex_link. Wrong values end up in `status`. */
extern const struct argp ex_channel_argp; /* what changes `config`, but for the SNR */
extern const struct argp ex_link_argp;    /* those, and at which SNRs, how many slots, which, by how many threads */

/** 0, or why the options make no link: check it after argp_parse(). */
int ex_link_check(const struct ex_link *link);

/** Whole number in lowest..highest into *out; JRX_EINVAL naming the option. */
int ex_parse_integer(const char *option, const char *text, long lowest, long highest, long *out);

/** VALUE or LOW-HIGH, as "5" or "-4-32", into range; JRX_EINVAL naming the option. */
int ex_parse_range(const char *option, const char *text, double range[2]);

/* The text of a config's fields, as the options take them; lists joined by '+'. Into text[size], returned. */
const char *ex_link_profiles(const struct lk_config *config, char *text, size_t size);
const char *ex_link_patterns(const struct lk_config *config, char *text, size_t size);
const char *ex_link_modulation(const struct lk_config *config);
const char *ex_link_engine(const struct lk_config *config);
const char *ex_link_definition(const struct ex_link *link);

#endif
