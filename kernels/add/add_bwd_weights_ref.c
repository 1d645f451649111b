/* dw += dy
 * The reference: plain loops. Never optimise it. */
#include "kernels/stream_ref.h"

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < a->shape->ic; c++)
        for (size_t i = 0; i < ref_pixels(a->shape); i++) {
            const size_t at = ref_at(a->shape, c, i);
            ref_more(a->trace, KN_WEIGHT, &a->dw[at], kn_get(a->trace, KN_OUT, &a->dy[at]));
        }
}

REF_STREAM(KN_ADD, KN_BWD_WEIGHTS, add_bwd_weights_ref, 2, 1, 0, 0)
