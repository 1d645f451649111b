/*
 * Losses over logits, one a bit: binary cross-entropy against the bits, and distillation against a teacher's logits.
 *
 *     loss = (1 - mix) BCE(y, s(z)) + mix T^2 BCE(s(z_t / T), s(z / T)),       s(v) = 1 / (1 + exp(-v))
 *     dloss/dz = (1 - mix) (s(z) - y) + mix T (s(z / T) - s(z_t / T))
 *
 * (Hinton, Vinyals, Dean, arXiv 1503.02531, section 2, applied bit by bit.) Sums, not means: the caller divides by the
 * bits of the whole batch, which no part of it knows.
 */
#ifndef MODELS_NN_LOSS_H
#define MODELS_NN_LOSS_H
#include <stddef.h>
#include <stdint.h>

enum { NN_NO_BIT = 2 }; /* a label of a place that carries no bit: no loss, no gradient */

struct nn_loss {
    double mix;         /* 0: bits only, 1: teacher only */
    double temperature; /* T > 0; not used when mix is 0 */
};

struct nn_loss_sum {
    double loss;           /* the mixture that is minimised [nat] */
    double bce;            /* against the bits alone [nat] */
    double weight;         /* what the loss is divided by: the bits, unless the caller weighs slots */
    uint64_t bits, errors; /* errors: sign of the logit differs from the bit; a logit of 0 counts as bit 0 */
};

/**
 * Adds to `sum` the loss of count places, and sets dz[] to the gradient of its sum (0 where there is no bit).
 *
 * logit, teacher  [count]; teacher may be NULL when mix is 0
 * label           [count] 0, 1 or NN_NO_BIT
 * dz              [count]; NULL if not wanted
 * Stable for any finite logit; sums in double, in index order. Pure.
 */
void nn_loss_add(const struct nn_loss *loss, const float *logit, const float *teacher, const uint8_t *label,
                 size_t count, float *dz, struct nn_loss_sum *sum);

/** total += part, field by field. */
void nn_loss_join(struct nn_loss_sum *total, const struct nn_loss_sum *part);

#endif
