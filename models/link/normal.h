/* Standard normal floats in bulk: jrx_rng_normal2() at a tenth of its price. */
#ifndef MODELS_LINK_NORMAL_H
#define MODELS_LINK_NORMAL_H
#include <stddef.h>
#include <stdint.h>

/**
 * Numbers 0..n-1 of (seed, stream), a pure function of the three: Box-Muller on the blocks that jrx_rng_init(seed,
 * stream) would give. The tail reaches 6.6 standard deviations.
 */
void lk_normal(uint64_t seed, uint64_t stream, size_t n, float *out);

#endif
