#include "models/link/gold.h"

enum { SKIPPED = 1600 }; /* N_C of 38.211: the first outputs still show c_init */

void lk_gold(uint32_t c_init, int n, uint8_t *c)
{
    /* bit i of a register is x(m + i); each step makes x(m + 31) and moves on */
    uint32_t x1 = 1, x2 = c_init & 0x7fffffff;
    for (int m = 0; m < SKIPPED + n; m++) {
        if (m >= SKIPPED)
            c[m - SKIPPED] = (x1 ^ x2) & 1;
        x1 = x1 >> 1 | ((x1 ^ x1 >> 3) & 1) << 30;
        x2 = x2 >> 1 | ((x2 ^ x2 >> 1 ^ x2 >> 2 ^ x2 >> 3) & 1) << 30;
    }
}
