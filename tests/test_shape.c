/* kernels/shape: what can be said of a layer without running it; the grammar of layers and tiles. */
#include "harness/base/error.h"
#include "kernels/shape.h"
#include "tests/support/test.h"
#include <limits.h>

static const struct kn_shape slot = {.n = 1, .ic = 64, .oc = 64, .f = 312, .t = 14, .dil_f = 1, .dil_t = 1};

static void sizes_include_the_padding_channels(void **state)
{
    (void)state;
    struct kn_shape s = {.n = 2, .ic = 17, .oc = 10, .f = 3, .t = 5, .dil_f = 1, .dil_t = 1};
    assert_int_equal(kn_x_floats(&s), 2 * 32 * 15);
    assert_int_equal(kn_y_floats(&s), 2 * 16 * 15);
    assert_int_equal(kn_w_floats(KN_POINTWISE, &s), 32 * 16);
    assert_int_equal(kn_w_floats(KN_CONV3X3, &s), 9 * 32 * 16);
    s.oc = 34;
    assert_int_equal(kn_w_floats(KN_DEPTHWISE, &s), 9 * 48);
}

static void pointwise_flop_is_two_a_weight_and_pixel(void **state)
{
    (void)state;
    assert_near(kn_flop(KN_POINTWISE, KN_FWD, &slot), 2.0 * 64 * 64 * 312 * 14, 0);
}

/* counted tap by tap and pixel by pixel, with no formula in common */
static double count_taps(const struct kn_shape *s)
{
    double taps = 0;
    for (int f = 0; f < s->f; f++)
        for (int t = 0; t < s->t; t++)
            for (int k = 0; k < 9; k++) {
                int at_f = f + s->dil_f * (k / 3 - 1), at_t = t + s->dil_t * (k % 3 - 1);
                taps += at_f >= 0 && at_f < s->f && at_t >= 0 && at_t < s->t;
            }
    return taps;
}

static void taps_outside_the_grid_cost_nothing(void **state)
{
    (void)state;
    static const struct kn_shape shapes[] = {{1, 1, 1, 1, 1, 1, 1, 0},
                                             {1, 3, 6, 1, 14, 2, 3, 0},
                                             {2, 3, 3, 5, 3, 3, 6, 0},
                                             {1, 2, 4, 13, 7, 2, 3, 0},
                                             {3, 5, 5, 72, 14, 3, 6, 0}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct kn_shape *s = &shapes[i];
        assert_near(kn_flop(KN_DEPTHWISE, KN_BWD_DATA, s), 2.0 * s->n * s->oc * count_taps(s), 0);
        assert_near(kn_flop(KN_CONV3X3, KN_BWD_WEIGHTS, s), 2.0 * s->n * s->oc * s->ic * count_taps(s), 0);
    }
    /* worked by hand: 2 x 2 grid, every pixel has its 4 neighbours within the grid */
    struct kn_shape two = {1, 1, 1, 2, 2, 1, 1, 0};
    assert_near(kn_flop(KN_DEPTHWISE, KN_FWD, &two), 2 * 4 * 4, 0);
}

static void a_separable_layer_is_its_two_halves(void **state)
{
    (void)state;
    struct kn_shape s = slot;
    s.oc = 17;
    assert_int_equal(kn_shape_check(KN_SEPARABLE, &s), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "mid=0"));
    s.mid = 96;
    assert_int_equal(kn_shape_check(KN_SEPARABLE, &s), JRX_EINVAL);
    s.mid = 128;
    assert_int_equal(kn_shape_check(KN_SEPARABLE, &s), 0);
    assert_int_equal(kn_w_floats(KN_SEPARABLE, &s), 9 * 128 + 128 * 32);
    struct kn_shape depthwise = slot;
    depthwise.oc = 128;
    assert_near(kn_flop(KN_SEPARABLE, KN_FWD, &s),
                kn_flop(KN_DEPTHWISE, KN_FWD, &depthwise) + 2.0 * 128 * 17 * 312 * 14, 0);
}

static void impossible_shapes_are_refused_with_the_value(void **state)
{
    (void)state;
    struct kn_shape s = slot;
    assert_int_equal(kn_shape_check(KN_POINTWISE, &s), 0);
    assert_int_equal(kn_shape_check(KN_CONV3X3, &s), 0);
    s.f = 0;
    assert_int_equal(kn_shape_check(KN_POINTWISE, &s), JRX_EINVAL);
    assert_non_null(strstr(jrx_last_error(), "f=0"));
    s = slot;
    s.dil_t = 3;
    assert_int_equal(kn_shape_check(KN_POINTWISE, &s), JRX_EINVAL);
    assert_int_equal(kn_shape_check(KN_DEPTHWISE, &s), 0);
    s.oc = 96;
    assert_int_equal(kn_shape_check(KN_DEPTHWISE, &s), JRX_EINVAL);
    assert_int_equal(kn_shape_check(KN_CONV3X3, &s), 0);
    s = slot;
    s.n = 1 << 20;
    assert_int_equal(kn_shape_check(KN_CONV3X3, &s), JRX_EINVAL);
    s = (struct kn_shape){1, 2000000000, 2000000000, 1, 1, 1, 1, 0};
    assert_int_equal(kn_shape_check(KN_POINTWISE, &s), JRX_EINVAL);
}

static void layers_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum kn_op op;
        int ic, oc, dil_f, dil_t, mid;
    } known[] = {
        {"pw:c64:k128", KN_POINTWISE, 64, 128, 1, 1, 0},
        {"dw:c64:m2:d2x3", KN_DEPTHWISE, 64, 128, 2, 3, 0},
        {"dw:c7", KN_DEPTHWISE, 7, 7, 1, 1, 0},
        {"conv:c10:k64", KN_CONV3X3, 10, 64, 1, 1, 0},
        {"conv:c64:k8:d3x6", KN_CONV3X3, 64, 8, 3, 6, 0},
        {"sep:c64:m2:k128:d2x3", KN_SEPARABLE, 64, 128, 2, 3, 128},
        {"sep:c8:k16", KN_SEPARABLE, 8, 16, 1, 1, 8},
        {"norm:c64", KN_BATCH_NORM, 64, 64, 1, 1, 0},
        {"relu:c1", KN_RELU, 1, 1, 1, 1, 0},
        {"add:c17", KN_ADD, 17, 17, 1, 1, 0},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        enum kn_op op = KN_OPS;
        struct kn_shape s = {.n = 5, .f = 6, .t = 7};
        char text[64];
        assert_int_equal(kn_layer_parse(known[i].text, &op, &s), 0);
        assert_int_equal(op, known[i].op);
        struct kn_shape want = {5, known[i].ic, known[i].oc, 6, 7, known[i].dil_f, known[i].dil_t, known[i].mid};
        assert_memory_equal(&s, &want, sizeof s);
        assert_string_equal(kn_layer_format(op, &s, text, sizeof text), known[i].text);
    }
}

static void malformed_layers_are_refused_with_the_part(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "pw",
                                      "pw:c64",
                                      "pw:c64:k0",
                                      "pw:c64:k8:d1x1",
                                      "pw:c64:k-8",
                                      "dw:c8:k8",
                                      "dw:c8:m",
                                      "dw:c8:d2",
                                      "dw:c8:d2x",
                                      "dw:c8:d0x1",
                                      "cc:c1:k1",
                                      "conv:c1:k1:m2",
                                      "conv:c1:c2:k3",
                                      "conv:c1:k1:",
                                      "pw:c1:k1 ",
                                      "pw:c1:k1x",
                                      "pw:c9999999999:k1",
                                      "dw:c2000000000:m2",
                                      "sep:c8:m2",
                                      "norm:c8:k8",
                                      "relu:c8:d1x1",
                                      "add:c8:m2",
                                      "sep:c2000000000:m2:k1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum kn_op op = KN_OPS;
        struct kn_shape s = slot;
        assert_int_equal(kn_layer_parse(bad[i], &op, &s), JRX_EINVAL);
        assert_int_equal(op, KN_OPS);
        assert_memory_equal(&s, &slot, sizeof s);
    }
    enum kn_op op;
    struct kn_shape s;
    kn_layer_parse("conv:c1:q7:k1", &op, &s);
    assert_non_null(strstr(jrx_last_error(), "'q7'"));
}

static void tiles_are_written_as_they_are_read(void **state)
{
    (void)state;
    struct kn_tile tile, want = {.oc = 64, .ic = 128, .f = 24, .t = 14};
    char text[64];
    assert_int_equal(kn_tile_parse("oc=64,ic=128,f=24,t=14", &tile), 0);
    assert_memory_equal(&tile, &want, sizeof tile);
    assert_string_equal(kn_tile_format(&tile, KN_TILE_ALL, text, sizeof text), "oc=64,ic=128,f=24,t=14");
    assert_string_equal(kn_tile_format(&tile, KN_TILE_IC | KN_TILE_T, text, sizeof text), "ic=128,t=14");
    assert_string_equal(kn_tile_format(&tile, 0, text, sizeof text), "default");
    assert_int_equal(kn_tile_parse("t=3,oc=5", &tile), 0);
    want = (struct kn_tile){.oc = 5, .t = 3};
    assert_memory_equal(&tile, &want, sizeof tile);
    for (const char *const *none = (const char *const[]){"", "default", NULL}; *none; none++) {
        assert_int_equal(kn_tile_parse(*none, &tile), 0);
        assert_string_equal(kn_tile_format(&tile, KN_TILE_ALL, text, sizeof text), "default");
    }
}

static void a_tile_has_a_register_block_an_order_and_a_place_for_what_lies_between(void **state)
{
    (void)state;
    struct kn_tile tile, want = {.oc = 64, .px = 14, .vc = 2, .order = KN_ORDER_OGI, .keep = KN_KEEP_NO};
    char text[KN_TILE_TEXT];
    assert_int_equal(kn_tile_parse("keep=no,order=ogi,reg=14x2,oc=64", &tile), 0);
    assert_memory_equal(&tile, &want, sizeof tile);
    assert_string_equal(kn_tile_format(&tile, KN_TILE_ALL, text, sizeof text), "oc=64,reg=14x2,order=ogi,keep=no");
    assert_string_equal(kn_tile_format(&tile, KN_TILE_ORDER, text, sizeof text), "order=ogi");
    want = (struct kn_tile){INT_MAX, INT_MAX, INT_MAX, INT_MAX, INT_MAX, INT_MAX, KN_ORDER_GOI, KN_KEEP_YES};
    kn_tile_format(&want, KN_TILE_ALL, text, sizeof text); /* the longest there is */
    assert_int_equal(kn_tile_parse(text, &tile), 0);
    assert_memory_equal(&tile, &want, sizeof tile);
}

static void malformed_tiles_are_refused_with_the_part(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "oc",           "oc=",           "oc=0",      "oc=-1",     "oc=4,",     ",oc=4",         "w=3",        "oc=4 ",
        "reg=14",       "reg=14x",       "reg=0x1",   "reg=1x0",   "order=iog", "order=",        "order=goix", "keep=1",
        "keep=default", "order=default", "oc=4,oc=4", "oc=4;ic=3", "defaults",  "oc=99999999999"};
    struct kn_tile tile;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(kn_tile_parse(bad[i], &tile), JRX_EINVAL);
    kn_tile_parse("oc=4,w=3,t=1", &tile);
    assert_non_null(strstr(jrx_last_error(), "'w=3'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_include_the_padding_channels),
        cmocka_unit_test(pointwise_flop_is_two_a_weight_and_pixel),
        cmocka_unit_test(taps_outside_the_grid_cost_nothing),
        cmocka_unit_test(a_separable_layer_is_its_two_halves),
        cmocka_unit_test(impossible_shapes_are_refused_with_the_value),
        cmocka_unit_test(layers_are_written_as_they_are_read),
        cmocka_unit_test(malformed_layers_are_refused_with_the_part),
        cmocka_unit_test(tiles_are_written_as_they_are_read),
        cmocka_unit_test(a_tile_has_a_register_block_an_order_and_a_place_for_what_lies_between),
        cmocka_unit_test(malformed_tiles_are_refused_with_the_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
