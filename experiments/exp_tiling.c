/*
 * What does the tiling of a loop nest cost? Every kind of layer that DeepRx has, the same FLOPs under several tilings:
 * run time, energy, and the bytes of each tensor that move between the caches.
 */
#include "experiments/call.h"
#include "experiments/tiling.h"
#include "harness/base/error.h"
#include "kernels/sums.h"
#include "models/link/slot.h"
#include "models/nn/run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct ex_tiling_kind ex_tiling_kinds[EX_TILING_KINDS] = {
    {"conv-in",
     "conv:c10:k64",
     KN_FWD,
     {"default", "oc=16,f=1", "oc=64,f=1", "oc=16,f=312", "oc=32,ic=5,f=104", "oc=64,ic=2,f=39", "oc=16,ic=1,f=312"}},
    {"depthwise",
     "dw:c64:m2",
     KN_FWD,
     {"default", "oc=16,f=1", "oc=128,f=1", "oc=128,f=12", "oc=64,f=12,t=7", "oc=64,f=39,t=1", "oc=128,f=1,t=1"}},
    {"depthwise-wide",
     "dw:c256:m2:d6x3",
     KN_FWD,
     {"default", "oc=16,f=1", "oc=512,f=1", "oc=512,f=12", "oc=64,f=12,t=7", "oc=64,f=39,t=1", "oc=512,f=1,t=1"}},
    {"pointwise-up",
     "pw:c128:k256",
     KN_FWD,
     {"default", "oc=256,f=1", "oc=32,f=312", "oc=64,ic=64,f=39", "oc=32,ic=32,f=312", "oc=256,ic=32,f=312",
      "oc=16,ic=16,f=312"}},
    {"pointwise-down",
     "pw:c512:k256",
     KN_FWD,
     {"default", "oc=256,f=1", "oc=32,f=312", "oc=64,ic=64,f=39", "oc=32,ic=32,f=312", "oc=256,ic=32,f=312",
      "oc=16,ic=16,f=312"}},
    {"pointwise-out",
     "pw:c64:k8",
     KN_FWD,
     {"default", "f=1", "f=312", "ic=16,f=12", "ic=16,f=312", "ic=4,f=39", "ic=4,f=312,t=7"}},
    {"fused",
     "sep:c64:m2:k64",
     KN_FWD,
     {"default", "oc=64,f=1", "oc=64,f=12", "oc=16,f=1", "oc=32,f=312", "oc=32,f=12,keep=no", "oc=16,f=312,keep=no"}},
    {"fused-wide",
     "sep:c256:m2:k256:d6x3",
     KN_FWD,
     {"default", "oc=256,f=1", "oc=256,f=12", "oc=16,f=1", "oc=32,f=312", "oc=256,f=12,keep=no",
      "oc=16,f=312,keep=no"}},
    {"pointwise-data",
     "pw:c512:k256",
     KN_BWD_DATA,
     {"default", "ic=512,f=1", "ic=32,f=312", "oc=64,ic=64,f=39", "oc=32,ic=32,f=312", "oc=32,ic=512,f=312",
      "oc=16,ic=16,f=312"}},
    {"pointwise-weights",
     "pw:c512:k256",
     KN_BWD_WEIGHTS,
     {"default", "oc=256,f=12", "oc=256,ic=64,f=3", "oc=64,ic=64,f=39", "oc=32,ic=32,f=312", "oc=256,ic=16,f=312",
      "oc=16,ic=16,f=312"}},
};

static const struct jrx_column columns[] = {
    EX_CALL_COLUMNS,
    {"kind", JRX_TEXT, "kind of layer"},
    {"tiling", JRX_TEXT, "default, which is what a network takes on this machine, or what was asked for"},
    {"tile", JRX_TEXT, "the tiling as the kernel resolved it"},
    {"rate_flop_per_s", JRX_REAL, "useful FLOP over the wall time of one call; measured"},
    EX_TILING_BYTES,
};

/* The tilings of a layer run on the same buffers: none of them is lucky with its pages. */
struct state {
    struct jrx_cache_geometry geometry;
    struct ex_call call[EX_TILING_KINDS];
    struct kn_tile tile[EX_TILING_CELLS];
    struct ex_traffic traffic[EX_TILING_CELLS];
    int simulated[EX_TILING_CELLS];
    uint64_t iters[EX_TILING_CELLS];
};

char *ex_tiling_label(int cell, char *text, size_t size)
{
    const struct ex_tiling_kind *kind = &ex_tiling_kinds[cell / EX_TILINGS];
    snprintf(text, size, "%s,%s", kind->name, kind->tiling[cell % EX_TILINGS]);
    return text;
}

char *ex_tiling_column(int level, int tensor, char *text, size_t size)
{
    static const char *const levels[EX_TILING_LEVELS] = {"l1", "l2", "l3", "dram"};
    const int all = tensor == EX_TILING_ALL;
    snprintf(text, size, "sim_%s%s%s_bytes", levels[level], all ? "" : "_", all ? "" : ex_operand_names[tensor]);
    return text;
}

static void label(const struct ex_settings *settings, int cell, char *text, size_t size)
{
    (void)settings;
    ex_tiling_label(cell, text, size);
}

/* The call of a kind on the preset's grid. */
static int call_of(const struct ex_settings *settings, const struct ex_tiling_kind *kind,
                   const struct kn_kernel **kernel, struct kn_shape *shape)
{
    enum kn_op op;
    *shape = (struct kn_shape){.n = 1, .f = settings->preset->grid_f, .t = LK_SYMBOLS};
    int status = kn_layer_parse(kind->layer, &op, shape);
    *kernel = status ? NULL : kn_best(op, kind->dir);
    return status;
}

/* What is asked of the kernel: for the default, what a network asks, which takes none that changes a bit. */
static int tile_of(const struct ex_settings *settings, int cell, const struct kn_kernel *kernel,
                   const struct kn_shape *shape, struct kn_tile *tile)
{
    const char *text = ex_tiling_kinds[cell / EX_TILINGS].tiling[cell % EX_TILINGS];
    const struct nn_tilings *known = settings->tilings;
    const struct kn_tile none = {0};
    int status = kn_tile_parse(text, tile);
    if (!status && cell % EX_TILINGS == 0 && known) {
        *tile = known->get(known->self, kernel, shape, 1);
        *tile = kn_same_sums(kernel, shape, tile, &none) ? *tile : none;
    }
    return status ? status : kernel->supports(shape, tile);
}

/* A window, or a call that is longer; and its share of simulating the cell, as if that had never been done. */
static double cell_s(const struct ex_settings *settings, int cell)
{
    static const double accesses_per_s = 110e6, vector_bytes = 64;
    const struct kn_kernel *kernel;
    struct kn_shape shape;
    struct kn_tile tile;
    struct kn_work work;
    const double window_s = 1.2 * settings->preset->window_s;
    if (call_of(settings, &ex_tiling_kinds[cell / EX_TILINGS], &kernel, &shape) ||
        tile_of(settings, cell, kernel, &shape, &tile))
        return window_s;
    kernel->work(&shape, &tile, &work);
    const double call_s = 1.2 * work.flop * settings->threads / settings->flop_per_s,
                 simulate_s = 2 * (work.load_bytes + work.store_bytes) / vector_bytes / accesses_per_s;
    return fmax(window_s, call_s) + simulate_s / settings->preset->reps;
}

static int plan(const struct ex_settings *settings, struct ex_plan *plan)
{
    double all_s = 0;
    for (int cell = 0; cell < EX_TILING_CELLS; cell++)
        all_s += cell_s(settings, cell);
    *plan = (struct ex_plan){
        .cells = EX_TILING_CELLS, .reps = settings->preset->reps, .shuffled = 1, .item_s = all_s / EX_TILING_CELLS};
    return 0;
}

/* Buffers for the tiling that needs the most of them. */
static int prepare(struct ex_run *run, int kind)
{
    struct state *state = run->state;
    const struct kn_kernel *kernel;
    struct kn_shape shape;
    size_t most = 0;
    int status = call_of(run->settings, &ex_tiling_kinds[kind], &kernel, &shape), largest = kind * EX_TILINGS;
    for (int cell = kind * EX_TILINGS; cell < (kind + 1) * EX_TILINGS && !status; cell++) {
        status = tile_of(run->settings, cell, kernel, &shape, &state->tile[cell]);
        size_t bytes = status ? 0 : kernel->workspace_bytes(&shape, &state->tile[cell], 1);
        if (bytes > most) {
            most = bytes;
            largest = cell;
        }
    }
    return status ? status
                  : ex_call_init(&state->call[kind], kernel, &shape, &state->tile[largest], 1, run->settings->seed);
}

static int begin(struct ex_run *run)
{
    struct state *state = run->state = calloc(1, sizeof *state);
    int status = state ? ex_geometry(run->settings, &state->geometry) : jrx_fail(JRX_ENOMEM, "tiling: no memory");
    for (int kind = 0; kind < EX_TILING_KINDS && !status; kind++)
        status = prepare(run, kind);
    return status;
}

static void end(struct ex_run *run)
{
    struct state *state = run->state;
    for (int kind = 0; state && kind < EX_TILING_KINDS; kind++)
        ex_call_fini(&state->call[kind]);
    free(state);
    run->state = NULL;
}

static int cell(struct ex_run *run, int cell, int rep, struct jrx_table *samples, char *words, size_t size)
{
    (void)rep;
    struct state *state = run->state;
    const struct ex_tiling_kind *kind = &ex_tiling_kinds[cell / EX_TILINGS];
    struct ex_call *call = &state->call[cell / EX_TILINGS];
    struct ex_traffic *traffic = &state->traffic[cell];
    const struct kn_kernel *kernel = call->kernel;
    const struct ex_question question = {kernel, call->shape, state->tile[cell], state->geometry, 1};
    const struct kn_tile resolved = kernel->resolve(&call->shape, &state->tile[cell]);
    char text[KN_TILE_TEXT];
    double time_ns = NAN;
    int status = state->simulated[cell] ? 0 : ex_simulate(&question, traffic);
    if (status)
        return status;
    state->simulated[cell] = 1;
    call->tile = state->tile[cell];
    jrx_put_text(samples, "kind", kind->name);
    jrx_put_text(samples, "tiling", kind->tiling[cell % EX_TILINGS]);
    jrx_put_text(samples, "tile", kn_tile_format(&resolved, KN_TILE_ALL, text, sizeof text));
    for (int level = 0; level < EX_TILING_LEVELS; level++)
        for (int tensor = 0; tensor < EX_TILING_TENSORS; tensor++)
            jrx_put_real(samples, ex_tiling_column(level, tensor, text, sizeof text), traffic->bytes[level][tensor]);
    status = ex_call_measure(run, call, traffic, &state->iters[cell], samples, &time_ns, words, size);
    jrx_put_real(samples, "rate_flop_per_s", kn_flop(kernel->op, kernel->dir, &call->shape) / (time_ns * 1e-9));
    return status;
}

const struct ex_experiment exp_tiling = {
    .name = "tiling",
    .title = "Energy of a layer against its tiling",
    .question =
        "Each kind of layer that DeepRx has, the same FLOPs under seven loop tilings: run time (measured), energy "
        "(see its label) and the bytes that move between the caches, by tensor (simulated). How far are the "
        "tilings that are best by time, by traffic and by energy apart?",
    .needs = "",
    .order = 10,
    .column = columns,
    .columns = sizeof columns / sizeof *columns,
    .summary = &ex_tiling_summary,
    .also = "layers.csv",
    .also_schema = &ex_tiling_layers,
    .also_figure = "tiling-tensors",
    .plan = plan,
    .label = label,
    .cell_s = cell_s,
    .begin = begin,
    .cell = cell,
    .end = end,
    .conclude = ex_tiling_conclude};
