/*
 * Depthwise kernels on what the common list leaves out: multipliers above 2, every specialised dilation with
 * every tile, dilations wider than the grid, output blocks that end in the middle of an input block.
 */
#include "kernels/check.h"
#include "tests/support/test.h"

static void expect_pass(const struct kn_kernel *kernel, const struct kn_shape *s, const struct kn_tile *tile,
                        const struct kn_outcome *outcome)
{
    char layer[64], tiling[KN_TILE_TEXT];
    if (outcome->verdict != KN_PASS)
        fail_msg("%s %s n=%d grid=%dx%d tile %s: %s, residual %.3g: %s", kernel->name,
                 kn_layer_format(kernel->op, s, layer, sizeof layer), s->n, s->f, s->t,
                 kn_tile_format(tile, KN_TILE_ALL, tiling, sizeof tiling), kn_verdict_name(outcome->verdict),
                 outcome->residual, outcome->reason);
}

/* Every depthwise kernel with every tile of the list, in every direction. */
static void check_shape(const struct kn_shape *shape)
{
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    for (int dir = 0; dir < KN_DIRS; dir++) {
        struct kn_problem problem;
        struct kn_outcome outcome;
        assert_int_equal(kn_problem_init(&problem, KN_DEPTHWISE, (enum kn_dir)dir, shape, 1), 0);
        for (size_t k = 0; k < count; k++) {
            struct kn_tile tiles[KN_CASE_TILES];
            if (kernels[k]->op != KN_DEPTHWISE || kernels[k]->dir != (enum kn_dir)dir || !kn_runnable(kernels[k]))
                continue;
            for (size_t i = kn_case_tiles(kernels[k], shape, tiles); i-- > 0;) {
                assert_int_equal(kn_check(kernels[k], &problem, &tiles[i], &outcome), 0);
                expect_pass(kernels[k], shape, &tiles[i], &outcome);
                assert_int_equal(kn_check_work(kernels[k], &problem, &tiles[i], &outcome), 0);
                expect_pass(kernels[k], shape, &tiles[i], &outcome);
            }
        }
        kn_problem_fini(&problem);
    }
}

static void rows_of_14_symbols_are_right_at_every_dilation(void **state)
{
    (void)state;
    for (int dil_t = 1; dil_t <= 7; dil_t++)
        for (int multiplier = 1; multiplier <= 2; multiplier++)
            check_shape(&(struct kn_shape){
                .n = 2, .ic = 20, .oc = 20 * multiplier, .f = 9, .t = 14, .dil_f = 1 + dil_t % 3, .dil_t = dil_t});
}

static void other_row_lengths_are_right(void **state)
{
    (void)state;
    for (int t = 13; t <= 16; t++)
        check_shape(&(struct kn_shape){.n = 1, .ic = 9, .oc = 18, .f = 4, .t = t, .dil_f = 1, .dil_t = 2});
}

static void dilations_wider_than_the_grid_leave_the_centre_tap(void **state)
{
    (void)state;
    check_shape(&(struct kn_shape){.n = 1, .ic = 16, .oc = 16, .f = 3, .t = 14, .dil_f = 3, .dil_t = 6});
    check_shape(&(struct kn_shape){.n = 1, .ic = 16, .oc = 32, .f = 2, .t = 5, .dil_f = 100, .dil_t = 100});
}

static void any_multiplier_is_right(void **state)
{
    (void)state;
    static const int channels[][2] = {{1, 16}, {6, 18}, {16, 48}, {5, 35}, {17, 51}};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        check_shape(&(struct kn_shape){
            .n = 2, .ic = channels[i][0], .oc = channels[i][1], .f = 3, .t = 14, .dil_f = 1, .dil_t = 3});
}

static void blocks_that_end_within_an_input_block_are_right(void **state)
{
    (void)state;
    static const int channels[] = {8, 24, 23, 25};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        check_shape(&(struct kn_shape){
            .n = 1, .ic = channels[i], .oc = 2 * channels[i], .f = 5, .t = 14, .dil_f = 2, .dil_t = 3});
}

/* 8.9 MB of output: rows are stored past the caches. One real channel in the last block. */
static void outputs_too_large_for_a_cache_are_right(void **state)
{
    (void)state;
    static const struct kn_tile none;
    const struct kn_shape shape = {.n = 8, .ic = 49, .oc = 49, .f = 312, .t = 14, .dil_f = 2, .dil_t = 3};
    if (getenv("JOULERX_TEST_FAST"))
        skip_because("a large layer; runs without JOULERX_TEST_FAST");
    for (int dir = KN_FWD; dir <= KN_BWD_DATA; dir++) {
        struct kn_problem problem;
        struct kn_outcome outcome;
        const struct kn_kernel *kernel = kn_best(KN_DEPTHWISE, (enum kn_dir)dir);
        assert_int_equal(kn_problem_init(&problem, KN_DEPTHWISE, (enum kn_dir)dir, &shape, 1), 0);
        assert_int_equal(kn_check(kernel, &problem, &none, &outcome), 0);
        expect_pass(kernel, &shape, &none, &outcome);
        assert_int_equal(kn_check_work(kernel, &problem, &none, &outcome), 0);
        expect_pass(kernel, &shape, &none, &outcome);
        kn_problem_fini(&problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_14_symbols_are_right_at_every_dilation),
        cmocka_unit_test(other_row_lengths_are_right),
        cmocka_unit_test(dilations_wider_than_the_grid_leave_the_centre_tap),
        cmocka_unit_test(any_multiplier_is_right),
        cmocka_unit_test(blocks_that_end_within_an_input_block_are_right),
        cmocka_unit_test(outputs_too_large_for_a_cache_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
