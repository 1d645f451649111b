/* y = max(0, w * x + bias)
 * The reference: plain loops in double. Never optimise it. */
#include "kernels/stream_ref.h"

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < kn_lanes(a->shape->ic); c++) {
        const int real = c < a->shape->ic;
        const double w = real ? kn_get(a->trace, KN_WEIGHT, &a->w[c]) : 0;
        const double bias = real ? kn_get(a->trace, KN_BIAS, &a->bias[c]) : 0;
        for (size_t i = 0; i < ref_pixels(a->shape); i++) {
            const size_t at = ref_at(a->shape, c, i);
            kn_put(a->trace, KN_OUT, &a->y[at], real ? ref_relu(w * kn_get(a->trace, KN_IN, &a->x[at]) + bias) : 0);
        }
    }
}

REF_STREAM(KN_RELU, KN_FWD, relu_fwd_ref, 1, 1, 2, 0)
