#include "harness/base/rng.h"
#include <math.h>

void jrx_philox(const uint32_t count[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = count[0], c1 = count[1], c2 = count[2], c3 = count[3], k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u; /* golden ratio */
        k1 += 0xBB67AE85u; /* sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void jrx_rng_init(struct jrx_rng *rng, uint64_t seed, uint64_t stream)
{
    *rng = (struct jrx_rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                            .count = {0, 0, (uint32_t)stream, (uint32_t)(stream >> 32)},
                            .used = 4};
}

uint32_t jrx_rng_u32(struct jrx_rng *rng)
{
    if (rng->used == 4) {
        jrx_philox(rng->count, rng->key, rng->out);
        if (++rng->count[0] == 0)
            rng->count[1]++;
        rng->used = 0;
    }
    return rng->out[rng->used++];
}

uint32_t jrx_rng_below(struct jrx_rng *rng, uint32_t n)
{
    uint32_t reject = -n % n; /* 2^32 mod n: the low products that would favour some values */
    for (;;) {
        uint64_t p = (uint64_t)jrx_rng_u32(rng) * n;
        if ((uint32_t)p >= reject)
            return (uint32_t)(p >> 32);
    }
}

double jrx_rng_uniform(struct jrx_rng *rng)
{
    uint64_t high = jrx_rng_u32(rng), low = jrx_rng_u32(rng);
    return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

void jrx_rng_normal2(struct jrx_rng *rng, double *a, double *b)
{
    double radius = sqrt(-2.0 * log1p(-jrx_rng_uniform(rng))), angle = 2.0 * M_PI * jrx_rng_uniform(rng);
    *a = radius * cos(angle);
    *b = radius * sin(angle);
}

void jrx_rng_shuffle(struct jrx_rng *rng, uint32_t *order, uint32_t n)
{
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = jrx_rng_below(rng, i), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}
