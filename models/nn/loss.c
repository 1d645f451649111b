#include "models/nn/loss.h"
#include <math.h>

static double sigmoid(double v)
{
    return v >= 0 ? 1 / (1 + exp(-v)) : exp(v) / (1 + exp(v));
}

/* BCE(p, s(v)) = log(1 + exp(v)) - p v, without overflow */
static double cross_entropy(double p, double v)
{
    return (v > 0 ? v : 0) - p * v + log1p(exp(-fabs(v)));
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
        double z = logit[i], y = label[i], bce = cross_entropy(y, z), soft = 0, dsoft = 0;
        if (mix > 0) {
            double want = sigmoid(teacher[i] / t);
            soft = t * t * cross_entropy(want, z / t);
            dsoft = t * (sigmoid(z / t) - want);
        }
        sum->bits++;
        sum->errors += (z > 0) != (label[i] == 1);
        sum->bce += bce;
        sum->loss += (1 - mix) * bce + mix * soft;
        if (dz)
            dz[i] = (float)((1 - mix) * (sigmoid(z) - y) + mix * dsoft);
    }
}
