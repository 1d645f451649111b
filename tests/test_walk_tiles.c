/* models/nn: tilings that a table names reach the kernels of a walk and change no bit of it. */
#include "kernels/sums.h"
#include "models/receiver/deeprx.h"
#include "tests/support/test.h"
#include "tests/support/walk_bench.h"

/* A tiling for every call, made of what its kernel has: small blocks, another order, all of it written between halves.
 * Every third call gets one that adds numbers in another order, every fifth one that no kernel takes. */
static struct kn_tile unusual_tile(void *self, const struct kn_kernel *kernel, const struct kn_shape *shape,
                                   int threads)
{
    int *asked = self, call = asked[kernel->op * KN_DIRS + kernel->dir]++;
    const unsigned sums = call % 3 == 2 ? 0 : kn_sum_fields(kernel->op, kernel->dir), has = kernel->tile_fields & ~sums;
    assert_true(threads >= 1 && shape->n >= 1);
    if (call % 5 == 4)
        return (struct kn_tile){.f = -1};
    return (struct kn_tile){.oc = has & KN_TILE_OC ? 16 : 0,
                            .ic = has & KN_TILE_IC ? 5 : 0,
                            .f = has & KN_TILE_F ? 2 : 0,
                            .t = has & KN_TILE_T ? 3 : 0,
                            .px = has & KN_TILE_REG ? 2 : 0,
                            .vc = has & KN_TILE_REG ? 1 : 0,
                            .keep = has & KN_TILE_KEEP ? KN_KEEP_NO : KN_KEEP_DEFAULT};
}

static int tiled_calls(const struct nn_context *c)
{
    const struct kn_tile none = {0};
    int count = 0;
    for (int u = 0; u < c->units; u++)
        count += memcmp(&c->stage_tile[u], &none, sizeof none) != 0;
    for (int i = 0; i < c->net->layers; i++)
        for (int dir = 0; dir < KN_DIRS; dir++)
            count += memcmp(&c->tile[i][dir], &none, sizeof none) != 0;
    return count;
}

static void tilings_of_a_table_reach_stages_and_change_no_bit(void **state)
{
    (void)state;
    static const enum nn_mode modes[] = {NN_TRAINING, NN_FUSED_TRAINING, NN_CHECKPOINTED_TRAINING, NN_FUSED_TRAINING};
    const struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.75, .rx = 2, .logits = RX_LOGITS};
    const int bf16 = !nn_precision_check(NN_BF16); /* the last one, where the CPU has it */
    for (int m = 0; m < 3 + bf16; m++)
        for (int threads = 1; threads <= 2; threads++) {
            struct bench plain, tiled;
            int asked[KN_OPS * KN_DIRS] = {0};
            const struct nn_tilings table = {unusual_tile, asked};
            assert_int_equal(rx_net_init(&plain.net, &shape), 0);
            assert_int_equal(rx_net_init(&tiled.net, &shape), 0);
            tiled.net.tilings = &table;
            plain.net.precision = tiled.net.precision = m == 3 ? NN_BF16 : NN_FP32;
            bench_init(&plain, modes[m], 2, 12, 14, 1);
            bench_init(&tiled, modes[m], 2, 12, 14, threads);
            assert_int_equal(tiled_calls(&plain.context), 0);
            assert_true(tiled_calls(&tiled.context) > 10);
            assert_int_equal(asked[KN_SEPARABLE * KN_DIRS + KN_FWD] > 0, m > 0);
            assert_true(m != 3 || tiled.context.separable->isa == KN_ISA_AVX512BF16);
            assert_int_equal(asked[KN_CONV3X3 * KN_DIRS + KN_BWD_DATA], 0); /* nobody wants the input's gradient */
            for (int i = 0; i < 2; i++) {
                struct bench *b = i ? &tiled : &plain;
                nn_forward(&b->context, b->parameters, b->statistics);
                reference_to_blocked(b->slope, nn_output_gradient(&b->context), 2, RX_LOGITS, 12, 14);
                nn_backward(&b->context, b->parameters, b->gradient);
            }
            assert_memory_equal(nn_output(&plain.context), nn_output(&tiled.context), 2 * 12 * 14 * 16 * sizeof(float));
            assert_memory_equal(plain.gradient, tiled.gradient, plain.net.parameter_floats * sizeof(float));
            bench_fini(&plain);
            bench_fini(&tiled);
        }
}

/* Any field of a layer's own tile takes it out of its stage. */
static void a_layer_with_a_tile_of_its_own_runs_alone(void **state)
{
    (void)state;
    struct nn_net net;
    struct nn_unit unit[NN_MAX_LAYERS];
    const struct rx_shape shape = {.body = rx_body_find("short3"), .width = 0.75, .rx = 2, .logits = RX_LOGITS};
    assert_int_equal(rx_net_init(&net, &shape), 0);
    const int fused = nn_units(&net, 1, unit);
    for (int i = 0; i < net.layers; i++)
        if (net.layer[i].op == KN_POINTWISE)
            net.layer[i].tile[KN_FWD] = (struct kn_tile){.px = 4, .vc = 1};
    assert_true(fused < net.layers);
    assert_int_equal(nn_units(&net, 1, unit), net.layers);
    nn_net_fini(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tilings_of_a_table_reach_stages_and_change_no_bit),
        cmocka_unit_test(a_layer_with_a_tile_of_its_own_runs_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
