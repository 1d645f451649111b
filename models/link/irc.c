#include "models/link/irc.h"
#include "models/link/hermitian.h"
#include <string.h>

/* Adds r r^H over the pilots of block b to s[rx][rx]; returns how many there were. */
static int add_block(const struct lk_slot *slot, const float complex *h, int b, double complex *s)
{
    size_t res = (size_t)slot->f * slot->t;
    int rx = slot->rx, count = 0;
    size_t first = (size_t)b * LK_PRB_SUBCARRIERS * slot->t, end = first + LK_PRB_SUBCARRIERS * (size_t)slot->t;
    for (size_t i = first; i < end; i++) {
        if (slot->re[i] != LK_PILOT)
            continue;
        double complex r[LK_MAX_RX];
        for (int a = 0; a < rx; a++)
            r[a] = slot->y[a * res + i] - h[a * res + i] * slot->xp[i];
        for (int a = 0; a < rx; a++)
            for (int c = 0; c < rx; c++)
                s[a * rx + c] += r[a] * conj(r[c]);
        count++;
    }
    return count;
}

void lk_irc_inverse(const struct lk_slot *slot, const float complex *h, float complex *inverse)
{
    int rx = slot->rx, blocks = slot->f / LK_PRB_SUBCARRIERS;
    for (int b = 0; b < blocks; b++) {
        double complex s[LK_MAX_RX * LK_MAX_RX] = {0}, unit[LK_MAX_RX * LK_MAX_RX] = {0};
        double trace = 0;
        int count = 0;
        for (int n = b - LK_IRC_PRB / 2; n <= b + LK_IRC_PRB / 2; n++)
            count += n >= 0 && n < blocks ? add_block(slot, h, n, s) : 0;
        for (int a = 0; a < rx; a++) {
            trace += creal(s[a * rx + a]);
            unit[a * rx + a] = count;
        }
        for (int a = 0; a < rx; a++)
            s[a * rx + a] += 1e-9 * trace + 1e-30; /* enough to be invertible */
        lk_hermitian_solve(rx, s, rx, unit);       /* row c is column c of the inverse */
        for (int a = 0; a < rx; a++)
            for (int c = 0; c < rx; c++)
                inverse[((size_t)b * rx + a) * rx + c] = (float complex)unit[c * rx + a];
    }
}
