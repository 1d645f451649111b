#include "kernels/check_norm.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/check_guard.h"
#include "kernels/check_sum.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const pass_names[KN_NORM_PASSES] = {"norm_stats", "norm_fwd",      "norm_apply",
                                                       "norm_bwd",   "norm_bwd_skip", "norm_add"};

const char *kn_norm_pass_name(enum kn_norm_pass pass)
{
    return pass_names[pass];
}

/* Tensors, then channel vectors, then what a pass writes. A and B are mean and invstd, or scale and shift. */
enum operand { X, DY, SKIP, A, B, GAMMA, BETA, TENSOR, FIRST, SECOND, OPERANDS };

/* Which operands a pass has. */
static const unsigned has[KN_NORM_PASSES] = {
    [KN_NORM_STATS] = 1 << X | 1 << FIRST | 1 << SECOND,
    [KN_NORM_FWD] = 1 << X | 1 << A | 1 << B | 1 << GAMMA | 1 << BETA | 1 << TENSOR,
    [KN_NORM_APPLY] = 1 << X | 1 << A | 1 << B | 1 << TENSOR,
    [KN_NORM_BWD] =
        1 << X | 1 << DY | 1 << A | 1 << B | 1 << GAMMA | 1 << BETA | 1 << TENSOR | 1 << FIRST | 1 << SECOND,
    [KN_NORM_BWD_SKIP] = 1 << X | 1 << DY | 1 << SKIP | 1 << A | 1 << B | 1 << GAMMA | 1 << BETA | 1 << TENSOR |
                         1 << FIRST | 1 << SECOND,
    [KN_NORM_ADD] = 1 << X | 1 << DY | 1 << TENSOR,
};

struct norm_problem {
    enum kn_norm_pass pass;
    struct kn_shape shape;
    size_t floats[OPERANDS];
    float *content[OPERANDS]; /* of FIRST and SECOND: what is there before, if the pass adds to it */
    struct kn_expected expected[OPERANDS];
};

static int is_backward(const struct norm_problem *p)
{
    return p->pass == KN_NORM_BWD || p->pass == KN_NORM_BWD_SKIP;
}

/* gamma * xhat + beta and the sum of its parts' magnitudes */
static double normalised(const struct norm_problem *p, size_t at, int c, double *scale)
{
    const double slope = (double)p->content[GAMMA][c] * p->content[B][c], mean = p->content[A][c];
    *scale = (fabs(p->content[X][at]) + fabs(mean)) * fabs(slope) + fabs(p->content[BETA][c]);
    return (p->content[X][at] - mean) * slope + p->content[BETA][c];
}

static float draw(struct jrx_rng *rng)
{
    return (float)(int32_t)jrx_rng_u32(rng) * 0x1p-31f;
}

/* Every real channel's pixels of all slots. */
typedef void visit_fn(struct norm_problem *p, size_t at, int c, void *context);
static void each(struct norm_problem *p, visit_fn *visit, void *context)
{
    const struct kn_shape *s = &p->shape;
    for (int n = 0; n < s->n; n++)
        for (int c = 0; c < s->ic; c++)
            for (int pixel = 0; pixel < s->f * s->t; pixel++)
                visit(p, kn_at_activation(s, s->ic, n, c, pixel / s->t, pixel % s->t), c, context);
}

/* An x so near the kink that float arithmetic may be on the other side of it is drawn again. */
static void draw_element(struct norm_problem *p, size_t at, int c, void *context)
{
    double scale = 1;
    do
        p->content[X][at] = draw(context);
    while (is_backward(p) && fabs(normalised(p, at, c, &scale)) < 4 * (double)FLT_EPSILON * scale);
    if (p->content[DY])
        p->content[DY][at] = draw(context);
    if (p->content[SKIP])
        p->content[SKIP][at] = draw(context);
}

static int draw_operands(struct norm_problem *p, uint64_t seed)
{
    const struct kn_shape *s = &p->shape;
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, (uint64_t)p->pass);
    for (int i = 0; i < OPERANDS; i++) {
        const int tensor = i <= SKIP || i == TENSOR, written = i >= TENSOR;
        p->floats[i] = !(has[p->pass] >> i & 1) ? 0 : tensor ? kn_x_floats(s) : (size_t)kn_blocks(s->ic) * KN_LANES;
        if (!p->floats[i])
            continue;
        struct kn_expected *e = &p->expected[i];
        if (written) {
            e->floats = p->floats[i];
            e->sum = jrx_alloc(e->floats * sizeof *e->sum);
            e->scale = jrx_alloc(e->floats * sizeof *e->scale);
        }
        if (!written || (is_backward(p) && i != TENSOR))
            p->content[i] = jrx_alloc(p->floats[i] * sizeof *p->content[i]);
        if ((written && (!e->sum || !e->scale)) || ((!written || (is_backward(p) && i != TENSOR)) && !p->content[i]))
            return JRX_ENOMEM;
        for (int c = 0; c < s->ic && !tensor && p->content[i]; c++)
            p->content[i][c] = i == B ? 1 + draw(&rng) / 2 : draw(&rng);
    }
    each(p, draw_element, &rng);
    return 0;
}

/* ---- the formulas of kernels/norm.h --------------------------------------------------------------- */

static void put(struct kn_expected *e, size_t at, double value, double scale)
{
    e->sum[at] += value;
    e->scale[at] += scale;
}

static double count_of(const struct norm_problem *p)
{
    return (double)p->shape.n * p->shape.f * p->shape.t;
}

static void add_mean(struct norm_problem *p, size_t at, int c, void *context)
{
    (void)context;
    put(&p->expected[FIRST], (size_t)c, p->content[X][at] / count_of(p), fabs(p->content[X][at]) / count_of(p));
}

static void add_variance(struct norm_problem *p, size_t at, int c, void *context)
{
    (void)context;
    double square = pow(p->content[X][at] - p->expected[FIRST].sum[c], 2) / count_of(p);
    put(&p->expected[SECOND], (size_t)c, square, square);
}

static void put_result(struct norm_problem *p, size_t at, int c, void *context)
{
    (void)context;
    double scale, z;
    if (p->pass == KN_NORM_FWD) {
        z = normalised(p, at, c, &scale);
    } else if (p->pass == KN_NORM_APPLY) {
        double product = (double)p->content[A][c] * p->content[X][at];
        z = product + p->content[B][c];
        scale = fabs(product) + fabs(p->content[B][c]);
    } else {
        z = (double)p->content[X][at] + p->content[DY][at];
        scale = fabs(p->content[X][at]) + fabs(p->content[DY][at]);
    }
    put(&p->expected[TENSOR], at, p->pass == KN_NORM_ADD ? z : fmax(0, z), scale);
}

/* dz and xhat of one element, with xhat's magnitude before the mean is subtracted */
struct slope {
    double dz, xhat, size;
};
static struct slope slope_of(const struct norm_problem *p, size_t at, int c)
{
    double scale;
    const double invstd = p->content[B][c], x = p->content[X][at], mean = p->content[A][c];
    return (struct slope){.dz = normalised(p, at, c, &scale) > 0 ? p->content[DY][at] : 0,
                          .xhat = (x - mean) * invstd,
                          .size = (fabs(x) + fabs(mean)) * invstd};
}

/* FIRST is dgamma, SECOND dbeta */
static void add_gradients(struct norm_problem *p, size_t at, int c, void *context)
{
    (void)context;
    const struct slope s = slope_of(p, at, c);
    put(&p->expected[FIRST], (size_t)c, s.dz * s.xhat, fabs(s.dz) * s.size);
    put(&p->expected[SECOND], (size_t)c, s.dz, fabs(s.dz));
}

static void put_dx(struct norm_problem *p, size_t at, int c, void *context)
{
    (void)context;
    const struct slope s = slope_of(p, at, c);
    const struct kn_expected *dgamma = &p->expected[FIRST], *dbeta = &p->expected[SECOND];
    const double factor = (double)p->content[GAMMA][c] * p->content[B][c], n = count_of(p);
    const double skip = p->content[SKIP] ? p->content[SKIP][at] : 0;
    put(&p->expected[TENSOR], at, skip + factor * (s.dz - dbeta->sum[c] / n - s.xhat * dgamma->sum[c] / n),
        fabs(skip) + fabs(factor) * (fabs(s.dz) + dbeta->scale[c] / n + s.size * dgamma->scale[c] / n));
}

static void add_before(struct norm_problem *p, int i)
{
    for (int c = 0; c < p->shape.ic; c++)
        put(&p->expected[i], (size_t)c, p->content[i][c], fabs(p->content[i][c]));
}

/* Terms: of a sum over all pixels, and the few roundings of an element that are none of it. */
static void expect(struct norm_problem *p)
{
    enum { OWN = 4 };
    p->expected[TENSOR].terms = OWN + (is_backward(p) ? (int)count_of(p) : 0);
    p->expected[FIRST].terms = p->expected[SECOND].terms = OWN + (int)count_of(p);
    if (p->pass == KN_NORM_STATS) {
        each(p, add_mean, NULL);
        each(p, add_variance, NULL);
    } else if (is_backward(p)) {
        each(p, add_gradients, NULL);
        each(p, put_dx, NULL);
        add_before(p, FIRST);
        add_before(p, SECOND);
    } else {
        each(p, put_result, NULL);
    }
}

static void problem_fini(struct norm_problem *p)
{
    for (int i = 0; i < OPERANDS; i++) {
        free(p->content[i]);
        free(p->expected[i].sum);
        free(p->expected[i].scale);
    }
}

/* ---- running ------------------------------------------------------------------------------------- */

static void run_part(const struct norm_problem *p, const struct kn_norm_ops *ops, struct kn_guarded *b, int first,
                     int count)
{
    const struct kn_norm_part part = {p->shape.n, p->shape.ic, (size_t)(p->shape.f * p->shape.t), first, count};
    const struct kn_norm_bwd_args bwd = {.x = b[X].data,
                                         .dy = b[DY].data,
                                         .mean = b[A].data,
                                         .invstd = b[B].data,
                                         .gamma = b[GAMMA].data,
                                         .beta = b[BETA].data,
                                         .skip = b[SKIP].data,
                                         .dx = b[TENSOR].data,
                                         .dgamma = b[FIRST].data,
                                         .dbeta = b[SECOND].data};
    const size_t floats = p->floats[TENSOR] / (size_t)kn_blocks(p->shape.ic), at = (size_t)first * floats;
    switch (p->pass) {
    case KN_NORM_STATS: ops->stats(&part, b[X].data, b[FIRST].data, b[SECOND].data); break;
    case KN_NORM_FWD:
        ops->fwd(&part, b[X].data, b[A].data, b[B].data, b[GAMMA].data, b[BETA].data, b[TENSOR].data);
        break;
    case KN_NORM_APPLY: ops->apply(&part, b[X].data, b[A].data, b[B].data, b[TENSOR].data); break;
    case KN_NORM_ADD: ops->add((size_t)count * floats, b[X].data + at, b[DY].data + at, b[TENSOR].data + at); break;
    default: ops->bwd(&part, &bwd); break;
    }
}

static void run_all(const struct norm_problem *p, const struct kn_norm_ops *ops, struct kn_guarded *b, int shared)
{
    const int blocks = kn_blocks(p->shape.ic), step = shared ? 1 : blocks;
    for (int first = 0; first < blocks; first += step)
        run_part(p, ops, b, first, step);
}

static void compare(const struct norm_problem *p, const struct kn_guarded *b, struct kn_outcome *outcome)
{
    static const char *const names[OPERANDS] = {
        [TENSOR] = "tensor", [FIRST] = "mean or dgamma", [SECOND] = "variance or dbeta"};
    for (int i = 0; i < OPERANDS; i++) {
        if (!kn_guarded_intact(&b[i]))
            kn_outcome_fail(outcome, "wrote outside an operand");
        if (i >= TENSOR)
            kn_compare(names[i], &p->expected[i], b[i].data, outcome);
        else if (p->floats[i] && memcmp(b[i].data, p->content[i], p->floats[i] * sizeof(float)) != 0)
            kn_outcome_fail(outcome, "wrote to an operand it may only read");
    }
}

int kn_check_norm(enum kn_norm_pass pass, const struct kn_norm_ops *ops, const struct kn_shape *shape, uint64_t seed,
                  struct kn_outcome *outcome)
{
    struct norm_problem p = {.pass = pass, .shape = *shape};
    struct kn_guarded buffer[2][OPERANDS] = {0};
    *outcome = (struct kn_outcome){.residual = NAN};
    p.shape.oc = p.shape.ic;
    int rc = draw_operands(&p, seed);
    if (rc)
        goto out;
    expect(&p);
    for (int shared = 0; shared < 2; shared++) {
        for (int i = 0; i < OPERANDS && !rc; i++)
            rc = kn_guarded_init(&buffer[shared][i], p.floats[i], p.content[i], !shared);
        if (rc)
            goto out;
        run_all(&p, ops, buffer[shared], shared);
        compare(&p, buffer[shared], outcome);
    }
    for (int i = TENSOR; i < OPERANDS; i++)
        if (p.floats[i] && memcmp(buffer[0][i].data, buffer[1][i].data, p.floats[i] * sizeof(float)) != 0)
            kn_outcome_fail(outcome, "another result block by block");
out:
    for (int i = 0; i < OPERANDS; i++) {
        kn_guarded_fini(&buffer[0][i]);
        kn_guarded_fini(&buffer[1][i]);
    }
    problem_fini(&p);
    return rc;
}
