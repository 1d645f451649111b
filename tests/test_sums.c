/* Tilings and the order of sums: fields that kn_sum_fields() leaves out change no bit of a result, those it names do.
 */
#include "experiments/call.h"
#include "kernels/sums.h"
#include "tests/support/test.h"
#include <string.h>

/* More than one block of every axis, and ends that are no whole block. */
static const char *const layers[] = {"pw:c40:k72",        "dw:c32:m2:d2x3",      "dw:c48",     "conv:c40:k72",
                                     "conv:c40:k24:d2x3", "sep:c32:m2:k72:d2x3", "sep:c40:k24"};
static const struct {
    struct kn_tile tile;
    unsigned field; /* that it changes */
} tilings[] = {{{.oc = 16}, KN_TILE_OC},
               {{.oc = 32}, KN_TILE_OC},
               {{.oc = 80}, KN_TILE_OC},
               {{.ic = 7}, KN_TILE_IC},
               {{.ic = 16}, KN_TILE_IC},
               {{.f = 1}, KN_TILE_F},
               {{.f = 5}, KN_TILE_F},
               {{.f = 400}, KN_TILE_F},
               {{.t = 1}, KN_TILE_T},
               {{.t = 5}, KN_TILE_T},
               {{.px = 1, .vc = 1}, KN_TILE_REG},
               {{.px = 4, .vc = 1}, KN_TILE_REG},
               {{.order = KN_ORDER_GIO}, KN_TILE_ORDER},
               {{.order = KN_ORDER_OGI}, KN_TILE_ORDER},
               {{.order = KN_ORDER_IGO}, KN_TILE_ORDER},
               {{.keep = KN_KEEP_NO}, KN_TILE_KEEP}};
enum { LAYERS = sizeof layers / sizeof *layers, TILINGS = sizeof tilings / sizeof *tilings, ROWS = 21 };

static void run(struct ex_call *call, const struct kn_kernel *kernel, const struct kn_shape *shape,
                const struct kn_tile *tile)
{
    assert_int_equal(ex_call_init(call, kernel, shape, tile, 1, 7), 0);
    kernel->run(&call->args);
}

/* Whether all results of two calls are the same, bit by bit. */
static int alike(const struct ex_call *a, const struct ex_call *b)
{
    const struct kn_shape *s = &a->shape;
    const float *const one[] = {a->args.y, a->args.dx, a->args.dw, a->args.db};
    const float *const other[] = {b->args.y, b->args.dx, b->args.dw, b->args.db};
    const size_t floats[] = {kn_y_floats(s), kn_x_floats(s), kn_w_floats(a->kernel->op, s),
                             (size_t)kn_blocks(s->oc) * KN_LANES};
    int same = 1;
    for (int i = 0; i < 4; i++)
        same &= !one[i] || !memcmp(one[i], other[i], floats[i] * sizeof(float));
    return same;
}

/* Fields that change a bit of this kernel's results, of those that it has. */
static unsigned fields_that_matter(const struct kn_kernel *kernel)
{
    const struct kn_tile none = {0};
    unsigned matter = 0;
    for (int l = 0; l < LAYERS; l++) {
        struct kn_shape shape = {.n = 1, .f = ROWS, .t = 14};
        struct ex_call usual, other;
        enum kn_op op;
        assert_int_equal(kn_layer_parse(layers[l], &op, &shape), 0);
        if (op != kernel->op || kernel->supports(&shape, &none))
            continue;
        run(&usual, kernel, &shape, &none);
        for (int i = 0; i < TILINGS; i++) {
            if (kernel->supports(&shape, &tilings[i].tile))
                continue;
            run(&other, kernel, &shape, &tilings[i].tile);
            const int same = alike(&usual, &other);
            matter |= same ? 0 : tilings[i].field;
            if (!same && kn_same_sums(kernel, &shape, &none, &tilings[i].tile))
                fail_msg("%s, %s: tiling %d changes a bit", kernel->name, layers[l], i);
            ex_call_fini(&other);
        }
        ex_call_fini(&usual);
    }
    return matter;
}

static void the_fields_named_and_no_others_change_bits(void **state)
{
    (void)state;
    size_t count;
    const struct kn_kernel *const *all = kn_kernels(&count);
    for (size_t k = 0; k < count; k++)
        if (kn_runnable(all[k]) && all[k]->isa != KN_ISA_REF && all[k]->tile_fields) {
            const unsigned named = kn_sum_fields(all[k]->op, all[k]->dir) & all[k]->tile_fields;
            if (fields_that_matter(all[k]) != named)
                fail_msg("%s: fields %x change bits, %x are named", all[k]->name, fields_that_matter(all[k]), named);
        }
}

/* A value beyond the axis is the whole axis, and the default may be that, too. */
static void tilings_are_compared_as_the_kernel_takes_them(void **state)
{
    (void)state;
    const struct kn_kernel *kernel = kn_best(KN_POINTWISE, KN_BWD_WEIGHTS);
    const struct kn_shape shape = {1, 32, 32, 8, 14, 1, 1, 0};
    const struct kn_tile none = {0}, whole = {.f = 8}, more = {.f = 80, .oc = 16}, less = {.f = 4};
    assert_true(kn_same_sums(kernel, &shape, &none, &whole));
    assert_true(kn_same_sums(kernel, &shape, &more, &whole));
    assert_false(kn_same_sums(kernel, &shape, &less, &whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fields_named_and_no_others_change_bits),
        cmocka_unit_test(tilings_are_compared_as_the_kernel_takes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
