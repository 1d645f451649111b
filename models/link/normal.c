#include "models/link/normal.h"
#include "harness/base/rng.h"
#include "models/link/vec.h"

enum { GROUP = 16 }; /* four Philox blocks: two vectors of radii, two of angles */

static void group(const uint32_t key[2], uint32_t count[4], float *out)
{
    uint32_t word[GROUP];
    for (int i = 0; i < 4; i++) {
        jrx_philox(count, key, word + 4 * i);
        count[0]++; /* 2^32 blocks are 2^34 numbers: no slot asks for as many */
    }
    for (int i = 0; i < 2; i++) {
        lk_i4 radius, angle;
        memcpy(&radius, word + 4 * i, sizeof radius);
        memcpy(&angle, word + 8 + 4 * i, sizeof angle);
        /* 31 bits to (0, 1], never 0; 32 signed bits to [-1/2, 1/2] turns */
        lk_f4 u = (__builtin_convertvector(radius & 0x7fffffff, lk_f4) + 0.5f) * 0x1p-31f;
        lk_f4 r = lk_sqrt4(-2 * lk_log4(u)), c, s;
        lk_turn4(__builtin_convertvector(angle, lk_f4) * 0x1p-32f, &c, &s);
        c *= r;
        s *= r;
        memcpy(out + 8 * i, &c, sizeof c);
        memcpy(out + 8 * i + 4, &s, sizeof s);
    }
}

void lk_normal(uint64_t seed, uint64_t stream, size_t n, float *out)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t count[4] = {0, 0, (uint32_t)stream, (uint32_t)(stream >> 32)};
    size_t i = 0;
    for (; i + GROUP <= n; i += GROUP)
        group(key, count, out + i);
    if (i < n) {
        float rest[GROUP];
        group(key, count, rest);
        memcpy(out + i, rest, (n - i) * sizeof *out);
    }
}
