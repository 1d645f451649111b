/*
 * Bit errors of the receivers of a run, as experiment ber counted them: block by block on the same slots, so that any
 * two receivers compare as pairs. What every comparison of receivers concludes from.
 */
#ifndef EXPERIMENTS_QUALITY_H
#define EXPERIMENTS_QUALITY_H
#include "experiments/experiment.h"
#include "experiments/series.h"

enum { EX_BLOCKS = 12 /* of slots: the units of intervals over slots */, EX_CLASSICAL = 3 };

struct ex_quality {
    int receivers, points;
    const double *sinr_db; /* [points], the preset's */
    double *errors, *bits; /* [receiver][point][EX_BLOCKS] */
};

/** Receivers of experiment ber: the networks of the zoo, then ls, lmmse, genie. Name of one; how many. Pure. */
const char *ex_receiver_name(const struct ex_zoo *zoo, int receiver);
static inline int ex_receivers(const struct ex_zoo *zoo)
{
    return zoo->count + EX_CLASSICAL;
}

/** From the samples of experiment ber. 0; JRX_EFORMAT if a block is missing; JRX_ENOMEM. */
int ex_quality_init(struct ex_quality *quality, const struct ex_settings *settings, const struct jrx_csv *samples);
/** The same from <base>/ber/samples.csv; JRX_EIO if that has not been run. */
int ex_quality_read(struct ex_quality *quality, const struct ex_run *run);
void ex_quality_fini(struct ex_quality *quality); /* also on a zeroed struct */

/** The first of the two points that make the error floor: the two highest SINR. */
static inline int ex_floor(const struct ex_quality *quality)
{
    return quality->points > 1 ? quality->points - 2 : 0;
}

/** Bit error rate over points from..to (to left out) with the interval over blocks. 0, JRX_ENOMEM. */
int ex_ber(const struct ex_quality *quality, int receiver, int from, int to, struct jrx_estimate *ber);
/** BER of `a` over that of `b` there, blocks drawn as pairs. NAN if either made no error. 0, JRX_ENOMEM. */
int ex_ber_ratio(const struct ex_quality *quality, int a, int b, int from, int to, struct jrx_estimate *ratio);
/** The bit errors themselves over points from..to, and the bits they are of. Pure. */
double ex_bit_errors(const struct ex_quality *quality, int receiver, int from, int to);
double ex_bits(const struct ex_quality *quality, int receiver, int from, int to);

/** SINR [dB] at which the curve of a receiver crosses `ber`: between points, straight in log BER. NAN if it does not.
 * Pure. */
double ex_sinr_at(const struct ex_quality *quality, int receiver, double ber);

/**
 * Geometric mean of value[n] with its 95 % t interval on the logarithms: each is a training, or a ratio of a pair. NAN
 * where a value is not above 0; the ends are NAN below two values. Pure.
 */
struct jrx_estimate ex_over_seeds(const double *value, int n);

/* One side of a comparison of trainings: receiver[i] is that of seed i + 1. */
struct ex_side {
    double weight; /* of the logarithm of its bit error rate */
    int receiver[EX_MAX_SEEDS];
};

/**
 * exp of the mean over seeds of sum(weight * log BER) of side[sides] over points from..to (to left out): one side of
 * weight 1 is a bit error rate, 1 and -1 are a ratio of trainings paired by seed, on the same slots.
 *
 * 95 % interval on the logarithms. What another training would change (t, seeds - 1 degrees of freedom) and what other
 * slots would (jackknife over blocks left out of all receivers at once, t, EX_BLOCKS - 1) are independent: their
 * half-widths add in squares. With a single training it covers the slots alone. NAN where a receiver made no error.
 * Pure.
 */
void ex_contrast(const struct ex_quality *quality, const struct ex_side *side, int sides, int seeds, int from, int to,
                 struct jrx_estimate *out);

/* What a row of a summary.csv of comparisons is computed from: the context of ex_summary(). */
struct ex_comparison {
    const struct ex_settings *settings;
    const struct ex_quality *quality;
};

/* The columns that ex_put_pair() fills. */
#define EX_PAIR_COLUMNS                                                                                                \
    EX_ESTIMATE_COLUMNS("scratch", "ratio",                                                                            \
                        "bit error rate at the two highest SINR of students trained alone, geometric mean over "       \
                        "trainings"),                                                                                  \
        EX_ESTIMATE_COLUMNS("distilled", "ratio", "the same of distilled ones"),                                       \
        EX_ESTIMATE_COLUMNS("distilled_over_scratch", "ratio", "their ratio, trainings of one seed as pairs")

/** Puts the floors of students alone and distilled, of all seeds, and their ratio. 0, JRX_ENOMEM. */
int ex_put_pair(const struct ex_comparison *of, const int *scratch, const int *distilled, struct jrx_table *table);

/** Floor of one kind of students over that of another: ex_contrast() of a[i] and b[i], of `seeds` pairs; of a single
 * pair ex_ber_ratio(). 0, JRX_ENOMEM. */
int ex_floor_ratio(const struct ex_quality *quality, const int *a, const int *b, int seeds, struct jrx_estimate *ratio);
/** BER of trainings of one kind over points from..to, likewise; of a single one ex_ber(). */
int ex_ber_of(const struct ex_quality *quality, const int *receiver, int seeds, int from, int to,
              struct jrx_estimate *ber);

#endif
