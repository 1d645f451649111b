/*
 * Batch norm with ReLU, scale and shift with ReLU, and the sum: every instruction set against double-precision sums
 * written independently here, and what kernels/check.h does not run: moments alone, sums that go on, operands in place.
 */
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/check.h"
#include "kernels/operand.h"
#include "tests/support/test.h"

static const struct {
    int n, c, f, t;
} cases[] = {{1, 1, 1, 1},  {1, 16, 1, 14}, {2, 15, 5, 3},  {1, 17, 13, 7},
             {3, 31, 1, 2}, {2, 64, 3, 1},  {1, 33, 37, 5}, {2, 16, 72, 14}};
enum { CASES = sizeof cases / sizeof *cases };
static const double eps = 1e-5;

/* The variant of instruction set `isa` (KN_ISA_REF to KN_ISA_AVX512), or NULL if this CPU does not run it. */
static const struct kn_kernel *variant(enum kn_op op, enum kn_dir dir, int isa)
{
    char name[64];
    snprintf(name, sizeof name, "%s_%s_%s", kn_op_name(op), kn_dir_name(dir), kn_isa_name((enum kn_isa)isa));
    const struct kn_kernel *kernel = kn_find(name);
    assert_non_null(kernel);
    return kn_runnable(kernel) ? kernel : NULL;
}
enum { ISAS = KN_ISA_AVX512 + 1 };

/* What the tests say of a tensor: slots, channels, pixels, blocks of channels. */
struct part {
    int n, c, count;
    size_t pixels;
};

/* Runs a variant, if there is one here, on one thread. Returns whether. */
static int run(enum kn_op op, enum kn_dir dir, int isa, const struct part *p, struct kn_args args)
{
    const struct kn_shape shape = {p->n, p->c, p->c, (int)p->pixels, 1, 1, 1, 0};
    const struct kn_kernel *kernel = variant(op, dir, isa);
    args.shape = &shape;
    args.tile = &(struct kn_tile){0};
    args.threads = 1;
    if (kernel)
        kernel->run(&args);
    return kernel != NULL;
}

/* A tensor of the case with normal numbers in the real lanes and zeros in the padding. */
static float *tensor(const struct part *p, uint64_t stream, double mean, double deviation)
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

static size_t at(const struct part *p, int n, int k, size_t pixel)
{
    return (((size_t)n * (size_t)kn_blocks(p->c) + (size_t)(k / KN_LANES)) * p->pixels + pixel) * KN_LANES +
           (size_t)(k % KN_LANES);
}

static struct part part_of(size_t i)
{
    return (struct part){
        .n = cases[i].n, .c = cases[i].c, .count = kn_blocks(cases[i].c), .pixels = (size_t)(cases[i].f * cases[i].t)};
}

static size_t floats_of(const struct part *p)
{
    return (size_t)p->n * (size_t)kn_blocks(p->c) * p->pixels * KN_LANES;
}

static void moments(const struct part *p, const float *x, int k, double *mean, double *var)
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
    for (int isa = 0; isa < ISAS; isa++)
        for (size_t i = 0; i < CASES; i++)
            for (int m = 0; m < 3; m++) {
                struct part p = part_of(i);
                float *x = tensor(&p, i, means[m], 1), got[128];
                const float *mean = got, *var = got + p.count * KN_LANES;
                memset(got, 0xff, sizeof got);
                const int ran = run(KN_BATCH_NORM, KN_FWD, isa, &p, (struct kn_args){.x = x, .moments = got});
                for (int k = 0; ran && k < p.count * KN_LANES; k++) {
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
    for (int isa = 0; isa < ISAS; isa++) {
        struct part p = {.n = 8, .c = 1, .count = 1, .pixels = 312 * 40};
        float *x = jrx_alloc(floats_of(&p) * sizeof *x), got[32];
        for (size_t i = 0; i < floats_of(&p); i += KN_LANES)
            x[i] = 7.1f + (i / KN_LANES % 2 ? 0.5f : -0.5f);
        if (run(KN_BATCH_NORM, KN_FWD, isa, &p, (struct kn_args){.x = x, .moments = got})) {
            assert_relative(got[0], 7.1f, 1e-6);
            assert_relative(got[16], 0.25, 1e-6);
        }
        free(x);
    }
}

/* gamma, beta with signs and magnitudes of their own. moments: means, then variances */
struct vectors {
    float moments[128], invstd[64], gamma[64], beta[64], dgamma[64], dbeta[64];
};

static struct vectors vectors_for(const struct part *p, const float *x)
{
    struct vectors v = {.moments = {0}};
    for (int k = 0; k < p->c; k++) {
        double mean, var;
        moments(p, x, k, &mean, &var);
        v.moments[k] = (float)mean;
        v.moments[p->count * KN_LANES + k] = (float)var;
        v.invstd[k] = (float)(1 / sqrt((double)(float)var + eps));
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
    for (int isa = 0; isa < ISAS; isa++)
        for (size_t i = 0; i < CASES; i++) {
            struct part p = part_of(i);
            float *x = tensor(&p, i, 2, 1.5), *y = tensor(&p, 99, 0, 1), *z = tensor(&p, 99, 0, 1);
            struct vectors v = vectors_for(&p, x);
            float got[128], scale[64], shift[64];
            const int ran = run(KN_BATCH_NORM, KN_FWD, isa, &p,
                                (struct kn_args){.x = x, .w = v.gamma, .bias = v.beta, .moments = got, .y = y});
            for (int k = 0; k < 64; k++) {
                scale[k] = v.gamma[k] * v.invstd[k];
                shift[k] = v.beta[k] - v.moments[k % (16 * p.count)] * scale[k];
            }
            run(KN_RELU, KN_FWD, isa, &p, (struct kn_args){.x = x, .w = scale, .bias = shift, .y = z});
            for (int n = 0; ran && n < p.n; n++)
                for (int k = 0; k < p.count * KN_LANES; k++)
                    for (size_t q = 0; q < p.pixels; q++) {
                        size_t a = at(&p, n, k, q);
                        double want =
                            k < p.c ? v.gamma[k] * (x[a] - (double)v.moments[k]) * v.invstd[k] + v.beta[k] : 0;
                        double room =
                            k < p.c
                                ? 8 * 0x1p-24 * (1 + fabs(v.gamma[k] * v.invstd[k]) * (fabs(x[a]) + fabs(v.moments[k])))
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
    for (int isa = 0; isa < ISAS; isa++) {
        struct part p = part_of(1);
        float *x = tensor(&p, 1, 0, 1), one[16], zero[16] = {0};
        for (int k = 0; k < 16; k++)
            one[k] = 1;
        x[17] = NAN;
        if (run(KN_RELU, KN_FWD, isa, &p, (struct kn_args){.x = x, .w = one, .bias = zero, .y = x})) {
            assert_true(isnan(x[17]));
            assert_false(isnan(x[16]));
        }
        free(x);
    }
}

/*
 * Loss = sum of dy * y over channel k in double, as a function of x, gamma and beta. The pixels that ReLU lets through
 * are those of `open`, fixed, so that no difference steps over the kink.
 */
static double loss(const struct part *p, const double *x, const float *dy, const char *open, double gamma, double beta,
                   int k)
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
    struct part part;
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
    float got[128];
    run(KN_BATCH_NORM, KN_FWD, KN_ISA_BASELINE, &q.part,
        (struct kn_args){.x = q.x, .w = q.v.gamma, .bias = q.v.beta, .moments = got, .y = q.dx});
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

static struct kn_args args_of(struct problem *q)
{
    return (struct kn_args){.x = q->x,
                            .dy = q->dy,
                            .w = q->v.gamma,
                            .bias = q->v.beta,
                            .moments = q->v.moments,
                            .dx = q->dx,
                            .dw = q->v.dgamma,
                            .db = q->v.dbeta};
}

/* The sums of at most 300 floats of order 1 and two roundings of the constants: 1e-4 leaves room, a lost term does not.
 */
static void backward_is_the_slope_of_the_forward(void **state)
{
    (void)state;
    const double h = 1e-5;
    for (int isa = 0; isa < ISAS; isa++)
        for (size_t i = 2; i < 7; i++) {
            struct problem q = problem_new(i);
            struct kn_args args = args_of(&q);
            const struct part *p = &q.part;
            const int ran = run(KN_BATCH_NORM, KN_BWD_DATA, isa, p, args);
            for (int k = 0; ran && k < p->c; k += 5) {
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

/* The closed form in double, every element (written twice, the second time with whole sums); added to a
 * gradient that is there, and in place of dy. */
static void backward_is_the_closed_form(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISAS; isa++)
        for (size_t i = 0; i < 2 * CASES; i++) {
            struct problem q = problem_new(i / 2);
            struct kn_args args = args_of(&q);
            const struct part *p = &q.part;
            size_t floats = floats_of(p);
            double *want = jrx_alloc(floats * sizeof *want), count = (double)p->n * (double)p->pixels;
            for (int k = 0; k < p->c; k++) {
                double dz = 0, dzx = 0, mean = q.v.moments[k], invstd = q.v.invstd[k];
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
            args.accumulate = i % 2;
            args.dx = i % 2 ? q.skip : q.dy;
            const int ran = run(KN_BATCH_NORM, KN_BWD_DATA, isa, p, args);
            for (size_t a = 0; ran && a < floats; a++) {
                int k = (int)(a / (p->pixels * KN_LANES) % (size_t)p->count * KN_LANES + a % KN_LANES);
                assert_near(args.dx[a], want[a], k < p->c ? 2e-5 * (1 + fabs(q.v.gamma[k] * q.v.invstd[k])) : 0);
            }
            free(want);
            problem_free(&q);
        }
}

static void backward_data_with_gradients_is_both_directions(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISAS; isa++) {
        struct problem both = problem_new(3), apart = problem_new(3);
        struct kn_args args = args_of(&both), data = args_of(&apart), weights = data;
        data.dw = data.db = NULL;
        weights.dx = NULL;
        run(KN_BATCH_NORM, KN_BWD_DATA, isa, &both.part, args);
        run(KN_BATCH_NORM, KN_BWD_DATA, isa, &apart.part, data);
        run(KN_BATCH_NORM, KN_BWD_WEIGHTS, isa, &apart.part, weights);
        assert_memory_equal(both.dx, apart.dx, floats_of(&both.part) * sizeof *both.dx);
        assert_memory_equal(both.v.dgamma, apart.v.dgamma, sizeof both.v.dgamma);
        assert_memory_equal(both.v.dbeta, apart.v.dbeta, sizeof both.v.dbeta);
        problem_free(&both);
        problem_free(&apart);
    }
}

static void sums_in_place_go_on(void **state)
{
    (void)state;
    for (int isa = 0; isa < ISAS; isa++)
        for (size_t i = 0; i < CASES; i++) {
            const struct part p = part_of(i);
            const size_t floats = floats_of(&p);
            float *a = tensor(&p, 1, 1, 1), *b = tensor(&p, 2, 0, 3), *before = tensor(&p, 2, 0, 3);
            if (run(KN_ADD, KN_FWD, isa, &p, (struct kn_args){.x = a, .w = b, .y = b})) {
                for (size_t k = 0; k < floats; k++)
                    assert_true(b[k] == a[k] + before[k]);
                memcpy(before, b, floats * sizeof *b);
                run(KN_ADD, KN_BWD_DATA, isa, &p, (struct kn_args){.dy = a, .dx = b, .accumulate = 1});
                for (size_t k = 0; k < floats; k++)
                    assert_true(b[k] == before[k] + a[k]);
            }
            free(a);
            free(b);
            free(before);
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
        cmocka_unit_test(backward_data_with_gradients_is_both_directions),
        cmocka_unit_test(sums_in_place_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
