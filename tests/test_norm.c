/* kernels/norm.h: every instruction set against double-precision sums written independently here. */
#include "harness/base/cpu.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/check_norm.h"
#include "kernels/kernel.h"
#include "kernels/norm.h"
#include "tests/support/test.h"

static const struct kn_norm_ops *const variants[JRX_ISA_LEVELS] = {&kn_norm_baseline, &kn_norm_avx2, &kn_norm_avx512};
static const struct {
    int n, c, f, t;
} cases[] = {{1, 1, 1, 1},  {1, 16, 1, 14}, {2, 15, 5, 3},  {1, 17, 13, 7},
             {3, 31, 1, 2}, {2, 64, 3, 1},  {1, 33, 37, 5}, {2, 16, 72, 14}};
enum { CASES = sizeof cases / sizeof *cases };
static const double eps = 1e-5;

/* A tensor of the case with normal numbers in the real lanes and zeros in the padding. */
static float *tensor(const struct kn_norm_part *p, uint64_t stream, double mean, double deviation)
{
    size_t blocks = (size_t)kn_blocks(p->c), floats = (size_t)p->n * blocks * p->pixels * KN_LANES;
    float *a = jrx_alloc(floats * sizeof *a);
    assert_non_null(a);
    struct jrx_rng rng;
    jrx_rng_init(&rng, 11, stream);
    for (size_t i = 0; i < floats; i++) {
        double u, v;
        jrx_rng_normal2(&rng, &u, &v);
        int channel = (int)(i / (p->pixels * KN_LANES) % blocks * KN_LANES + i % KN_LANES);
        a[i] = channel < p->c ? (float)(mean * (1 + channel % 3) + deviation * u) : 0;
    }
    return a;
}

static size_t at(const struct kn_norm_part *p, int n, int k, size_t pixel)
{
    return (((size_t)n * (size_t)kn_blocks(p->c) + (size_t)(k / KN_LANES)) * p->pixels + pixel) * KN_LANES +
           (size_t)(k % KN_LANES);
}

static struct kn_norm_part part_of(size_t i)
{
    return (struct kn_norm_part){.n = cases[i].n,
                                 .c = cases[i].c,
                                 .pixels = (size_t)(cases[i].f * cases[i].t),
                                 .first = 0,
                                 .count = kn_blocks(cases[i].c)};
}

static size_t floats_of(const struct kn_norm_part *p)
{
    return (size_t)p->n * (size_t)kn_blocks(p->c) * p->pixels * KN_LANES;
}

static void moments(const struct kn_norm_part *p, const float *x, int k, double *mean, double *var)
{
    double count = (double)p->n * (double)p->pixels;
    *mean = *var = 0;
    for (int n = 0; n < p->n; n++)
        for (size_t i = 0; i < p->pixels; i++)
            *mean += x[at(p, n, k, i)] / count;
    for (int n = 0; n < p->n; n++)
        for (size_t i = 0; i < p->pixels; i++)
            *var += (x[at(p, n, k, i)] - *mean) * (x[at(p, n, k, i)] - *mean) / count;
}

/* Means to 2^-24 of the largest |x|, variances to 128 rounding errors, also where the mean is 1000 deviations. */
static void statistics_are_those_of_double_sums(void **state)
{
    (void)state;
    static const double means[] = {0, 3, 1000};
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++)
        for (size_t i = 0; i < CASES; i++)
            for (int m = 0; m < 3; m++) {
                struct kn_norm_part p = part_of(i);
                float *x = tensor(&p, i, means[m], 1), mean[64], var[64];
                memset(mean, 0xff, sizeof mean);
                memset(var, 0xff, sizeof var);
                variants[isa]->stats(&p, x, mean, var);
                for (int k = 0; k < p.count * KN_LANES; k++) {
                    double want_mean = 0, want_var = 0;
                    if (k < p.c)
                        moments(&p, x, k, &want_mean, &want_var);
                    assert_near(mean[k], want_mean, 8 * 0x1p-24 * (3 * means[m] + 5));
                    assert_near(var[k], want_var, 128 * 0x1p-24 * want_var + 0x1p-24 * (3 * means[m] + 5) * 1e-3);
                }
                free(x);
            }
}

/* A hundred thousand equal values: a plain float sum of them is off by percents. */
static void statistics_of_long_sums_stay_exact(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++) {
        struct kn_norm_part p = {.n = 8, .c = 1, .pixels = 312 * 40, .first = 0, .count = 1};
        float *x = jrx_alloc(floats_of(&p) * sizeof *x), mean[16], var[16];
        for (size_t i = 0; i < floats_of(&p); i += KN_LANES)
            x[i] = 7.1f + (i / KN_LANES % 2 ? 0.5f : -0.5f);
        variants[isa]->stats(&p, x, mean, var);
        assert_relative(mean[0], 7.1f, 1e-6);
        assert_relative(var[0], 0.25, 1e-6);
        free(x);
    }
}

/* gamma, beta with signs and magnitudes of their own; garbage in the padding, which nobody may use. */
struct vectors {
    float mean[64], invstd[64], gamma[64], beta[64], dgamma[64], dbeta[64];
};

static struct vectors vectors_for(const struct kn_norm_part *p, const float *x)
{
    struct vectors v;
    memset(&v, 0xff, sizeof v);
    for (int k = 0; k < p->c; k++) {
        double mean, var;
        moments(p, x, k, &mean, &var);
        v.mean[k] = (float)mean;
        v.invstd[k] = (float)(1 / sqrt(var + eps));
        v.gamma[k] = 0.5f + 0.25f * (float)(k % 5) * (k % 2 ? 1 : -1);
        v.beta[k] = 0.3f * (float)(k % 4 - 1);
        v.dgamma[k] = 1;
        v.dbeta[k] = -2;
    }
    return v;
}

static void forward_normalises_and_cuts_at_zero(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++)
        for (size_t i = 0; i < CASES; i++) {
            struct kn_norm_part p = part_of(i);
            float *x = tensor(&p, i, 2, 1.5), *y = tensor(&p, 99, 0, 1), *z = tensor(&p, 99, 0, 1);
            struct vectors v = vectors_for(&p, x);
            variants[isa]->fwd(&p, x, v.mean, v.invstd, v.gamma, v.beta, y);
            float scale[64], shift[64];
            for (int k = 0; k < 64; k++) {
                scale[k] = v.gamma[k] * v.invstd[k];
                shift[k] = v.beta[k] - v.mean[k] * scale[k];
            }
            variants[isa]->apply(&p, x, scale, shift, z);
            for (int n = 0; n < p.n; n++)
                for (int k = 0; k < p.count * KN_LANES; k++)
                    for (size_t q = 0; q < p.pixels; q++) {
                        size_t a = at(&p, n, k, q);
                        double want = k < p.c ? v.gamma[k] * (x[a] - (double)v.mean[k]) * v.invstd[k] + v.beta[k] : 0;
                        double room =
                            k < p.c
                                ? 8 * 0x1p-24 * (1 + fabs(v.gamma[k] * v.invstd[k]) * (fabs(x[a]) + fabs(v.mean[k])))
                                : 0;
                        assert_near(y[a], want > 0 ? want : 0, room);
                        assert_near(z[a], want > 0 ? want : 0, room);
                    }
            free(x);
            free(y);
            free(z);
        }
}

static void forward_hands_nan_on(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++) {
        struct kn_norm_part p = part_of(1);
        float *x = tensor(&p, 1, 0, 1), one[16], zero[16] = {0};
        for (int k = 0; k < 16; k++)
            one[k] = 1;
        x[17] = NAN;
        variants[isa]->apply(&p, x, one, zero, x);
        assert_true(isnan(x[17]));
        assert_false(isnan(x[16]));
        free(x);
    }
}

/*
 * Loss = sum of dy * y over channel k in double, as a function of x, gamma and beta. The pixels that ReLU lets through
 * are those of `open`, fixed, so that no difference steps over the kink.
 */
static double loss(const struct kn_norm_part *p, const double *x, const float *dy, const char *open, double gamma,
                   double beta, int k)
{
    double mean = 0, var = 0, count = (double)p->n * (double)p->pixels, sum = 0;
    for (int n = 0; n < p->n; n++)
        for (size_t q = 0; q < p->pixels; q++)
            mean += x[at(p, n, k, q)] / count;
    for (int n = 0; n < p->n; n++)
        for (size_t q = 0; q < p->pixels; q++)
            var += (x[at(p, n, k, q)] - mean) * (x[at(p, n, k, q)] - mean) / count;
    for (int n = 0; n < p->n; n++)
        for (size_t q = 0; q < p->pixels; q++) {
            size_t a = at(p, n, k, q);
            sum += open[a] ? dy[a] * (gamma * (x[a] - mean) / sqrt(var + eps) + beta) : 0;
        }
    return sum;
}

struct problem {
    struct kn_norm_part part;
    float *x, *dy, *skip, *dx;
    struct vectors v;
    char *open; /* where the forward pass is above 0 */
    double *wide;
};

static struct problem problem_new(size_t i)
{
    struct problem q = {.part = part_of(i)};
    q.x = tensor(&q.part, i, 1, 1);
    q.dy = tensor(&q.part, 50, 0.3, 1);
    q.skip = tensor(&q.part, 51, 0, 1);
    q.dx = tensor(&q.part, 52, 0, 1);
    q.v = vectors_for(&q.part, q.x);
    q.open = jrx_alloc(floats_of(&q.part));
    q.wide = jrx_alloc(floats_of(&q.part) * sizeof *q.wide);
    variants[0]->fwd(&q.part, q.x, q.v.mean, q.v.invstd, q.v.gamma, q.v.beta, q.dx);
    for (size_t a = 0; a < floats_of(&q.part); a++) {
        q.open[a] = q.dx[a] > 0;
        q.wide[a] = q.x[a];
    }
    return q;
}

static void problem_free(struct problem *q)
{
    free(q->x);
    free(q->dy);
    free(q->skip);
    free(q->dx);
    free(q->open);
    free(q->wide);
}

static struct kn_norm_bwd_args args_of(struct problem *q)
{
    return (struct kn_norm_bwd_args){.x = q->x,
                                     .dy = q->dy,
                                     .mean = q->v.mean,
                                     .invstd = q->v.invstd,
                                     .gamma = q->v.gamma,
                                     .beta = q->v.beta,
                                     .dx = q->dx,
                                     .dgamma = q->v.dgamma,
                                     .dbeta = q->v.dbeta};
}

/* The sums of at most 300 floats of order 1 and two roundings of the constants: 1e-4 leaves room, a lost term does not.
 */
static void backward_is_the_slope_of_the_forward(void **state)
{
    (void)state;
    const double h = 1e-5;
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++)
        for (size_t i = 2; i < 7; i++) {
            struct problem q = problem_new(i);
            struct kn_norm_bwd_args args = args_of(&q);
            const struct kn_norm_part *p = &q.part;
            variants[isa]->bwd(p, &args);
            for (int k = 0; k < p->c; k += 5) {
                double gamma = q.v.gamma[k], beta = q.v.beta[k];
#define SLOPE(DGAMMA, DBETA)                                                                                           \
    ((loss(p, q.wide, q.dy, q.open, gamma + (DGAMMA), beta + (DBETA), k) -                                             \
      loss(p, q.wide, q.dy, q.open, gamma - (DGAMMA), beta - (DBETA), k)) /                                            \
     (2 * h))
                assert_near(q.v.dgamma[k] - 1, SLOPE(h, 0), 1e-4);
                assert_near(q.v.dbeta[k] + 2, SLOPE(0, h), 1e-4);
                for (size_t pixel = 0; pixel < p->pixels; pixel += 1 + p->pixels / 7) {
                    size_t a = at(p, p->n - 1, k, pixel);
                    q.wide[a] = q.x[a] + h;
                    double high = loss(p, q.wide, q.dy, q.open, gamma, beta, k);
                    q.wide[a] = q.x[a] - h;
                    double low = loss(p, q.wide, q.dy, q.open, gamma, beta, k);
                    q.wide[a] = q.x[a];
                    assert_near(args.dx[a], (high - low) / (2 * h), 1e-4 * (1 + fabs(gamma * q.v.invstd[k])));
                }
            }
            problem_free(&q);
        }
}

/* The closed form in double, every element (written twice, the second time with whole sums); with a skip gradient, and
 * in place of dy. */
static void backward_is_the_closed_form(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++)
        for (size_t i = 0; i < 2 * CASES; i++) {
            struct problem q = problem_new(i / 2);
            struct kn_norm_bwd_args args = args_of(&q);
            const struct kn_norm_part *p = &q.part;
            size_t floats = floats_of(p);
            double *want = jrx_alloc(floats * sizeof *want), count = (double)p->n * (double)p->pixels;
            args.skip = i % 2 ? q.skip : NULL;
            for (int k = 0; k < p->c; k++) {
                double dz = 0, dzx = 0, mean = q.v.mean[k], invstd = q.v.invstd[k];
                for (int pass = 0; pass < 2; pass++)
                    for (int n = 0; n < p->n; n++)
                        for (size_t pixel = 0; pixel < p->pixels; pixel++) {
                            size_t a = at(p, n, k, pixel);
                            double d = q.open[a] ? q.dy[a] : 0, xhat = (q.x[a] - mean) * invstd;
                            want[a] =
                                (i % 2 ? q.skip[a] : 0) + q.v.gamma[k] * invstd * (d - dz / count - xhat * dzx / count);
                            dz += pass ? 0 : d;
                            dzx += pass ? 0 : d * xhat;
                        }
            }
            if (i % 2)
                args.dx = q.dy;
            variants[isa]->bwd(p, &args);
            for (size_t a = 0; a < floats; a++) {
                int k = (int)(a / (p->pixels * KN_LANES) % (size_t)p->count * KN_LANES + a % KN_LANES);
                assert_near(args.dx[a], want[a], k < p->c ? 2e-5 * (1 + fabs(q.v.gamma[k] * q.v.invstd[k])) : 0);
            }
            free(want);
            problem_free(&q);
        }
}

static void a_call_touches_its_own_blocks_only(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++) {
        struct problem whole = problem_new(3), parts = problem_new(3);
        struct kn_norm_bwd_args args = args_of(&whole);
        variants[isa]->bwd(&whole.part, &args);
        args = args_of(&parts);
        for (int block = kn_blocks(parts.part.c) - 1; block >= 0; block--) {
            struct kn_norm_part one = parts.part;
            one.first = block;
            one.count = 1;
            variants[isa]->bwd(&one, &args);
        }
        assert_memory_equal(whole.dx, parts.dx, floats_of(&whole.part) * sizeof *whole.dx);
        assert_memory_equal(whole.v.dgamma, parts.v.dgamma, sizeof whole.v.dgamma);
        assert_memory_equal(whole.v.dbeta, parts.v.dbeta, sizeof whole.v.dbeta);
        problem_free(&whole);
        problem_free(&parts);
    }
}

static void add_is_the_sum_at_any_length(void **state)
{
    (void)state;
    for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++)
        for (size_t floats = 0; floats < 70; floats++) {
            float a[72], b[72], y[72];
            for (int i = 0; i < 72; i++) {
                a[i] = (float)i;
                b[i] = 0.5f * (float)(i * i);
                y[i] = -1;
            }
            variants[isa]->add(floats, a, b, y);
            for (size_t i = 0; i < 72; i++)
                assert_true(y[i] == (i < floats ? a[i] + b[i] : -1));
            variants[isa]->add(floats, a, y, y);
            for (size_t i = 0; i < 72; i++)
                assert_true(y[i] == (i < floats ? 2 * a[i] + b[i] : -1));
        }
}

static void the_functions_pick_a_variant(void **state)
{
    (void)state;
    struct kn_norm_part p = part_of(3);
    float *x = tensor(&p, 3, 1, 1), mean[2][64] = {{0}}, var[2][64] = {{0}};
    kn_norm_stats(&p, x, mean[0], var[0]);
    variants[jrx_cpu_isa()]->stats(&p, x, mean[1], var[1]);
    assert_memory_equal(mean[0], mean[1], sizeof mean[0]);
    assert_memory_equal(var[0], var[1], sizeof var[0]);
    kn_tensor_accumulate(16, mean[0], mean[1]);
    assert_true(mean[1][5] == 2 * mean[0][5]);
    free(x);
}

/* ---- the checker of joulerx check ---- */

enum { MAX_SHAPES = 128 };

static void every_pass_is_within_its_bound_on_the_nasty_list(void **state)
{
    (void)state;
    struct kn_shape shapes[MAX_SHAPES];
    size_t count = kn_case_shapes(KN_POINTWISE, 0, shapes, MAX_SHAPES);
    assert_in_range(count, 1, MAX_SHAPES);
    for (int pass = 0; pass < KN_NORM_PASSES; pass++)
        for (int isa = 0; isa <= (int)jrx_cpu_isa(); isa++)
            for (size_t i = 0; i < count; i++) {
                struct kn_outcome outcome;
                assert_int_equal(kn_check_norm((enum kn_norm_pass)pass, variants[isa], &shapes[i], i, &outcome), 0);
                if (outcome.verdict != KN_PASS)
                    fail_msg("%s isa %d case %zu: %s, %s", kn_norm_pass_name((enum kn_norm_pass)pass), isa, i,
                             kn_verdict_name(outcome.verdict), outcome.reason);
            }
}

static void bias_forgotten(const struct kn_norm_part *part, const float *x, const float *scale, const float *shift,
                           float *y)
{
    (void)shift;
    float *none = jrx_alloc((size_t)kn_blocks(part->c) * KN_LANES * sizeof *none);
    kn_norm_baseline.apply(part, x, scale, none, y);
    free(none);
}
static void not_quite(size_t floats, const float *a, const float *b, float *y)
{
    kn_norm_baseline.add(floats, a, b, y);
    y[0] += y[0] * 1e-6f;
}
static void variance_unbiased(const struct kn_norm_part *part, const float *x, float *mean, float *var)
{
    const float count = (float)part->n * (float)part->pixels;
    kn_norm_baseline.stats(part, x, mean, var);
    for (int k = part->first * KN_LANES; k < (part->first + part->count) * KN_LANES; k++)
        var[k] *= count / (count - 1);
}
static void skip_forgotten(const struct kn_norm_part *part, const struct kn_norm_bwd_args *args)
{
    struct kn_norm_bwd_args without = *args;
    without.skip = NULL;
    kn_norm_baseline.bwd(part, &without);
}

static void mistakes_in_a_pass_are_seen(void **state)
{
    (void)state;
    const struct kn_shape shape = {.n = 2, .ic = 17, .oc = 17, .f = 5, .t = 3, .dil_f = 1, .dil_t = 1};
    const struct kn_norm_ops wrong = {
        .stats = variance_unbiased, .apply = bias_forgotten, .bwd = skip_forgotten, .add = not_quite};
    static const enum kn_norm_pass passes[] = {KN_NORM_STATS, KN_NORM_APPLY, KN_NORM_BWD_SKIP, KN_NORM_ADD};
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        struct kn_outcome outcome;
        assert_int_equal(kn_check_norm(passes[i], &wrong, &shape, 3, &outcome), 0);
        assert_int_equal(outcome.verdict, KN_FAIL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statistics_are_those_of_double_sums),
        cmocka_unit_test(statistics_of_long_sums_stay_exact),
        cmocka_unit_test(forward_normalises_and_cuts_at_zero),
        cmocka_unit_test(forward_hands_nan_on),
        cmocka_unit_test(backward_is_the_slope_of_the_forward),
        cmocka_unit_test(backward_is_the_closed_form),
        cmocka_unit_test(a_call_touches_its_own_blocks_only),
        cmocka_unit_test(add_is_the_sum_at_any_length),
        cmocka_unit_test(the_functions_pick_a_variant),
        cmocka_unit_test(every_pass_is_within_its_bound_on_the_nasty_list),
        cmocka_unit_test(mistakes_in_a_pass_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
