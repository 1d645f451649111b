#include "models/link/demap.h"
#include "models/link/qam.h"
#include <math.h>

void lk_demapper_init(struct lk_demapper *demapper, int bits, int exact)
{
    demapper->bits = bits;
    demapper->exact = exact;
    lk_qam_axis(bits, demapper->level);
}

/* One axis: llr[0], llr[2], ... from its coordinate. */
static void axis(const struct lk_demapper *demapper, float z, float per_noise, float *llr)
{
    int half = demapper->bits / 2, levels = 1 << half;
    float metric[16], best[4][2];
    for (int b = 0; b < half; b++)
        best[b][0] = best[b][1] = -INFINITY;
    for (int v = 0; v < levels; v++) {
        float d = z - demapper->level[v];
        metric[v] = -d * d * per_noise;
        for (int b = 0; b < half; b++) {
            float *place = &best[b][v >> (half - 1 - b) & 1];
            *place = metric[v] > *place ? metric[v] : *place;
        }
    }
    for (int b = 0; b < half; b++)
        llr[2 * b] = best[b][1] - best[b][0];
    if (!demapper->exact)
        return;
    for (int b = 0; b < half; b++) {
        float sum[2] = {0, 0}; /* relative to the nearest level of each kind, so that none underflows */
        for (int v = 0; v < levels; v++) {
            int one = v >> (half - 1 - b) & 1;
            sum[one] += expf(metric[v] - best[b][one]);
        }
        llr[2 * b] += logf(sum[1] / sum[0]);
    }
}

void lk_demap(const struct lk_demapper *demapper, float complex z, float noise, float *llr)
{
    axis(demapper, crealf(z), 1 / noise, llr);
    axis(demapper, cimagf(z), 1 / noise, llr + 1);
}
