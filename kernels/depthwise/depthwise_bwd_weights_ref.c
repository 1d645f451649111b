/* dw[o,k] += sum over n, f, t of dy[n,o,f,t] * x[n,o / multiplier,f + df(k),t + dt(k)], zero outside the grid
 * db[o] += sum over n, f, t of dy[n,o,f,t]
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/dense_ref.h"

static void weight(const struct kn_args *a, int o, int k)
{
    const struct kn_shape *s = a->shape;
    float *dw = &a->dw[kn_dw_at(o, k)];
    int i = o / (s->oc / s->ic), off_f = s->dil_f * (k / 3 - 1), off_t = s->dil_t * (k % 3 - 1);
    double sum = kn_get(a->trace, KN_WEIGHT, dw);
    for (int n = 0; n < s->n; n++)
        for (int f = 0; f < s->f; f++)
            for (int t = 0; t < s->t; t++)
                if (kn_on_grid(s, f + off_f, t + off_t))
                    sum += kn_get(a->trace, KN_IN, &a->x[kn_at(s, s->ic, n, i, f + off_f, t + off_t)]) *
                           kn_get(a->trace, KN_OUT, &a->dy[kn_at(s, s->oc, n, o, f, t)]);
    kn_put(a->trace, KN_WEIGHT, dw, sum);
}

static void bias_gradient(const struct kn_args *a, int o)
{
    const struct kn_shape *s = a->shape;
    double sum = kn_get(a->trace, KN_BIAS, &a->db[o]);
    for (int n = 0; n < s->n; n++)
        for (int f = 0; f < s->f; f++)
            for (int t = 0; t < s->t; t++)
                sum += kn_get(a->trace, KN_OUT, &a->dy[kn_at(s, s->oc, n, o, f, t)]);
    kn_put(a->trace, KN_BIAS, &a->db[o], sum);
}

static void run(const struct kn_args *a)
{
#pragma omp parallel for num_threads(a->threads)
    for (int o = 0; o < a->shape->oc; o++) {
        for (int k = 0; k < KN_TAPS; k++)
            weight(a, o, k);
        if (a->db)
            bias_gradient(a, o);
    }
}

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_DEPTHWISE, 0, shape, tile);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    (void)tile;
    ref_work(KN_DEPTHWISE, KN_BWD_WEIGHTS, shape, w);
}

const struct kn_kernel depthwise_bwd_weights_ref = {.name = "depthwise_bwd_weights_ref",
                                                    .op = KN_DEPTHWISE,
                                                    .dir = KN_BWD_WEIGHTS,
                                                    .isa = KN_ISA_REF,
                                                    .supports = supports,
                                                    .workspace_bytes = ref_workspace_bytes,
                                                    .run = run,
                                                    .resolve = ref_resolve,
                                                    .work = work};
