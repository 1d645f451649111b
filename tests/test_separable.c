/*
 * The fused kernels against the layers they stand for, run one after the other by the references: norm and ReLU on the
 * way in, depthwise, pointwise, and the residual add on the way out. (Without norm and residual they are checked with
 * all the others, tests/test_kernels.c.)
 */
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/kernel.h"
#include "tests/support/test.h"

static float *draw(size_t floats, int channels, size_t block_floats, uint64_t stream)
{
    float *a = jrx_alloc(floats * sizeof *a);
    assert_non_null(a);
    struct jrx_rng rng;
    jrx_rng_init(&rng, 21, stream);
    for (size_t i = 0; i < floats; i++) {
        float v = (float)(2 * jrx_rng_uniform(&rng) - 1);
        size_t blocks = (size_t)kn_blocks(channels);
        a[i] = (int)(i / block_floats % blocks * KN_LANES + i % KN_LANES) < channels ? v : 0;
    }
    return a;
}

struct block {
    struct kn_shape shape;
    float *x, *w, *bias, *inner, *scale, *shift, *before, *want;
};

static void run_ref(const char *name, const struct kn_shape *shape, const float *x, const float *w, const float *bias,
                    float *y)
{
    static const struct kn_tile none;
    kn_find(name)->run(
        &(struct kn_args){.shape = shape, .tile = &none, .x = x, .w = w, .bias = bias, .y = y, .threads = 1});
}

/* want = before + bias + pointwise(inner + depthwise(max(0, scale * x + shift))) */
static struct block block_new(const struct kn_shape *s)
{
    const struct kn_shape first = kn_depthwise_half(s), second = kn_pointwise_half(s);
    size_t plane = (size_t)(s->f * s->t) * KN_LANES, half = kn_w_floats(KN_DEPTHWISE, &first);
    struct block b = {.shape = *s};
    b.x = draw(kn_x_floats(s), s->ic, plane, 0);
    b.w = jrx_alloc(kn_w_floats(KN_SEPARABLE, s) * sizeof *b.w);
    float *w1 = draw(half, s->mid, KN_TAPS * KN_LANES, 1);
    float *w2 = draw(kn_w_floats(KN_POINTWISE, &second), s->oc, (size_t)kn_blocks(s->mid) * KN_LANES * KN_LANES, 2);
    for (int o = 0; o < kn_blocks(s->oc); o++) /* rows of input channels that do not exist */
        for (int i = s->mid; i < kn_blocks(s->mid) * KN_LANES; i++)
            memset(w2 + (o * kn_blocks(s->mid) * KN_LANES + i) * KN_LANES, 0, KN_LANES * sizeof *w2);
    memcpy(b.w, w1, half * sizeof *b.w);
    memcpy(b.w + half, w2, kn_w_floats(KN_POINTWISE, &second) * sizeof *b.w);
    b.bias = draw((size_t)kn_blocks(s->oc) * KN_LANES, s->oc, KN_LANES, 3);
    b.scale = draw((size_t)kn_blocks(s->ic) * KN_LANES, s->ic, KN_LANES, 4);
    b.shift = draw((size_t)kn_blocks(s->ic) * KN_LANES, s->ic, KN_LANES, 5);
    b.inner = draw((size_t)kn_blocks(s->mid) * KN_LANES, s->mid, KN_LANES, 7);
    b.before = draw(kn_y_floats(s), s->oc, plane, 6);
    float *normed = jrx_alloc(kn_x_floats(s) * sizeof *normed), *mid = jrx_alloc(kn_y_floats(&first) * sizeof *mid);
    b.want = jrx_alloc(kn_y_floats(s) * sizeof *b.want);
    for (size_t i = 0; i < kn_x_floats(s); i++) {
        size_t lane = i / plane % (size_t)kn_blocks(s->ic) * KN_LANES + i % KN_LANES;
        normed[i] = fmaxf(0, b.scale[lane] * b.x[i] + b.shift[lane]);
    }
    run_ref("depthwise_fwd_ref", &first, normed, w1, b.inner, mid);
    run_ref("pointwise_fwd_ref", &second, mid, w2, b.bias, b.want);
    for (size_t i = 0; i < kn_y_floats(s); i++)
        b.want[i] += b.before[i];
    float *done[] = {w1, w2, normed, mid};
    for (size_t i = 0; i < 4; i++)
        free(done[i]);
    return b;
}

static void block_free(struct block *b)
{
    float *done[] = {b->x, b->w, b->bias, b->inner, b->scale, b->shift, b->before, b->want};
    for (size_t i = 0; i < sizeof done / sizeof *done; i++)
        free(done[i]);
}

/* Sums of mid products of numbers below 9 * 2: 2e-6 a term is 4 rounding errors of the largest partial sums. */
static void check_kernel(const struct kn_kernel *kernel, const struct block *b, const struct kn_tile *tile, int threads)
{
    const struct kn_shape *s = &b->shape;
    size_t floats = kn_y_floats(s);
    float *y = jrx_alloc(floats * sizeof *y), *workspace = jrx_alloc(kernel->workspace_bytes(s, tile, threads));
    memcpy(y, b->before, floats * sizeof *y);
    kernel->run(&(struct kn_args){.shape = s,
                                  .tile = tile,
                                  .x = b->x,
                                  .w = b->w,
                                  .bias = b->bias,
                                  .inner_bias = b->inner,
                                  .scale = b->scale,
                                  .shift = b->shift,
                                  .accumulate = 1,
                                  .y = y,
                                  .workspace = workspace,
                                  .threads = threads});
    for (size_t i = 0; i < floats; i++)
        assert_near(y[i], b->want[i], 2e-6 * (s->mid + 9));
    free(y);
    free(workspace);
}

static void norm_and_residual_are_the_layers_they_replace(void **state)
{
    (void)state;
    static const struct kn_shape shapes[] = {
        {.n = 2, .ic = 64, .oc = 64, .f = 13, .t = 14, .dil_f = 1, .dil_t = 1, .mid = 64},
        {.n = 1, .ic = 17, .oc = 31, .f = 9, .t = 14, .dil_f = 2, .dil_t = 3, .mid = 34},
        {.n = 1, .ic = 24, .oc = 16, .f = 7, .t = 14, .dil_f = 3, .dil_t = 6, .mid = 48},
        {.n = 3, .ic = 5, .oc = 33, .f = 5, .t = 3, .dil_f = 1, .dil_t = 2, .mid = 5},
        {.n = 1, .ic = 16, .oc = 48, .f = 40, .t = 14, .dil_f = 2, .dil_t = 2, .mid = 16},
    };
    static const struct kn_tile tiles[] = {{0}, {.f = 1}, {.f = 3, .oc = 16}, {.f = 1000, .oc = 1000}};
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct block b = block_new(&shapes[i]);
        for (size_t k = 0; k < count; k++)
            for (size_t j = 0; j < (kernels[k]->tile_fields ? 4 : 1); j++)
                if (kernels[k]->op == KN_SEPARABLE && kernels[k]->dir == KN_FWD && kn_runnable(kernels[k]) &&
                    kernels[k]->isa != KN_ISA_AVX512BF16) /* rounds: see test_bf16 */
                    check_kernel(kernels[k], &b, &tiles[j], 1 + (int)j % 3);
        block_free(&b);
    }
}

static void multipliers_above_two_are_refused(void **state)
{
    (void)state;
    static const struct kn_tile none;
    struct kn_shape s = {.n = 1, .ic = 4, .oc = 8, .f = 2, .t = 14, .dil_f = 1, .dil_t = 1, .mid = 12};
    assert_int_equal(kn_find("separable_fwd_baseline")->supports(&s, &none), -1);
    assert_int_equal(kn_find("separable_fwd_ref")->supports(&s, &none), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norm_and_residual_are_the_layers_they_replace),
        cmocka_unit_test(multipliers_above_two_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
