/* A kernel call as experiments make it: operands in their layout, and what the cache simulator says of it. */
#include "experiments/call.h"
#include "experiments/simulations.h"
#include "harness/base/error.h"
#include "kernels/operand.h"
#include "tests/support/test.h"
#include <dirent.h>
#include <limits.h>
#include <unistd.h>

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

/* Separable backward-weights has w and dw: both must lie on memory of their own, in the process and the simulator. */
static void separable_calls_have_all_their_operands(void **state)
{
    (void)state;
    const struct kn_shape shape = {.n = 2, .ic = 24, .oc = 40, .f = 12, .t = 14, .dil_f = 2, .dil_t = 3, .mid = 48};
    const struct jrx_cache_geometry lines = {.levels = 1, .line_bytes = 64, .level = {{64, 1}}}; /* holds one line */
    for (int dir = 0; dir < KN_DIRS; dir++) {
        struct ex_call call;
        struct ex_traffic traffic, one;
        struct kn_work work;
        assert_int_equal(ex_call_init(&call, kn_best(KN_SEPARABLE, (enum kn_dir)dir), &shape, &none, 1, 7), 0);
        const struct kn_args *a = &call.args;
        assert_true(dir == KN_BWD_WEIGHTS ? a->w == a->dw + kn_w_floats(KN_SEPARABLE, &shape) : !a->dw);
        ex_call_run(&call);
        assert_int_equal(ex_call_simulate(&call, &huge, &traffic), 0);
        call.kernel->work(&shape, &none, &work);
        assert_near(traffic.l1_bytes, work.load_bytes + work.store_bytes, 0);
        assert_near(traffic.dram_bytes, 0, 0);
        assert_true(traffic.bytes[0][KN_WORKSPACE] > 0 && traffic.bytes[0][KN_IN] > 0 && traffic.bytes[0][KN_OUT] > 0);
        assert_int_equal(ex_call_simulate(&call, &lines, &one), 0);
        assert_true(one.misses[0][KN_WEIGHT] >= (double)kn_w_floats(KN_SEPARABLE, &shape) / KN_LANES);
        ex_call_fini(&call);
    }
}

/* norm, relu and add: what is both read and written lies apart, and every access is work()'s, of the tensor it names.
 */
static void elementwise_calls_have_all_their_operands(void **state)
{
    (void)state;
    const struct kn_shape shape = {.n = 2, .ic = 24, .oc = 24, .f = 12, .t = 14, .dil_f = 1, .dil_t = 1};
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    for (size_t i = 0; i < count; i++) {
        struct ex_call call;
        struct ex_traffic traffic;
        struct kn_work work;
        if (!kn_elementwise(kernels[i]->op) || !kn_runnable(kernels[i]))
            continue;
        assert_int_equal(ex_call_init(&call, kernels[i], &shape, &none, 1, 7), 0);
        ex_call_run(&call);
        assert_int_equal(ex_call_simulate(&call, &huge, &traffic), 0);
        kernels[i]->work(&shape, &none, &work);
        assert_near(traffic.l1_bytes, work.load_bytes + work.store_bytes, 0);
        assert_near(traffic.dram_bytes, 0, 0);
        for (int k = 0; k < KN_OPERANDS; k++) {
            const unsigned uses =
                kn_reads(kernels[i]->op, kernels[i]->dir) | kn_writes(kernels[i]->op, kernels[i]->dir);
            assert_int_equal(traffic.bytes[0][k] > 0, uses >> k & 1);
        }
        ex_call_fini(&call);
    }
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

/* Every number of the struct is empty, misses and tensors too: nothing was counted, so nothing is 0. */
static void what_is_not_traced_is_empty_and_not_zero(void **state)
{
    (void)state;
    size_t count, found = 0;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    for (size_t i = 0; i < count; i++) {
        if (kernels[i]->isa != KN_ISA_BLAS)
            continue;
        const struct ex_question question = {
            kernels[i], {.n = 1, .ic = 16, .oc = 16, .f = 2, .t = 14, .dil_f = 1, .dil_t = 1}, {0}, huge, 1};
        struct ex_traffic traffic;
        memset(&traffic, 0, sizeof traffic);
        assert_int_equal(ex_simulate(&question, &traffic), 0);
        for (size_t k = 0; k < sizeof traffic / sizeof(double); k++)
            assert_true(isnan(((const double *)&traffic)[k]));
        struct ex_call call;
        assert_int_equal(ex_call_init(&call, kernels[i], &question.shape, &none, 1, 7), 0);
        const struct jrx_work work = ex_call_work(&call, &traffic);
        assert_true(isnan(work.l1_bytes) && isnan(work.dram_bytes) && work.flop > 0);
        ex_call_fini(&call);
        found++;
    }
    if (!found)
        skip_because("no OpenBLAS variant");
}

static void tensors_add_up_to_the_whole(void **state)
{
    (void)state;
    const struct jrx_cache_geometry small = {
        .levels = 3, .line_bytes = 64, .level = {{1 << 12, 8}, {1 << 14, 8}, {1 << 16, 8}}};
    const struct ex_question question = {kn_find("pointwise_bwd_data_baseline"),
                                         {.n = 1, .ic = 32, .oc = 48, .f = 24, .t = 14, .dil_f = 1, .dil_t = 1},
                                         {0},
                                         small,
                                         1};
    struct ex_traffic traffic;
    struct kn_work work;
    assert_int_equal(ex_simulate(&question, &traffic), 0);
    const double whole[] = {traffic.l1_bytes, traffic.l2_bytes, traffic.l3_bytes, traffic.dram_bytes};
    for (int level = 0; level <= EX_CACHES; level++) {
        double sum = 0;
        for (int tensor = 0; tensor < KN_OPERANDS; tensor++)
            sum += traffic.bytes[level][tensor];
        assert_near(sum, whole[level], 0);
        assert_near(traffic.error_bytes[level], 0, 0);
    }
    question.kernel->work(&question.shape, &question.tile, &work);
    assert_near(traffic.l1_bytes, work.load_bytes + work.store_bytes, 0);
    assert_true(traffic.bytes[1][KN_IN] > 0 && traffic.bytes[1][KN_OUT] > 0 && traffic.bytes[1][KN_WORKSPACE] > 0);
    /* fetches of a level are what it missed, and lines come and go whole */
    assert_true(traffic.misses[0][KN_IN] * 64 <= traffic.bytes[1][KN_IN]);
    assert_true(traffic.l2_bytes >= traffic.l3_bytes && traffic.l3_bytes >= traffic.dram_bytes &&
                traffic.dram_bytes > 0);
}

/* Registers are counted in full; below them the truth lies within the stated interval, widened to twice itself, as four
 * groups give a rough one. */
static void a_sample_of_sets_is_near_the_whole_and_says_how_near(void **state)
{
    (void)state;
    const struct jrx_cache_geometry three = {
        .levels = 3, .line_bytes = 64, .level = {{1 << 14, 4}, {1 << 17, 8}, {1 << 20, 16}}};
    struct ex_question question = {kn_find("pointwise_fwd_baseline"),
                                   {.n = 1, .ic = 64, .oc = 64, .f = 72, .t = 14, .dil_f = 1, .dil_t = 1},
                                   {0},
                                   three,
                                   1};
    struct ex_traffic whole, sample;
    assert_int_equal(ex_simulate(&question, &whole), 0);
    question.sample = 4;
    assert_int_equal(ex_simulate(&question, &sample), 0);
    assert_near(sample.l1_bytes, whole.l1_bytes, 0);
    const double is[] = {whole.l2_bytes, whole.l3_bytes, whole.dram_bytes},
                 said[] = {sample.l2_bytes, sample.l3_bytes, sample.dram_bytes};
    for (int level = 0; level < EX_CACHES; level++) {
        assert_true(fabs(said[level] - is[level]) <= 2 * sample.error_bytes[level + 1] + 0.01 * is[level]);
        assert_true(fabs(said[level] - is[level]) <= 0.1 * is[level]);
    }
    question.sample = 3; /* no power of two */
    assert_int_equal(ex_simulate(&question, &sample), JRX_EINVAL);
    question.sample = 256; /* more groups than L1 has sets */
    assert_int_equal(ex_simulate(&question, &sample), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "L1"));
}

/* What is kept is found again, for the same question only, and is trusted only if it is whole. */
static void simulations_are_kept_by_content(void **state)
{
    (void)state;
    char dir[] = "/tmp/joulerx-sim-XXXXXX", path[PATH_MAX], key[EX_SIMULATION_KEY], other[EX_SIMULATION_KEY];
    const double number[3] = {1.5, 0, 1e300};
    double back[3];
    struct ex_question question = {
        kn_find("pointwise_fwd_ref"), {.n = 1, .ic = 2, .oc = 3, .f = 4, .t = 5, .dil_f = 1, .dil_t = 1}, {0}, huge, 1};
    assert_non_null(mkdtemp(dir));
    setenv("JOULERX_CACHE", dir, 1);
    ex_simulation_key(&question, key);
    assert_int_equal(ex_simulation_load(key, back, 3), 0);
    ex_simulation_store(key, number, 3);
    assert_int_equal(ex_simulation_load(key, back, 3), 1);
    assert_memory_equal(back, number, sizeof back);
    assert_int_equal(ex_simulation_load(key, back, 2), 0);
    question.shape.ic = 4;
    ex_simulation_key(&question, other);
    assert_string_not_equal(key, other);
    assert_int_equal(ex_simulation_load(other, back, 3), 0);
    question.geometry.level[0].ways = 4;
    ex_simulation_key(&question, key);
    assert_string_not_equal(key, other);
    setenv("JOULERX_CACHE", "/nonexistent/folder", 1); /* nowhere to write: no error, nothing kept */
    ex_simulation_store(key, number, 3);
    assert_int_equal(ex_simulation_load(key, back, 3), 0);
    setenv("JOULERX_CACHE", "", 1);
    DIR *open = opendir(dir);
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
            unlink(path);
        }
    closedir(open);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(padding_lanes_hold_zeros),
        cmocka_unit_test(a_warm_call_in_a_cache_that_holds_all_fetches_nothing),
        cmocka_unit_test(separable_calls_have_all_their_operands),
        cmocka_unit_test(elementwise_calls_have_all_their_operands),
        cmocka_unit_test(openblas_has_no_trace_and_no_count),
        cmocka_unit_test(what_is_not_traced_is_empty_and_not_zero),
        cmocka_unit_test(tensors_add_up_to_the_whole),
        cmocka_unit_test(a_sample_of_sets_is_near_the_whole_and_says_how_near),
        cmocka_unit_test(simulations_are_kept_by_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
