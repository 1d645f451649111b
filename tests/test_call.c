/* A kernel call as experiments make it: operands in their layout, and what the cache simulator says of it. */
#include "experiments/call.h"
#include "tests/support/test.h"

static const struct kn_tile none;
static const struct jrx_cache_geometry huge = {.levels = 2, .line_bytes = 64, .level = {{1 << 15, 8}, {1 << 26, 16}}};

static void padding_lanes_hold_zeros(void **state)
{
    (void)state;
    const struct kn_shape shape = {.n = 1, .ic = 5, .oc = 19, .f = 3, .t = 14, .dil_f = 1, .dil_t = 1};
    for (int dir = 0; dir < KN_DIRS; dir++) {
        struct ex_call call;
        assert_int_equal(ex_call_init(&call, kn_best(KN_POINTWISE, (enum kn_dir)dir), &shape, &none, 1, 7), 0);
        ex_call_run(&call);
        const float *out = dir == KN_FWD ? call.args.y : dir == KN_BWD_DATA ? call.args.dx : call.args.dw;
        int channels = dir == KN_BWD_DATA ? shape.ic : shape.oc;
        size_t inner = dir == KN_BWD_WEIGHTS ? KN_LANES : 42;
        for (int b = 0; b < kn_blocks(channels); b++)
            for (size_t i = 0; i < inner; i++)
                for (int lane = 0; lane < KN_LANES; lane++)
                    if (b * KN_LANES + lane >= channels)
                        assert_true(out[((size_t)b * inner + i) * KN_LANES + (size_t)lane] == 0);
        ex_call_fini(&call);
    }
}

/* In a cache that holds everything a warm call fetches nothing; one line of L1 is asked for at least once an operand.
 */
static void a_warm_call_in_a_cache_that_holds_all_fetches_nothing(void **state)
{
    (void)state;
    const struct kn_shape shape = {.n = 1, .ic = 64, .oc = 64, .f = 12, .t = 14, .dil_f = 1, .dil_t = 1};
    struct ex_call call;
    struct ex_traffic first, again;
    struct kn_work work;
    assert_int_equal(ex_call_init(&call, kn_best(KN_POINTWISE, KN_FWD), &shape, &none, 1, 7), 0);
    assert_int_equal(ex_call_simulate(&call, &huge, &first), 0);
    call.kernel->work(&shape, &none, &work);
    assert_near(first.l1_bytes, work.load_bytes + work.store_bytes, 0);
    assert_near(first.dram_bytes, 0, 0);
    assert_true(first.l2_bytes > 0 && first.l2_bytes < first.l1_bytes);
    ex_call_fini(&call);
    /* other memory, same addresses in the simulator: the same counts */
    assert_int_equal(ex_call_init(&call, kn_best(KN_POINTWISE, KN_FWD), &shape, &none, 2, 8), 0);
    assert_int_equal(ex_call_simulate(&call, &huge, &again), 0);
    assert_memory_equal(&first, &again, sizeof first);
    ex_call_fini(&call);
}

static void openblas_has_no_trace_and_no_count(void **state)
{
    (void)state;
    const struct kn_kernel *blas = kn_find("pointwise_fwd_blas");
    const struct kn_shape shape = {.n = 1, .ic = 16, .oc = 16, .f = 2, .t = 14, .dil_f = 1, .dil_t = 1};
    struct ex_call call;
    struct ex_traffic traffic;
    if (!blas)
        skip_because("no OpenBLAS variant");
    assert_int_equal(ex_call_init(&call, blas, &shape, &none, 1, 7), 0);
    assert_int_equal(ex_call_simulate(&call, &huge, &traffic), 0);
    assert_true(isnan(traffic.l1_bytes) && isnan(traffic.l2_bytes) && isnan(traffic.dram_bytes));
    ex_call_fini(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_lanes_hold_zeros),
        cmocka_unit_test(a_warm_call_in_a_cache_that_holds_all_fetches_nothing),
        cmocka_unit_test(openblas_has_no_trace_and_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
