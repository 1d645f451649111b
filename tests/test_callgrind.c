/*
 * The cache simulator fed by traced kernels, against callgrind, which watches the compiled instructions: the same
 * geometry, operands in the same sets, the second of two calls, data misses of both caches. callgrind knows no
 * write-back; here one that misses is rare.
 */
#include "experiments/call.h"
#include "tests/support/program.h"
#include "tests/support/short_form.h"
#include "tests/support/test.h"
#include <unistd.h>

/*
 * callgrind also sees the stack, which is not traced. Left out for that are tilings whose working set just fills L1, so
 * that the lines of a frame push operands out: +12 % for the default of pointwise_bwd_weights here, +13 % and +6 % for
 * conv3x3_bwd_weights and conv3x3_fwd on conv:c32:k64, 156 subcarriers. Eight hot lines added to the trace give
 * callgrind's counts of the two gradients within 1 %.
 */
static const struct {
    const char *kernel, *layer;
    int f;
    const char *tile;
} pairs[] = {
    {"pointwise_fwd_avx2", "pw:c128:k128", 156, "default"},
    {"pointwise_fwd_avx2", "pw:c128:k128", 156, "oc=64,ic=32,f=24"},
    {"pointwise_fwd_avx2", "pw:c128:k128", 156, "oc=128,f=4,order=ogi"},
    {"pointwise_bwd_data_avx2", "pw:c128:k128", 156, "default"},
    {"pointwise_bwd_data_avx2", "pw:c128:k128", 156, "oc=32,ic=64,f=36"},
    {"pointwise_bwd_weights_avx2", "pw:c128:k128", 156, "oc=32,ic=64,f=8"},
    {"depthwise_fwd_avx2", "dw:c128:d2x3", 312, "default"},
    {"depthwise_fwd_avx2", "dw:c128:d2x3", 312, "oc=32,f=8"},
    {"depthwise_bwd_data_avx2", "dw:c128:d2x3", 312, "default"},
    {"depthwise_bwd_weights_avx2", "dw:c128:d2x3", 312, "default"},
    {"conv3x3_fwd_avx2", "conv:c64:k64", 312, "default"},
    {"conv3x3_fwd_avx2", "conv:c32:k64", 312, "oc=64"},
    {"conv3x3_bwd_data_avx2", "conv:c32:k64", 312, "default"},
    {"depthwise_bwd_data_avx2", "dw:c128:m2:d2x3", 312, "default"},
    {"separable_fwd_avx2", "sep:c64:k64:d2x3", 312, "default"},
    {"separable_bwd_data_avx2", "sep:c64:k64:d2x3", 156, "default"},
    {"separable_bwd_weights_avx2", "sep:c64:k64:d2x3", 312, "default"},
    {"norm_fwd_avx2", "norm:c128", 312, "default"},
    {"relu_fwd_avx2", "relu:c128", 312, "default"},
    {"add_fwd_avx2", "add:c128", 312, "default"},
};

/* D1 and LL misses, reads and writes: the 5th to 9th event of a summary without those of instructions. */
static void count_with_callgrind(struct program *p, const char *oracle, int i, double *l1, double *ll)
{
    char text[65536];
    double c[9];
    int status =
        program_shell(p,
                      "valgrind -q --tool=callgrind --cache-sim=yes --I1=32768,8,64 --D1=32768,8,64 --LL=1048576,16,64 "
                      "--toggle-collect=counted_call --callgrind-out-file=counts %s %s %s %d %s",
                      oracle, pairs[i].kernel, pairs[i].layer, pairs[i].f, pairs[i].tile);
    if (status)
        print_error("%s\n", p->err);
    assert_int_equal(status, 0);
    program_slurp(p, "counts", text, sizeof text);
    says(text, "events: Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw\n");
    const char *summary = strstr(text, "\nsummary: ");
    assert_non_null(summary);
    assert_int_equal(sscanf(summary, " summary: %lf %lf %lf %lf %lf %lf %lf %lf %lf", c, c + 1, c + 2, c + 3, c + 4,
                            c + 5, c + 6, c + 7, c + 8),
                     9);
    *l1 = c[4] + c[5];
    *ll = c[7] + c[8];
}

static void simulate(int i, double *l1, double *ll)
{
    struct ex_question question = {.kernel = kn_find(pairs[i].kernel),
                                   .shape = {.n = 1, .f = pairs[i].f, .t = 14},
                                   .geometry = {.levels = 2, .line_bytes = 64, .level = {{1 << 15, 8}, {1 << 20, 16}}},
                                   .sample = 1};
    enum kn_op op;
    struct ex_traffic traffic;
    assert_int_equal(kn_layer_parse(pairs[i].layer, &op, &question.shape), 0);
    assert_int_equal(kn_tile_parse(pairs[i].tile, &question.tile), 0);
    assert_int_equal(ex_simulate(&question, &traffic), 0);
    *l1 = *ll = 0;
    for (int tensor = 0; tensor < KN_OPERANDS; tensor++) {
        *l1 += traffic.misses[0][tensor];
        *ll += traffic.misses[1][tensor];
    }
}

static void misses_are_those_of_callgrind(void **state)
{
    (void)state;
    struct program p;
    char oracle[sizeof p.path + 16];
    if (test_is_short())
        skip_because("the short form does without callgrind");
    if (system("command -v valgrind >/dev/null"))
        skip_because("no valgrind (apt install valgrind)");
    if (!kn_runnable(kn_find("pointwise_fwd_avx2")))
        skip_because("this CPU has no AVX2, in which the traced kernels are built");
    program_init(&p);
    snprintf(oracle, sizeof oracle, "%s", p.path);
    strcpy(strstr(oracle, "/../joulerx"), "/oracle_callgrind");
    if (access(oracle, X_OK)) {
        program_fini(&p);
        skip_because("oracle_callgrind is not built beside this test");
    }
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        double l1, ll, their_l1, their_ll;
        simulate((int)i, &l1, &ll);
        count_with_callgrind(&p, oracle, (int)i, &their_l1, &their_ll);
        printf("%-28s %-22s L1 %8.0f callgrind %8.0f %+.2f %%, last %6.0f callgrind %6.0f %+.2f %%\n", pairs[i].kernel,
               pairs[i].tile, l1, their_l1, 100 * (l1 / their_l1 - 1), ll, their_ll, 100 * (ll / their_ll - 1));
        assert_relative(l1, their_l1, 0.02);
        assert_relative(ll, their_ll, 0.01);
    }
    program_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(misses_are_those_of_callgrind)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
