/* dx[n,i,f,t] = sum over outputs o of input i and taps k of w[o,k] * dy[n,o,f - df(k),t - dt(k)], zero outside the grid
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/dense_ref.h"

/* dx[n,i,f,t] */
static double element(const struct kn_args *a, int n, int i, int f, int t)
{
    const struct kn_shape *s = a->shape;
    int multiplier = s->oc / s->ic;
    double sum = 0;
    for (int k = 0; k < KN_TAPS; k++) {
        int to_f = f - s->dil_f * (k / 3 - 1), to_t = t - s->dil_t * (k % 3 - 1);
        for (int o = i * multiplier; o < (i + 1) * multiplier && kn_on_grid(s, to_f, to_t); o++)
            sum += kn_get(a->trace, KN_OUT, &a->dy[kn_at(s, s->oc, n, o, to_f, to_t)]) *
                   kn_get(a->trace, KN_WEIGHT, &a->w[kn_dw_at(o, k)]);
    }
    return sum;
}

static void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
#pragma omp parallel for collapse(2) num_threads(a->threads)
    for (int n = 0; n < s->n; n++)
        for (int i = 0; i < kn_lanes(s->ic); i++)
            for (int f = 0; f < s->f; f++)
                for (int t = 0; t < s->t; t++)
                    kn_put(a->trace, KN_IN, &a->dx[kn_at(s, s->ic, n, i, f, t)],
                           i < s->ic ? element(a, n, i, f, t) : 0);
}

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_DEPTHWISE, 0, shape, tile);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    (void)tile;
    ref_work(KN_DEPTHWISE, KN_BWD_DATA, shape, w);
}

const struct kn_kernel depthwise_bwd_data_ref = {.name = "depthwise_bwd_data_ref",
                                                 .op = KN_DEPTHWISE,
                                                 .dir = KN_BWD_DATA,
                                                 .isa = KN_ISA_REF,
                                                 .supports = supports,
                                                 .workspace_bytes = ref_workspace_bytes,
                                                 .run = run,
                                                 .resolve = ref_resolve,
                                                 .work = work};
