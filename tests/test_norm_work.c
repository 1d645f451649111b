/* Batch norm, ReLU and the sum: work counted by hand, and mistakes that the checker must see. */
#include "harness/base/mem.h"
#include "kernels/check.h"
#include "tests/support/test.h"

/* Two slots of 17 channels, 5 x 3: 30 pixels, 510 elements; 2 blocks, so 32 channel lanes and 960 element lanes. */
static void work_is_what_was_counted_by_hand(void **state)
{
    (void)state;
    static const struct kn_shape shape = {2, 17, 17, 5, 3, 1, 1, 0};
    static const struct {
        const char *kernel;
        double flop, executed, loads, stores, compulsory; /* FLOP, and floats */
    } known[] = {
        {"norm_fwd_baseline", 7 * 510, 8 * 960, 3 * 960 + 2 * 32, 960 + 2 * 32, 2 * 960 + 4 * 32},
        {"norm_bwd_data_baseline", 10 * 510, 13 * 960, 4 * 960 + 4 * 32, 960, 3 * 960 + 4 * 32},
        {"norm_bwd_weights_baseline", 6 * 510, 6 * 960, 2 * 960 + 6 * 32, 2 * 32, 2 * 960 + 8 * 32},
        {"relu_fwd_baseline", 2 * 510, 2 * 960, 960 + 4 * 32, 960, 2 * 960 + 2 * 32},
        {"relu_bwd_data_baseline", 3 * 510, 3 * 960, 2 * 960 + 4 * 32, 960, 3 * 960 + 2 * 32},
        {"relu_bwd_weights_baseline", 5 * 510, 5 * 960, 2 * 960 + 4 * 32, 2 * 32, 2 * 960 + 6 * 32},
        {"add_fwd_baseline", 510, 960, 2 * 960, 960, 3 * 960},
        {"add_bwd_data_baseline", 0, 0, 960, 960, 2 * 960},
        {"add_bwd_weights_baseline", 510, 960, 2 * 960, 960, 3 * 960},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct kn_work work;
        const struct kn_kernel *kernel = kn_find(known[i].kernel);
        assert_non_null(kernel);
        kernel->work(&shape, &(struct kn_tile){0}, &work);
        assert_near(kn_flop(kernel->op, kernel->dir, &shape), known[i].flop, 0);
        assert_near(work.flop, known[i].flop, 0);
        assert_near(work.executed_flop, known[i].executed, 0);
        assert_near(work.load_bytes, 4 * known[i].loads, 0);
        assert_near(work.store_bytes, 4 * known[i].stores, 0);
        assert_near(work.compulsory_bytes, 4 * known[i].compulsory, 0);
    }
}

/* ---- mistakes that the checker must see ---- */

static void bias_forgotten(const struct kn_args *args)
{
    float *none = jrx_alloc((size_t)kn_blocks(args->shape->ic) * KN_LANES * sizeof *none);
    struct kn_args without = *args;
    without.bias = none;
    kn_find("relu_fwd_baseline")->run(&without);
    free(none);
}
static void not_quite(const struct kn_args *args)
{
    kn_find("add_fwd_baseline")->run(args);
    args->y[0] += 3e-6f;
}
static void variance_unbiased(const struct kn_args *args)
{
    const struct kn_shape *s = args->shape;
    const float count = (float)(s->n * s->f * s->t);
    kn_find("norm_fwd_baseline")->run(args);
    for (int k = 0; k < s->ic; k++)
        args->moments[kn_blocks(s->ic) * KN_LANES + k] *= count / (count - 1);
}
static void mean_left_out(const struct kn_args *args)
{
    struct kn_args without = *args;
    float moments[64];
    memcpy(moments, args->moments, sizeof moments);
    memset(moments, 0, 32 * sizeof *moments);
    without.moments = moments;
    kn_find("norm_bwd_data_baseline")->run(&without);
}
static void gradient_overwritten(const struct kn_args *args)
{
    memset(args->dw, 0, kn_w_floats(KN_ADD, args->shape) * sizeof *args->dw);
    kn_find("add_bwd_weights_baseline")->run(args);
}

static void mistakes_are_seen(void **state)
{
    (void)state;
    static const struct kn_shape shape = {2, 17, 17, 5, 3, 1, 1, 0};
    static const struct {
        const char *right;
        void (*wrong)(const struct kn_args *args);
    } known[] = {{"relu_fwd_baseline", bias_forgotten},
                 {"add_fwd_baseline", not_quite},
                 {"norm_fwd_baseline", variance_unbiased},
                 {"norm_bwd_data_baseline", mean_left_out},
                 {"add_bwd_weights_baseline", gradient_overwritten}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct kn_kernel kernel = *kn_find(known[i].right);
        struct kn_problem problem;
        struct kn_outcome outcome;
        assert_int_equal(kn_problem_init(&problem, kernel.op, kernel.dir, &shape, 3), 0);
        assert_int_equal(kn_check(&kernel, &problem, &(struct kn_tile){0}, &outcome), 0);
        assert_int_equal(outcome.verdict, KN_PASS);
        kernel.run = known[i].wrong;
        assert_int_equal(kn_check(&kernel, &problem, &(struct kn_tile){0}, &outcome), 0);
        assert_int_equal(outcome.verdict, KN_FAIL);
        kn_problem_fini(&problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_is_what_was_counted_by_hand),
        cmocka_unit_test(mistakes_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
