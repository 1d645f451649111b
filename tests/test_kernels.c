/*
 * Every kernel of the registry on the nasty list (kernels/check.h). Each test takes the kernels of one operator and
 * direction; those that this CPU, as masked by JOULERX_ISA, does not run are named as skipped.
 */
#include "harness/base/error.h"
#include "kernels/check.h"
#include "tests/support/test.h"

enum { MAX_SHAPES = 128 };

static void expect_pass(const struct kn_kernel *kernel, const struct kn_problem *problem, uint64_t seed,
                        const struct kn_tile *tile, const struct kn_outcome *outcome)
{
    char layer[64], tiling[KN_TILE_TEXT];
    const struct kn_shape *s = &problem->shape;
    if (outcome->verdict == KN_PASS)
        return;
    fail_msg("%s %s n=%d grid=%dx%d tile %s seed %llu: %s, residual %.3g: %s", kernel->name,
             kn_layer_format(kernel->op, s, layer, sizeof layer), s->n, s->f, s->t,
             kn_tile_format(tile, KN_TILE_ALL, tiling, sizeof tiling), (unsigned long long)seed,
             kn_verdict_name(outcome->verdict), outcome->residual, outcome->reason);
}

/* The default tile on every shape; of the others one more each time, so that the list of shapes covers them all. */
static void check_kernel(const struct kn_kernel *kernel, const struct kn_problem *problem, uint64_t seed)
{
    struct kn_tile tiles[KN_CASE_TILES];
    size_t count = kn_case_tiles(kernel, &problem->shape, tiles);
    assert_in_range(count, 1, KN_CASE_TILES);
    for (size_t i = 0; i < (count > 1 ? 3 : 1); i++) {
        const struct kn_tile *tile = &tiles[i ? 1 + (2 * seed + i) % (count - 1) : 0];
        struct kn_outcome outcome;
        assert_int_equal(kn_check(kernel, problem, tile, &outcome), 0);
        expect_pass(kernel, problem, seed, tile, &outcome);
        assert_int_equal(kn_check_work(kernel, problem, tile, &outcome), 0);
        expect_pass(kernel, problem, seed, tile, &outcome);
    }
}

static void check_all(enum kn_op op, enum kn_dir dir)
{
    struct kn_shape shapes[MAX_SHAPES];
    size_t shape_count = kn_case_shapes(op, 0, shapes, MAX_SHAPES), kernel_count;
    const struct kn_kernel *const *kernels = kn_kernels(&kernel_count);
    assert_in_range(shape_count, 1, MAX_SHAPES);
    for (size_t i = 0; i < shape_count; i++) {
        struct kn_problem problem;
        assert_int_equal(kn_problem_init(&problem, op, dir, &shapes[i], i), 0);
        for (int rounded = 0; rounded <= (kn_best_bf16(op, dir) != NULL); rounded++) {
            if (rounded)
                assert_int_equal(kn_problem_round(&problem), 0);
            for (size_t k = 0; k < kernel_count; k++)
                if (kernels[k]->op == op && kernels[k]->dir == dir && kn_runnable(kernels[k]) &&
                    (kernels[k]->isa == KN_ISA_AVX512BF16) == rounded)
                    check_kernel(kernels[k], &problem, i);
        }
        kn_problem_fini(&problem);
    }
    for (size_t k = 0; k < kernel_count; k++)
        if (kernels[k]->op == op && kernels[k]->dir == dir && !kn_runnable(kernels[k]))
            printf("skip: %s: this CPU does not run it\n", kernels[k]->name);
}

static void pointwise_forward_is_right(void **state)
{
    (void)state;
    check_all(KN_POINTWISE, KN_FWD);
}
static void pointwise_backward_data_is_right(void **state)
{
    (void)state;
    check_all(KN_POINTWISE, KN_BWD_DATA);
}
static void pointwise_backward_weights_is_right(void **state)
{
    (void)state;
    check_all(KN_POINTWISE, KN_BWD_WEIGHTS);
}
static void conv3x3_forward_is_right(void **state)
{
    (void)state;
    check_all(KN_CONV3X3, KN_FWD);
}
static void conv3x3_backward_data_is_right(void **state)
{
    (void)state;
    check_all(KN_CONV3X3, KN_BWD_DATA);
}
static void conv3x3_backward_weights_is_right(void **state)
{
    (void)state;
    check_all(KN_CONV3X3, KN_BWD_WEIGHTS);
}

static void depthwise_forward_is_right(void **state)
{
    (void)state;
    check_all(KN_DEPTHWISE, KN_FWD);
}
static void depthwise_backward_data_is_right(void **state)
{
    (void)state;
    check_all(KN_DEPTHWISE, KN_BWD_DATA);
}
static void depthwise_backward_weights_is_right(void **state)
{
    (void)state;
    check_all(KN_DEPTHWISE, KN_BWD_WEIGHTS);
}

static void separable_forward_is_right(void **state)
{
    (void)state;
    check_all(KN_SEPARABLE, KN_FWD);
}
static void separable_backward_data_is_right(void **state)
{
    (void)state;
    check_all(KN_SEPARABLE, KN_BWD_DATA);
}
static void separable_backward_weights_is_right(void **state)
{
    (void)state;
    check_all(KN_SEPARABLE, KN_BWD_WEIGHTS);
}

static void norm_is_right(void **state)
{
    (void)state;
    for (int dir = 0; dir < KN_DIRS; dir++)
        check_all(KN_BATCH_NORM, (enum kn_dir)dir);
}
static void relu_is_right(void **state)
{
    (void)state;
    for (int dir = 0; dir < KN_DIRS; dir++)
        check_all(KN_RELU, (enum kn_dir)dir);
}
static void add_is_right(void **state)
{
    (void)state;
    for (int dir = 0; dir < KN_DIRS; dir++)
        check_all(KN_ADD, (enum kn_dir)dir);
}

/* ---- the checker itself: it must see what is wrong ------------------------------------------------ */

static const struct kn_shape small = {.n = 2, .ic = 17, .oc = 15, .f = 5, .t = 3, .dil_f = 1, .dil_t = 1};
static const struct kn_tile usual;

/* A kernel that is right but for one mistake, made after the reference has run. */
static void reference(const struct kn_args *args)
{
    kn_find("pointwise_fwd_ref")->run(args);
}
static void one_weight_forgotten(const struct kn_args *args)
{
    reference(args);
    args->y[7] -= args->x[3] * 1e-4f;
}
static void padding_not_zero(const struct kn_args *args)
{
    reference(args);
    args->y[15] = 1e-30f;
}
static void element_not_written(const struct kn_args *args)
{
    float poison = args->y[3];
    reference(args);
    args->y[3] = poison;
}
static void operand_changed(const struct kn_args *args)
{
    reference(args);
    ((float *)(uintptr_t)args->x)[0] += 1;
}
static void margin_changed(const struct kn_args *args)
{
    reference(args);
    args->y[args->threads % 2 ? -1 : (ptrdiff_t)kn_y_floats(args->shape)] = 0;
}
static void threads_differ(const struct kn_args *args)
{
    reference(args);
    if (args->threads == 3)
        args->y[0] = nextafterf(args->y[0], 9);
}

static void the_checker_sees_each_mistake(void **state)
{
    (void)state;
    static const struct {
        void (*run)(const struct kn_args *);
        const char *reason;
    } mistakes[] = {{one_weight_forgotten, "y[7]"},         {padding_not_zero, "must be zero"},
                    {element_not_written, "y[3]"},          {operand_changed, "only read"},
                    {margin_changed, "outside an operand"}, {threads_differ, "3 threads"}};
    struct kn_problem problem;
    struct kn_outcome outcome;
    assert_int_equal(kn_problem_init(&problem, KN_POINTWISE, KN_FWD, &small, 1), 0);
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        struct kn_kernel kernel = *kn_find("pointwise_fwd_ref");
        kernel.run = mistakes[i].run;
        assert_int_equal(kn_check(&kernel, &problem, &usual, &outcome), 0);
        assert_int_equal(outcome.verdict, KN_FAIL);
        assert_non_null(strstr(outcome.reason, mistakes[i].reason));
    }
    kn_problem_fini(&problem);
}

static void the_checker_tells_unlikely_from_impossible(void **state)
{
    (void)state;
    struct kn_problem problem;
    struct kn_outcome outcome;
    struct kn_shape shape = {.n = 1, .ic = 200, .oc = 1, .f = 1, .t = 1, .dil_f = 1, .dil_t = 1};
    assert_int_equal(kn_problem_init(&problem, KN_POINTWISE, KN_FWD, &shape, 1), 0);
    const struct kn_kernel *ref = kn_find("pointwise_fwd_ref");
    assert_int_equal(kn_check(ref, &problem, &usual, &outcome), 0);
    assert_int_equal(outcome.verdict, KN_PASS);
    assert_true(outcome.residual < 0.1);
    /* 201 terms: likely within 6 sqrt(203) = 85.5 units, possible within 203 */
    double unit = 0x1p-24 * problem.main.scale[0], right = problem.main.sum[0];
    problem.main.sum[0] = right + 150 * unit;
    assert_int_equal(kn_check(ref, &problem, &usual, &outcome), 0);
    assert_int_equal(outcome.verdict, KN_MARGINAL);
    problem.main.sum[0] = right + 250 * unit;
    assert_int_equal(kn_check(ref, &problem, &usual, &outcome), 0);
    assert_int_equal(outcome.verdict, KN_FAIL);
    kn_problem_fini(&problem);
}

/* ---- the registry --------------------------------------------------------------------------------- */

static void the_registry_is_sorted_and_finds_by_name(void **state)
{
    (void)state;
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s_%s_%s", kn_op_name(kernels[i]->op), kn_dir_name(kernels[i]->dir),
                 kn_isa_name(kernels[i]->isa));
        assert_string_equal(kernels[i]->name, name);
        assert_ptr_equal(kn_find(name), kernels[i]);
        assert_true(i == 0 || strcmp(kernels[i - 1]->name, name) < 0);
        assert_int_equal(kn_traced(kernels[i]) == NULL, kernels[i]->isa == KN_ISA_BLAS);
    }
    assert_null(kn_find("pointwise_fwd_raf"));
    assert_non_null(strstr(jrx_last_error(), "pointwise_fwd_ref"));
}

static void a_tile_that_cannot_be_is_refused(void **state)
{
    (void)state;
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    for (size_t i = 0; i < count; i++) {
        struct kn_tile tile = {.f = -1};
        struct kn_shape square = {.n = 1, .ic = 16, .oc = 16, .f = 4, .t = 4, .dil_f = 1, .dil_t = 1, .mid = 16};
        if (!kn_runnable(kernels[i]))
            continue;
        assert_int_equal(kernels[i]->supports(&square, &usual), 0);
        assert_int_equal(kernels[i]->supports(&square, &tile), JRX_EINVAL);
        square.n = 0;
        assert_int_equal(kernels[i]->supports(&square, &usual), JRX_EINVAL);
    }
    struct kn_tile tile = {.oc = 16};
    assert_int_equal(kn_find("pointwise_fwd_ref")->supports(&small, &tile), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "oc=16"));
}

/* The reason names the value and what there is instead; whoever refuses a choice does not list it as his. */
static void choices_that_a_kernel_lacks_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *tile, *reason;
    } known[] = {
        {"pointwise_fwd_baseline", "reg=3x1", "at most 2 pixels by 1"},
        {"pointwise_fwd_baseline", "order=igo", "goi, gio, ogi"},
        {"pointwise_bwd_data_baseline", "order=ogi", "goi, gio, igo"},
        {"pointwise_fwd_baseline", "keep=no", "keep=no"},
        {"pointwise_bwd_weights_baseline", "order=goi", "order=goi"},
        {"depthwise_fwd_baseline", "ic=16", "ic=16"},
        {"separable_fwd_baseline", "t=7", "t=7"},
        {"conv3x3_fwd_baseline", "order=gio", "order=gio"},
    };
    const struct kn_shape shape = {.n = 1, .ic = 16, .oc = 16, .f = 4, .t = 4, .dil_f = 1, .dil_t = 1, .mid = 16};
    struct kn_tile tile;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(kn_tile_parse(known[i].tile, &tile), 0);
        assert_int_equal(kn_find(known[i].kernel)->supports(&shape, &tile), JRX_EINVAL);
        assert_non_null(strstr(jrx_last_error(), known[i].reason));
    }
    const struct kn_tile half = {.px = 2};
    assert_int_equal(kn_find("pointwise_fwd_baseline")->supports(&shape, &half), JRX_EINVAL);
    /* a pixel block between two sizes becomes the smaller one */
    const struct kn_kernel *best = kn_best(KN_POINTWISE, KN_FWD);
    if (best->max_px > 4) {
        const struct kn_tile five = {.px = 5, .vc = 1};
        assert_int_equal(best->resolve(&shape, &five).px, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_registry_is_sorted_and_finds_by_name),
        cmocka_unit_test(the_checker_sees_each_mistake),
        cmocka_unit_test(the_checker_tells_unlikely_from_impossible),
        cmocka_unit_test(a_tile_that_cannot_be_is_refused),
        cmocka_unit_test(choices_that_a_kernel_lacks_are_refused_with_the_reason),
        cmocka_unit_test(pointwise_forward_is_right),
        cmocka_unit_test(pointwise_backward_data_is_right),
        cmocka_unit_test(pointwise_backward_weights_is_right),
        cmocka_unit_test(conv3x3_forward_is_right),
        cmocka_unit_test(conv3x3_backward_data_is_right),
        cmocka_unit_test(conv3x3_backward_weights_is_right),
        cmocka_unit_test(depthwise_forward_is_right),
        cmocka_unit_test(depthwise_backward_data_is_right),
        cmocka_unit_test(depthwise_backward_weights_is_right),
        cmocka_unit_test(separable_forward_is_right),
        cmocka_unit_test(separable_backward_data_is_right),
        cmocka_unit_test(separable_backward_weights_is_right),
        cmocka_unit_test(norm_is_right),
        cmocka_unit_test(relu_is_right),
        cmocka_unit_test(add_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
