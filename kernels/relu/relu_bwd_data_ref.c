/* dx = w * dy where w * x + bias is above 0, else 0
 * The reference: plain loops in double. Never optimise it. */
#include "kernels/stream_ref.h"

static double element(const struct kn_args *a, double w, double bias, size_t at)
{
    const double x = kn_get(a->trace, KN_IN, &a->x[at]), dy = kn_get(a->trace, KN_OUT, &a->dy[at]);
    return w * x + bias > 0 ? w * dy : 0;
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < kn_lanes(a->shape->ic); c++) {
        const int real = c < a->shape->ic;
        const double w = real ? kn_get(a->trace, KN_WEIGHT, &a->w[c]) : 0;
        const double bias = real ? kn_get(a->trace, KN_BIAS, &a->bias[c]) : 0;
        for (size_t i = 0; i < ref_pixels(a->shape); i++) {
            const size_t at = ref_at(a->shape, c, i);
            kn_put(a->trace, KN_IN, &a->dx[at], real ? element(a, w, bias, at) : 0);
        }
    }
}

REF_STREAM(KN_RELU, KN_BWD_DATA, relu_bwd_data_ref, 2, 1, 2, 0)
