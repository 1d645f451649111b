/*
 * models/energy/count.h against the cache simulator: bytes of a warm call at every level, on the layers that kernels
 * are judged by. Both ways of counting are exact arithmetic, so nothing here depends on the machine but which kernels
 * it can run.
 */
#include "experiments/call.h"
#include "experiments/measured.h"
#include "harness/base/error.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"

static const char *const layers[] = {"pw:c64:k64",         "pw:c64:k128",
                                     "pw:c128:k128",       "pw:c128:k256",
                                     "pw:c256:k256",       "pw:c256:k512",
                                     "pw:c512:k256",       "conv:c10:k64",
                                     "conv:c64:k64",       "conv:c128:k128",
                                     "conv:c64:k8",        "dw:c64",
                                     "dw:c64:d2x3",        "dw:c64:d3x6",
                                     "dw:c64:m2",          "dw:c64:m2:d2x3",
                                     "dw:c64:m2:d3x6",     "dw:c128",
                                     "dw:c128:d2x3",       "dw:c128:d3x6",
                                     "dw:c128:m2",         "dw:c128:m2:d2x3",
                                     "dw:c128:m2:d3x6",    "dw:c256",
                                     "dw:c256:d2x3",       "dw:c256:d3x6",
                                     "dw:c256:m2",         "dw:c256:m2:d2x3",
                                     "dw:c256:m2:d3x6",    "dw:c512",
                                     "dw:c512:d2x3",       "dw:c512:d3x6",
                                     "dw:c512:m2",         "dw:c512:m2:d2x3",
                                     "dw:c512:m2:d3x6",    "sep:c64:k64",
                                     "sep:c64:k128:d2x3",  "sep:c128:k128:d2x3",
                                     "sep:c128:k256:d2x3", "sep:c512:k512:d2x3",
                                     "sep:c256:k256:d3x6", "norm:c128",
                                     "relu:c128",          "add:c128"};
enum { LAYERS = sizeof layers / sizeof *layers };

struct tally {
    int cases, near;
    double worst; /* modelled over simulated, the furthest from 1 */
    char where[EX_CELL_TEXT];
};

/* Less than a hundredth of the operands is nothing: what is left of a layer that fits is a few lines. */
static double ratio_of(double modelled, double simulated, double operands)
{
    if (modelled < 0.01 * operands && simulated < 0.01 * operands)
        return 1;
    return simulated > 0 ? modelled / simulated : (double)INFINITY;
}

static void compare(const struct ex_cell *cell, const struct jrx_cache_geometry *geometry,
                    struct tally tally[EX_CACHES])
{
    const struct ex_question question = {cell->kernel, cell->shape, cell->asked, *geometry, 1};
    struct ex_traffic traffic;
    double model[EX_CACHES + 1];
    assert_int_equal(ex_simulate(&question, &traffic), 0);
    assert_int_equal(ex_cell_model(cell, geometry, model), 0);
    const double simulated[] = {traffic.l1_bytes, traffic.l2_bytes, traffic.l3_bytes, traffic.dram_bytes};
    double operands = 4. * (double)(kn_x_floats(&cell->shape) + kn_y_floats(&cell->shape) +
                                    kn_w_floats(cell->kernel->op, &cell->shape));
    for (int level = 0; level < EX_CACHES; level++) {
        struct tally *t = &tally[level];
        double ratio = ratio_of(model[level + 1], simulated[level + 1], operands);
        t->cases++;
        t->near += fabs(ratio - 1) <= 0.1;
        if (fabs(ratio - 1) >= fabs(t->worst - 1)) {
            t->worst = ratio;
            ex_cell_label(cell, t->where);
        }
    }
}

/* The largest layers take seconds to simulate: the whole list has them, a choice of it does without. */
static int takes_long(const struct ex_cell *cell)
{
    struct kn_work work;
    cell->kernel->work(&cell->shape, &cell->asked, &work);
    return work.flop > 2e9 * cell->shape.n;
}

/* All directions of the list's layers that instruction set `isa` has kernels for; every `step`-th of the cases. */
static int compare_all(enum kn_isa isa, const char *caches, const char *tile, int batch, int step,
                       struct tally tally[EX_CACHES])
{
    struct jrx_cache_geometry geometry;
    size_t count;
    int at = 0;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    memset(tally, 0, EX_CACHES * sizeof *tally);
    for (int level = 0; level < EX_CACHES; level++)
        tally[level].worst = 1;
    assert_int_equal(jrx_cache_geometry_parse(caches, &geometry), 0);
    for (size_t k = 0; k < count; k++)
        for (int i = 0; i < LAYERS && kernels[k]->isa == isa && kn_runnable(kernels[k]); i++) {
            struct ex_cell cell = {.kernel = kernels[k], .shape = {.n = batch, .f = 312, .t = 14}, .threads = 1};
            enum kn_op op;
            assert_int_equal(kn_layer_parse(layers[i], &op, &cell.shape), 0);
            assert_int_equal(kn_tile_parse(tile, &cell.asked), 0);
            if (op != kernels[k]->op || kernels[k]->supports(&cell.shape, &cell.asked) || at++ % step ||
                (step > 1 && takes_long(&cell)))
                continue;
            cell.tile = kernels[k]->resolve(&cell.shape, &cell.asked);
            compare(&cell, &geometry, tally);
        }
    for (int level = 0; level < EX_CACHES && at; level++)
        print_message("%s L%d, %s, %s, batch %d: %d of %d within 10 %%, worst %.2f: %s\n", kn_isa_name(isa), level + 1,
                      caches, tile, batch, tally[level].near, tally[level].cases, tally[level].worst,
                      tally[level].where);
    return at;
}

static const char *const two_machines[] = {"48K/12,1M/16,32M/16", "32K/8,1M/16,32M/16"};

static void bytes_of_every_layer_are_within_a_tenth_of_the_simulated_ones(void **state)
{
    (void)state;
    struct tally tally[EX_CACHES];
    for (int i = 0; i < 2; i++) {
        if (!compare_all(KN_ISA_AVX512, two_machines[i], "default", 1, (i ? 11 : 1) * (test_is_short() ? 9 : 1), tally))
            skip_because("no AVX-512 here");
        for (int level = 0; level < EX_CACHES; level++)
            assert_int_equal(tally[level].near, tally[level].cases);
    }
}

/*
 * Off the list's own terms: other tilings, caches, batches and narrower vectors. Here a working set is now and then
 * within a few lines of a cache's size, and the model takes the wrong side. Known to be outside a tenth: first level,
 * AVX2, dense 3x3 of 64 channels or fewer (up to 1.9 times); tiles of 64 x 128 channels (1.5); a working set at the
 * size of the second level (1.5). Seen: 98 % of all within a tenth; here
 * every 23rd is looked at, the largest left out.
 */
static void bytes_of_other_tilings_are_near_the_simulated_ones(void **state)
{
    (void)state;
    static const struct {
        enum kn_isa isa;
        const char *caches, *tile;
        int batch;
    } other[] = {
        {KN_ISA_AVX512, "48K/12,1M/16,32M/16", "f=4", 1},      {KN_ISA_AVX512, "48K/12,1M/16,32M/16", "f=24", 1},
        {KN_ISA_AVX512, "48K/12,1M/16,32M/16", "oc=64", 1},    {KN_ISA_AVX512, "32K/8,256K/8,8M/16", "default", 1},
        {KN_ISA_AVX512, "48K/12,1M/16,32M/16", "default", 4},  {KN_ISA_AVX2, "48K/12,1M/16,32M/16", "default", 1},
        {KN_ISA_BASELINE, "48K/12,1M/16,32M/16", "default", 1}};
    int cases = 0, near = 0;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        struct tally tally[EX_CACHES];
        compare_all(other[i].isa, other[i].caches, other[i].tile, other[i].batch, test_is_short() ? 67 : 23, tally);
        for (int level = 0; level < EX_CACHES; level++) {
            cases += tally[level].cases;
            near += tally[level].near;
            if (tally[level].cases && !(tally[level].worst > 0.5 && tally[level].worst < 2))
                fail_msg("worst %g: %s", tally[level].worst, tally[level].where);
        }
    }
    print_message("%d of %d within 10 %%\n", near, cases);
    /* a short list may hold one of the few: one more */
    assert_true(cases > 0 && near + test_is_short() >= 0.95 * cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_every_layer_are_within_a_tenth_of_the_simulated_ones),
        cmocka_unit_test(bytes_of_other_tilings_are_near_the_simulated_ones),
    };
    setenv("JOULERX_CACHE", "", 1); /* simulate, do not read back */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
