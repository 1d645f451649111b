/*
 * Training with factors rounded to bf16: rounding, the kernels beside those that they are made of, networks and
 * trainings beside FP32 ones. Sums over rounded factors are held against double precision by test_kernels. On a CPU
 * without AVX512_BF16, or with JOULERX_ISA set, only what that CPU does is tested.
 */
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/check.h"
#include "models/receiver/train.h"
#include "tests/support/small_training.h"
#include "tests/support/test.h"
#include <unistd.h>

#define NEEDS_BF16()                                                                                                   \
    do {                                                                                                               \
        if (!jrx_cpu_bf16())                                                                                           \
            skip_because("this CPU has no AVX512_BF16, or JOULERX_ISA masks it");                                      \
    } while (0)

static const struct kn_tile usual;

static float from_bits(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Of 24 bits of significand 8 are left: steps of 2^-7 from 1 to 2. */
static void rounding_is_to_nearest_and_ties_go_to_even(void **state)
{
    (void)state;
    static const struct {
        float from, to;
    } known[] = {{1, 1},
                 {1 + 0x1p-8f, 1},               /* a tie: 1 is even */
                 {1 + 3 * 0x1p-8f, 1 + 0x1p-6f}, /* a tie: up, to the even one */
                 {1 + 0x1p-8f + 0x1p-23f, 1 + 0x1p-7f},
                 {1 + 3 * 0x1p-8f - 0x1p-22f, 1 + 0x1p-7f},
                 {-1 - 0x1p-8f, -1},
                 {2 - 0x1p-8f, 2}, /* into the next power of two */
                 {3.14159274f, 3.140625f},
                 {0x1.fffffep127f, INFINITY},
                 {0x1p-127f, 0},
                 {INFINITY, INFINITY}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(kn_round_bf16(known[i].from) == known[i].to);
    assert_true(isnan(kn_round_bf16(from_bits(0x7f800001)))); /* whose upper half alone is infinity */
}

/* Operands of a call on one pixel with as many channels as it takes. */
static void run_small(const char *name, const struct kn_shape *s, struct kn_args args, float *workspace)
{
    args.shape = s;
    args.tile = &usual;
    args.threads = 1;
    args.workspace = workspace;
    kn_find(name)->run(&args);
}

static void assert_same_float(float got, float want)
{
    if (memcmp(&got, &want, sizeof got) && !(isnan(got) && isnan(want)) && !(got == 0 && want == 0))
        fail_msg("%a, want %a", (double)got, (double)want);
}

/* A product with 1 is the rounded factor itself: each operand of each direction in turn, special numbers first. */
static void kernels_round_each_factor_like_the_reference(void **state)
{
    (void)state;
    NEEDS_BF16();
    enum { NUMBERS = 4096 };
    static const struct kn_shape one = {.n = 1, .ic = 1, .oc = 1, .f = 1, .t = 1, .dil_f = 1, .dil_t = 1};
    static const uint32_t special[] = {0,          0x80000000, 0x3f808000, 0x3f818000, 0x3f817fff, 0x3f808001,
                                       0xbf808000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7f800001, 0x7fc12345,
                                       0x00000001, 0x007fffff, 0x00800000, 0x00807fff};
    float *lane = jrx_alloc(16 * KN_LANES * sizeof *lane), *unit = jrx_alloc(16 * KN_LANES * sizeof *unit),
          *out = jrx_alloc(16 * KN_LANES * sizeof *out), *workspace = jrx_alloc(1 << 16);
    struct jrx_rng rng;
    jrx_rng_init(&rng, 1, 0);
    memset(lane, 0, 16 * KN_LANES * sizeof *lane);
    memset(unit, 0, 16 * KN_LANES * sizeof *unit);
    unit[0] = 1;
    for (int i = 0; i < NUMBERS; i++) {
        const float v = from_bits(i < (int)(sizeof special / sizeof *special) ? special[i] : jrx_rng_u32(&rng)),
                    want = kn_round_bf16(v);
        lane[0] = v;
        run_small("pointwise_fwd_avx512bf16", &one, (struct kn_args){.x = lane, .w = unit, .y = out}, workspace);
        assert_same_float(out[0], want);
        run_small("pointwise_fwd_avx512bf16", &one, (struct kn_args){.x = unit, .w = lane, .y = out}, workspace);
        assert_same_float(out[0], want);
        run_small("pointwise_bwd_data_avx512bf16", &one, (struct kn_args){.dy = lane, .w = unit, .dx = out}, workspace);
        assert_same_float(out[0], want);
        run_small("pointwise_bwd_data_avx512bf16", &one, (struct kn_args){.dy = unit, .w = lane, .dx = out}, workspace);
        assert_same_float(out[0], want);
        float db[KN_LANES] = {0};
        memset(out, 0, KN_LANES * sizeof *out);
        run_small("pointwise_bwd_weights_avx512bf16", &one,
                  (struct kn_args){.x = unit, .dy = lane, .dw = out, .db = db}, workspace);
        assert_same_float(out[0], want);
        assert_same_float(db[0], v); /* a sum, not a product: not rounded */
        memset(out, 0, KN_LANES * sizeof *out);
        run_small("pointwise_bwd_weights_avx512bf16", &one, (struct kn_args){.x = lane, .dy = unit, .dw = out},
                  workspace);
        assert_same_float(out[0], want);
    }
    free(lane);
    free(unit);
    free(out);
    free(workspace);
}

/* Two factors off by 2^-8 each: a product by at most 2^-7 + 2^-16 of it, beside what FP32 sums may do. And it must be
 * off: a kernel that does not round would cost what FP32 does. */
static void products_are_as_near_fp32_as_two_roundings_allow(void **state)
{
    (void)state;
    NEEDS_BF16();
    const struct kn_shape s = {.n = 1, .ic = 40, .oc = 24, .f = 6, .t = 7, .dil_f = 1, .dil_t = 1};
    for (int dir = 0; dir < KN_DIRS; dir++) {
        struct kn_problem p;
        struct kn_outcome outcome;
        const struct kn_kernel *kernel = kn_best_bf16(KN_POINTWISE, (enum kn_dir)dir);
        assert_int_equal(kn_problem_init(&p, KN_POINTWISE, (enum kn_dir)dir, &s, 5), 0);
        assert_int_equal(kn_check(kernel, &p, &usual, &outcome), JRX_EINVAL); /* not a problem for it */
        p.rounded = 1;
        assert_int_equal(kn_check(kernel, &p, &usual, &outcome), 0);
        assert_int_equal(outcome.verdict, KN_FAIL);
        p.main.slack = 0x1p-7 + 0x1p-16;
        assert_int_equal(kn_check(kernel, &p, &usual, &outcome), 0);
        assert_int_equal(outcome.verdict, KN_PASS);
        kn_problem_fini(&p);
    }
}

/* Bit by bit what depthwise in FP32 and pointwise in bf16 make one after the other, with what a residual stage adds. */
static void separable_is_fp32_depthwise_and_bf16_pointwise(void **state)
{
    (void)state;
    NEEDS_BF16();
    const struct kn_shape s = {.n = 2, .ic = 24, .oc = 40, .f = 15, .t = 14, .dil_f = 3, .dil_t = 2, .mid = 48};
    const struct kn_shape first = kn_depthwise_half(&s), second = kn_pointwise_half(&s);
    const struct kn_kernel *whole = kn_best_bf16(KN_SEPARABLE, KN_FWD), *depthwise = kn_best(KN_DEPTHWISE, KN_FWD),
                           *pointwise = kn_best_bf16(KN_POINTWISE, KN_FWD);
    struct kn_problem p;
    assert_int_equal(kn_problem_init(&p, KN_SEPARABLE, KN_FWD, &s, 1), 0);
    const size_t floats = kn_y_floats(&s);
    float *a = jrx_alloc(kn_x_floats(&s) * sizeof *a), *between = jrx_alloc(kn_y_floats(&first) * sizeof *between),
          *want = jrx_alloc(floats * sizeof *want), *got = jrx_alloc(floats * sizeof *got);
    float scale[2 * KN_LANES] = {0}, shift[2 * KN_LANES] = {0}, inner[3 * KN_LANES];
    for (int i = 0; i < s.mid; i++)
        inner[i] = 1.5f - 0.0625f * (float)i;
    for (int i = 0; i < s.ic; i++) {
        scale[i] = 0.5f + 0.0625f * (float)i;
        shift[i] = 0.25f - 0.03125f * (float)i;
    }
    size_t bytes = whole->workspace_bytes(&s, &usual, 2), other = pointwise->workspace_bytes(&second, &usual, 2);
    bytes = bytes > other ? bytes : other;
    other = depthwise->workspace_bytes(&first, &usual, 2);
    float *workspace = jrx_alloc(bytes > other ? bytes : other);
    for (size_t i = 0; i < kn_x_floats(&s); i++) {
        const size_t channel = i / ((size_t)(s.f * s.t) * KN_LANES) % 2 * KN_LANES + i % KN_LANES;
        a[i] = fmaxf(0, fmaf(scale[channel], p.x[i], shift[channel]));
    }
    depthwise->run(&(struct kn_args){.shape = &first,
                                     .tile = &usual,
                                     .x = a,
                                     .w = p.w,
                                     .bias = inner,
                                     .y = between,
                                     .workspace = workspace,
                                     .threads = 2});
    pointwise->run(&(struct kn_args){.shape = &second,
                                     .tile = &usual,
                                     .x = between,
                                     .w = p.w + kn_w_floats(KN_DEPTHWISE, &first),
                                     .bias = p.bias,
                                     .y = want,
                                     .workspace = workspace,
                                     .threads = 2});
    struct kn_args args = {.shape = &s,
                           .tile = &usual,
                           .x = p.x,
                           .w = p.w,
                           .bias = p.bias,
                           .y = got,
                           .scale = scale,
                           .shift = shift,
                           .inner_bias = inner,
                           .workspace = workspace,
                           .threads = 2};
    whole->run(&args);
    assert_memory_equal(got, want, floats * sizeof *got);
    for (size_t i = 0; i < floats; i++)
        got[i] = want[i] == 0 ? 0 : 1; /* padding stays 0 */
    args.accumulate = 1;
    whole->run(&args);
    for (size_t i = 0; i < floats; i++)
        assert_near(got[i], want[i] + (want[i] == 0 ? 0 : 1), 64 * 0x1p-24 * 16); /* sums of 50 terms below 16 */
    free(a);
    free(between);
    free(want);
    free(got);
    free(workspace);
    kn_problem_fini(&p);
}

/* ---- trainings -------------------------------------------------------------------------------------- */

static struct rx_train_config ten_steps(enum nn_precision precision)
{
    struct rx_train_config c = tiny();
    c.shape.width = 0.25;
    c.schedule.hold = c.schedule.steps = 10;
    c.precision = precision;
    return c;
}

/* |a - b| / |b| over all parameters. */
static double distance(const float *a, const float *b, size_t floats)
{
    double off = 0, all = 0;
    for (size_t i = 0; i < floats; i++) {
        off += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        all += (double)b[i] * (double)b[i];
    }
    return sqrt(off / all);
}

static void round_pointwise_weights(struct rx_receiver *receiver)
{
    for (int i = 0; i < receiver->net.layers; i++) {
        const struct nn_layer *l = &receiver->net.layer[i];
        const struct kn_shape shape = nn_layer_shape(l, 1, 1, 1);
        for (size_t k = 0; l->kind == NN_CONV && l->op == KN_POINTWISE && k < kn_w_floats(l->op, &shape); k++)
            receiver->parameters[l->weight + k] = kn_round_bf16(receiver->parameters[l->weight + k]);
    }
}

/*
 * How far rounding moves a gradient depends on how much of it cancels, so the measure is what FP32 arithmetic makes of
 * the same first step from rounded pointwise weights. Those are one of four roundings of equal size that a bf16 step
 * has (weights and maps forward, weights and gradients, maps and gradients backward), independent of each other: twice
 * as far is to be expected, four times is too far, and half as far too near.
 */
static void the_gradient_is_that_of_fp32_within_what_rounding_does(void **state)
{
    (void)state;
    NEEDS_BF16();
    struct rx_train train[3]; /* FP32, FP32 from rounded weights, bf16 */
    double off[3];
    for (int i = 0; i < 3; i++) {
        const struct rx_train_config config = ten_steps(i == 2 ? NN_BF16 : NN_FP32);
        assert_int_equal(rx_train_init(&train[i], &config, NULL, 1), 0);
        if (i == 1)
            round_pointwise_weights(&train[i].student);
        run_steps(&train[i], 1);
        off[i] = distance(train[i].gradient[0], train[0].gradient[0], train[0].student.net.parameter_floats);
    }
    print_message("gradients move by %.2f %% with rounded weights, by %.2f %% in bf16\n", 100 * off[1], 100 * off[2]);
    assert_in_range((int)(100 * off[2] / off[1]), 50, 400);
    assert_relative(train[2].last.loss, train[0].last.loss, 0.01);
    for (int i = 0; i < 3; i++)
        rx_train_fini(&train[i]);
}

static void ten_steps_go_where_fp32_goes(void **state)
{
    (void)state;
    NEEDS_BF16();
    struct rx_train train[2];
    double start = 0;
    for (int i = 0; i < 2; i++) {
        const struct rx_train_config config = ten_steps(i ? NN_BF16 : NN_FP32);
        assert_int_equal(rx_train_init(&train[i], &config, NULL, 1), 0);
        run_steps(&train[i], 1);
        start = train[i].last.loss;
        run_steps(&train[i], 9);
    }
    assert_true(train[0].last.loss < 0.97 * start); /* it has learnt something */
    assert_relative(train[1].last.loss, train[0].last.loss, 0.01);
    assert_true(train[1].last.loss != train[0].last.loss);
    rx_train_fini(&train[0]);
    rx_train_fini(&train[1]);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    NEEDS_BF16();
    for (int micro = 2; micro <= 6; micro += 4) { /* three pieces; the batch as one, shared out within the kernels */
        struct rx_train train[3];
        struct rx_train_config config = ten_steps(NN_BF16);
        config.micro = micro;
        for (int i = 0; i < 3; i++) {
            assert_int_equal(rx_train_init(&train[i], &config, NULL, i + 1), 0);
            run_steps(&train[i], 3);
            assert_same_state(&train[0], &train[i]);
        }
        for (int i = 0; i < 3; i++)
            rx_train_fini(&train[i]);
    }
}

static void a_killed_training_goes_on_exactly_and_only_in_its_precision(void **state)
{
    (void)state;
    NEEDS_BF16();
    char path[] = "/tmp/jrx-bf16-XXXXXX";
    struct rx_train whole, first, second, other;
    struct rx_train_config config = ten_steps(NN_BF16), plain = ten_steps(NN_FP32);
    close(mkstemp(path));
    assert_int_equal(rx_train_init(&whole, &config, NULL, 2), 0);
    run_steps(&whole, 6);
    assert_int_equal(rx_train_init(&first, &config, NULL, 1), 0);
    run_steps(&first, 3);
    assert_int_equal(rx_train_save(&first, path), 0);
    rx_train_fini(&first);
    assert_int_equal(rx_train_init(&second, &config, NULL, 3), 0);
    assert_int_equal(rx_train_load(&second, path), 0);
    run_steps(&second, 3);
    assert_same_state(&whole, &second);
    assert_int_equal(rx_train_init(&other, &plain, NULL, 1), 0);
    assert_int_equal(rx_train_load(&other, path), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "precision bf16, not fp32"));
    rx_train_fini(&whole);
    rx_train_fini(&second);
    rx_train_fini(&other);
    unlink(path);
}

/* What is trained in bf16 is used in FP32: by the kernels that any receiver is run with. */
static void only_training_rounds_and_only_where_asked(void **state)
{
    (void)state;
    NEEDS_BF16();
    static const enum nn_mode modes[] = {NN_INFERENCE, NN_FUSED_INFERENCE, NN_TRAINING, NN_FUSED_TRAINING};
    const struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.25, .rx = 2, .logits = 4};
    for (int precision = NN_FP32; precision <= NN_BF16; precision++)
        for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
            struct nn_net net;
            struct nn_context context;
            int rounding = 0, layers = 0;
            assert_int_equal(rx_net_init(&net, &shape), 0);
            net.precision = (enum nn_precision)precision;
            assert_int_equal(nn_context_init(&context, &net, modes[m], 1, 12, 14, 1), 0);
            for (int i = 0; i < net.layers; i++)
                for (int dir = 0; dir < KN_DIRS; dir++)
                    if (net.layer[i].kind == NN_CONV && net.layer[i].op == KN_POINTWISE && context.kernel[i][dir]) {
                        rounding += context.kernel[i][dir]->isa == KN_ISA_AVX512BF16;
                        layers++;
                    }
            assert_true(layers > 6);
            const int expected = precision == NN_BF16 && nn_trains(modes[m]);
            assert_int_equal(rounding, expected ? layers : 0);
            if (context.separable)
                assert_int_equal(context.separable->isa == KN_ISA_AVX512BF16, expected);
            nn_context_fini(&context);
            nn_net_fini(&net);
        }
}

static void a_cpu_without_it_refuses_in_one_line(void **state)
{
    (void)state;
    const char *before = getenv("JOULERX_ISA");
    char *kept = before ? strdup(before) : NULL;
    const struct rx_train_config config = ten_steps(NN_BF16);
    struct rx_train train;
    setenv("JOULERX_ISA", "avx512", 1);
    assert_false(jrx_cpu_bf16());
    for (int op = 0; op < KN_OPS; op++)
        for (int dir = 0; dir < KN_DIRS; dir++)
            assert_null(kn_best_bf16((enum kn_op)op, (enum kn_dir)dir));
    assert_int_equal(rx_train_init(&train, &config, NULL, 1), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "AVX512_BF16"));
    assert_null(strchr(jrx_last_error(), '\n'));
    assert_int_equal(rx_train_bytes(&config, NULL, 1), 0);
    unsetenv("JOULERX_ISA");
    for (int op = 0; op < KN_OPS; op++)
        for (int dir = 0; dir < KN_DIRS; dir++) /* nobody gets it unasked */
            assert_true(kn_best((enum kn_op)op, (enum kn_dir)dir)->isa < KN_ISA_BLAS);
    if (kept)
        setenv("JOULERX_ISA", kept, 1);
    free(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounding_is_to_nearest_and_ties_go_to_even),
        cmocka_unit_test(kernels_round_each_factor_like_the_reference),
        cmocka_unit_test(products_are_as_near_fp32_as_two_roundings_allow),
        cmocka_unit_test(separable_is_fp32_depthwise_and_bf16_pointwise),
        cmocka_unit_test(the_gradient_is_that_of_fp32_within_what_rounding_does),
        cmocka_unit_test(ten_steps_go_where_fp32_goes),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(a_killed_training_goes_on_exactly_and_only_in_its_precision),
        cmocka_unit_test(only_training_rounds_and_only_where_asked),
        cmocka_unit_test(a_cpu_without_it_refuses_in_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
