/* experiments/sweep.h: lists on the command line become cells. */
#include "experiments/sweep.h"
#include "harness/base/error.h"
#include "tests/support/test.h"

static void lists_and_ranges_become_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count, value[6];
    } known[] = {{"8", 1, {8}},
                 {"3,1,2", 3, {3, 1, 2}},
                 {"1-4", 4, {1, 2, 3, 4}},
                 {"8-64*2", 4, {8, 16, 32, 64}},
                 {"8-63*2", 3, {8, 16, 32}},
                 {"8-24+8,100", 4, {8, 16, 24, 100}}};
    int value[EX_SWEEP_VALUES];
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(ex_list_parse(known[i].text, value), known[i].count);
        assert_memory_equal(value, known[i].value, (size_t)known[i].count * sizeof *value);
    }
    static const char *const bad[] = {"",      "0",  "a",    "1,",  ",1", "4-2",   "1-8*1",
                                      "1-8+0", "1-", "1-2x", "8*2", "-1", "1-300", "99999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ex_list_parse(bad[i], value), JRX_EINVAL);
}

static void every_field_of_a_tiling_takes_a_list(void **state)
{
    (void)state;
    struct kn_tile tile[64];
    char text[KN_TILE_TEXT];
    assert_int_equal(ex_tiles_parse("oc=32,64,f=4-16*2,order=goi,ogi", tile, 64), 12);
    assert_string_equal(kn_tile_format(&tile[0], KN_TILE_ALL, text, sizeof text), "oc=32,f=4,order=goi");
    assert_string_equal(kn_tile_format(&tile[11], KN_TILE_ALL, text, sizeof text), "oc=64,f=16,order=ogi");
    for (int i = 0; i < 12; i++)
        for (int k = 0; k < i; k++)
            assert_memory_not_equal(&tile[i], &tile[k], sizeof *tile);
    assert_int_equal(ex_tiles_parse("default;reg=4x1,8x2;keep=no", tile, 64), 4);
    assert_string_equal(kn_tile_format(&tile[0], KN_TILE_ALL, text, sizeof text), "default");
    assert_string_equal(kn_tile_format(&tile[2], KN_TILE_ALL, text, sizeof text), "reg=8x2");
    assert_int_equal(ex_tiles_parse("", tile, 64), 1);
    static const char *const bad[] = {"32", "oc=", "oc=32,,f=1", "oc=1,oc=2", "w=3", "oc=4-2", "order=xyz", "f=1-65"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(ex_tiles_parse(bad[i], tile, 64), JRX_EINVAL);
}

static void cells_are_the_product_of_the_lists_and_the_peak(void **state)
{
    (void)state;
    const struct ex_sweep_lists lists = {.kernels = "pointwise_fwd_baseline,depthwise_fwd_ref",
                                         .layers = "pw:c32:k32,dw:c16,pw:c16:k64",
                                         .grids = "12x14,24x7",
                                         .batches = "1,2",
                                         .threads = "1-2",
                                         .tiles = "default"};
    struct ex_sweep sweep;
    char label[EX_CELL_TEXT];
    assert_int_equal(ex_sweep_init(&sweep, &lists), 0);
    assert_int_equal(sweep.cells, 2 + 3 * 2 * 2 * 2); /* each layer has one kernel */
    assert_null(sweep.cell[0].kernel);
    assert_string_equal(ex_cell_label(&sweep.cell[1], label), "peak t2");
    assert_string_equal(ex_cell_label(&sweep.cell[2], label),
                        "pointwise_fwd_baseline pw:c32:k32 12x14 n1 t1 oc=16,ic=32,f=12,t=14,reg=2x1,order=goi");
    for (int i = 0; i < sweep.cells; i++)
        for (int k = 0; k < i; k++) {
            char other[EX_CELL_TEXT];
            assert_string_not_equal(ex_cell_label(&sweep.cell[i], label), ex_cell_label(&sweep.cell[k], other));
        }
    ex_sweep_fini(&sweep);
}

static void tilings_that_come_to_the_same_are_one_cell(void **state)
{
    (void)state;
    const struct ex_sweep_lists lists = {
        .kernels = "pointwise_fwd_baseline", .layers = "pw:c32:k32", .grids = "12x14", .tiles = "f=12,13,500;default"};
    struct ex_sweep sweep;
    assert_int_equal(ex_sweep_init(&sweep, &lists), 0);
    assert_int_equal(sweep.cells, 2);
    ex_sweep_fini(&sweep);
}

/* 22 depthwise and 22 pointwise layers, shortcuts, stem and logits: what the network's own table says. */
static void a_network_is_its_layers_with_how_often_it_has_them(void **state)
{
    (void)state;
    const struct ex_sweep_lists lists = {.layers = "deeprx"};
    struct ex_sweep sweep;
    int times[KN_OPS] = {0};
    assert_int_equal(ex_sweep_init(&sweep, &lists), 0);
    for (int i = 1; i < sweep.cells; i++)
        times[sweep.cell[i].kernel->op] += sweep.cell[i].times;
    assert_int_equal(times[KN_DEPTHWISE], 22);
    assert_int_equal(times[KN_CONV3X3], 1);
    assert_true(times[KN_POINTWISE] >= 23);
    assert_int_equal(times[KN_RELU], 23);
    assert_int_equal(times[KN_ADD], 11);
    ex_sweep_fini(&sweep);
}

/* Each pair of depthwise and pointwise is one call forward; backward makes the depthwise again and wants two gradients
 * of each. The gradient of the input is nobody's wish. */
static void a_network_that_trains_is_the_calls_it_makes(void **state)
{
    (void)state;
    struct ex_sweep_lists lists = {.layers = "deeprx", .training = 1};
    struct ex_sweep sweep;
    int times[KN_OPS] = {0}, forward = 0;
    assert_int_equal(ex_sweep_init(&sweep, &lists), 0);
    for (int i = 1; i < sweep.cells; i++) {
        const struct ex_cell *cell = &sweep.cell[i];
        assert_true(cell->network);
        times[cell->kernel->op] += cell->times;
        forward += cell->kernel->op == KN_POINTWISE && cell->kernel->dir == KN_FWD ? cell->times : 0;
    }
    assert_int_equal(times[KN_SEPARABLE], 22);
    assert_int_equal(times[KN_DEPTHWISE], 3 * 22);
    assert_int_equal(times[KN_CONV3X3], 2);
    assert_true(forward >= 2);
    assert_int_equal(times[KN_POINTWISE], 2 * 22 + 3 * forward);
    ex_sweep_fini(&sweep);
    lists.kernels = "separable_fwd_*";
    assert_int_equal(ex_sweep_init(&sweep, &lists), 0);
    for (int i = 1; i < sweep.cells; i++)
        assert_int_equal(sweep.cell[i].kernel->op, KN_SEPARABLE);
    ex_sweep_fini(&sweep);
    lists.kernels = "separable_fwd_ref";
    assert_int_equal(ex_sweep_init(&sweep, &lists), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "no call of the kernels"));
}

static void what_cannot_be_is_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        struct ex_sweep_lists lists;
        const char *reason;
    } known[] = {
        {{.layers = NULL}, "--layer is missing"},
        {{.layers = "pw:c1"}, "pw:c1"},
        {{.layers = "pw:c1:k1", .kernels = "depthwise_fwd_ref"}, "none of the kernels"},
        {{.layers = "pw:c1:k1", .kernels = "*_nothing"}, "*_nothing"},
        {{.layers = "pw:c1:k1", .kernels = "pointwise_fwd_raf"}, "pointwise_fwd_ref"},
        {{.layers = "pw:c1:k1", .grids = "14"}, "--grid=14"},
        {{.layers = "pw:c1:k1", .grids = "0x14"}, "0x14"},
        {{.layers = "pw:c1:k1", .batches = "0"}, "'0'"},
        {{.layers = "deeprks"}, "joulerx list networks"},
        {{.layers = "pw:c1:k1", .kernels = "separable"}, ", ..."}, /* whole names, and that there are more */
        {{.layers = "pw:c1:k1", .kernels = "pointwise_fwd_ref", .tiles = "oc=16"}, "pointwise_fwd_ref: tile: oc=16"},
        {{.layers = "pw:c1:k1", .kernels = "pointwise_fwd_baseline", .tiles = "order=igo"}, "order=igo"},
        {{.layers = "pw:c1:k1", .batches = "1-256", .threads = "1-256"}, "cells"},
    };
    struct ex_sweep sweep;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(ex_sweep_init(&sweep, &known[i].lists), JRX_EINVAL);
        assert_non_null(strstr(jrx_last_error(), known[i].reason));
        assert_null(sweep.cell);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_and_ranges_become_numbers),
        cmocka_unit_test(every_field_of_a_tiling_takes_a_list),
        cmocka_unit_test(cells_are_the_product_of_the_lists_and_the_peak),
        cmocka_unit_test(tilings_that_come_to_the_same_are_one_cell),
        cmocka_unit_test(a_network_is_its_layers_with_how_often_it_has_them),
        cmocka_unit_test(a_network_that_trains_is_the_calls_it_makes),
        cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
