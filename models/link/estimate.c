#include "models/link/estimate.h"
#include "models/link/dmrs.h"
#include <stddef.h>

/* Where between two of n knots (first, first + step, ...) `at` lies: the left knot, and how far to its right, in
 * steps; beyond the ends the nearest pair goes on. */
static int bracket(int at, int first, int step, int n, float *right)
{
    int left = at < first ? 0 : (at - first) / step;
    if (left > n - 2)
        left = n - 2;
    *right = (float)(at - first - left * step) / (float)step;
    return left;
}

/* Least squares at the pilots of one symbol, and on to every subcarrier of it. */
static void along_frequency(const struct lk_slot *slot, const float complex *y, int t, int comb, float complex *h)
{
    int pilots = slot->f / 2;
    for (int k = 0; k < slot->f; k++) {
        float right;
        int left = bracket(k, comb, 2, pilots, &right), at[2] = {comb + 2 * left, comb + 2 * left + 2};
        float complex knot[2];
        for (int i = 0; i < 2; i++) {
            float complex xp = slot->xp[at[i] * slot->t + t];
            float re = crealf(xp), im = cimagf(xp);
            knot[i] = y[at[i] * slot->t + t] * conjf(xp) / (re * re + im * im);
        }
        h[k * slot->t + t] = knot[0] + right * (knot[1] - knot[0]);
    }
}

/* From the pilot symbols of one subcarrier to all its symbols. */
static void along_time(const struct lk_pattern *pattern, int symbols, float complex *h)
{
    float complex knot[LK_MAX_PILOT_SYMBOLS];
    for (int p = 0; p < pattern->symbols; p++)
        knot[p] = h[pattern->symbol[p]];
    for (int t = 0; t < symbols; t++) {
        int left = 0;
        if (pattern->symbols == 1) {
            h[t] = knot[0];
            continue;
        }
        while (left < pattern->symbols - 2 && t > pattern->symbol[left + 1])
            left++;
        float from = pattern->symbol[left], to = pattern->symbol[left + 1];
        h[t] = knot[left] + ((float)t - from) / (to - from) * (knot[left + 1] - knot[left]);
    }
}

void lk_estimate_ls(const struct lk_slot *slot, float complex *h)
{
    const struct lk_pattern *pattern = lk_pattern_get(slot->pattern);
    for (int a = 0; a < slot->rx; a++) {
        size_t antenna = (size_t)a * slot->f * slot->t;
        for (int p = 0; p < pattern->symbols; p++)
            along_frequency(slot, slot->y + antenna, pattern->symbol[p], pattern->comb[p], h + antenna);
        for (int k = 0; k < slot->f; k++)
            along_time(pattern, slot->t, h + antenna + (size_t)k * slot->t);
    }
}
