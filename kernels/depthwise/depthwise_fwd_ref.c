/* y[n,o,f,t] = bias[o] + sum over taps k of w[o,k] * x[n,o / multiplier,f + df(k),t + dt(k)], zero outside the grid
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/dense_ref.h"

/* y[n,o,f,t] */
static double element(const struct kn_args *a, int n, int o, int f, int t)
{
    const struct kn_shape *s = a->shape;
    int i = o / (s->oc / s->ic);
    double sum = a->bias ? kn_get(a->trace, KN_BIAS, &a->bias[o]) : 0;
    for (int k = 0; k < KN_TAPS; k++) {
        int from_f = f + s->dil_f * (k / 3 - 1), from_t = t + s->dil_t * (k % 3 - 1);
        if (kn_on_grid(s, from_f, from_t))
            sum += kn_get(a->trace, KN_IN, &a->x[kn_at(s, s->ic, n, i, from_f, from_t)]) *
                   kn_get(a->trace, KN_WEIGHT, &a->w[kn_dw_at(o, k)]);
    }
    return sum;
}

static void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
#pragma omp parallel for collapse(2) num_threads(a->threads)
    for (int n = 0; n < s->n; n++)
        for (int o = 0; o < kn_lanes(s->oc); o++)
            for (int f = 0; f < s->f; f++)
                for (int t = 0; t < s->t; t++)
                    kn_put(a->trace, KN_OUT, &a->y[kn_at(s, s->oc, n, o, f, t)],
                           o < s->oc ? element(a, n, o, f, t) : 0);
}

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_DEPTHWISE, 0, shape, tile);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    (void)tile;
    ref_work(KN_DEPTHWISE, KN_FWD, shape, w);
}

const struct kn_kernel depthwise_fwd_ref = {.name = "depthwise_fwd_ref",
                                            .op = KN_DEPTHWISE,
                                            .dir = KN_FWD,
                                            .isa = KN_ISA_REF,
                                            .supports = supports,
                                            .workspace_bytes = ref_workspace_bytes,
                                            .run = run,
                                            .resolve = ref_resolve,
                                            .work = work};
