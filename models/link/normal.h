/* Random numbers in bulk: standard normal floats, and words. The same on every machine. */
#ifndef MODELS_LINK_NORMAL_H
#define MODELS_LINK_NORMAL_H
#include <stddef.h>
#include <stdint.h>

/**
 * Numbers 0..n-1 of (seed, stream), a pure function of the three: Box-Muller on the blocks that jrx_rng_init(seed,
 * stream) would give. The tail reaches 6.6 standard deviations.
 */
void lk_normal(uint64_t seed, uint64_t stream, size_t n, float *out);

/** Adds `scale` times these numbers: out[i] += scale * number i. */
void lk_normal_add(uint64_t seed, uint64_t stream, size_t n, float scale, float *out);

/** The first n words of jrx_rng_init(seed, stream): what n calls of jrx_rng_u32() return. */
void lk_words(uint64_t seed, uint64_t stream, size_t n, uint32_t *out);

#endif
