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

/* Where one tensor lies, padding included; 2 a layer: weight and bias. */
static size_t tensor_span(const struct nn_net *net, int index, size_t *offset)
{
    const struct nn_layer *l = &net->layer[index / 2];
    const struct kn_shape shape = nn_layer_shape(l, 1, 1, 1);
    if (l->kind == NN_ADD)
        return 0;
    *offset = index % 2 ? l->bias : l->weight;
    return index % 2 || l->kind != NN_CONV ? (size_t)kn_blocks(l->oc) * KN_LANES : kn_w_floats(l->op, &shape);
}

void nn_lamb_step(const struct nn_adamw *lamb, const struct nn_net *net, int64_t step, double rate, float *w, float *m,
                  float *v, const float *gradient, float *update, double scale, int threads)
{
    const float b1 = (float)lamb->beta1, b2 = (float)lamb->beta2, epsilon = (float)lamb->epsilon, s = (float)scale;
    const float c1 = (float)(1 / (1 - pow(lamb->beta1, (double)step)));
    const float c2 = (float)(1 / (1 - pow(lamb->beta2, (double)step)));
    const float a1 = (float)(1 - lamb->beta1), a2 = (float)(1 - lamb->beta2);
#pragma omp parallel for num_threads(threads) if (threads > 1) schedule(dynamic)
    for (int index = 0; index < 2 * net->layers; index++) {
        size_t offset = 0;
        const size_t count = tensor_span(net, index, &offset);
        double weights = 0, updates = 0;
        for (size_t i = offset; i < offset + count; i++) {
            const float g = s * gradient[i];
            m[i] = b1 * m[i] + a1 * g;
            v[i] = b2 * v[i] + a2 * g * g;
            update[i] =
                c1 * m[i] / (sqrtf(v[i] * c2) + epsilon) + (i < net->decayed_floats ? (float)lamb->decay * w[i] : 0);
            weights += (double)w[i] * w[i];
            updates += (double)update[i] * update[i];
        }
        const float ratio = (float)(rate * (weights > 0 && updates > 0 ? sqrt(weights / updates) : 1));
        for (size_t i = offset; i < offset + count; i++)
            w[i] -= ratio * update[i];
    }
}

enum { NORM_CHUNK = 4096 }; /* summed in one go; the chunks are added in order */

double nn_gradient_merge(float *const *gradient, int blocks, size_t count, double scale, int threads)
{
    const float s = (float)scale;
    double total = 0;
#pragma omp parallel for num_threads(threads) if (threads > 1) ordered schedule(static, 1)
    for (size_t from = 0; from < count; from += NORM_CHUNK) {
        double sum = 0;
        for (size_t i = from; i < count && i < from + NORM_CHUNK; i++) {
            float g = 0;
            for (int k = 0; k < blocks; k++)
                g += gradient[k][i];
            gradient[0][i] = g *= s;
            sum += (double)g * g;
        }
#pragma omp ordered
        total += sum;
    }
    return sqrt(total);
}

void nn_average(double decay, int64_t step, const float *w, float *average, size_t count)
{
    const double most = (1 + (double)step) / (10 + (double)step);
    const float part = (float)(1 - (decay < most ? decay : most));
    for (size_t i = 0; i < count; i++)
        average[i] += part * (w[i] - average[i]);
}

double nn_rate(const struct nn_schedule *schedule, int64_t step)
{
    if (step < schedule->warmup)
        return schedule->rate * (double)step / (double)schedule->warmup;
    if (step < schedule->hold)
        return schedule->rate;
    return schedule->rate * (double)(schedule->steps + 1 - step) / (double)(schedule->steps + 1 - schedule->hold);
}
