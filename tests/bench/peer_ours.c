/* Our kernels and OpenBLAS, as things to call. */
#include "kernels/kernel.h"
#include "tests/bench/peer.h"
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- our kernels ----------------------------------------------------------------------------------- */

struct ours {
    const struct kn_kernel *kernel;
    struct kn_shape shape;
    struct kn_tile tile;
    struct kn_args args;
};

static void ours_call(void *p)
{
    struct ours *s = p;
    s->kernel->run(&s->args);
}

struct bench_peer bench_ours(const struct kn_kernel *kernel, enum bench_role role, const struct kn_shape *shape,
                             int threads, struct jrx_arena *memory)
{
    struct bench_peer peer = {.role = role, .call = ours_call, .release = free};
    struct ours *s = kernel ? calloc(1, sizeof *s) : NULL;
    snprintf(peer.name, sizeof peer.name, "%s", kernel ? kn_isa_name(kernel->isa) : "none");
    if (!s || !kn_runnable(kernel) || kernel->supports(shape, &s->tile)) {
        free(s);
        return peer;
    }
    s->kernel = kernel;
    s->shape = *shape;
    float *x = bench_ones(memory, kn_x_floats(shape)), *w = bench_ones(memory, kn_w_floats(kernel->op, shape));
    float *y = bench_ones(memory, kn_y_floats(shape));
    float *dw = bench_ones(memory, kn_w_floats(kernel->op, shape)); /* separable backward-weights reads w beside dw */
    size_t workspace = kernel->workspace_bytes(shape, &s->tile, threads);
    s->args = (struct kn_args){.shape = &s->shape,
                               .tile = &s->tile,
                               .x = x,
                               .w = w,
                               .dy = y,
                               .y = y,
                               .dx = x,
                               .dw = dw,
                               .workspace = bench_ones(memory, workspace / sizeof(float) + 1),
                               .threads = threads};
    peer.state = s;
    return peer;
}

/* ---- OpenBLAS -------------------------------------------------------------------------------------- */

struct gemm {
    enum kn_dir dir;
    int pixels, ic, oc, threads;
    float *x, *w, *y;
};

/* x[pixels][ic], w[ic][oc], y[pixels][oc] */
static void gemm_call(void *p)
{
    struct gemm *s = p;
    openblas_set_num_threads(s->threads);
    if (s->dir == KN_FWD)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s->pixels, s->oc, s->ic, 1, s->x, s->ic, s->w, s->oc, 0,
                    s->y, s->oc);
    else if (s->dir == KN_BWD_DATA)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, s->pixels, s->ic, s->oc, 1, s->y, s->oc, s->w, s->oc, 0,
                    s->x, s->ic);
    else
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, s->ic, s->oc, s->pixels, 1, s->x, s->ic, s->y, s->oc, 0,
                    s->w, s->oc);
}

struct bench_peer bench_openblas(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int threads,
                                 struct jrx_arena *memory)
{
    char kernel[64];
    snprintf(kernel, sizeof kernel, "%s_%s_blas", kn_op_name(op), kn_dir_name(dir));
    struct bench_peer peer = {.role = BENCH_PEER, .call = gemm_call, .release = free};
    if (op == KN_CONV3X3)
        peer = bench_ours(kn_find(kernel), BENCH_PEER, shape, threads, memory);
    struct gemm *s = op == KN_POINTWISE ? calloc(1, sizeof *s) : NULL;
    snprintf(peer.name, sizeof peer.name, "OpenBLAS");
    if (!s)
        return peer;
    size_t pixels = (size_t)shape->n * (size_t)shape->f * (size_t)shape->t;
    *s = (struct gemm){dir,
                       (int)pixels,
                       shape->ic,
                       shape->oc,
                       threads,
                       bench_ones(memory, pixels * (size_t)shape->ic),
                       bench_ones(memory, (size_t)shape->ic * (size_t)shape->oc),
                       bench_ones(memory, pixels * (size_t)shape->oc)};
    peer.state = s;
    return peer;
}
