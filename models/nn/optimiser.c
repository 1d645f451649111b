#include "models/nn/optimiser.h"
#include <math.h>

struct nn_adamw nn_adamw_default(void)
{
    return (struct nn_adamw){.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .decay = 1e-4};
}

/* Every number is updated on its own, so cutting the block into pieces for the threads changes nothing. */
void nn_adamw_step(const struct nn_adamw *adamw, int64_t step, double rate, float *w, float *m, float *v, size_t count,
                   size_t decayed, float *const *gradient, int blocks, double scale, int threads)
{
    const float b1 = (float)adamw->beta1, b2 = (float)adamw->beta2, epsilon = (float)adamw->epsilon;
    const float c1 = (float)(rate / (1 - pow(adamw->beta1, (double)step)));
    const float c2 = (float)(1 / (1 - pow(adamw->beta2, (double)step)));
    const float keep = (float)(1 - rate * adamw->decay);
    /* 1 - b in double: as a difference of floats it is off by up to 3e-5 of itself for b2 = 0.999 */
    const float a1 = (float)(1 - adamw->beta1), a2 = (float)(1 - adamw->beta2), s = (float)scale;
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(static)
    for (size_t i = 0; i < count; i++) {
        float g = 0;
        for (int k = 0; k < blocks; k++)
            g += gradient[k][i];
        g *= s;
        m[i] = b1 * m[i] + a1 * g;
        v[i] = b2 * v[i] + a2 * g * g;
        w[i] = (i < decayed ? keep : 1.0f) * w[i] - c1 * m[i] / (sqrtf(v[i] * c2) + epsilon);
    }
}

double nn_rate(const struct nn_schedule *schedule, int64_t step)
{
    if (step < schedule->warmup)
        return schedule->rate * (double)step / (double)schedule->warmup;
    if (step < schedule->hold)
        return schedule->rate;
    return schedule->rate * (double)(schedule->steps + 1 - step) / (double)(schedule->steps + 1 - schedule->hold);
}
