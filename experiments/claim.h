/*
 * A claim of the paper, and what the data of one experiment say of it.
 */
#ifndef EXPERIMENTS_CLAIM_H
#define EXPERIMENTS_CLAIM_H
#include "harness/meter.h"
#include "harness/stats.h"
#include "harness/table.h"
#include <stddef.h>

enum ex_verdict { EX_SUPPORTED, EX_REFUTED, EX_INCONCLUSIVE, EX_NOT_TESTABLE, EX_VERDICTS };

/** "supported", "refuted", "inconclusive", "not testable on this machine (no energy meter)". */
const char *ex_verdict_name(enum ex_verdict verdict);

struct ex_claim {
    char id[24];         /* "kd-floor": the same in every run, so that runs can be compared */
    char statement[256]; /* one sentence that the figure can support or refute */
    enum ex_verdict verdict;
    double figure, lo, hi;  /* the ratio the verdict rests on and its 95 % interval; NAN where there is none */
    enum jrx_source source; /* of the figure */
    char note[256];         /* how the figure was computed; what would be needed */
};

/**
 * The claim is "figure < threshold" (below = 1) or "figure > threshold" (below = 0). Supported if the whole interval
 * lies on the claimed side, refuted if the whole interval lies on the other, otherwise inconclusive, also if a number
 * is NAN. Pure.
 */
enum ex_verdict ex_verdict_of(double lo, double hi, double threshold, int below);

/** The same, but EX_NOT_TESTABLE unless `source` is measured or replayed: no estimate can support a claim about energy.
 * Pure. */
enum ex_verdict ex_verdict_of_energy(enum jrx_source source, double lo, double hi, double threshold, int below);

/** A claim whose figure is an estimate with its interval. The texts are copied (cut to their fields). Pure. */
struct ex_claim ex_claim_make(const char *id, const char *statement, const char *note,
                              const struct jrx_estimate *figure, enum ex_verdict verdict, enum jrx_source source);

/** Writes <dir>/claims.csv. */
int ex_claims_write(const char *dir, const struct ex_claim *claims, size_t count);
/** Reads it back into claims[max]; the number read or a negative code. A missing file is no claims. */
int ex_claims_read(const char *dir, struct ex_claim *claims, size_t max);

/** Columns of claims.csv. */
extern const struct jrx_schema ex_claims_schema;

#endif
