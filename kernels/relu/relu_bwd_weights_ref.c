/* dw += sum of dz * x, db += sum of dz over n, f, t; dz = dy where w * x + bias is above 0, else 0
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/stream_ref.h"

static void channel(const struct kn_args *a, int c)
{
    const double w = kn_get(a->trace, KN_WEIGHT, &a->w[c]), bias = kn_get(a->trace, KN_BIAS, &a->bias[c]);
    double sum = 0, weighted = 0;
    for (size_t i = 0; i < ref_pixels(a->shape); i++) {
        const size_t at = ref_at(a->shape, c, i);
        const double x = kn_get(a->trace, KN_IN, &a->x[at]), dy = kn_get(a->trace, KN_OUT, &a->dy[at]);
        const double dz = w * x + bias > 0 ? dy : 0;
        sum += dz;
        weighted += dz * x;
    }
    ref_more(a->trace, KN_WEIGHT, &a->dw[c], weighted);
    ref_more(a->trace, KN_BIAS, &a->db[c], sum);
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < a->shape->ic; c++)
        channel(a, c);
}

REF_STREAM(KN_RELU, KN_BWD_WEIGHTS, relu_bwd_weights_ref, 2, 0, 4, 2)
