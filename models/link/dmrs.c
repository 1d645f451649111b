#include "models/link/dmrs.h"
#include "models/link/gold.h"
#include <math.h>

static const struct lk_pattern patterns[LK_PATTERNS] = {
    {"deeprx-1a", 1, {2}, {0}, 1},
    {"deeprx-1b", 1, {2}, {1}, 1},
    {"deeprx-2a", 2, {2, 11}, {0, 1}, 1},
    {"deeprx-2b", 2, {2, 11}, {1, 0}, 1},
    {"nr-1-data", 1, {2}, {0}, 1},
    {"nr-2-data", 2, {2, 11}, {0, 0}, 1},
    {"nr-3-data", 3, {2, 7, 11}, {0, 0, 0}, 1},
    {"nr-4-data", 4, {2, 5, 8, 11}, {0, 0, 0, 0}, 1},
    {"nr-1", 1, {2}, {0}, 0},
    {"nr-2", 2, {2, 11}, {0, 0}, 0},
    {"nr-3", 3, {2, 7, 11}, {0, 0, 0}, 0},
    {"nr-4", 4, {2, 5, 8, 11}, {0, 0, 0, 0}, 0},
};

const struct lk_pattern *lk_pattern_get(int pattern)
{
    return &patterns[pattern];
}

uint32_t lk_dmrs_c_init(int n_s, int l, int n_id)
{
    uint64_t id = 2 * (uint64_t)n_id;
    return (uint32_t)((((14 * (uint64_t)n_s + l + 1) * (id + 1) << 17) + id) & 0x7fffffff);
}

void lk_dmrs(int n_s, int l, int n_id, int n, float complex *r, uint8_t *scratch)
{
    lk_gold(lk_dmrs_c_init(n_s, l, n_id), 2 * n, scratch);
    for (int m = 0; m < n; m++) {
        int re = 1 - 2 * scratch[2 * m], im = 1 - 2 * scratch[2 * m + 1];
        r[m] = (float)M_SQRT1_2 * (float)re + I * ((float)M_SQRT1_2 * (float)im);
    }
}
