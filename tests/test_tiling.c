/*
 * Experiment tiling: its kinds against the network, its tilings against the kernels, its conclusions against tables
 * worked by hand, and a run of the program.
 */
#include "experiments/call.h"
#include "experiments/net_calls.h"
#include "experiments/tiling.h"
#include "harness/base/error.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"
#include <sys/stat.h>

/* ---- kinds and tilings ---- */

enum { GRID = 24, SYMBOLS = 14 };
static const char *const levels[] = {"sim_l1_bytes", "sim_l2_bytes", "sim_l3_bytes", "sim_dram_bytes"};

static struct kn_shape shape_of(const struct ex_tiling_kind *kind, enum kn_op *op)
{
    struct kn_shape shape = {.n = 1, .f = GRID, .t = SYMBOLS};
    assert_int_equal(kn_layer_parse(kind->layer, op, &shape), 0);
    return shape;
}

static int known_layer(const struct ex_net_layer *layer, int layers, enum kn_op op, const struct kn_shape *shape)
{
    for (int i = 0; i < layers; i++)
        if (layer[i].op == op && !memcmp(&layer[i].shape, shape, sizeof *shape))
            return 1;
    return 0;
}

static int known_call(const struct ex_net_call *call, int calls, enum kn_op op, enum kn_dir dir,
                      const struct kn_shape *shape)
{
    for (int i = 0; i < calls; i++)
        if (call[i].kernel->op == op && call[i].kernel->dir == dir && !memcmp(&call[i].shape, shape, sizeof *shape))
            return 1;
    return 0;
}

static void every_kind_is_a_call_that_deeprx_makes(void **state)
{
    (void)state;
    static struct ex_net_layer layer[EX_NET_LAYERS];
    static struct ex_net_call call[EX_NET_CALLS];
    struct nn_net *net;
    const int layers = ex_net_layers(rx_bodies(), GRID, layer);
    assert_true(layers > 0);
    assert_int_equal(ex_published_new(&net, rx_bodies()), 0);
    for (int k = 0; k < EX_TILING_KINDS; k++) {
        enum kn_op op;
        const struct ex_tiling_kind *kind = &ex_tiling_kinds[k];
        const struct kn_shape shape = shape_of(kind, &op);
        if (op != KN_SEPARABLE && kind->dir == KN_FWD) {
            assert_true(known_layer(layer, layers, op, &shape));
            continue;
        }
        const enum nn_mode mode = kind->dir == KN_FWD ? NN_FUSED_INFERENCE : NN_FUSED_TRAINING;
        const int calls = ex_net_calls(net, mode, 1, GRID, SYMBOLS, 1, call);
        assert_true(calls > 0);
        assert_true(known_call(call, calls, op, kind->dir, &shape));
    }
    ex_published_free(net);
}

static const struct ex_tiling_kind *kind_named(const char *name)
{
    for (int k = 0; k < EX_TILING_KINDS; k++)
        if (!strcmp(ex_tiling_kinds[k].name, name))
            return &ex_tiling_kinds[k];
    fail();
    return NULL;
}

/* Each operator with weights is there; first, last and widest layers are what their names say. */
static void kinds_are_the_first_the_last_and_the_widest_of_their_operators(void **state)
{
    (void)state;
    static struct ex_net_layer layer[EX_NET_LAYERS];
    const int layers = ex_net_layers(rx_bodies(), GRID, layer);
    unsigned ops = 0;
    enum kn_op op;
    const struct kn_shape in = shape_of(kind_named("conv-in"), &op), out = shape_of(kind_named("pointwise-out"), &op),
                          wide = shape_of(kind_named("depthwise-wide"), &op),
                          down = shape_of(kind_named("pointwise-down"), &op),
                          up = shape_of(kind_named("pointwise-up"), &op);
    for (int k = 0; k < EX_TILING_KINDS; k++) {
        shape_of(&ex_tiling_kinds[k], &op);
        ops |= 1u << op;
    }
    assert_int_equal(memcmp(&layer[0].shape, &in, sizeof in), 0);
    assert_int_equal(memcmp(&layer[layers - 1].shape, &out, sizeof out), 0);
    for (int i = 0; i < layers; i++) {
        const struct kn_shape *s = &layer[i].shape;
        if (!layer[i].conv)
            continue;
        assert_true(ops >> layer[i].op & 1);
        if (layer[i].op == KN_DEPTHWISE)
            assert_true(s->oc <= wide.oc && s->dil_f <= wide.dil_f && s->dil_t <= wide.dil_t);
        if (layer[i].op == KN_POINTWISE)
            assert_true(s->ic * s->oc <= down.ic * down.oc);
        if (layer[i].op == KN_POINTWISE && s->oc > s->ic)
            assert_true(s->ic * s->oc <= up.ic * up.oc);
    }
    assert_true(down.oc < down.ic && up.oc > up.ic && out.oc == RX_LOGITS);
}

/* On the grid of a slot, by every variant that runs here: accepted, different, and as many operations. */
static void tilings_of_a_layer_differ_and_compute_the_same(void **state)
{
    (void)state;
    size_t count;
    const struct kn_kernel *const *all = kn_kernels(&count);
    for (size_t v = 0; v < count; v++)
        for (int k = 0; k < EX_TILING_KINDS; k++) {
            enum kn_op op;
            const struct ex_tiling_kind *kind = &ex_tiling_kinds[k];
            struct kn_shape shape = shape_of(kind, &op);
            struct kn_tile tile[EX_TILINGS];
            shape.f = 312;
            if (all[v]->op != op || all[v]->dir != kind->dir || !kn_runnable(all[v]) || all[v]->isa == KN_ISA_REF ||
                all[v]->isa >= KN_ISA_BLAS)
                continue;
            for (int i = 0; i < EX_TILINGS; i++) {
                struct kn_work work, first;
                assert_int_equal(kn_tile_parse(kind->tiling[i], &tile[i]), 0);
                assert_int_equal(all[v]->supports(&shape, &tile[i]), 0);
                all[v]->work(&shape, &tile[0], &first);
                all[v]->work(&shape, &tile[i], &work);
                assert_true(work.flop == first.flop && work.flop == kn_flop(op, kind->dir, &shape));
                tile[i] = all[v]->resolve(&shape, &tile[i]);
                for (int other = 0; other < i; other++)
                    if (!memcmp(&tile[other], &tile[i], sizeof *tile))
                        fail_msg("%s, %s: %s is %s", all[v]->name, kind->name, kind->tiling[i], kind->tiling[other]);
            }
        }
}

/* ---- conclusions ---- */

struct made {
    double ratio[EX_TILING_KINDS][2]; /* most over least traffic, in even and odd repetitions */
    const char *source;
    int reps, other_flop, missing; /* the last two: a cell, or -1 */
};

/* Seven tilings: time [us] and energy [mJ] in even and odd repetitions; the last is the made ratio times the first. */
static const double time_us[EX_TILINGS - 1][2] = {{4, 4}, {1, 3}, {2, 2}, {5, 5}, {6, 6}, {6, 6}};
static const double energy_mj[EX_TILINGS - 1][2] = {{4, 4}, {2, 2}, {2, 2}, {1, 1.6}, {9, 9}, {9, 9}};

struct fixture {
    char root[TREE_PATH];
    struct ex_claim claim[EX_MAX_CLAIMS];
};

static void put_row(FILE *to, const struct made *made, int cell, int rep)
{
    char name[128];
    const int kind = cell / EX_TILINGS, i = cell % EX_TILINGS, odd = rep % 2;
    const double ratio = made->ratio[kind][odd];
    fprintf(to, "\"%s\",%d,%s,some_kernel,\"oc=%d\",%d,%.17g,%.17g,%s", ex_tiling_label(cell, name, sizeof name), rep,
            ex_tiling_kinds[kind].layer, i, cell == made->other_flop ? 1 : 1000000,
            1e3 * (i < EX_TILINGS - 1 ? time_us[i][odd] : 4 * ratio),
            1e-3 * (i < EX_TILINGS - 1 ? energy_mj[i][odd] : 4 * ratio), made->source);
    /* l1 to dram: 5000, 200 + 100 i, half of that, nothing; in, weight, bias, out, workspace */
    const double level[] = {5000, 200 + 100 * i, 100 + 50 * i, 0};
    for (int l = 0; l < EX_TILING_LEVELS; l++)
        fprintf(to, ",%g,%g,%g,%g,%g,%g", level[l], 0.5 * level[l], 0.25 * level[l], 0.0, 0.125 * level[l],
                0.125 * level[l]);
    fputc('\n', to);
}

static int conclude(struct fixture *f, const struct made *made)
{
    char path[TREE_PATH + 32], column[64];
    struct jrx_csv *csv;
    tree_new(f->root);
    struct ex_run run = {0};
    snprintf(run.dir, sizeof run.dir, "%s", f->root);
    snprintf(path, sizeof path, "%s/samples.csv", f->root);
    FILE *to = fopen(path, "we");
    assert_non_null(to);
    fprintf(to, "cell,rep,layer,kernel,tile,flop,time_ns,energy_j,energy_source");
    for (int l = 0; l < EX_TILING_LEVELS; l++) {
        fprintf(to, ",%s", levels[l]);
        for (int t = 0; t < EX_TILING_TENSORS; t++)
            fprintf(to, ",%s", ex_tiling_column(l, t, column, sizeof column));
    }
    fputc('\n', to);
    for (int rep = 0; rep < made->reps; rep++)
        for (int cell = EX_TILING_CELLS - 1; cell >= 0; cell--) /* the order of rows says nothing */
            if (cell != made->missing)
                put_row(to, made, cell, rep);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    int claims = ex_tiling_conclude(&run, csv, f->claim, EX_MAX_CLAIMS);
    jrx_csv_free(csv);
    return claims;
}

/* Half of the kinds with a ratio, the other half with another. */
static struct made made_of(double some, double others)
{
    struct made made = {.source = "measured", .reps = 4, .other_flop = -1, .missing = -1};
    for (int k = 0; k < EX_TILING_KINDS; k++)
        made.ratio[k][0] = made.ratio[k][1] = k < EX_TILING_KINDS / 2 ? some : others;
    return made;
}

static struct jrx_csv *read_table(const struct fixture *f, const char *name, const struct jrx_schema *schema)
{
    char path[TREE_PATH + 32];
    struct jrx_csv *csv;
    snprintf(path, sizeof path, "%s/%s", f->root, name);
    assert_int_equal(jrx_csv_read(&csv, path, schema), 0);
    return csv;
}

static double at(const struct jrx_csv *csv, size_t row, const char *column)
{
    double value = NAN;
    int c = jrx_csv_find(csv, column);
    if (c < 0 || jrx_csv_real(csv, row, (size_t)c, &value))
        fail_msg("%s", column);
    return value;
}

static void is_claim(const struct ex_claim *claim, const char *id, enum ex_verdict verdict, double figure)
{
    assert_string_equal(claim->id, id);
    assert_string_equal(ex_verdict_name(claim->verdict), ex_verdict_name(verdict));
    assert_relative(claim->figure, figure, 1e-9);
}

/* Ratios 2 and 8, concluded once for the tests that read what came of it. */
static int setup(void **state)
{
    static struct fixture f;
    const struct made made = made_of(2, 8);
    return conclude(*state = &f, &made) != 2;
}

static int teardown(void **state)
{
    tree_free(((struct fixture *)*state)->root);
    return 0;
}

/* Ratios 2 and 8: their geometric mean is 4. */
static void claims_are_the_geometric_mean_over_kinds_of_most_over_least_traffic(void **state)
{
    const struct fixture *done = *state;
    struct fixture f;
    is_claim(&done->claim[0], "tiling-energy", EX_SUPPORTED, 4);
    is_claim(&done->claim[1], "tiling-time", EX_SUPPORTED, 4);
    assert_relative(done->claim[1].lo, 4, 1e-9);
    says(done->claim[1].note, "from 2 (conv-in) to 8 (pointwise-out)");
    assert_true(strlen(done->claim[1].note) < sizeof done->claim[1].note - 20);
    struct made made = made_of(0.25, 0.5);
    made.source = "estimated"; /* never a verdict on energy */
    assert_int_equal(conclude(&f, &made), 2);
    is_claim(&f.claim[0], "tiling-energy", EX_NOT_TESTABLE, sqrt(0.125));
    is_claim(&f.claim[1], "tiling-time", EX_REFUTED, sqrt(0.125));
    tree_free(f.root);
    made = made_of(2, 2); /* half of the repetitions say so, half the contrary */
    for (int k = 0; k < EX_TILING_KINDS; k++)
        made.ratio[k][1] = 0.5;
    assert_int_equal(conclude(&f, &made), 2);
    is_claim(&f.claim[1], "tiling-time", EX_INCONCLUSIVE, 1.25); /* median of 2, 2, 0.5, 0.5 */
    tree_free(f.root);
}

/* In the even repetitions the second tiling is fastest by far, in the odd ones it is not: the latter are reported. */
static void the_best_are_chosen_by_one_half_and_compared_in_the_other(void **state)
{
    const struct fixture *done = *state;
    struct fixture f;
    static const struct {
        const char *column;
        double value;
    } expected[] = {
        {"default_time_ratio", 4.0 / 3},  {"default_energy_ratio", 4 / 1.6},  {"default_bytes_ratio", 1},
        {"by_bytes_time_ratio", 4.0 / 3}, {"by_bytes_energy_ratio", 4 / 1.6}, {"by_time_energy_ratio", 2 / 1.6},
        {"by_time_bytes_ratio", 1.5},     {"by_energy_time_ratio", 5.0 / 3},  {"by_energy_bytes_ratio", 2.5},
        {"traffic_bytes_ratio", 4},       {"traffic_time_ratio", 2},          {"traffic_energy_ratio", 2},
        {"worst_time_ratio", 8.0 / 3},    {"worst_energy_ratio", 9 / 1.6},    {"fronts", 3}};
    struct jrx_csv *csv = read_table(done, "layers.csv", &ex_tiling_layers);
    assert_int_equal(jrx_csv_rows(csv), EX_TILING_KINDS);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_relative(at(csv, 0, expected[i].column), expected[i].value, 1e-9);
    assert_relative(at(csv, EX_TILING_KINDS - 1, "traffic_time_ratio"), 8, 1e-9);
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "best_time")), ex_tiling_kinds[0].tiling[1]);
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "best_energy")), ex_tiling_kinds[0].tiling[3]);
    assert_string_equal(jrx_csv_text(csv, 0, (size_t)jrx_csv_find(csv, "best_bytes")), "default");
    jrx_csv_free(csv);
    struct made one = made_of(2, 8); /* nothing is left to report on */
    one.reps = 1;
    assert_int_equal(conclude(&f, &one), 2);
    csv = read_table(&f, "layers.csv", &ex_tiling_layers);
    assert_true(isnan(at(csv, 0, "default_time_ratio")) && !isnan(at(csv, 0, "default_bytes_ratio")));
    jrx_csv_free(csv);
    tree_free(f.root);
}

/* Times 4, 2, 2, 5, 6, 6, 8, energies 4, 2, 2, 1.3, 9, 9, 8 (medians of all repetitions), bytes ascending: the second
 * is no worse than the third in anything, and the first and fourth have least bytes and energy. */
static void marks_fronts_and_tensors_stand_beside_each_tiling(void **state)
{
    static const int front[EX_TILINGS] = {1, 1, 0, 1, 0, 0, 0};
    struct jrx_csv *csv = read_table(*state, "summary.csv", &ex_tiling_summary);
    assert_int_equal(jrx_csv_rows(csv), EX_TILING_CELLS);
    for (size_t row = 0; row < EX_TILING_CELLS; row++) {
        const int i = (int)row % EX_TILINGS;
        assert_near(at(csv, row, "front"), front[i], 0);
        assert_near(at(csv, row, "is_default"), i == 0, 0);
        assert_near(at(csv, row, "best_time"), i == 1, 0);
        assert_near(at(csv, row, "best_energy"), i == 3, 0);
        assert_near(at(csv, row, "best_bytes"), i == 0, 0);
        assert_near(at(csv, row, "most_bytes"), i == EX_TILINGS - 1, 0);
        assert_near(at(csv, row, "sim_bytes"), 1.5 * (200 + 100 * i), 0);
        assert_near(at(csv, row, "sim_l3_weight_bytes"), 0.25 * (100 + 50 * i), 0);
    }
    assert_relative(at(csv, 0, "time_ms"), 4e-3, 1e-9);
    assert_relative(at(csv, 1, "time_ms"), 2e-3, 1e-9);
    assert_relative(at(csv, 0, "rate_flop_per_s"), 1e6 / 4e-6, 1e-9);
    assert_relative(at(csv, 1, "rate_ci_hi_flop_per_s"), 1e6 / (1e-3 * at(csv, 1, "time_ci_lo_ms")), 1e-9);
    assert_relative(at(csv, 3, "energy_mj"), 1.3, 1e-9);
    jrx_csv_free(csv);
}

static void tables_that_cannot_be_compared_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct made made = made_of(2, 8);
    made.other_flop = 16;
    assert_int_equal(conclude(&f, &made), JRX_EFORMAT);
    says(jrx_last_error(), "depthwise-wide,oc=512,f=1 has 1 FLOP");
    tree_free(f.root);
    made = made_of(2, 8);
    made.missing = 30;
    assert_int_equal(conclude(&f, &made), JRX_EFORMAT);
    says(jrx_last_error(), "pointwise-down,oc=32,f=312");
    tree_free(f.root);
}

/* ---- a run ---- */

static void a_run_has_equal_flop_and_the_tensors_of_a_level_make_it_up(void **state)
{
    (void)state;
    struct program p;
    struct jrx_csv *csv;
    program_init(&p);
    assert_int_equal(program_run(&p, "run tiling --dry-run --preset=quick"), 0);
    says(p.out, "70 cells, 9 times each");
    assert_int_equal(program_run(&p, "run tiling -q --preset=smoke --reps=2 --grid-f=24 --meter=model --out=r"), 0);
    char path[TREE_PATH + 64], column[64];
    double flop[EX_TILING_KINDS] = {0};
    snprintf(path, sizeof path, "%s/r/tiling/samples.csv", p.dir);
    assert_int_equal(jrx_csv_read(&csv, path, NULL), 0);
    assert_int_equal(jrx_csv_rows(csv), 2 * EX_TILING_CELLS);
    for (size_t row = 0; row < jrx_csv_rows(csv); row++) {
        const char *name = jrx_csv_text(csv, row, (size_t)jrx_csv_find(csv, "kind"));
        const long kind = kind_named(name) - ex_tiling_kinds;
        flop[kind] = flop[kind] > 0 ? flop[kind] : at(csv, row, "flop");
        assert_near(at(csv, row, "flop"), flop[kind], 0);
        assert_relative(at(csv, row, "rate_flop_per_s"), flop[kind] / (1e-9 * at(csv, row, "time_ns")), 1e-12);
        for (int level = 0; level < EX_TILING_LEVELS; level++) {
            double sum = 0;
            for (int tensor = 0; tensor < EX_TILING_TENSORS; tensor++)
                sum += at(csv, row, ex_tiling_column(level, tensor, column, sizeof column));
            assert_near(sum, at(csv, row, levels[level]), 0);
        }
    }
    jrx_csv_free(csv);
    assert_int_equal(program_shell(&p, "cd r/tiling && ls layers.csv tiling.svg tiling.png tiling.pdf "
                                       "tiling-tensors.svg tiling-tensors.png tiling-tensors.pdf && "
                                       "grep -c '<img' ../report.html | grep -qx 2"),
                     0);
    program_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_a_call_that_deeprx_makes),
        cmocka_unit_test(kinds_are_the_first_the_last_and_the_widest_of_their_operators),
        cmocka_unit_test(tilings_of_a_layer_differ_and_compute_the_same),
        cmocka_unit_test(claims_are_the_geometric_mean_over_kinds_of_most_over_least_traffic),
        cmocka_unit_test(the_best_are_chosen_by_one_half_and_compared_in_the_other),
        cmocka_unit_test(marks_fronts_and_tensors_stand_beside_each_tiling),
        cmocka_unit_test(tables_that_cannot_be_compared_are_refused),
        cmocka_unit_test(a_run_has_equal_flop_and_the_tensors_of_a_level_make_it_up),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
