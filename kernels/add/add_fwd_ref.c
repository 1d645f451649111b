/* y = x + w
 * The reference: plain loops. Never optimise it. */
#include "kernels/stream_ref.h"

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < kn_lanes(a->shape->ic); c++)
        for (size_t i = 0; i < ref_pixels(a->shape); i++) {
            const size_t at = ref_at(a->shape, c, i);
            double y = 0;
            if (c < a->shape->ic)
                y = kn_get(a->trace, KN_IN, &a->x[at]) + kn_get(a->trace, KN_WEIGHT, &a->w[at]);
            kn_put(a->trace, KN_OUT, &a->y[at], y);
        }
}

REF_STREAM(KN_ADD, KN_FWD, add_fwd_ref, 2, 1, 0, 0)
