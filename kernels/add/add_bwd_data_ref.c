/* dx = dy, or dx += dy
 * The reference: plain loops. Never optimise it. */
#include "kernels/stream_ref.h"

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < kn_lanes(a->shape->ic); c++)
        for (size_t i = 0; i < ref_pixels(a->shape); i++) {
            const size_t at = ref_at(a->shape, c, i);
            const double dy = c < a->shape->ic ? kn_get(a->trace, KN_OUT, &a->dy[at]) : 0;
            if (a->accumulate)
                ref_more(a->trace, KN_IN, &a->dx[at], dy);
            else
                kn_put(a->trace, KN_IN, &a->dx[at], dy);
        }
}

REF_STREAM(KN_ADD, KN_BWD_DATA, add_bwd_data_ref, 1, 1, 0, 0)
