/* dx = w * invstd * (dz - sum dz / N - xhat * sum(dz * xhat) / N), N = n * f * t, xhat = (x - mean) * invstd
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/norm/norm_ref.h"

static void channel(const struct kn_args *a, int c)
{
    const struct norm_ref r = norm_ref_sums(a, c);
    const double count = (double)ref_pixels(a->shape);
    for (size_t i = 0; i < ref_pixels(a->shape); i++) {
        const size_t at = ref_at(a->shape, c, i);
        double dz, xhat;
        norm_ref_element(a, &r, at, &dz, &xhat);
        const double dx = r.w * r.invstd * (dz - r.dz / count - xhat * r.dzx / count);
        if (a->accumulate)
            ref_more(a->trace, KN_IN, &a->dx[at], dx);
        else
            kn_put(a->trace, KN_IN, &a->dx[at], dx);
    }
}

static void padding(const struct kn_args *a, int c)
{
    for (size_t i = 0; !a->accumulate && i < ref_pixels(a->shape); i++)
        kn_put(a->trace, KN_IN, &a->dx[ref_at(a->shape, c, i)], 0);
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

REF_STREAM(KN_BATCH_NORM, KN_BWD_DATA, norm_bwd_data_ref, 4, 1, 4, 0)
