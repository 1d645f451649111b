/* models/nn: the table of layers, its counts and starting values, the places of its buffers. */
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "models/nn/place.h"
#include "models/nn/run.h"
#include "models/receiver/deeprx.h"
#include "tests/support/test.h"

static void published_parameter_and_mac_counts(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        double width;
        int logits;
        int64_t parameters, macs_per_re;
    } known[] = {
        /* re-implementations that agree with the MathWorks example; MACs: the sum of the published layer table */
        {"deeprx", 1, 4, 1232516, 1216384}, {"deeprx", 1, 8, 1232776, 1216640}, {"deeprx", 2, 8, 4775688, 0},
        {"deeprx", 0.75, 8, 708008, 0},     {"deeprx", 0.5, 8, 327624, 0},      {"deeprx", 0.25, 8, 91624, 0},
        {"deeprx", 0.125, 8, 27768, 0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct nn_net net;
        struct rx_shape shape = {
            .body = rx_body_find(known[i].body), .width = known[i].width, .rx = 2, .logits = known[i].logits};
        assert_int_equal(rx_net_init(&net, &shape), 0);
        assert_int_equal(nn_parameters(&net), known[i].parameters);
        if (known[i].macs_per_re)
            assert_int_equal(nn_macs_per_re(&net), known[i].macs_per_re);
        nn_net_fini(&net);
    }
}

static void the_wide_dilation_lies_along_frequency(void **state)
{
    (void)state;
    struct nn_net net;
    struct rx_shape shape = {.body = rx_bodies(), .width = 1, .rx = 2, .logits = RX_LOGITS};
    int seen = 0;
    assert_int_equal(rx_net_init(&net, &shape), 0);
    for (int i = 0; i < net.layers; i++)
        if (!strcmp(net.layer[i].name, "block6.dw2")) {
            assert_int_equal(net.layer[i].dil_t, 3);
            assert_int_equal(net.layer[i].dil_f, 6);
            seen++;
        }
    assert_int_equal(seen, 1);
    nn_net_fini(&net);
}

static void buffers_that_live_together_never_overlap(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct jrx_rng rng;
        struct nn_buffer b[40];
        size_t live = 0, all = 0;
        jrx_rng_init(&rng, seed, 0);
        for (int i = 0; i < 40; i++) {
            int first = (int)jrx_rng_below(&rng, 30);
            b[i] = (struct nn_buffer){jrx_rng_below(&rng, 1000), first, first + (int)jrx_rng_below(&rng, 8), 1};
            all += (b[i].bytes + 63) / 64 * 64;
        }
        size_t total = nn_place(b, 40);
        for (int step = 0; step < 40; step++) {
            size_t sum = 0;
            for (int i = 0; i < 40; i++)
                sum += b[i].first <= step && step <= b[i].last ? (b[i].bytes + 63) / 64 * 64 : 0;
            live = sum > live ? sum : live;
        }
        assert_true(total >= live && total <= all);
        for (int i = 0; i < 40; i++) {
            assert_true(b[i].offset % 64 == 0 && b[i].offset + b[i].bytes <= total);
            for (int k = 0; k < i; k++)
                assert_true(b[i].last < b[k].first || b[k].last < b[i].first || !b[i].bytes || !b[k].bytes ||
                            b[i].offset + b[i].bytes <= b[k].offset || b[k].offset + b[k].bytes <= b[i].offset);
        }
    }
}

static void two_buffers_in_turn_share_their_place(void **state)
{
    (void)state;
    struct nn_buffer b[] = {{100, 0, 1, 0}, {200, 2, 3, 0}, {64, 1, 2, 0}, {0, 0, 3, 9}};
    assert_int_equal(nn_place(b, 4), 256 + 64);
    assert_int_equal(b[0].offset, 0);
    assert_int_equal(b[1].offset, 0);
    assert_int_equal(b[2].offset, 256);
    assert_int_equal(b[3].offset, 0);
}

static void impossible_networks_are_refused_by_name(void **state)
{
    (void)state;
    struct nn_net net;
    nn_net_init(&net, 4);
    assert_int_equal(nn_conv(&net, "far", KN_POINTWISE, 3, 8, 1, 1), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "layer far"));
    assert_int_equal(nn_conv(&net, "dw", KN_DEPTHWISE, 0, 6, 1, 1), JRX_EINVAL);
    int a = nn_conv(&net, "a", KN_POINTWISE, 0, 8, 1, 1), b = nn_conv(&net, "b", KN_POINTWISE, a, 4, 1, 1);
    assert_int_equal(nn_add(&net, "sum", a, b), JRX_EINVAL);
    assert_int_equal(nn_norm_relu(&net, "n", nn_add(&net, "sum", a, b)), JRX_EINVAL);
    assert_int_equal(nn_net_done(&net, a), JRX_EINVAL); /* b is read by nobody, a is */
    assert_int_equal(nn_net_done(&net, 7), JRX_EINVAL);
    assert_int_equal(nn_net_done(&net, b), 0);
    struct nn_context context;
    assert_int_equal(nn_context_init(&context, &net, NN_TRAINING, 0, 12, 14, 1), JRX_EINVAL);
    net.layer[1].kernel[KN_FWD] = kn_best(KN_CONV3X3, KN_FWD);
    assert_int_equal(nn_context_init(&context, &net, NN_INFERENCE, 1, 12, 14, 1), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "layer b"));
    nn_net_fini(&net);
    struct rx_shape narrow = {.body = rx_bodies(), .width = 0.001, .rx = 2, .logits = RX_LOGITS},
                    many = {.body = rx_bodies(), .width = 1, .rx = 9, .logits = RX_LOGITS};
    assert_int_equal(rx_net_init(&net, &narrow), JRX_EINVAL);
    assert_int_equal(rx_net_init(&net, &many), JRX_EINVAL);
    assert_null(rx_body_find("resnet"));
    assert_non_null(strstr(jrx_last_error(), "short3"));
}

/* Weights start with variance g / fan-in: the sample variance of some thousand within 5 standard errors, fixed seed. */
static void weights_start_with_the_variance_of_their_fan_in(void **state)
{
    (void)state;
    struct nn_net net;
    struct rx_shape shape = {.body = rx_bodies(), .width = 0.5, .rx = 2, .logits = RX_LOGITS};
    assert_int_equal(rx_net_init(&net, &shape), 0);
    float *p = jrx_alloc(net.parameter_floats * sizeof *p), *s = jrx_alloc(net.statistic_floats * sizeof *s);
    float *real = jrx_alloc(net.parameter_floats * sizeof *real);
    nn_net_start(&net, 1, p, s);
    for (int i = 0; i < net.tensors; i++) {
        static const struct {
            const char *name;
            double variance;
        } known[] = {{"stem.weight", 1.0 / 90},
                     {"block1.dw1.weight", 2.0 / 9},
                     {"block1.pw1.weight", 1.0 / 64},
                     {"block3.shortcut.weight", 2.0 / 32},
                     {"block6.pw2.weight", 1.0 / 256}};
        for (size_t k = 0; k < sizeof known / sizeof *known; k++)
            if (!strcmp(net.tensor[i].name, known[k].name)) {
                size_t n = nn_tensor_size(&net.tensor[i]);
                double sum = 0;
                nn_tensor_unpack(&net, &net.tensor[i], p, real);
                for (size_t j = 0; j < n; j++)
                    sum += (double)real[j] * real[j];
                assert_relative(sum / (double)n, known[k].variance, 5 * sqrt(2.0 / (double)n));
            }
    }
    free(p);
    free(s);
    free(real);
    nn_net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_parameter_and_mac_counts),
        cmocka_unit_test(the_wide_dilation_lies_along_frequency),
        cmocka_unit_test(buffers_that_live_together_never_overlap),
        cmocka_unit_test(two_buffers_in_turn_share_their_place),
        cmocka_unit_test(impossible_networks_are_refused_by_name),
        cmocka_unit_test(weights_start_with_the_variance_of_their_fan_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
