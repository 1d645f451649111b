#include "models/link/normal.h"
#include "models/link/draw.h"

void lk_normal(uint64_t seed, uint64_t stream, size_t n, float *out)
{
    lk_draw()->normal(seed, stream, n, out);
}

void lk_normal_add(uint64_t seed, uint64_t stream, size_t n, float scale, float *out)
{
    lk_draw()->add_normal(seed, stream, n, scale, out);
}

void lk_words(uint64_t seed, uint64_t stream, size_t n, uint32_t *out)
{
    lk_draw()->words(seed, stream, n, out);
}
