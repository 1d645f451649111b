/*
 * The truth check: regions whose work is known exactly are counted first, and each counter is judged by the ratio of
 * counted to known. A counter that is wrong on them is wrong on kernels too.
 */
#ifndef HARNESS_COUNTERS_TRUTH_H
#define HARNESS_COUNTERS_TRUTH_H
#include "harness/counters/eventset.h"
#include "harness/quality.h"

enum { JRX_TRUTH_FACTS = 8, JRX_TRUTH_NAME = 64 };

struct jrx_truth_region {
    const char *name;
    void (*run)(void *context);
    void *context;
    struct {
        const char *metric; /* of the event set; NULL ends the list */
        double known;       /* exact */
    } fact[JRX_TRUTH_FACTS];
};

struct jrx_truth {
    char region[JRX_TRUTH_NAME];
    char metric[JRX_METRIC_NAME];
    double known, counted; /* counted is NAN if the set lacks the metric or it could not be counted */
    double ratio;          /* counted / known */
    enum jrx_source source;
};

/**
 * Counts each region and compares, one entry a fact.
 * tolerance_ratio: a ratio further than this from 1 is a warning "counter_truth" (0.05 by default of the program).
 * out[max], *count: entries filled; warnings may be NULL.
 * Returns 0 also when ratios are off: judging is the caller's (JRX_EQUALITY under --strict); what jrx_passes_run()
 * returned.
 */
int jrx_truth_check(const struct jrx_event_set *set, const char *source, const struct jrx_counter_config *config,
                    const struct jrx_truth_region *region, size_t regions, double tolerance_ratio,
                    struct jrx_truth *out, size_t max, size_t *count, struct jrx_warnings *warnings);

/* Two regions that need no kernel. */

/** Work of jrx_truth_fma(): 16 independent single-precision multiplications and additions a round, nothing else that
 * counts as a FLOP: 32 * rounds FLOP. */
struct jrx_truth_flop {
    uint64_t rounds;
    volatile float sink[16]; /* keeps the compiler from leaving the work out */
};
void jrx_truth_flop(void *work);

/** Work of jrx_truth_stream(): every line of data[words] is read once: 8 * words bytes into each level that is smaller.
 */
struct jrx_truth_stream {
    const uint64_t *data;
    size_t words;
    volatile uint64_t sink;
};
void jrx_truth_stream(void *work);

#endif
