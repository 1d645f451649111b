/* models/nn: the walks forward and backward against a reference, in every mode, at any number of threads. */
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"
#include "tests/support/test.h"
#include "tests/support/walk_bench.h"

static double reference_loss(struct bench *b)
{
    double sum = 0;
    reference_forward(&b->reference);
    for (int i = 0; i < b->outputs; i++)
        sum += b->slope[i] * b->reference.value[b->net.output][i];
    return sum;
}

static double rms(const float *v, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum / (double)count);
}

/*
 * Every sum has at most some 300 terms, so a layer adds a relative rounding error of about sqrt(300) 2^-24 = 1e-6. At
 * worst the errors of all layers add up: 1e-6 times their number, relative to the output's own size.
 */
static void check_forward(struct bench *b, const float *output)
{
    const int n = b->context.n, f = b->context.f, t = b->context.t;
    double *got = calloc((size_t)b->outputs, sizeof *got), size = 0;
    const double *want = b->reference.value[b->net.output];
    reference_from_blocked(output, got, n, nn_channels(&b->net, b->net.output), f, t);
    for (int i = 0; i < b->outputs; i++)
        size += want[i] * want[i] / b->outputs;
    for (int i = 0; i < b->outputs; i++)
        assert_near(got[i], want[i], 1e-6 * b->net.layers * sqrt(size));
    free(got);
}

/*
 * Our float gradient against central differences of the double reference. The step h = 1e-7 keeps small the chance that
 * one of some 30,000 ReLUs bends within it, and leaves the differences an error of 2^-53 loss / h, about 1e-8 of the
 * loss. The bound is 1e-4 of the largest of: the gradient itself, the root mean square of its tensor, and that of the
 * layer's weights. (A bias that a later norm takes away again has gradient 0; what is left of it is the rounding of its
 * sum.)
 */
static void check_gradient(struct bench *b, int tensor, size_t element)
{
    const struct nn_net *net = &b->net;
    const double h = 1e-7;
    float real[8192], weight[8192];
    int first = tensor;
    double *p = &b->reference.tensor[tensor][element], kept = *p;
    *p = kept + h;
    double up = reference_loss(b);
    *p = kept - h;
    double want = (up - reference_loss(b)) / (2 * h);
    *p = kept;
    while (first && net->tensor[first - 1].layer == net->tensor[tensor].layer)
        first--;
    nn_tensor_unpack(net, &net->tensor[tensor], b->gradient, real);
    nn_tensor_unpack(net, &net->tensor[first], b->gradient, weight);
    double scale = fmax(fabs(want), fmax(rms(real, nn_tensor_size(&net->tensor[tensor])),
                                         rms(weight, nn_tensor_size(&net->tensor[first]))));
    if (fabs(real[element] - want) > 1e-4 * scale)
        print_error("%s[%zu]: scale %g\n", net->tensor[tensor].name, element, scale);
    assert_near(real[element], want, 1e-4 * scale);
}

static void check_walks(struct bench *b, int elements)
{
    struct jrx_rng rng;
    const int n = b->context.n, f = b->context.f, t = b->context.t;
    nn_forward(&b->context, b->parameters, b->statistics);
    reference_forward(&b->reference);
    check_forward(b, nn_output(&b->context));
    reference_to_blocked(b->slope, nn_output_gradient(&b->context), n, nn_channels(&b->net, b->net.output), f, t);
    nn_backward(&b->context, b->parameters, b->gradient);
    jrx_rng_init(&rng, 8, 0);
    for (int i = 0; i < b->net.tensors; i++) {
        size_t size = nn_tensor_size(&b->net.tensor[i]);
        if (b->net.tensor[i].statistic) { /* mean and variance of the batch, as training hands them out */
            float real[512];
            nn_tensor_unpack(&b->net, &b->net.tensor[i], b->statistics, real);
            for (size_t k = 0; k < size; k++)
                assert_near(real[k], b->reference.tensor[i][k], 1e-5 * (1 + fabs(b->reference.tensor[i][k])));
        } else {
            for (int k = 0; k < elements; k++)
                check_gradient(b, i, jrx_rng_below(&rng, (uint32_t)size));
        }
    }
}

static void deeprx_agrees_with_the_reference_in_every_layer(void **state)
{
    (void)state;
    for (int mode = NN_TRAINING; mode <= NN_FUSED_TRAINING; mode += NN_FUSED_TRAINING - NN_TRAINING) {
        struct bench b;
        struct rx_shape shape = {.body = rx_bodies(), .width = 0.0625, .rx = 2, .logits = RX_LOGITS};
        assert_int_equal(rx_net_init(&b.net, &shape), 0);
        bench_init(&b, (enum nn_mode)mode, 2, 8, 5, 1);
        check_walks(&b, 2);
        bench_fini(&b);
    }
}

static void a_student_of_ragged_width_agrees_with_the_reference(void **state)
{
    (void)state;
    for (int mode = NN_TRAINING; mode <= NN_FUSED_TRAINING; mode += NN_FUSED_TRAINING - NN_TRAINING) {
        struct bench b;
        struct rx_shape shape = {.body = rx_body_find("short3"),
                                 .width = 0.3125,
                                 .rx = 1,
                                 .logits = 5}; /* 20 channels: a full block and a ragged one */
        assert_int_equal(rx_net_init(&b.net, &shape), 0);
        bench_init(&b, (enum nn_mode)mode, 3, 8, 5, 2);
        check_walks(&b, 6);
        bench_fini(&b);
    }
}

/* Shortcuts that cross, sums of a value with itself, values read three times, a norm on the input, bias seen by no
 * norm: what DeepRx never does and the plan must get right all the same. */
static int tangled(struct nn_net *net)
{
    nn_net_init(net, 18);
    int a = nn_norm_relu(net, "a.norm", 0);
    int b = nn_conv(net, "b", KN_POINTWISE, a, 18, 1, 1);
    int c = nn_add(net, "c", b, a);
    int d = nn_add(net, "d", c, c);
    int e = nn_norm_relu(net, "e.norm", d);
    int g = nn_conv(net, "g", KN_CONV3X3, d, 18, 2, 1);
    int h = nn_add(net, "h", e, c);
    int i = nn_add(net, "i", g, h);
    int j = nn_norm_relu(net, "j.norm", i);
    int k = nn_norm_relu(net, "k.norm", i);
    int l = nn_add(net, "l", j, k);
    int m = nn_add(net, "m", l, a);
    int o = nn_conv(net, "o", KN_DEPTHWISE, m, 36, 1, 2);
    int p = nn_conv(net, "p", KN_POINTWISE, h, 36, 1, 1);
    int q = nn_add(net, "q", o, p);
    int r = nn_add(net, "r", q, q);
    int s = nn_conv(net, "s", KN_POINTWISE, r, 3, 1, 1);
    int u = nn_conv(net, "u", KN_POINTWISE, r, 3, 1, 1);
    int v = nn_conv(net, "v", KN_POINTWISE, u, 3, 1, 1);
    int w = nn_add(net, "w", s, u);
    return nn_net_done(net, nn_add(net, "x", w, v));
}

static void a_tangled_network_agrees_with_the_reference(void **state)
{
    (void)state;
    for (int mode = NN_TRAINING; mode <= NN_FUSED_TRAINING; mode += NN_FUSED_TRAINING - NN_TRAINING) {
        struct bench b;
        assert_int_equal(tangled(&b.net), 0);
        bench_init(&b, (enum nn_mode)mode, 2, 5, 6, 1);
        check_walks(&b, 12);
        bench_fini(&b);
    }
}

/* Stages that add what their own norm reads, that nobody adds to, whose sum is read twice, one after the other: and one
 * that is none, because a second layer reads what the depthwise made. */
static int stages(struct nn_net *net)
{
    nn_net_init(net, 3);
    int x = nn_conv(net, "stem", KN_POINTWISE, 0, 18, 1, 1);
    int a = nn_norm_relu(net, "a.norm", x);
    int b = nn_conv(net, "a.pw", KN_POINTWISE, nn_conv(net, "a.dw", KN_DEPTHWISE, a, 36, 2, 1), 18, 1, 1);
    x = nn_add(net, "a.add", x, b);
    int c = nn_norm_relu(net, "c.norm", x), side = nn_conv(net, "c.side", KN_POINTWISE, c, 5, 1, 1);
    int d = nn_conv(net, "c.pw", KN_POINTWISE, nn_conv(net, "c.dw", KN_DEPTHWISE, c, 18, 1, 2), 5, 1, 1);
    int e = nn_norm_relu(net, "e.norm", d);
    int f = nn_conv(net, "e.pw", KN_POINTWISE, nn_conv(net, "e.dw", KN_DEPTHWISE, e, 10, 1, 1), 5, 1, 1);
    int g = nn_add(net, "e.add", side, f);
    int h = nn_norm_relu(net, "h.norm", g), i = nn_conv(net, "h.dw", KN_DEPTHWISE, h, 10, 1, 1);
    int j = nn_add(net, "h.add", nn_conv(net, "h.pw", KN_POINTWISE, i, 10, 1, 1), i);
    int k = nn_conv(net, "k", KN_POINTWISE, g, 10, 1, 1);
    return nn_net_done(net, nn_conv(net, "head", KN_POINTWISE, nn_add(net, "sum", j, k), 2, 1, 1));
}

static void stages_of_every_kind_agree_with_the_reference(void **state)
{
    (void)state;
    struct bench b;
    assert_int_equal(stages(&b.net), 0);
    bench_init(&b, NN_FUSED_TRAINING, 11, 5, 6, 3); /* more slots than groups */
    int fused = 0;
    for (int u = 0; u < b.context.units; u++)
        fused += b.context.unit[u].fused;
    assert_int_equal(fused, 3);
    check_walks(&b, 8);
    bench_fini(&b);
}

static void fused_training_keeps_a_quarter_of_the_activations(void **state)
{
    (void)state;
    struct nn_net net;
    assert_int_equal(rx_net_init(&net, &(struct rx_shape){.body = rx_bodies(), .width = 1, .rx = 2, .logits = 4}), 0);
    const double plain = (double)nn_context_bytes(&net, NN_TRAINING, 8, 312, 14, 2);
    const double fused = (double)nn_context_bytes(&net, NN_FUSED_TRAINING, 8, 312, 14, 2);
    assert_true(fused < 0.4 * plain); /* gradients and scratch are in both */
    nn_net_fini(&net);
}

static void check_checkpointing(int (*make)(struct nn_net *net), int n, int f, int t)
{
    struct bench kept, remade;
    struct bench *const both[] = {&kept, &remade};
    for (int i = 0; i < 2; i++) {
        struct bench *b = both[i];
        assert_int_equal(make(&b->net), 0);
        bench_init(b, i ? NN_CHECKPOINTED_TRAINING : NN_FUSED_TRAINING, n, f, t, 2);
        for (int round = 0; round < 2; round++) { /* the second finds what the first left behind */
            memset(b->gradient, 0, b->net.parameter_floats * sizeof *b->gradient);
            reference_to_blocked(b->reference.value[0], nn_input(&b->context), n, b->net.channels, f, t);
            nn_forward(&b->context, b->parameters, b->statistics);
            reference_to_blocked(b->slope, nn_output_gradient(&b->context), n, nn_channels(&b->net, b->net.output), f,
                                 t);
            nn_backward(&b->context, b->parameters, b->gradient);
        }
        assert_int_equal(b->context.bytes, nn_context_bytes(&b->net, b->context.mode, n, f, t, 2));
    }
    assert_memory_equal(kept.gradient, remade.gradient, kept.net.parameter_floats * sizeof(float));
    assert_memory_equal(kept.statistics, remade.statistics, kept.net.statistic_floats * sizeof(float));
    bench_fini(&kept);
    bench_fini(&remade);
}

static int narrow_deeprx(struct nn_net *net)
{
    return rx_net_init(net, &(struct rx_shape){.body = rx_bodies(), .width = 0.0625, .rx = 2, .logits = RX_LOGITS});
}

static int ragged_student(struct nn_net *net)
{
    return rx_net_init(net, &(struct rx_shape){.body = rx_body_find("short3"), .width = 0.3125, .rx = 1, .logits = 4});
}

static void checkpointing_changes_no_bit_and_takes_less_memory(void **state)
{
    (void)state;
    struct nn_net net;
    check_checkpointing(narrow_deeprx, 2, 8, 14);
    check_checkpointing(ragged_student, 3, 9, 7);
    check_checkpointing(stages, 3, 5, 6);
    check_checkpointing(tangled, 2, 9, 7);
    assert_int_equal(rx_net_init(&net, &(struct rx_shape){.body = rx_bodies(), .width = 1, .rx = 2, .logits = 4}), 0);
    const double kept = (double)nn_context_bytes(&net, NN_FUSED_TRAINING, 8, 312, 14, 2);
    const double remade = (double)nn_context_bytes(&net, NN_CHECKPOINTED_TRAINING, 8, 312, 14, 2);
    /* half of the 1472 channels of 11 pairs of maps, but for one map of 256 at a time */
    assert_true(kept - remade > 0.9 * (1472 - 256) * 8 * 312 * 14 * sizeof(float));
    nn_net_fini(&net);
}

static void inference_uses_the_given_statistics_and_less_memory(void **state)
{
    (void)state;
    for (int which = 0; which < 6; which++) {
        struct bench b;
        struct rx_shape shape = {.body = rx_bodies(), .width = 0.0625, .rx = 2, .logits = RX_LOGITS};
        struct nn_context context;
        const enum nn_mode mode = which % 2 ? NN_FUSED_INFERENCE : NN_INFERENCE;
        assert_int_equal(which / 2 == 2   ? stages(&b.net)
                         : which / 2 == 1 ? tangled(&b.net)
                                          : rx_net_init(&b.net, &shape),
                         0);
        bench_init(&b, NN_TRAINING, 2, 9, 7, 1);
        assert_int_equal(nn_context_init(&context, &b.net, mode, 2, 9, 7, 2), 0);
        assert_true(which || 3 * context.bytes < b.context.bytes);
        assert_int_equal(context.bytes, nn_context_bytes(&b.net, mode, 2, 9, 7, 2));
        reference_to_blocked(b.reference.value[0], nn_input(&context), 2, b.net.channels, 9, 7);
        nn_forward(&context, b.parameters, b.statistics);
        b.reference.training = 0;
        reference_forward(&b.reference);
        check_forward(&b, nn_output(&context));
        nn_context_fini(&context);
        bench_fini(&b);
    }
}

static void check_threads(enum nn_mode mode)
{
    struct bench bench[3];
    struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.75, .rx = 2, .logits = RX_LOGITS};
    for (int i = 0; i < 3; i++) { /* 3 slots: threads over slots with 3, within the kernels with 4 */
        struct bench *b = &bench[i];
        assert_int_equal(rx_net_init(&b->net, &shape), 0);
        bench_init(b, mode, 3, 12, 14, i ? 2 + i : 1);
        nn_forward(&b->context, b->parameters, b->statistics);
        reference_to_blocked(b->slope, nn_output_gradient(&b->context), 3, RX_LOGITS, 12, 14);
        nn_backward(&b->context, b->parameters, b->gradient);
    }
    struct bench *one = &bench[0];
    for (int i = 1; i < 3; i++) {
        struct bench *b = &bench[i];
        assert_memory_equal(nn_output(&one->context), nn_output(&b->context), 3 * 12 * 14 * 16 * sizeof(float));
        assert_memory_equal(one->gradient, b->gradient, one->net.parameter_floats * sizeof(float));
        assert_memory_equal(one->statistics, b->statistics, one->net.statistic_floats * sizeof(float));
        bench_fini(b);
    }
    bench_fini(one);
}

static void the_walks_do_not_depend_on_threads(void **state)
{
    (void)state;
    check_threads(NN_TRAINING);
    check_threads(NN_FUSED_TRAINING);
}

static void padding_stays_zero(void **state)
{
    (void)state;
    struct bench b;
    struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.3125, .rx = 1, .logits = 5};
    assert_int_equal(rx_net_init(&b.net, &shape), 0);
    bench_init(&b, NN_FUSED_TRAINING, 2, 8, 5, 1);
    nn_forward(&b.context, b.parameters, b.statistics);
    reference_to_blocked(b.slope, nn_output_gradient(&b.context), 2, 5, 8, 5);
    nn_backward(&b.context, b.parameters, b.gradient);
    for (int i = 0; i < b.net.tensors; i++) { /* take the real numbers out: nothing may be left */
        float real[8192] = {0};
        if (!b.net.tensor[i].statistic)
            nn_tensor_pack(&b.net, &b.net.tensor[i], real, b.gradient);
    }
    for (size_t i = 0; i < b.net.parameter_floats; i++)
        assert_true(b.gradient[i] == 0);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deeprx_agrees_with_the_reference_in_every_layer),
        cmocka_unit_test(a_student_of_ragged_width_agrees_with_the_reference),
        cmocka_unit_test(a_tangled_network_agrees_with_the_reference),
        cmocka_unit_test(stages_of_every_kind_agree_with_the_reference),
        cmocka_unit_test(fused_training_keeps_a_quarter_of_the_activations),
        cmocka_unit_test(checkpointing_changes_no_bit_and_takes_less_memory),
        cmocka_unit_test(inference_uses_the_given_statistics_and_less_memory),
        cmocka_unit_test(the_walks_do_not_depend_on_threads),
        cmocka_unit_test(padding_stays_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
