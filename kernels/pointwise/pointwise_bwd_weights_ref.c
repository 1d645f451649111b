/* dw[o,i] += sum over n, f, t of x[n,i,f,t] * dy[n,o,f,t]; db[o] += sum of dy[n,o,f,t]
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/dense_ref.h"

static void weight(const struct kn_args *a, int o, int i)
{
    const struct kn_shape *s = a->shape;
    float *dw = &a->dw[kn_w_at(s, 1, o, i, 0)];
    double sum = kn_get(a->trace, KN_WEIGHT, dw);
    for (int n = 0; n < s->n; n++)
        for (int f = 0; f < s->f; f++)
            for (int t = 0; t < s->t; t++)
                sum += kn_get(a->trace, KN_IN, &a->x[kn_at(s, s->ic, n, i, f, t)]) *
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
        for (int i = 0; i < a->shape->ic; i++)
            weight(a, o, i);
        if (a->db)
            bias_gradient(a, o);
    }
}

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_POINTWISE, 0, shape, tile);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    (void)tile;
    ref_work(KN_POINTWISE, KN_BWD_WEIGHTS, shape, w);
}

const struct kn_kernel pointwise_bwd_weights_ref = {.name = "pointwise_bwd_weights_ref",
                                                    .op = KN_POINTWISE,
                                                    .dir = KN_BWD_WEIGHTS,
                                                    .isa = KN_ISA_REF,
                                                    .supports = supports,
                                                    .workspace_bytes = ref_workspace_bytes,
                                                    .run = run,
                                                    .resolve = ref_resolve,
                                                    .work = work};
