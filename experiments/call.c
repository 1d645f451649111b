#include "experiments/call.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/base/rng.h"
#include "kernels/operand.h"
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
    if (op == KN_ADD) {
        fill(w, (size_t)s->n, s->oc, (size_t)s->f * (size_t)s->t, seed, 2);
        return;
    }
    size_t rows = kn_w_floats(op, s) / KN_LANES / (size_t)kn_blocks(s->oc);
    size_t padded = (size_t)kn_blocks(s->ic) * KN_LANES;
    fill(w, 1, s->oc, rows, seed, 2);
    if (op == KN_DEPTHWISE || kn_elementwise(op))
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
    const unsigned reads = kn_reads(kernel->op, kernel->dir), writes = kn_writes(kernel->op, kernel->dir);
    struct jrx_arena arena = {0};
    /* what is written, and, where a call has both, what is read right after it */
    float *write[KN_OPERANDS] = {NULL}, *read[KN_OPERANDS] = {NULL}, *workspace = NULL;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < KN_OPERANDS; i++) {
            const size_t floats = kn_operand_floats(kernel->op, shape, (enum kn_operand)i);
            if (writes >> i & 1)
                write[i] = jrx_arena_get(&arena, floats * sizeof(float));
            if (reads >> i & 1)
                read[i] = jrx_arena_get(&arena, floats * sizeof(float));
        }
        workspace = jrx_arena_get(&arena, kernel->workspace_bytes(shape, tile, threads));
        if (!pass && (status = jrx_arena_init(&arena, arena.used)))
            return status;
    }
    call->memory = arena.base;
    call->args = (struct kn_args){.shape = &call->shape,
                                  .tile = &call->tile,
                                  .x = read[KN_IN],
                                  .w = read[KN_WEIGHT],
                                  .bias = read[KN_BIAS],
                                  .dy = read[KN_OUT],
                                  .y = write[KN_OUT],
                                  .dx = write[KN_IN],
                                  .dw = write[KN_WEIGHT],
                                  .db = write[KN_BIAS],
                                  .moments = write[KN_NORM] ? write[KN_NORM] : read[KN_NORM],
                                  .workspace = workspace,
                                  .threads = threads};
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
    float *const in[] = {(float *)(uintptr_t)a->x, a->dx}, *const out[] = {(float *)(uintptr_t)a->dy, a->y};
    for (int i = 0; i < 2; i++) {
        if (in[i])
            fill(in[i], (size_t)shape->n, shape->ic, pixels, seed, 0);
        if (out[i])
            fill(out[i], (size_t)shape->n, shape->oc, pixels, seed, 1);
    }
    for (int c = 0; c < shape->ic && a->moments; c++) /* of such numbers: mean 0, variance 1 */
        a->moments[kn_blocks(shape->ic) * KN_LANES + c] = 1;
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
    return (struct jrx_work){.flop = kn_flop(call->kernel->op, call->kernel->dir, &call->shape),
                             .l1_bytes = traffic->l1_bytes,
                             .l2_bytes = traffic->l2_bytes,
                             .l3_bytes = traffic->l3_bytes,
                             .dram_bytes = traffic->dram_bytes};
}

int ex_call_measure(struct ex_run *run, struct ex_call *call, const struct ex_traffic *traffic, uint64_t *iters,
                    struct jrx_table *samples, double *time_ns, char *words, size_t size)
{
    const struct jrx_region region = {.fn = ex_call_run, .ctx = call, .work = ex_call_work(call, traffic)};
    char layer[64];
    double own_ns;
    time_ns = time_ns ? time_ns : &own_ns;
    jrx_put_text(samples, "kernel", call->kernel->name);
    jrx_put_text(samples, "layer", kn_layer_format(call->kernel->op, &call->shape, layer, sizeof layer));
    jrx_put_real(samples, "flop", region.work.flop);
    jrx_put_real(samples, "sim_l1_bytes", traffic->l1_bytes);
    jrx_put_real(samples, "sim_l2_bytes", traffic->l2_bytes);
    jrx_put_real(samples, "sim_l3_bytes", traffic->l3_bytes);
    jrx_put_real(samples, "sim_dram_bytes", traffic->dram_bytes);
    int status = ex_measure(run, &region, iters, samples, time_ns);
    if (!status)
        snprintf(words, size, "%.2f ms, %.1f GFLOP/s", *time_ns * 1e-6, region.work.flop / *time_ns);
    return status;
}
