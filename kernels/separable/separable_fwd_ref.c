/* y[n,o,f,t] = bias[o] + sum over m of v[o,m] * mid[n,m,f,t], mid[n,m,f,t] = sum over taps k of w[m,k] *
 * x[n,m / multiplier,f + df(k),t + dt(k)], zero outside the grid
 * The reference: plain loops, sums in double. Never optimise it. */
#include "kernels/dense_ref.h"
#include <omp.h>

/* x as the depthwise half reads it */
static double input(const struct kn_args *a, int n, int i, int f, int t)
{
    double v = kn_get(a->trace, KN_IN, &a->x[kn_at(a->shape, a->shape->ic, n, i, f, t)]);
    if (a->scale)
        v = a->scale[i] * v + a->shift[i];
    return a->scale && v < 0 ? 0 : v;
}

static double between(const struct kn_args *a, int n, int m, int f, int t)
{
    const struct kn_shape *s = a->shape;
    double sum = a->inner_bias ? kn_get(a->trace, KN_BIAS, &a->inner_bias[m]) : 0;
    for (int k = 0; k < KN_TAPS; k++) {
        int from_f = f + s->dil_f * (k / 3 - 1), from_t = t + s->dil_t * (k % 3 - 1);
        if (kn_on_grid(s, from_f, from_t))
            sum +=
                input(a, n, m / (s->mid / s->ic), from_f, from_t) * kn_get(a->trace, KN_WEIGHT, &a->w[kn_dw_at(m, k)]);
    }
    return sum;
}

/* All output channels of one pixel; `mid` holds as many floats as there are channels between the halves. */
static void pixel(const struct kn_args *a, float *mid, int n, int f, int t)
{
    const struct kn_shape *s = a->shape, half = kn_pointwise_half(s);
    const float *w = a->w + KN_TAPS * kn_lanes(s->mid);
    for (int m = 0; m < s->mid; m++)
        kn_put(a->trace, KN_WORKSPACE, &mid[m], between(a, n, m, f, t));
    for (int o = 0; o < kn_lanes(s->oc); o++) {
        float *y = &a->y[kn_at(s, s->oc, n, o, f, t)];
        double sum = a->accumulate ? kn_get(a->trace, KN_OUT, y) : 0;
        if (o < s->oc && a->bias)
            sum += kn_get(a->trace, KN_BIAS, &a->bias[o]);
        for (int m = 0; m < s->mid && o < s->oc; m++)
            sum +=
                kn_get(a->trace, KN_WORKSPACE, &mid[m]) * kn_get(a->trace, KN_WEIGHT, &w[kn_w_at(&half, 1, o, m, 0)]);
        kn_put(a->trace, KN_OUT, y, sum);
    }
}

static void run(const struct kn_args *a)
{
    const struct kn_shape *s = a->shape;
#pragma omp parallel for collapse(2) num_threads(a->threads)
    for (int n = 0; n < s->n; n++)
        for (int f = 0; f < s->f; f++)
            for (int t = 0; t < s->t; t++)
                pixel(a, a->workspace + omp_get_thread_num() * kn_lanes(s->mid), n, f, t);
}

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_SEPARABLE, 0, shape, tile);
}

static size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)tile;
    return (size_t)threads * (size_t)kn_lanes(shape->mid) * sizeof(float);
}

static void work(const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *w)
{
    (void)tile;
    double pixels = (double)s->n * s->f * s->t;
    kn_work_init(w, KN_SEPARABLE, KN_FWD, s);
    w->load_bytes = sizeof(float) * (w->flop + pixels * s->oc);
    w->store_bytes = sizeof(float) * (pixels * s->mid + (double)kn_y_floats(s));
}

const struct kn_kernel separable_fwd_ref = {.name = "separable_fwd_ref",
                                            .op = KN_SEPARABLE,
                                            .dir = KN_FWD,
                                            .isa = KN_ISA_REF,
                                            .supports = supports,
                                            .workspace_bytes = workspace_bytes,
                                            .run = run,
                                            .resolve = ref_resolve,
                                            .work = work};
