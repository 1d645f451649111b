/* The operands of a check and the sums that define its result. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/check_sum.h"
#include "kernels/operand.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum stream { X, W, BIAS, DY, DW, DB, MOMENTS };

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
                    a[kn_at_activation(s, channels, n, c, f, t)] = draw(&rng);
    return a;
}

static void fill_weights(enum kn_op op, const struct kn_shape *s, struct jrx_rng *rng, float *w)
{
    for (int o = 0; o < s->oc && kn_elementwise(op); o++)
        w[o] = draw(rng);
    if (kn_elementwise(op))
        return;
    for (int o = 0; o < s->oc; o++)
        for (int tap = 0; tap < (op == KN_POINTWISE ? 1 : KN_TAPS); tap++)
            for (int i = 0; i < (op == KN_DEPTHWISE ? 1 : s->ic); i++)
                w[kn_at_weight(op, s, o, i, tap)] = draw(rng);
}

static float *draw_weights(enum kn_op op, const struct kn_shape *s, uint64_t seed, enum stream stream)
{
    if (op == KN_ADD)
        return draw_activation(s, s->oc, seed, stream);
    float *w = jrx_alloc(kn_w_floats(op, s) * sizeof *w);
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    if (w && op == KN_SEPARABLE) {
        struct kn_shape first = kn_depthwise_half(s), second = kn_pointwise_half(s);
        fill_weights(KN_DEPTHWISE, &first, &rng, w);
        fill_weights(KN_POINTWISE, &second, &rng, w + kn_w_floats(KN_DEPTHWISE, &first));
    } else if (w) {
        fill_weights(op, s, &rng, w);
    }
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

/* Means like those of x, variances from 1/2 to 3/2. */
static float *draw_moments(const struct kn_shape *s, uint64_t seed)
{
    const size_t half = kn_operand_floats(KN_BATCH_NORM, s, KN_NORM) / 2;
    float *m = jrx_alloc(2 * half * sizeof *m);
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, MOMENTS);
    for (int c = 0; m && c < s->ic; c++) {
        m[c] = draw(&rng);
        m[half + (size_t)c] = 1 + draw(&rng) / 2;
    }
    return m;
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

/* The bias, which has a term of its own in y, or the sums of dy in db: whichever `to` is. */
static void scatter_bias(struct kn_expected *to, struct kn_problem *p)
{
    const struct kn_shape *s = &p->shape;
    const int forward = to == &p->main;
    for (int n = 0; n < s->n && (forward ? p->bias != NULL : p->bias_grad.floats > 0); n++)
        for (int o = 0; o < s->oc; o++)
            for (int f = 0; f < s->f; f++)
                for (int t = 0; t < s->t; t++) {
                    size_t out = kn_at_activation(s, s->oc, n, o, f, t);
                    add(to, forward ? out : (size_t)o, forward ? p->bias[o] : p->dy[out]);
                }
}

/* The most products that lead to one element of the result, one after the other through both halves of separable. */
static int terms_of(enum kn_op op, enum kn_dir dir, const struct kn_shape *s)
{
    const int pixels = s->n * s->f * s->t;
    if (op == KN_SEPARABLE) {
        const int first[KN_DIRS] = {KN_TAPS, KN_TAPS * (s->mid / s->ic), pixels};
        const int second[KN_DIRS] = {s->mid + 1, s->oc, (s->oc > KN_TAPS ? s->oc : KN_TAPS) + 1};
        return first[dir] + second[dir];
    }
    if (kn_elementwise(op)) {
        enum { OWN = 4 }; /* roundings of an element that are none of a sum */
        const int summed = op == KN_BATCH_NORM || (op == KN_RELU && dir == KN_BWD_WEIGHTS);
        return OWN + (summed ? pixels : 0);
    }
    const int taps = op == KN_POINTWISE ? 1 : KN_TAPS, depthwise = op == KN_DEPTHWISE;
    const int terms[KN_DIRS] = {(depthwise ? 1 : s->ic) * taps + 1, (depthwise ? s->oc / s->ic : s->oc) * taps,
                                pixels + 1};
    return terms[dir];
}

static int draw_operands(struct kn_problem *p, uint64_t seed)
{
    const struct kn_shape *s = &p->shape;
    const unsigned reads = kn_reads(p->op, p->dir), writes = kn_writes(p->op, p->dir);
    const int optional = kn_elementwise(p->op) || seed % 4 != 3, terms = terms_of(p->op, p->dir, s);
    const int bias = optional && writes >> KN_BIAS & 1;
    if ((reads >> KN_IN & 1 && !(p->x = draw_activation(s, s->ic, seed, X))) ||
        (reads >> KN_WEIGHT & 1 && !(p->w = draw_weights(p->op, s, seed, W))) ||
        (reads >> KN_OUT & 1 && !(p->dy = draw_activation(s, s->oc, seed, DY))) ||
        (reads >> KN_BIAS & 1 && optional && !(p->bias = draw_bias(s, seed, BIAS))) ||
        (reads >> KN_NORM & 1 && !(p->moments = draw_moments(s, seed))))
        return JRX_ENOMEM;
    if (writes >> KN_NORM & 1 && expect(&p->made, kn_operand_floats(p->op, s, KN_NORM), terms, NULL))
        return JRX_ENOMEM;
    if (p->dir != KN_BWD_WEIGHTS)
        return expect(&p->main, p->dir == KN_FWD ? kn_y_floats(s) : kn_x_floats(s), terms, NULL);
    float *dw = draw_weights(p->op, s, seed, DW), *db = bias ? draw_bias(s, seed, DB) : NULL;
    p->main.before = dw;
    p->bias_grad.before = db;
    if (!dw || (bias && !db))
        return JRX_ENOMEM;
    int rc = expect(&p->main, kn_w_floats(p->op, s), terms, dw);
    return !rc && bias ? expect(&p->bias_grad, (size_t)kn_blocks(s->oc) * KN_LANES, s->n * s->f * s->t + 1, db) : rc;
}

/* main of a problem that has its operands, in place of what it held. */
static int sum_up(struct kn_problem *p)
{
    int rc = 0;
    for (size_t i = 0; i < p->main.floats; i++) {
        p->main.sum[i] = p->main.before ? p->main.before[i] : 0;
        p->main.scale[i] = fabs(p->main.sum[i]);
    }
    if (p->op == KN_SEPARABLE) {
        rc = kn_sum_separable(p);
    } else {
        const struct kn_factor x = {p->x, NULL}, w = {p->w, NULL}, dy = {p->dy, NULL};
        p->flop = kn_sum_products(p->op, p->dir, &p->shape, p->dir == KN_FWD ? x : dy, p->dir == KN_BWD_WEIGHTS ? x : w,
                                  &p->main);
    }
    return rc;
}

int kn_problem_init(struct kn_problem *problem, enum kn_op op, enum kn_dir dir, const struct kn_shape *shape,
                    uint64_t seed)
{
    *problem = (struct kn_problem){.op = op, .dir = dir, .shape = *shape};
    int rc = kn_shape_check(op, shape);
    rc = rc ? rc : draw_operands(problem, seed);
    if (!rc && kn_elementwise(op))
        kn_sum_elements(problem, seed);
    else if (!rc)
        rc = sum_up(problem);
    if (rc) {
        kn_problem_fini(problem);
    } else if (!kn_elementwise(op)) {
        scatter_bias(&problem->main, problem);
        scatter_bias(&problem->bias_grad, problem);
    }
    return rc;
}

/* ---- for kernels that round ------------------------------------------------------------------------ */

float kn_round_bf16(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    if (isnan(v) || fabsf(v) < FLT_MIN)
        bits = isnan(v) ? bits | 0x400000 : bits & 0x80000000;
    else
        bits += 0x7fff + (bits >> 16 & 1);
    bits &= 0xffff0000;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* A copy whose elements from `first` on are rounded; NULL of NULL, and without memory. */
static float *rounded(const float *from, size_t floats, size_t first)
{
    float *to = from ? jrx_alloc(floats * sizeof *to) : NULL;
    for (size_t i = 0; to && i < floats; i++)
        to[i] = i < first ? from[i] : kn_round_bf16(from[i]);
    return to;
}

int kn_problem_round(struct kn_problem *p)
{
    const int separable = p->op == KN_SEPARABLE; /* its depthwise half is not rounded */
    const struct kn_shape *s = &p->shape, half = kn_depthwise_half(s);
    struct kn_problem r = *p;
    r.x = rounded(p->x, p->x ? kn_x_floats(s) : 0, separable ? SIZE_MAX : 0);
    r.w = rounded(p->w, p->w ? kn_w_floats(p->op, s) : 0, separable ? kn_w_floats(KN_DEPTHWISE, &half) : 0);
    r.dy = rounded(p->dy, p->dy ? kn_y_floats(s) : 0, 0);
    int rc = (p->x && !r.x) || (p->w && !r.w) || (p->dy && !r.dy) ? JRX_ENOMEM : sum_up(&r);
    if (!rc)
        scatter_bias(&r.main, &r);
    free(r.x);
    free(r.w);
    free(r.dy);
    p->main.slack = separable ? 0x1p-8 : 0;
    p->rounded = 1;
    return rc;
}

void kn_problem_fini(struct kn_problem *p)
{
    struct kn_expected *const outputs[] = {&p->main, &p->bias_grad, &p->made};
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        free(outputs[i]->sum);
        free(outputs[i]->scale);
        free(outputs[i]->before);
    }
    free(p->x);
    free(p->w);
    free(p->bias);
    free(p->dy);
    free(p->moments);
    *p = (struct kn_problem){0};
}
