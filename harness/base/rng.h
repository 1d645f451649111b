/*
 * Counter-based random numbers: the k-th number of (seed, stream) is a pure function of the three, so a slot or a
 * weight tensor gets the same numbers whichever thread makes it, and in whatever order.
 * Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, Philox4x32-10.
 */
#ifndef HARNESS_BASE_RNG_H
#define HARNESS_BASE_RNG_H
#include <stdint.h>

struct jrx_rng {
    uint32_t key[2];   /* the seed */
    uint32_t count[4]; /* [0..1] block number, [2..3] the stream */
    uint32_t out[4];   /* the current block */
    unsigned used;     /* words of it already given */
};

/** One Philox4x32-10 block: out = f(count, key). Pure. Test vectors: Random123 1.14, kat_vectors. */
void jrx_philox(const uint32_t count[4], const uint32_t key[2], uint32_t out[4]);

/** Starts stream `stream` of `seed`. Streams of one seed never overlap. */
void jrx_rng_init(struct jrx_rng *rng, uint64_t seed, uint64_t stream);

uint32_t jrx_rng_u32(struct jrx_rng *rng);
/** Uniform in [0, n), unbiased; n >= 1. */
uint32_t jrx_rng_below(struct jrx_rng *rng, uint32_t n);
/** Uniform in [0, 1), 53 bits. */
double jrx_rng_uniform(struct jrx_rng *rng);
/** Two independent standard normal numbers (Box-Muller). */
void jrx_rng_normal2(struct jrx_rng *rng, double *a, double *b);
/** Fisher-Yates over an index array: order[0..n-1] becomes a uniformly drawn permutation of itself. */
void jrx_rng_shuffle(struct jrx_rng *rng, uint32_t *order, uint32_t n);

#endif
