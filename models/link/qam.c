#include "models/link/qam.h"
#include <math.h>

/* 38.211, 5.1: pam(b) = 1 - 2b, pam(b, rest) = (1 - 2b)(2^len(rest) - pam(rest)) */
static int pam(int bits, int value)
{
    int sign = value >> (bits - 1) & 1 ? -1 : 1;
    return bits == 1 ? sign : sign * ((1 << (bits - 1)) - pam(bits - 1, value & ((1 << (bits - 1)) - 1)));
}

void lk_qam_axis(int bits, float *level)
{
    double power = 2.0 * ((1 << bits) - 1) / 3; /* of odd integer levels on both axes: 2, 10, 42, 170 */
    for (int v = 0; v < 1 << bits / 2; v++)
        level[v] = (float)(pam(bits / 2, v) / sqrt(power));
}

void lk_qam_table(int bits, float complex *table)
{
    float level[16];
    lk_qam_axis(bits, level);
    for (int v = 0; v < 1 << bits; v++) {
        int i = 0, q = 0;
        for (int b = 0; b < bits; b += 2) {
            i = i << 1 | (v >> (bits - 1 - b) & 1);
            q = q << 1 | (v >> (bits - 2 - b) & 1);
        }
        table[v] = level[i] + I * level[q];
    }
}
