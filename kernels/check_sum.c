#include "kernels/check_sum.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <math.h>
#include <stdlib.h>

size_t kn_at_activation(const struct kn_shape *s, int channels, int n, int c, int f, int t)
{
    size_t plane = (size_t)(n * kn_blocks(channels) + c / KN_LANES) * (size_t)s->f + (size_t)f;
    return (plane * (size_t)s->t + (size_t)t) * KN_LANES + (size_t)(c % KN_LANES);
}

size_t kn_at_weight(enum kn_op op, const struct kn_shape *s, int o, int i, int tap)
{
    size_t taps = op == KN_POINTWISE ? 1 : KN_TAPS;
    size_t row = (size_t)(o / KN_LANES) * taps + (size_t)tap;
    if (op != KN_DEPTHWISE)
        row = row * (size_t)kn_blocks(s->ic) * KN_LANES + (size_t)i;
    return row * KN_LANES + (size_t)(o % KN_LANES);
}

/* The sums over magnitudes multiply like the sums do: each is a sum of products in the end. */
static void add(struct kn_expected *to, size_t at, struct kn_factor a, size_t ia, struct kn_factor b, size_t ib)
{
    to->sum[at] += (a.exact ? a.exact[ia] : a.sum->sum[ia]) * (b.exact ? b.exact[ib] : b.sum->sum[ib]);
    to->scale[at] += fabs(a.exact ? a.exact[ia] : a.sum->scale[ia]) * fabs(b.exact ? b.exact[ib] : b.sum->scale[ib]);
}

/* One slot, output channel, input channel and tap, over the grid; returns how many products. */
static size_t scatter(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, struct kn_factor a, struct kn_factor b,
                      struct kn_expected *to, const int at[4])
{
    const int n = at[0], o = at[1], i = at[2], tap = at[3];
    const int off_f = op == KN_POINTWISE ? 0 : s->dil_f * (tap / 3 - 1);
    const int off_t = op == KN_POINTWISE ? 0 : s->dil_t * (tap % 3 - 1);
    const size_t weight = kn_at_weight(op, s, o, op == KN_DEPTHWISE ? 0 : i, tap);
    size_t products = 0;
    for (int f = 0; f < s->f; f++)
        for (int t = 0; t < s->t; t++) {
            if (f + off_f < 0 || f + off_f >= s->f || t + off_t < 0 || t + off_t >= s->t)
                continue;
            const size_t in = kn_at_activation(s, s->ic, n, i, f + off_f, t + off_t);
            const size_t out = kn_at_activation(s, s->oc, n, o, f, t);
            if (dir == KN_FWD)
                add(to, out, a, in, b, weight);
            else if (dir == KN_BWD_DATA)
                add(to, in, a, out, b, weight);
            else
                add(to, weight, a, out, b, in);
            products++;
        }
    return products;
}

double kn_sum_products(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, struct kn_factor a, struct kn_factor b,
                       struct kn_expected *to)
{
    double flop = 0;
    for (int n = 0; n < s->n; n++)
        for (int o = 0; o < s->oc; o++)
            for (int tap = 0; tap < (op == KN_POINTWISE ? 1 : KN_TAPS); tap++) {
                const int first = op == KN_DEPTHWISE ? o / (s->oc / s->ic) : 0;
                const int last = op == KN_DEPTHWISE ? first : s->ic - 1;
                for (int i = first; i <= last; i++)
                    flop += 2 * (double)scatter(op, dir, s, a, b, to, (const int[]){n, o, i, tap});
            }
    return flop;
}

static int new_sums(struct kn_expected *e, size_t floats)
{
    *e = (struct kn_expected){
        .floats = floats, .sum = jrx_alloc(floats * sizeof *e->sum), .scale = jrx_alloc(floats * sizeof *e->scale)};
    return e->sum && e->scale ? 0 : JRX_ENOMEM;
}

/* dw of both halves, given m, which x became on its way forward, and g, which dy became on its way back. */
static double both_gradients(struct kn_problem *p, struct kn_factor m, struct kn_factor g)
{
    const struct kn_shape first = kn_depthwise_half(&p->shape), second = kn_pointwise_half(&p->shape);
    const size_t half = kn_w_floats(KN_DEPTHWISE, &first);
    struct kn_expected behind = {.sum = p->main.sum + half, .scale = p->main.scale + half};
    return kn_sum_products(KN_DEPTHWISE, KN_BWD_WEIGHTS, &first, g, (struct kn_factor){p->x, NULL}, &p->main) +
           kn_sum_products(KN_POINTWISE, KN_BWD_WEIGHTS, &second, (struct kn_factor){p->dy, NULL}, m, &behind);
}

int kn_sum_separable(struct kn_problem *p)
{
    const struct kn_shape first = kn_depthwise_half(&p->shape), second = kn_pointwise_half(&p->shape);
    const struct kn_factor x = {p->x, NULL}, dy = {p->dy, NULL}, w1 = {p->w, NULL},
                           w2 = {p->w + kn_w_floats(KN_DEPTHWISE, &first), NULL};
    struct kn_expected forth, back;
    const struct kn_factor m = {NULL, &forth}, g = {NULL, &back};
    int rc = new_sums(&forth, kn_y_floats(&first));
    rc = new_sums(&back, kn_y_floats(&first)) ? JRX_ENOMEM : rc;
    if (rc)
        goto out;
    double there = 0;
    if (p->x)
        there = kn_sum_products(KN_DEPTHWISE, KN_FWD, &first, x, w1, &forth);
    if (p->dy)
        there = kn_sum_products(KN_POINTWISE, KN_BWD_DATA, &second, dy, w2, &back);
    if (p->dir == KN_FWD)
        p->flop = there + kn_sum_products(KN_POINTWISE, KN_FWD, &second, m, w2, &p->main);
    else if (p->dir == KN_BWD_DATA)
        p->flop = there + kn_sum_products(KN_DEPTHWISE, KN_BWD_DATA, &first, g, w1, &p->main);
    else
        p->flop = both_gradients(p, m, g);
out:
    free(forth.sum);
    free(forth.scale);
    free(back.sum);
    free(back.scale);
    return rc;
}
