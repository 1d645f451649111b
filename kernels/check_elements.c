/* What norm, relu and add should give, in double precision: formulas of kernels/<op>/README.md. */
#include "harness/base/rng.h"
#include "kernels/check_sum.h"
#include <float.h>
#include <math.h>

/* One channel as the loops below see it. */
struct channel {
    struct kn_problem *p;
    int c;
    double w, bias, mean, invstd; /* relu: mean 0, invstd 1 */
    double count;                 /* n * f * t */
    double magnitude;             /* the mean of |x| that rounds into the mean; 0 where moments are given */
    double dz, dzx;               /* sums of dz and of dz * xhat, and their magnitudes */
    double dz_scale, dzx_scale;
};

/* What became of one element before ReLU: the value, and the sum of its parts' magnitudes. */
struct element {
    double xhat, xhat_scale, z, z_scale;
};

static struct element element_of(const struct channel *ch, size_t at)
{
    struct element e;
    const double x = ch->p->x[at];
    e.xhat = (x - ch->mean) * ch->invstd;
    e.xhat_scale = (fabs(x) + fabs(ch->mean) + ch->magnitude) * ch->invstd;
    e.z = ch->w * e.xhat + ch->bias;
    e.z_scale = fabs(ch->w) * e.xhat_scale + fabs(ch->bias);
    return e;
}

static void put(struct kn_expected *e, size_t at, double value, double scale)
{
    e->sum[at] += value;
    e->scale[at] += scale;
}

typedef void visit_fn(struct channel *ch, size_t at);
static void each(struct channel *ch, visit_fn *visit)
{
    const struct kn_shape *s = &ch->p->shape;
    for (int n = 0; n < s->n; n++)
        for (int f = 0; f < s->f; f++)
            for (int t = 0; t < s->t; t++)
                visit(ch, kn_at_activation(s, s->ic, n, ch->c, f, t));
}

/* ---- forward ---- */

static void add_mean(struct channel *ch, size_t at)
{
    ch->mean += ch->p->x[at] / ch->count;
    ch->magnitude += fabs(ch->p->x[at]) / ch->count;
    ch->p->flop += 1;
}

static void add_variance(struct channel *ch, size_t at)
{
    const double square = pow(ch->p->x[at] - ch->mean, 2) / ch->count;
    const size_t variance = ch->p->made.floats / 2 + (size_t)ch->c;
    put(&ch->p->made, variance, square, square);
    ch->p->flop += 3; /* difference, square, sum */
}

static void put_forward(struct channel *ch, size_t at)
{
    const struct element e = element_of(ch, at);
    put(&ch->p->main, at, fmax(0, e.z), e.z_scale);
    ch->p->flop += ch->p->op == KN_BATCH_NORM ? 3 : 2; /* relu has no mean to take off */
}

static void find_moments(struct channel *ch)
{
    ch->mean = 0;
    each(ch, add_mean);
    each(ch, add_variance);
    put(&ch->p->made, (size_t)ch->c, ch->mean, ch->magnitude);
    ch->invstd = 1 / sqrt(ch->p->made.sum[ch->p->made.floats / 2 + (size_t)ch->c] + KN_NORM_EPSILON);
}

/* ---- backward ---- */

static double dz_of(const struct channel *ch, size_t at, const struct element *e)
{
    return e->z > 0 ? ch->p->dy[at] : 0;
}

static void add_sums(struct channel *ch, size_t at)
{
    const struct element e = element_of(ch, at);
    const double dz = dz_of(ch, at, &e);
    ch->dz += dz;
    ch->dzx += dz * e.xhat;
    ch->dz_scale += fabs(dz);
    ch->dzx_scale += fabs(dz) * e.xhat_scale;
    ch->p->flop += (ch->p->op == KN_BATCH_NORM ? 3 : 2) + 3; /* the value; a sum, and a sum of products */
}

static void put_norm_dx(struct channel *ch, size_t at)
{
    const struct element e = element_of(ch, at);
    const double dz = dz_of(ch, at, &e), factor = ch->w * ch->invstd;
    put(&ch->p->main, at, factor * (dz - ch->dz / ch->count - e.xhat * ch->dzx / ch->count),
        fabs(factor) * (fabs(dz) + ch->dz_scale / ch->count + e.xhat_scale * ch->dzx_scale / ch->count));
    ch->p->flop += 4; /* two multiply-adds: dz, xhat and a constant, each but the last with a factor */
}

static void put_relu_dx(struct channel *ch, size_t at)
{
    const struct element e = element_of(ch, at);
    const double dx = ch->w * dz_of(ch, at, &e);
    put(&ch->p->main, at, dx, fabs(dx));
    ch->p->flop += 3;
}

static void put_gradients(struct channel *ch)
{
    put(&ch->p->main, (size_t)ch->c, ch->dzx, ch->dzx_scale);
    put(&ch->p->bias_grad, (size_t)ch->c, ch->dz, ch->dz_scale);
}

/* An element whose value before ReLU is within a few roundings of 0 is drawn again, away from it. */
static void avoid_kink(struct channel *ch, struct jrx_rng *rng)
{
    const struct kn_shape *s = &ch->p->shape;
    for (int i = 0; i < s->n * s->f * s->t; i++) {
        const size_t at = kn_at_activation(s, s->ic, i / (s->f * s->t), ch->c, i / s->t % s->f, i % s->t);
        for (struct element e = element_of(ch, at); fabs(e.z) < 4 * (double)FLT_EPSILON * e.z_scale;
             e = element_of(ch, at))
            ch->p->x[at] = (float)(int32_t)jrx_rng_u32(rng) * 0x1p-31f;
    }
}

/* ---- */

static void sum_of_add(struct channel *ch, size_t at)
{
    struct kn_problem *p = ch->p;
    switch (p->dir) {
    case KN_FWD: put(&p->main, at, (double)p->x[at] + p->w[at], fabs(p->x[at]) + fabs(p->w[at])); break;
    default: put(&p->main, at, p->dy[at], fabs(p->dy[at])); break;
    }
    p->flop += p->dir != KN_BWD_DATA;
}

static struct channel channel_of(struct kn_problem *p, int c)
{
    const struct kn_shape *s = &p->shape;
    struct channel ch = {.p = p,
                         .c = c,
                         .w = p->op == KN_ADD ? 0 : p->w[c],
                         .bias = p->bias ? p->bias[c] : 0,
                         .invstd = 1,
                         .count = (double)s->n * s->f * s->t};
    if (p->moments) {
        ch.mean = p->moments[c];
        ch.invstd = 1 / sqrt(p->moments[kn_blocks(s->ic) * KN_LANES + c] + KN_NORM_EPSILON);
    }
    return ch;
}

void kn_sum_elements(struct kn_problem *p, uint64_t seed)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, 99);
    for (int c = 0; c < p->shape.ic; c++) {
        struct channel ch = channel_of(p, c);
        if (p->op == KN_ADD) {
            each(&ch, sum_of_add);
            continue;
        }
        if (p->made.floats)
            find_moments(&ch);
        if (p->dir == KN_FWD) {
            each(&ch, put_forward);
            continue;
        }
        avoid_kink(&ch, &rng);
        if (p->dir == KN_BWD_DATA && p->op == KN_RELU) {
            each(&ch, put_relu_dx);
            continue;
        }
        each(&ch, add_sums);
        if (p->dir == KN_BWD_DATA)
            each(&ch, put_norm_dx);
        else
            put_gradients(&ch);
    }
}
