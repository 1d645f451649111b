/* oneDNN 2.x through its C API. Every failure means "no such peer": the comparison goes on with the others. */
#include "tests/bench/peer.h"
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SRC, WEIGHTS, DST, OPERANDS };

struct state {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_desc_t hint, desc;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[OPERANDS];
    dnnl_exec_arg_t args[OPERANDS];
};

static void release(void *p)
{
    struct state *s = p;
    for (int i = 0; i < OPERANDS; i++)
        if (s->memory[i])
            dnnl_memory_destroy(s->memory[i]);
    if (s->primitive)
        dnnl_primitive_destroy(s->primitive);
    if (s->desc)
        dnnl_primitive_desc_destroy(s->desc);
    if (s->hint)
        dnnl_primitive_desc_destroy(s->hint);
    if (s->stream)
        dnnl_stream_destroy(s->stream);
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    free(s);
}

static void call(void *p)
{
    struct state *s = p;
    dnnl_primitive_execute(s->primitive, s->stream, OPERANDS, s->args);
    dnnl_stream_wait(s->stream);
}

/* The descriptor of a convolution in one direction; hint is forward's, NULL for forward itself. */
static int describe(struct state *s, enum kn_op op, enum kn_dir dir, const struct kn_shape *shape,
                    dnnl_format_tag_t tag, dnnl_primitive_desc_t *desc)
{
    int taps = op == KN_POINTWISE ? 1 : 3, depthwise = op == KN_DEPTHWISE;
    dnnl_dims_t src = {shape->n, shape->ic, shape->f, shape->t}, dst = {shape->n, shape->oc, shape->f, shape->t};
    dnnl_dims_t dense = {shape->oc, shape->ic, taps, taps};
    dnnl_dims_t groups = {shape->ic, shape->oc / shape->ic, 1, taps, taps};
    dnnl_dims_t strides = {1, 1}, dilates = {shape->dil_f - 1, shape->dil_t - 1};
    dnnl_dims_t pad = {taps == 3 ? shape->dil_f : 0, taps == 3 ? shape->dil_t : 0};
    dnnl_memory_desc_t x, w, y;
    dnnl_convolution_desc_t conv;
    if (dnnl_memory_desc_init_by_tag(&x, 4, src, dnnl_f32, tag) ||
        dnnl_memory_desc_init_by_tag(&y, 4, dst, dnnl_f32, tag) ||
        dnnl_memory_desc_init_by_tag(&w, depthwise ? 5 : 4, depthwise ? groups : dense, dnnl_f32, dnnl_format_tag_any))
        return -1;
    dnnl_alg_kind_t direct = dnnl_convolution_direct;
    dnnl_status_t status =
        dir == KN_FWD ? dnnl_dilated_convolution_forward_desc_init(&conv, dnnl_forward_training, direct, &x, &w, NULL,
                                                                   &y, strides, dilates, pad, pad)
        : dir == KN_BWD_DATA
            ? dnnl_dilated_convolution_backward_data_desc_init(&conv, direct, &x, &w, &y, strides, dilates, pad, pad)
            : dnnl_dilated_convolution_backward_weights_desc_init(&conv, direct, &x, &w, NULL, &y, strides, dilates,
                                                                  pad, pad);
    return status || dnnl_primitive_desc_create(desc, &conv, NULL, s->engine, s->hint) ? -1 : 0;
}

static int fill(struct state *s, int operand, dnnl_query_t query, int arg, float value)
{
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(s->desc, query, 0);
    void *data;
    if (dnnl_memory_create(&s->memory[operand], md, s->engine, DNNL_MEMORY_ALLOCATE) ||
        dnnl_memory_get_data_handle(s->memory[operand], &data))
        return -1;
    for (size_t i = 0; i < dnnl_memory_desc_get_size(md) / sizeof(float); i++)
        ((float *)data)[i] = value;
    s->args[operand] = (dnnl_exec_arg_t){arg, s->memory[operand]};
    return 0;
}

/* Products of ones, or zeros in padding: the largest result is the number of terms of an element far from the border.
 */
static int right(const struct state *s, int operand, double want)
{
    void *data;
    const dnnl_memory_desc_t *md;
    if (dnnl_memory_get_data_handle(s->memory[operand], &data) || dnnl_memory_get_memory_desc(s->memory[operand], &md))
        return 0;
    double most = 0;
    for (size_t i = 0; i < dnnl_memory_desc_get_size(md) / sizeof(float); i++)
        most = fmax(most, ((float *)data)[i]);
    return fabs(most - want) <= 1e-4 * want;
}

struct bench_peer bench_dnnl(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int format)
{
    static const struct {
        const char *name;
        dnnl_format_tag_t tag;
    } formats[BENCH_DNNL_FORMATS] = {{"oneDNN any", dnnl_format_tag_any},
                                     {"oneDNN nChw16c", dnnl_nChw16c},
                                     {"oneDNN NHWC", dnnl_nhwc},
                                     {"oneDNN NCHW", dnnl_nchw}};
    struct bench_peer peer = {.call = call, .release = release};
    snprintf(peer.name, sizeof peer.name, "%s", formats[format].name);
    struct state *s = calloc(1, sizeof *s);
    static const dnnl_query_t queries[KN_DIRS][OPERANDS] = {
        {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
        {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
        {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};
    static const int args[KN_DIRS][OPERANDS] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                                {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                                {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    static const int result[KN_DIRS] = {DST, SRC, WEIGHTS};
    if (!s || dnnl_engine_create(&s->engine, dnnl_cpu, 0) ||
        dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags) ||
        describe(s, op, KN_FWD, shape, formats[format].tag, &s->hint))
        goto none;
    if (dir == KN_FWD) {
        s->desc = s->hint;
        s->hint = NULL;
    } else if (describe(s, op, dir, shape, formats[format].tag, &s->desc))
        goto none;
    for (int i = 0; i < OPERANDS; i++)
        if (fill(s, i, queries[dir][i], args[dir][i], 1))
            goto none;
    if (dnnl_primitive_create(&s->primitive, s->desc))
        goto none;
    call(s);
    int multiplier = op == KN_DEPTHWISE ? shape->oc / shape->ic : 1, taps = op == KN_POINTWISE ? 1 : KN_TAPS;
    /* a blocked format's padding lanes were filled with ones as well: only whole blocks can be told right from wrong */
    int whole = shape->ic % KN_LANES == 0 && shape->oc % KN_LANES == 0;
    double channels[KN_DIRS] = {op == KN_DEPTHWISE ? 1 : shape->ic, op == KN_DEPTHWISE ? multiplier : shape->oc};
    double want = dir == KN_BWD_WEIGHTS ? (double)shape->n * shape->f * shape->t : channels[dir] * taps;
    if (whole && !right(s, result[dir], want))
        goto none;
    peer.state = s;
    return peer;
none:
    if (s)
        release(s);
    return peer;
}
