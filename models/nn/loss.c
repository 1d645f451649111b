#include "models/nn/loss.h"
#include <math.h>

/* s(v) and log(1 + exp(v)) from one exponential that cannot overflow; BCE(p, s(v)) = log(1 + exp(v)) - p v. */
static double sigmoid(double v, double *softplus)
{
    const double e = exp(-fabs(v));
    *softplus = (v > 0 ? v : 0) + log1p(e);
    return (v >= 0 ? 1 : e) / (1 + e);
}

void nn_loss_add(const struct nn_loss *loss, const float *logit, const float *teacher, const uint8_t *label,
                 size_t count, float *dz, struct nn_loss_sum *sum)
{
    const double mix = loss->mix, t = loss->temperature;
    for (size_t i = 0; i < count; i++) {
        if (label[i] >= NN_NO_BIT) {
            if (dz)
                dz[i] = 0;
            continue;
        }
        double z = logit[i], y = label[i], softplus, soft = 0, dsoft = 0;
        const double s = sigmoid(z, &softplus), bce = softplus - y * z;
        if (mix > 0) {
            const double want = sigmoid(teacher[i] / t, &softplus), got = sigmoid(z / t, &softplus);
            soft = t * t * (softplus - want * z / t);
            dsoft = t * (got - want);
        }
        sum->bits++;
        sum->weight += 1;
        sum->errors += (z > 0) != (label[i] == 1);
        sum->bce += bce;
        sum->loss += (1 - mix) * bce + mix * soft;
        if (dz)
            dz[i] = (float)((1 - mix) * (s - y) + mix * dsoft);
    }
}

void nn_loss_join(struct nn_loss_sum *total, const struct nn_loss_sum *part)
{
    total->loss += part->loss;
    total->bce += part->bce;
    total->weight += part->weight;
    total->bits += part->bits;
    total->errors += part->errors;
}
