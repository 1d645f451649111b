#include "models/link/gold.h"

enum {
    SKIPPED = 1600, /* N_C of 38.211: the first outputs still show c_init */
    AHEAD = 28      /* bits that follow from the 31 of a register at once: x(m + 31) needs x(m + 3) */
};

/* Bit i of a register is x(m + i); moves both on by `bits` <= AHEAD. */
static void move(uint32_t *x1, uint32_t *x2, int bits)
{
    uint32_t mask = (1u << bits) - 1, next1 = (*x1 ^ *x1 >> 3) & mask,
             next2 = (*x2 ^ *x2 >> 1 ^ *x2 >> 2 ^ *x2 >> 3) & mask;
    *x1 = *x1 >> bits | next1 << (31 - bits);
    *x2 = *x2 >> bits | next2 << (31 - bits);
}

void lk_gold(uint32_t c_init, int n, uint8_t *c)
{
    uint32_t x1 = 1, x2 = c_init & 0x7fffffff;
    for (int m = 0; m < SKIPPED; m += AHEAD)
        move(&x1, &x2, SKIPPED - m < AHEAD ? SKIPPED - m : AHEAD);
    for (int m = 0; m < n; m += AHEAD) {
        int bits = n - m < AHEAD ? n - m : AHEAD;
        for (int i = 0; i < bits; i++)
            c[m + i] = (x1 ^ x2) >> i & 1;
        move(&x1, &x2, bits);
    }
}
