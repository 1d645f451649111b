#include "experiments/call.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/trace.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 4096 }; /* accesses handed to the simulator at a time */

/* Normal numbers in the real channels of [outer][blocks][inner][16]; the padding lanes stay 0. */
static void fill(float *p, size_t outer, int channels, size_t inner, uint64_t seed, uint64_t stream)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, stream);
    for (size_t o = 0; o < outer; o++)
        for (int b = 0; b < kn_blocks(channels); b++)
            for (size_t i = 0; i < inner; i++, p += KN_LANES)
                for (int lane = 0; lane < KN_LANES && b * KN_LANES + lane < channels; lane += 2) {
                    double v[2];
                    jrx_rng_normal2(&rng, &v[0], &v[1]);
                    p[lane] = (float)v[0];
                    if (b * KN_LANES + lane + 1 < channels)
                        p[lane + 1] = (float)v[1];
                }
}

/* Weights: rows of input channels past the real ones are 0 too, as the layout demands. */
static void fill_weights(const struct ex_call *call, float *w, uint64_t seed)
{
    const struct kn_shape *s = &call->shape;
    size_t rows = kn_w_floats(call->kernel->op, s) / KN_LANES / (size_t)kn_blocks(s->oc);
    size_t padded = (size_t)kn_blocks(s->ic) * KN_LANES;
    fill(w, 1, s->oc, rows, seed, 2);
    if (call->kernel->op == KN_DEPTHWISE)
        return;
    for (int b = 0; b < kn_blocks(s->oc); b++)
        for (size_t row = 0; row < rows; row++)
            if (row % padded >= (size_t)s->ic)
                memset(w + ((size_t)b * rows + row) * KN_LANES, 0, KN_LANES * sizeof *w);
}

int ex_call_init(struct ex_call *call, const struct kn_kernel *kernel, const struct kn_shape *shape,
                 const struct kn_tile *tile, int threads, uint64_t seed)
{
    memset(call, 0, sizeof *call);
    int status = kernel->supports(shape, tile);
    if (status)
        return status;
    call->kernel = kernel;
    call->shape = *shape;
    call->tile = *tile;
    size_t x = kn_x_floats(shape), y = kn_y_floats(shape), w = kn_w_floats(kernel->op, shape),
           b = (size_t)kn_blocks(shape->oc) * KN_LANES, ws = kernel->workspace_bytes(shape, tile, threads);
    struct jrx_arena arena = {0};
    float *in = NULL, *out = NULL, *weights = NULL, *bias = NULL, *workspace = NULL;
    for (int pass = 0; pass < 2; pass++) {
        in = jrx_arena_get(&arena, x * sizeof *in);
        out = jrx_arena_get(&arena, y * sizeof *out);
        weights = jrx_arena_get(&arena, w * sizeof *weights);
        bias = jrx_arena_get(&arena, b * sizeof *bias);
        workspace = jrx_arena_get(&arena, ws);
        if (!pass && (status = jrx_arena_init(&arena, arena.used)))
            return status;
    }
    call->memory = arena.base;
    size_t pixels = (size_t)shape->f * (size_t)shape->t;
    fill(in, (size_t)shape->n, shape->ic, pixels, seed, 0);
    fill(out, (size_t)shape->n, shape->oc, pixels, seed, 1);
    fill_weights(call, weights, seed);
    call->args =
        (struct kn_args){.shape = &call->shape, .tile = &call->tile, .workspace = workspace, .threads = threads};
    switch (kernel->dir) {
    case KN_FWD: call->args.x = in, call->args.w = weights, call->args.bias = bias, call->args.y = out; break;
    case KN_BWD_DATA: call->args.dy = out, call->args.w = weights, call->args.dx = in; break;
    default: call->args.x = in, call->args.dy = out, call->args.dw = weights, call->args.db = bias; break;
    }
    return 0;
}

void ex_call_fini(struct ex_call *call)
{
    free(call->memory);
    memset(call, 0, sizeof *call);
}

void ex_call_run(void *context)
{
    struct ex_call *call = context;
    call->kernel->run(&call->args);
}

/* ---- through the cache simulator ------------------------------------------------------------------------------ */

struct sink {
    struct jrx_cachesim *sim;
    int status;
};

static void feed(struct kn_trace *trace)
{
    struct sink *sink = trace->context;
    if (!sink->status)
        sink->status = jrx_cachesim_run(sink->sim, trace->access, trace->count);
    trace->count = 0;
}

/* Where each operand lies in the simulated address space: one after the other, on page boundaries, in every run. */
static void place(const struct ex_call *call, struct kn_trace *trace)
{
    const struct kn_shape *s = &call->shape;
    const struct kn_args *a = &call->args;
    const struct {
        const void *p;
        size_t floats;
    } operand[KN_OPERANDS] = {
        [KN_IN] = {call->kernel->dir == KN_BWD_DATA ? a->dx : a->x, kn_x_floats(s)},
        [KN_WEIGHT] = {call->kernel->dir == KN_BWD_WEIGHTS ? a->dw : a->w, kn_w_floats(call->kernel->op, s)},
        [KN_BIAS] = {call->kernel->dir == KN_BWD_WEIGHTS ? a->db : a->bias, (size_t)kn_blocks(s->oc) * KN_LANES},
        [KN_OUT] = {call->kernel->dir == KN_FWD ? a->y : a->dy, kn_y_floats(s)},
        [KN_WORKSPACE] = {a->workspace, call->kernel->workspace_bytes(s, &call->tile, 1) / sizeof(float)},
    };
    enum { PAGE = 4096 };
    uint64_t at = 16 * PAGE;
    for (int i = 0; i < KN_OPERANDS; i++) {
        trace->shift[i] = at - (uint64_t)(uintptr_t)operand[i].p;
        at += (operand[i].floats * sizeof(float) + 2 * PAGE - 1) / PAGE * PAGE;
    }
}

int ex_call_simulate(const struct ex_call *call, const struct jrx_cache_geometry *geometry, struct ex_traffic *traffic)
{
    const struct kn_kernel *traced = kn_traced(call->kernel);
    struct sink sink = {0};
    *traffic = (struct ex_traffic){NAN, NAN, NAN, NAN};
    if (!traced)
        return 0;
    struct jrx_access *access = jrx_alloc(BATCH * sizeof *access);
    struct kn_trace trace = {.access = access, .capacity = BATCH, .flush = feed, .context = &sink};
    struct kn_args args = call->args;
    int status = access ? jrx_cachesim_new(&sink.sim, geometry) : JRX_ENOMEM;
    if (!status) {
        place(call, &trace);
        args.trace = &trace;
        args.threads = 1;
        for (int pass = 0; pass < 2; pass++) {
            jrx_cachesim_reset_counts(sink.sim); /* the first call only warms the caches */
            traced->run(&args);
            feed(&trace);
        }
        status = sink.status;
    }
    if (!status) {
        double *level[] = {&traffic->l2_bytes, &traffic->l3_bytes, &traffic->dram_bytes};
        traffic->l1_bytes = (double)jrx_cachesim_read_bytes(sink.sim, JRX_ACCESS_TAGS) +
                            (double)jrx_cachesim_write_bytes(sink.sim, JRX_ACCESS_TAGS);
        for (unsigned i = 0; i < 3; i++) {
            /* a machine without a level moves what the last one misses straight to memory */
            unsigned last = geometry->levels - 1;
            struct jrx_cache_counts c = jrx_cachesim_get(sink.sim, i < last ? i : last, JRX_ACCESS_TAGS);
            *level[i] = i <= last || i == 2 ? (double)(c.fetches + c.writebacks) * geometry->line_bytes : 0;
        }
    }
    jrx_cachesim_free(sink.sim);
    free(access);
    return status;
}

struct jrx_work ex_call_work(const struct ex_call *call, const struct ex_traffic *traffic)
{
    return (struct jrx_work){.flop = kn_flop(call->kernel->op, &call->shape),
                             .l1_bytes = traffic->l1_bytes,
                             .l2_bytes = traffic->l2_bytes,
                             .l3_bytes = traffic->l3_bytes,
                             .dram_bytes = traffic->dram_bytes};
}

int ex_call_measure(struct ex_run *run, struct ex_call *call, const struct ex_traffic *traffic, uint64_t *iters,
                    struct jrx_table *samples, char *words, size_t size)
{
    const struct jrx_region region = {.fn = ex_call_run, .ctx = call, .work = ex_call_work(call, traffic)};
    char layer[64];
    double time_ns;
    jrx_put_text(samples, "kernel", call->kernel->name);
    jrx_put_text(samples, "layer", kn_layer_format(call->kernel->op, &call->shape, layer, sizeof layer));
    jrx_put_real(samples, "flop", region.work.flop);
    jrx_put_real(samples, "sim_l1_bytes", traffic->l1_bytes);
    jrx_put_real(samples, "sim_l2_bytes", traffic->l2_bytes);
    jrx_put_real(samples, "sim_l3_bytes", traffic->l3_bytes);
    jrx_put_real(samples, "sim_dram_bytes", traffic->dram_bytes);
    int status = ex_measure(run, &region, iters, samples, &time_ns);
    if (!status)
        snprintf(words, size, "%.2f ms, %.1f GFLOP/s", time_ns * 1e-6, region.work.flop / time_ns);
    return status;
}
