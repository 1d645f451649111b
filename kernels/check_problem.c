/* The operands of a check and the sums that define its result. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/check.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where a logical element lies; the layouts of kernels/kernel.h. */
static size_t at_activation(const struct kn_shape *s, int channels, int n, int c, int f, int t)
{
    size_t plane = (size_t)(n * kn_blocks(channels) + c / KN_LANES) * (size_t)s->f + (size_t)f;
    return (plane * (size_t)s->t + (size_t)t) * KN_LANES + (size_t)(c % KN_LANES);
}

static size_t at_weight(enum kn_op op, const struct kn_shape *s, int o, int i, int tap)
{
    size_t taps = op == KN_POINTWISE ? 1 : KN_TAPS;
    size_t row = (size_t)(o / KN_LANES) * taps + (size_t)tap;
    if (op != KN_DEPTHWISE)
        row = row * (size_t)kn_blocks(s->ic) * KN_LANES + (size_t)i;
    return row * KN_LANES + (size_t)(o % KN_LANES);
}

enum stream { X, W, BIAS, DY, DW, DB };

static float draw(struct jrx_rng *rng)
{
    return (float)(int32_t)jrx_rng_u32(rng) * 0x1p-31f;
}

static float *draw_activation(const struct kn_shape *s, int channels, uint64_t seed, enum stream stream)
{
    float *a = jrx_alloc((size_t)s->n * (size_t)kn_blocks(channels) * KN_LANES * (size_t)(s->f * s->t) * sizeof *a);
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    for (int n = 0; a && n < s->n; n++)
        for (int c = 0; c < channels; c++)
            for (int f = 0; f < s->f; f++)
                for (int t = 0; t < s->t; t++)
                    a[at_activation(s, channels, n, c, f, t)] = draw(&rng);
    return a;
}

static float *draw_weights(enum kn_op op, const struct kn_shape *s, uint64_t seed, enum stream stream)
{
    float *w = jrx_alloc(kn_w_floats(op, s) * sizeof *w);
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    for (int o = 0; w && o < s->oc; o++)
        for (int tap = 0; tap < (op == KN_POINTWISE ? 1 : KN_TAPS); tap++)
            for (int i = 0; i < (op == KN_DEPTHWISE ? 1 : s->ic); i++)
                w[at_weight(op, s, o, i, tap)] = draw(&rng);
    return w;
}

static float *draw_bias(const struct kn_shape *s, uint64_t seed, enum stream stream)
{
    float *b = jrx_alloc((size_t)kn_blocks(s->oc) * KN_LANES * sizeof *b);
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    for (int o = 0; b && o < s->oc; o++)
        b[o] = draw(&rng);
    return b;
}

static int expect(struct kn_expected *e, size_t floats, int terms, float *before)
{
    *e = (struct kn_expected){.floats = floats, .before = before, .terms = terms};
    e->sum = jrx_alloc(floats * sizeof *e->sum);
    e->scale = jrx_alloc(floats * sizeof *e->scale);
    for (size_t i = 0; e->sum && e->scale && before && i < floats; i++) {
        e->sum[i] = before[i];
        e->scale[i] = fabsf(before[i]);
    }
    return e->sum && e->scale ? 0 : JRX_ENOMEM;
}

static void add(struct kn_expected *e, size_t at, double term)
{
    e->sum[at] += term;
    e->scale[at] += fabs(term);
}

/* One output channel, input channel and tap, over the grid: the definition of every operator in every direction. */
static void scatter(struct kn_problem *p, int n, int o, int i, int tap)
{
    const struct kn_shape *s = &p->shape;
    int off_f = p->op == KN_POINTWISE ? 0 : s->dil_f * (tap / 3 - 1);
    int off_t = p->op == KN_POINTWISE ? 0 : s->dil_t * (tap % 3 - 1);
    size_t weight = at_weight(p->op, s, o, p->op == KN_DEPTHWISE ? 0 : i, tap);
    for (int f = 0; f < s->f; f++)
        for (int t = 0; t < s->t; t++) {
            if (f + off_f < 0 || f + off_f >= s->f || t + off_t < 0 || t + off_t >= s->t)
                continue;
            size_t in = at_activation(s, s->ic, n, i, f + off_f, t + off_t);
            size_t out = at_activation(s, s->oc, n, o, f, t);
            if (p->dir == KN_FWD)
                add(&p->main, out, (double)p->x[in] * p->w[weight]);
            else if (p->dir == KN_BWD_DATA)
                add(&p->main, in, (double)p->dy[out] * p->w[weight]);
            else
                add(&p->main, weight, (double)p->dy[out] * p->x[in]);
            p->flop += 2;
        }
}

/* The bias, which has a term of its own in y, and the sums of dy in db. */
static void scatter_bias(struct kn_problem *p)
{
    const struct kn_shape *s = &p->shape;
    for (int n = 0; n < s->n && (p->bias || p->bias_grad.floats); n++)
        for (int o = 0; o < s->oc; o++)
            for (int f = 0; f < s->f; f++)
                for (int t = 0; t < s->t; t++) {
                    size_t out = at_activation(s, s->oc, n, o, f, t);
                    if (p->bias)
                        add(&p->main, out, p->bias[o]);
                    else
                        add(&p->bias_grad, (size_t)o, p->dy[out]);
                }
}

static int draw_operands(struct kn_problem *p, uint64_t seed)
{
    const struct kn_shape *s = &p->shape;
    int taps = p->op == KN_POINTWISE ? 1 : KN_TAPS, depthwise = p->op == KN_DEPTHWISE, bias = seed % 4 != 3;
    if (p->dir != KN_BWD_DATA && !(p->x = draw_activation(s, s->ic, seed, X)))
        return JRX_ENOMEM;
    if (p->dir != KN_BWD_WEIGHTS && !(p->w = draw_weights(p->op, s, seed, W)))
        return JRX_ENOMEM;
    if (p->dir != KN_FWD && !(p->dy = draw_activation(s, s->oc, seed, DY)))
        return JRX_ENOMEM;
    if (p->dir == KN_FWD) {
        if (bias && !(p->bias = draw_bias(s, seed, BIAS)))
            return JRX_ENOMEM;
        return expect(&p->main, kn_y_floats(s), (depthwise ? 1 : s->ic) * taps + 1, NULL);
    }
    if (p->dir == KN_BWD_DATA)
        return expect(&p->main, kn_x_floats(s), (depthwise ? s->oc / s->ic : s->oc) * taps, NULL);
    int terms = s->n * s->f * s->t + 1;
    float *dw = draw_weights(p->op, s, seed, DW), *db = bias ? draw_bias(s, seed, DB) : NULL;
    p->main.before = dw;
    p->bias_grad.before = db;
    if (!dw || (bias && !db))
        return JRX_ENOMEM;
    int rc = expect(&p->main, kn_w_floats(p->op, s), terms, dw);
    return !rc && bias ? expect(&p->bias_grad, (size_t)kn_blocks(s->oc) * KN_LANES, terms, db) : rc;
}

/* Forward through both halves; what lies between is kept in double, and so is the sum over magnitudes. */
static int separable_forward(struct kn_problem *p, uint64_t seed)
{
    const struct kn_shape *s = &p->shape, depthwise = kn_depthwise_half(s), pointwise = kn_pointwise_half(s);
    struct kn_problem first, second = {.op = KN_POINTWISE};
    uint64_t without_bias = seed | 3;
    int rc = kn_problem_init(&first, KN_DEPTHWISE, KN_FWD, &depthwise, without_bias);
    second.w = draw_weights(KN_POINTWISE, &pointwise, seed, DW);
    p->w = jrx_alloc(kn_w_floats(KN_SEPARABLE, s) * sizeof *p->w);
    p->bias = seed % 4 == 3 ? NULL : draw_bias(s, seed, BIAS);
    if (rc || !second.w || !p->w || (seed % 4 != 3 && !p->bias) ||
        expect(&p->main, kn_y_floats(s), s->mid + KN_TAPS + 1, NULL)) {
        rc = JRX_ENOMEM;
        goto out;
    }
    size_t half = kn_w_floats(KN_DEPTHWISE, &depthwise);
    memcpy(p->w, first.w, half * sizeof *p->w);
    memcpy(p->w + half, second.w, kn_w_floats(KN_POINTWISE, &pointwise) * sizeof *p->w);
    for (int n = 0; n < s->n; n++)
        for (int o = 0; o < s->oc; o++)
            for (int i = 0; i < s->mid; i++) {
                double w = second.w[at_weight(KN_POINTWISE, &pointwise, o, i, 0)];
                size_t out = at_activation(s, s->oc, n, o, 0, 0), in = at_activation(s, s->mid, n, i, 0, 0);
                for (int pixel = 0; pixel < s->f * s->t; pixel++, out += KN_LANES, in += KN_LANES) {
                    p->main.sum[out] += w * first.main.sum[in];
                    p->main.scale[out] += fabs(w) * first.main.scale[in];
                    p->flop += 2;
                }
            }
    p->flop += first.flop;
    p->x = first.x;
    first.x = NULL;
    scatter_bias(p);
out:
    kn_problem_fini(&first);
    kn_problem_fini(&second);
    return rc;
}

int kn_problem_init(struct kn_problem *problem, enum kn_op op, enum kn_dir dir, const struct kn_shape *shape,
                    uint64_t seed)
{
    *problem = (struct kn_problem){.op = op, .dir = dir, .shape = *shape};
    int rc = kn_shape_check(op, shape);
    if (!rc && op == KN_SEPARABLE) {
        rc = dir == KN_FWD ? separable_forward(problem, seed)
                           : jrx_fail(JRX_EINVAL, "check: separable %s; run its halves backward", kn_dir_name(dir));
        if (rc)
            kn_problem_fini(problem);
        return rc;
    }
    if (!rc)
        rc = draw_operands(problem, seed);
    if (rc) {
        kn_problem_fini(problem);
        return rc;
    }
    for (int n = 0; n < shape->n; n++)
        for (int o = 0; o < shape->oc; o++)
            for (int tap = 0; tap < (op == KN_POINTWISE ? 1 : KN_TAPS); tap++) {
                int first = op == KN_DEPTHWISE ? o / (shape->oc / shape->ic) : 0;
                int last = op == KN_DEPTHWISE ? first : shape->ic - 1;
                for (int i = first; i <= last; i++)
                    scatter(problem, n, o, i, tap);
            }
    scatter_bias(problem);
    return 0;
}

void kn_problem_fini(struct kn_problem *p)
{
    struct kn_expected *const outputs[] = {&p->main, &p->bias_grad};
    for (int i = 0; i < 2; i++) {
        free(outputs[i]->sum);
        free(outputs[i]->scale);
        free(outputs[i]->before);
    }
    free(p->x);
    free(p->w);
    free(p->bias);
    free(p->dy);
    *p = (struct kn_problem){0};
}
