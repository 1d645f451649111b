/* Soft demapping: from an equalised symbol to the log-likelihood ratios of its bits. */
#ifndef MODELS_LINK_DEMAP_H
#define MODELS_LINK_DEMAP_H
#include <complex.h>

struct lk_demapper {
    int bits; /* of a symbol: 2, 4, 6, 8 */
    int exact;
    float level[16]; /* of one axis, by its bits */
};

/** exact: log-sum-exp over the levels of an axis; else max-log, the nearest level of each kind only. */
void lk_demapper_init(struct lk_demapper *demapper, int bits, int exact);

/**
 * llr[bits] of z = x + n, n complex Gaussian of power `noise`: natural logarithm of P(bit = 1 | z) / P(bit = 0 | z).
 * Axes are independent, so each is treated alone. Pure.
 */
void lk_demap(const struct lk_demapper *demapper, float complex z, float noise, float *llr);

#endif
