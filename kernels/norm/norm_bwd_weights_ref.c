/* dw += sum of dz * xhat, db += sum of dz over n, f, t
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/norm/norm_ref.h"

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int c = 0; c < a->shape->ic; c++)
        norm_ref_sums(a, c);
}

REF_STREAM(KN_BATCH_NORM, KN_BWD_WEIGHTS, norm_bwd_weights_ref, 2, 0, 6, 2)
