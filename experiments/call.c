#include "experiments/call.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static void fill_weights(enum kn_op op, const struct kn_shape *s, float *w, uint64_t seed)
{
    if (op == KN_SEPARABLE) {
        const struct kn_shape first = kn_depthwise_half(s), second = kn_pointwise_half(s);
        fill_weights(KN_DEPTHWISE, &first, w, seed);
        fill_weights(KN_POINTWISE, &second, w + kn_w_floats(KN_DEPTHWISE, &first), seed + 1);
        return;
    }
    size_t rows = kn_w_floats(op, s) / KN_LANES / (size_t)kn_blocks(s->oc);
    size_t padded = (size_t)kn_blocks(s->ic) * KN_LANES;
    fill(w, 1, s->oc, rows, seed, 2);
    if (op == KN_DEPTHWISE)
        return;
    for (int b = 0; b < kn_blocks(s->oc); b++)
        for (size_t row = 0; row < rows; row++)
            if (row % padded >= (size_t)s->ic)
                memset(w + ((size_t)b * rows + row) * KN_LANES, 0, KN_LANES * sizeof *w);
}

int ex_call_init_zero(struct ex_call *call, const struct kn_kernel *kernel, const struct kn_shape *shape,
                      const struct kn_tile *tile, int threads)
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
    const int both = kernel->dir == KN_BWD_WEIGHTS && kernel->op == KN_SEPARABLE; /* dw, and w right after it */
    struct jrx_arena arena = {0};
    float *in = NULL, *out = NULL, *weights = NULL, *bias = NULL, *workspace = NULL;
    for (int pass = 0; pass < 2; pass++) {
        in = jrx_arena_get(&arena, x * sizeof *in);
        out = jrx_arena_get(&arena, y * sizeof *out);
        weights = jrx_arena_get(&arena, (both ? 2 * w : w) * sizeof *weights);
        bias = jrx_arena_get(&arena, b * sizeof *bias);
        workspace = jrx_arena_get(&arena, ws);
        if (!pass && (status = jrx_arena_init(&arena, arena.used)))
            return status;
    }
    call->memory = arena.base;
    call->args =
        (struct kn_args){.shape = &call->shape, .tile = &call->tile, .workspace = workspace, .threads = threads};
    switch (kernel->dir) {
    case KN_FWD: call->args.x = in, call->args.w = weights, call->args.bias = bias, call->args.y = out; break;
    case KN_BWD_DATA: call->args.dy = out, call->args.w = weights, call->args.dx = in; break;
    default: call->args.x = in, call->args.dy = out, call->args.dw = weights, call->args.db = bias; break;
    }
    if (both)
        call->args.w = weights + w;
    return 0;
}

int ex_call_init(struct ex_call *call, const struct kn_kernel *kernel, const struct kn_shape *shape,
                 const struct kn_tile *tile, int threads, uint64_t seed)
{
    int status = ex_call_init_zero(call, kernel, shape, tile, threads);
    if (status)
        return status;
    const struct kn_args *a = &call->args;
    size_t pixels = (size_t)shape->f * (size_t)shape->t;
    /* the operands that are read, and those that are written as well: whoever runs a call does not care */
    fill((float *)(uintptr_t)(a->x ? a->x : a->dx), (size_t)shape->n, shape->ic, pixels, seed, 0);
    fill((float *)(uintptr_t)(a->y ? a->y : a->dy), (size_t)shape->n, shape->oc, pixels, seed, 1);
    if (a->dw)
        fill_weights(kernel->op, shape, a->dw, seed);
    if (a->w)
        fill_weights(kernel->op, shape, (float *)(uintptr_t)a->w, seed);
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
