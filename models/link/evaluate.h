/*
 * The one evaluator: every BER and mutual information in the project, of classical and neural receivers, comes from
 * here. Slot i is the same for every receiver and SNR point (common random numbers), so differences between receivers
 * are paired; a slot's bits fail together, so intervals are bootstrapped over slots.
 */
#ifndef MODELS_LINK_EVALUATE_H
#define MODELS_LINK_EVALUATE_H
#include "models/link/detector.h"
#include "models/link/snr.h"
#include <stddef.h>

/* What makes detectors: one for each thread. */
struct lk_receiver {
    const char *name;
    /** Fills *detector for slots of the shape of `config`; 0 or a negative JRX_E code. */
    int (*detector_new)(const void *context, const struct lk_config *config, struct lk_detector *detector);
    void (*detector_free)(struct lk_detector *detector); /* also on a zeroed detector */
    const void *context;
};

/* Bins of |llr|: four an octave from 1/16 to 4096, the first and the last open. */
enum { LK_LLR_BINS = 66 };

/* What one receiver made of one slot. */
struct lk_tally {
    uint32_t data_re;             /* REs that carried data */
    uint32_t errors[LK_MAX_BITS]; /* wrong hard decisions (llr > 0 means 1) by bit position */
    float information;            /* bits: sum of 1 - log2(1 + exp(-+llr)) */
    float sinr_db;                /* of the slot, as drawn */
};

/*
 * Calibration: an |llr| of L promises the error probability 1 / (1 + e^L); here is what came true.
 * A receiver is calibrated where errors[b] is promised[b], but for chance.
 */
struct lk_calibration {
    uint64_t bits[LK_LLR_BINS], errors[LK_LLR_BINS];
    double promised[LK_LLR_BINS]; /* expected number of errors */
};

/** Lower edge of |llr| of a bin; 0 of the first. Pure. */
double lk_llr_bin_edge(int bin);

/* One receiver at one SNR point. */
struct lk_result {
    int64_t slots, bits, bit_errors;
    double ber, ber_ci_lo, ber_ci_hi; /* 95 % */
    /* mutual information of bits and LLRs taken at their word, as a decoder does: below 0 if they promise too much */
    double mi_bits_per_re, mi_ci_lo, mi_ci_hi;
    /* the same once each |llr| is read as what it turned out to mean: what a decoder could get at most */
    double mi_matched_bits_per_re;
    double ber_of_bit[LK_MAX_BITS]; /* by bit position; NAN beyond the modulation's */
    double time_s;                  /* spent detecting, all threads together */
    struct lk_calibration calibration;
};

struct lk_evaluation {
    struct lk_config config;
    const struct lk_receiver *receivers;
    int receiver_count;
    const double *snr_db; /* NULL: one point, at the SNRs that config draws */
    int points;
    enum lk_snr_definition snr_definition; /* of these SNRs and of config's */
    uint64_t seed, first_slot;
    int slots;   /* a point's budget */
    int threads; /* 0: as many as OpenMP would take. The result does not depend on it */
    /* stop a point early when, for every receiver, (ci_hi - ci_lo) / 2 <= this part of the BER; 0: never */
    double relative_precision;
    /* called between rounds of slots; non-zero ends the evaluation with what there is and JRX_EINTERRUPTED */
    int (*progress)(void *context, int64_t slots_done, int64_t slots_planned);
    void *context;
    /* filled by lk_evaluate(): */
    struct lk_result *results; /* [points][receivers] */
    struct lk_tally *tallies;  /* [points][receivers][slots]; the first results[].slots of each row are valid */
};

/**
 * Runs; results and tallies are the evaluation's until lk_evaluation_fini(). 0, JRX_EINVAL, JRX_ENOMEM, what a
 * receiver returned, or JRX_EINTERRUPTED (results are then valid for the slots done).
 */
int lk_evaluate(struct lk_evaluation *evaluation);
void lk_evaluation_fini(struct lk_evaluation *evaluation);

/**
 * 95 % percentile interval of sum(numerator) / sum(denominator) over n slots drawn with replacement: cluster
 * bootstrap. With numerator = errors of one receiver - errors of another it is the interval of their paired BER
 * difference. 1000 resamples, seeded: pure. JRX_ENOMEM.
 */
int lk_bootstrap(const double *numerator, const double *denominator, int n, uint64_t seed, double interval[2]);

/** What evaluation->results would be of the slots with lo <= SINR < hi only: all but calibration, mi_matched (NAN) and
 * time_s (NAN). slots == 0 if there is none. JRX_ENOMEM. */
int lk_evaluation_bin(const struct lk_evaluation *evaluation, int point, int receiver, double sinr_lo_db,
                      double sinr_hi_db, struct lk_result *result);

/** Interval of the BER difference a - b of two receivers of an evaluation at one point; JRX_ENOMEM. */
int lk_evaluation_difference(const struct lk_evaluation *evaluation, int point, int a, int b, double *difference,
                             double interval[2]);

#endif
