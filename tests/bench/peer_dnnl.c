/* oneDNN 2.x through its C API. Every failure means "no such peer": the comparison goes on with the others. */
#include "tests/bench/peer.h"
#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>

enum { SRC, WEIGHTS, DST, OPERANDS, MOST_CONVS = 3 };

/* One convolution in one direction. */
struct conv {
    dnnl_primitive_desc_t hint, desc;
    dnnl_primitive_t primitive;
    dnnl_memory_t memory[OPERANDS];
    int borrowed[OPERANDS]; /* the memory is another convolution's */
    dnnl_exec_arg_t args[OPERANDS];
};

struct state {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    struct jrx_arena *memory; /* of the operands */
    struct conv conv[MOST_CONVS];
    int convs;
};

/* What is asked of a convolution. src, dst: the format that an earlier convolution chose; NULL: by tag. */
struct request {
    enum kn_op op;
    enum kn_dir dir;
    const struct kn_shape *shape;
    dnnl_format_tag_t tag;
    dnnl_alg_kind_t algorithm;
    const dnnl_memory_desc_t *src, *dst;
};

static void conv_fini(struct conv *c)
{
    for (int i = 0; i < OPERANDS; i++)
        if (c->memory[i] && !c->borrowed[i])
            dnnl_memory_destroy(c->memory[i]);
    if (c->primitive)
        dnnl_primitive_destroy(c->primitive);
    if (c->desc)
        dnnl_primitive_desc_destroy(c->desc);
    if (c->hint)
        dnnl_primitive_desc_destroy(c->hint);
}

static void release(void *p)
{
    struct state *s = p;
    for (int i = 0; i < MOST_CONVS; i++)
        conv_fini(&s->conv[i]);
    if (s->stream)
        dnnl_stream_destroy(s->stream);
    if (s->engine)
        dnnl_engine_destroy(s->engine);
    free(s);
}

static void call(void *p)
{
    struct state *s = p;
    for (int i = 0; i < s->convs; i++)
        dnnl_primitive_execute(s->conv[i].primitive, s->stream, OPERANDS, s->conv[i].args);
    dnnl_stream_wait(s->stream);
}

static int describe(struct state *s, const struct request *r, enum kn_dir dir, dnnl_primitive_desc_t hint,
                    dnnl_primitive_desc_t *desc)
{
    const struct kn_shape *shape = r->shape;
    int taps = r->op == KN_POINTWISE ? 1 : 3, depthwise = r->op == KN_DEPTHWISE;
    dnnl_dims_t src = {shape->n, shape->ic, shape->f, shape->t}, dst = {shape->n, shape->oc, shape->f, shape->t};
    dnnl_dims_t dense = {shape->oc, shape->ic, taps, taps};
    dnnl_dims_t groups = {shape->ic, shape->oc / shape->ic, 1, taps, taps};
    dnnl_dims_t strides = {1, 1}, dilates = {shape->dil_f - 1, shape->dil_t - 1};
    dnnl_dims_t pad = {taps == 3 ? shape->dil_f : 0, taps == 3 ? shape->dil_t : 0};
    dnnl_memory_desc_t x, w, y;
    dnnl_convolution_desc_t conv;
    if (dnnl_memory_desc_init_by_tag(&x, 4, src, dnnl_f32, r->tag) ||
        dnnl_memory_desc_init_by_tag(&y, 4, dst, dnnl_f32, r->tag) ||
        dnnl_memory_desc_init_by_tag(&w, depthwise ? 5 : 4, depthwise ? groups : dense, dnnl_f32, dnnl_format_tag_any))
        return -1;
    x = r->src ? *r->src : x;
    y = r->dst ? *r->dst : y;
    dnnl_alg_kind_t how = r->algorithm;
    dnnl_status_t status =
        dir == KN_FWD ? dnnl_dilated_convolution_forward_desc_init(&conv, dnnl_forward_training, how, &x, &w, NULL, &y,
                                                                   strides, dilates, pad, pad)
        : dir == KN_BWD_DATA
            ? dnnl_dilated_convolution_backward_data_desc_init(&conv, how, &x, &w, &y, strides, dilates, pad, pad)
            : dnnl_dilated_convolution_backward_weights_desc_init(&conv, how, &x, &w, NULL, &y, strides, dilates, pad,
                                                                  pad);
    return status || dnnl_primitive_desc_create(desc, &conv, NULL, s->engine, hint) ? -1 : 0;
}

static const dnnl_query_t queries[KN_DIRS][OPERANDS] = {
    {dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md},
    {dnnl_query_diff_src_md, dnnl_query_weights_md, dnnl_query_diff_dst_md},
    {dnnl_query_src_md, dnnl_query_diff_weights_md, dnnl_query_diff_dst_md}};

static const dnnl_memory_desc_t *chosen(const struct conv *c, enum kn_dir dir, int operand)
{
    return dnnl_primitive_desc_query_md(c->desc, queries[dir][operand], 0);
}

/* An operand of ones. */
static int fill(struct state *s, struct conv *c, int operand, const dnnl_memory_desc_t *md)
{
    float *data = bench_ones(s->memory, dnnl_memory_desc_get_size(md) / sizeof(float));
    return dnnl_memory_create(&c->memory[operand], md, s->engine, data) ? -1 : 0;
}

/* Adds a convolution; operands that `lent` names are those memories. */
static struct conv *conv_add(struct state *s, const struct request *r, const dnnl_memory_t lent[OPERANDS])
{
    static const int args[KN_DIRS][OPERANDS] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                                {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                                {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    struct conv *c = &s->conv[s->convs++];
    if (r->dir != KN_FWD && describe(s, r, KN_FWD, NULL, &c->hint))
        return NULL;
    if (describe(s, r, r->dir, c->hint, &c->desc))
        return NULL;
    for (int i = 0; i < OPERANDS; i++) {
        const dnnl_memory_desc_t *md = chosen(c, r->dir, i), *given;
        if (lent[i]) {
            if (dnnl_memory_get_memory_desc(lent[i], &given) || !dnnl_memory_desc_equal(md, given))
                return NULL;
            c->memory[i] = lent[i];
            c->borrowed[i] = 1;
        } else if (fill(s, c, i, md))
            return NULL;
        c->args[i] = (dnnl_exec_arg_t){args[r->dir][i], c->memory[i]};
    }
    return dnnl_primitive_create(&c->primitive, c->desc) ? NULL : c;
}

static int add_one(struct state *s, const struct request *r)
{
    static const dnnl_memory_t none[OPERANDS];
    return conv_add(s, r, none) ? 0 : -1;
}

/* Depthwise and pointwise, in the order of the direction; the second takes the format that the first left. */
static int add_separable(struct state *s, const struct request *r)
{
    static const dnnl_memory_t none[OPERANDS];
    const struct kn_shape first = kn_depthwise_half(r->shape), second = kn_pointwise_half(r->shape);
    struct request depthwise = *r, pointwise = *r;
    depthwise.op = KN_DEPTHWISE;
    depthwise.shape = &first;
    pointwise.op = KN_POINTWISE;
    pointwise.shape = &second;
    if (r->dir == KN_FWD) {
        struct conv *a = conv_add(s, &depthwise, none);
        if (!a)
            return -1;
        pointwise.src = chosen(a, KN_FWD, DST);
        return conv_add(s, &pointwise, (dnnl_memory_t[OPERANDS]){[SRC] = a->memory[DST]}) ? 0 : -1;
    }
    pointwise.dir = KN_BWD_DATA;
    struct conv *a = conv_add(s, &pointwise, none);
    if (!a)
        return -1;
    depthwise.dst = chosen(a, KN_BWD_DATA, SRC);
    if (!conv_add(s, &depthwise, (dnnl_memory_t[OPERANDS]){[DST] = a->memory[SRC]}))
        return -1;
    if (r->dir == KN_BWD_DATA)
        return 0;
    pointwise.dir = KN_BWD_WEIGHTS;
    pointwise.dst = chosen(a, KN_BWD_DATA, DST);
    return conv_add(s, &pointwise, (dnnl_memory_t[OPERANDS]){[DST] = a->memory[DST]}) ? 0 : -1;
}

/* Products of ones, or zeros in padding: the largest result is the number of terms of an element far from the border.
 */
static int right(const struct conv *c, int operand, double want)
{
    void *data;
    const dnnl_memory_desc_t *md;
    if (dnnl_memory_get_data_handle(c->memory[operand], &data) || dnnl_memory_get_memory_desc(c->memory[operand], &md))
        return 0;
    double most = 0;
    for (size_t i = 0; i < dnnl_memory_desc_get_size(md) / sizeof(float); i++)
        most = fmax(most, ((float *)data)[i]);
    return fabs(most - want) <= 1e-4 * want;
}

/* Terms of a result where all operands are ones; 0: not to be told. */
static double terms(const struct request *r)
{
    const struct kn_shape *s = r->shape;
    int taps = r->op == KN_POINTWISE ? 1 : KN_TAPS;
    if (r->op == KN_SEPARABLE)
        return r->dir == KN_FWD ? (double)KN_TAPS * s->mid : 0;
    if (r->dir == KN_BWD_WEIGHTS)
        return (double)s->n * s->f * s->t;
    double channels = r->op != KN_DEPTHWISE ? (r->dir == KN_FWD ? s->ic : s->oc) : r->dir == KN_FWD ? 1 : s->oc / s->ic;
    /* a blocked format's padding lanes were filled with ones as well: only whole blocks can be told right from wrong */
    return s->ic % KN_LANES || s->oc % KN_LANES ? 0 : channels * taps;
}

/* What a role asks: another algorithm; or the forward call with input and output channels changed about. */
static struct request request_of(enum kn_op op, enum kn_dir dir, struct kn_shape *shape, dnnl_format_tag_t tag,
                                 enum bench_role role)
{
    if (role == BENCH_TURNED) {
        int ic = shape->ic;
        shape->ic = shape->oc;
        shape->oc = ic;
        dir = KN_FWD;
    }
    return (struct request){
        op, dir, shape, tag, role == BENCH_BESIDE ? dnnl_convolution_winograd : dnnl_convolution_direct, NULL, NULL};
}

struct bench_peer bench_dnnl(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int format,
                             enum bench_role role, struct jrx_arena *memory)
{
    static const struct {
        const char *name;
        dnnl_format_tag_t tag;
    } formats[BENCH_DNNL_FORMATS] = {
        {"any", dnnl_format_tag_any}, {"nChw16c", dnnl_nChw16c}, {"NHWC", dnnl_nhwc}, {"NCHW", dnnl_nchw}};
    static const int result[KN_DIRS] = {DST, SRC, WEIGHTS};
    struct bench_peer peer = {.role = role, .call = call, .release = release};
    snprintf(peer.name, sizeof peer.name, "oneDNN %s%s",
             role == BENCH_BESIDE   ? "winograd "
             : role == BENCH_TURNED ? "turned "
                                    : "",
             formats[format].name);
    struct kn_shape as_called = *shape;
    struct request r = request_of(op, dir, &as_called, formats[format].tag, role);
    struct state *s = calloc(1, sizeof *s);
    if (s)
        s->memory = memory;
    if (!s || dnnl_engine_create(&s->engine, dnnl_cpu, 0) ||
        dnnl_stream_create(&s->stream, s->engine, dnnl_stream_default_flags) ||
        (op == KN_SEPARABLE ? add_separable(s, &r) : add_one(s, &r)))
        goto none;
    call(s);
    double want = terms(&r);
    if (want > 0 && !right(&s->conv[s->convs - 1], result[r.dir], want))
        goto none;
    peer.state = s;
    return peer;
none:
    if (s)
        release(s);
    return peer;
}

const char *bench_dnnl_version(char *text, size_t size)
{
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, size, "%d.%d.%d", version->major, version->minor, version->patch);
    return text;
}
