/* mean, variance of x over n, f, t;  y = max(0, w * (x - mean) / sqrt(variance + epsilon) + bias); no y: those alone
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/stream_ref.h"
#include <math.h>

static void channel(const struct kn_args *a, int c)
{
    const size_t pixels = ref_pixels(a->shape);
    double mean = 0, variance = 0;
    for (size_t i = 0; i < pixels; i++)
        mean += kn_get(a->trace, KN_IN, &a->x[ref_at(a->shape, c, i)]) / (double)pixels;
    for (size_t i = 0; i < pixels; i++)
        variance += pow(kn_get(a->trace, KN_IN, &a->x[ref_at(a->shape, c, i)]) - mean, 2) / (double)pixels;
    kn_put(a->trace, KN_NORM, &a->moments[c], mean);
    kn_put(a->trace, KN_NORM, &a->moments[kn_lanes(a->shape->ic) + c], variance);
    if (!a->y)
        return;
    const double scale = kn_get(a->trace, KN_WEIGHT, &a->w[c]) / sqrt(variance + KN_NORM_EPSILON);
    const double bias = kn_get(a->trace, KN_BIAS, &a->bias[c]);
    for (size_t i = 0; i < pixels; i++) {
        const double x = kn_get(a->trace, KN_IN, &a->x[ref_at(a->shape, c, i)]);
        kn_put(a->trace, KN_OUT, &a->y[ref_at(a->shape, c, i)], ref_relu(scale * (x - mean) + bias));
    }
}

static void padding(const struct kn_args *a, int c)
{
    kn_put(a->trace, KN_NORM, &a->moments[c], 0);
    kn_put(a->trace, KN_NORM, &a->moments[kn_lanes(a->shape->ic) + c], 0);
    for (size_t i = 0; a->y && i < ref_pixels(a->shape); i++)
        kn_put(a->trace, KN_OUT, &a->y[ref_at(a->shape, c, i)], 0);
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < kn_lanes(a->shape->ic); c++)
        if (c < a->shape->ic)
            channel(a, c);
        else
            padding(a, c);
}

REF_STREAM(KN_BATCH_NORM, KN_FWD, norm_fwd_ref, 3, 1, 2, 2)
