/*
 * Separable backward as a sequence of its halves' kernels, slot after slot: what lies between the halves is as large as
 * one slot, is used again by the next, and so stays in the cache. Forward keeps nothing of it: it is computed anew.
 *
 * What is between begins the workspace.
 *
 * The including file defines SEPARABLE_ISA, the last part of its own name. A traced build calls the traced halves,
 * whose accesses are handed on under the name of the tensor that they touch in this call.
 */
#ifndef KERNELS_SEPARABLE_SEPARABLE_HALVES_H
#define KERNELS_SEPARABLE_SEPARABLE_HALVES_H
#include "kernels/scalar.h"
#include "kernels/tile.h"

#ifndef SEPARABLE_ISA
#define SEPARABLE_ISA ref
#endif
#ifdef KN_TRACE
#define HALF_NAME(NAME, ISA) NAME##_##ISA##_traced
#else
#define HALF_NAME(NAME, ISA) NAME##_##ISA
#endif
#define HALF_OF(NAME, ISA) HALF_NAME(NAME, ISA)
#define HALF(NAME) HALF_OF(NAME, SEPARABLE_ISA)

extern const struct kn_kernel HALF(depthwise_fwd), HALF(depthwise_bwd_data), HALF(depthwise_bwd_weights);
extern const struct kn_kernel HALF(pointwise_bwd_data), HALF(pointwise_bwd_weights);

enum {
    HALVES_FIELDS = KN_TILE_OC | KN_TILE_F,
    HALVES_ROWS = 28 /* of a tile by default: enough to reuse weights, few enough to share out one slot */
};

/* A half of one slot, with what it takes of the layer's tile. */
static inline struct kn_shape half_shape(const struct kn_kernel *half, const struct kn_shape *separable)
{
    struct kn_shape s = half->op == KN_DEPTHWISE ? kn_depthwise_half(separable) : kn_pointwise_half(separable);
    s.n = 1;
    return s;
}

static inline struct kn_tile half_tile(const struct kn_kernel *half, const struct kn_shape *separable,
                                       const struct kn_tile *tile)
{
    int rows = kn_tile_round(tile->f, kn_tile_even(separable->f, HALVES_ROWS), 1, separable->f);
    return (struct kn_tile){.oc = half->op == KN_POINTWISE && (half->tile_fields & KN_TILE_OC) ? tile->oc : 0,
                            .f = half->tile_fields & KN_TILE_F ? rows : 0};
}

static inline int halves_support(const struct kn_kernel *const *half, int halves, const struct kn_shape *s,
                                 const struct kn_tile *tile)
{
    int rc = kn_tile_check(KN_SEPARABLE, half[0]->tile_fields ? HALVES_FIELDS : 0, s, tile);
    for (int i = 0; i < halves && !rc; i++) {
        const struct kn_shape shape = half_shape(half[i], s);
        const struct kn_tile its = half_tile(half[i], s, tile);
        rc = half[i]->supports(&shape, &its);
    }
    return rc;
}

/* `pointwise`: the half that oc is a tile of. */
static inline struct kn_tile halves_resolve(const struct kn_kernel *pointwise, const struct kn_shape *s,
                                            const struct kn_tile *tile)
{
    const struct kn_shape shape = half_shape(pointwise, s);
    const struct kn_tile its = half_tile(pointwise, s, tile), resolved = pointwise->resolve(&shape, &its);
    return (struct kn_tile){.oc = resolved.oc, .f = its.f};
}

/* Floats between the halves. */
static inline size_t between_floats(const struct kn_shape *s)
{
    const struct kn_shape slot = half_shape(&HALF(depthwise_fwd), s);
    return kn_y_floats(&slot);
}

/* The most workspace that any of them wants, in floats, a multiple of 16. */
static inline size_t halves_floats(const struct kn_kernel *const *half, int halves, const struct kn_shape *s,
                                   const struct kn_tile *tile, int threads)
{
    size_t most = 0;
    for (int i = 0; i < halves; i++) {
        const struct kn_shape shape = half_shape(half[i], s);
        const struct kn_tile its = half_tile(half[i], s, tile);
        size_t bytes = half[i]->workspace_bytes(&shape, &its, threads);
        most = bytes > most ? bytes : most;
    }
    return (most / sizeof(float) + KN_LANES - 1) / KN_LANES * KN_LANES;
}

/* Where the tensors of slot n begin. */
struct slot {
    const float *x, *dy;
    float *dx;
    const float *w1, *w2; /* the weights of the depthwise and of the pointwise half */
    float *dw1, *dw2;
};

static inline struct slot slot_of(const struct kn_args *a, int n)
{
    const struct kn_shape *s = a->shape;
    const ptrdiff_t plane = (ptrdiff_t)s->f * s->t * KN_LANES, first = (ptrdiff_t)KN_TAPS * kn_lanes(s->mid);
    const ptrdiff_t x = n * kn_blocks(s->ic) * plane, y = n * kn_blocks(s->oc) * plane;
    return (struct slot){.x = a->x ? a->x + x : NULL,
                         .dy = a->dy + y,
                         .dx = a->dx ? a->dx + x : NULL,
                         .w1 = a->w,
                         .w2 = a->w + first,
                         .dw1 = a->dw,
                         .dw2 = a->dw ? a->dw + first : NULL};
}

#ifdef KN_TRACE
/* What a half reports, and under which names the whole call reports it. */
struct half_report {
    struct kn_trace *whole;
    enum kn_operand name[KN_OPERANDS];
};

static inline void half_relay(struct kn_trace *half)
{
    const struct half_report *report = half->context;
    struct kn_trace *whole = report->whole;
    for (size_t i = 0; i < half->count; i++) {
        if (whole->count == whole->capacity)
            whole->flush(whole);
        whole->access[whole->count] = half->access[i];
        whole->access[whole->count++].tag = (uint8_t)report->name[half->access[i].tag];
    }
    half->count = 0;
}

/* What lies between the halves is workspace, and so is the bias that only the depthwise half knows. */
static inline struct half_report half_report(const struct kn_args *a, const struct kn_args *part)
{
    const float *in = part->x ? part->x : part->dx, *out = part->y ? part->y : part->dy;
    return (struct half_report){.whole = a->trace,
                                .name = {[KN_IN] = in == a->workspace ? KN_WORKSPACE : KN_IN,
                                         [KN_WEIGHT] = KN_WEIGHT,
                                         [KN_BIAS] = part->db && part->db == a->db ? KN_BIAS : KN_WORKSPACE,
                                         [KN_OUT] = out == a->workspace ? KN_WORKSPACE : KN_OUT,
                                         [KN_WORKSPACE] = KN_WORKSPACE,
                                         [KN_NORM] = KN_NORM}};
}
#endif

/* Runs a half; `part` holds its tensors. */
static inline void half_run(const struct kn_kernel *half, const struct kn_args *a, struct kn_args part)
{
    const struct kn_shape shape = half_shape(half, a->shape);
    const struct kn_tile tile = half_tile(half, a->shape, a->tile);
    part.shape = &shape;
    part.tile = &tile;
    part.threads = a->threads;
#ifdef KN_TRACE
    enum { CAPACITY = 1024 };
    struct jrx_access access[CAPACITY];
    struct half_report report = half_report(a, &part);
    struct kn_trace inner = {.access = access, .capacity = CAPACITY, .flush = half_relay, .context = &report};
    for (int i = 0; i < KN_OPERANDS; i++)
        inner.shift[i] = a->trace->shift[report.name[i]];
    part.trace = &inner;
    half->run(&part);
    half_relay(&inner);
#else
    half->run(&part);
#endif
}

/* What the halves do, for all slots. */
static inline void halves_work(const struct kn_kernel *const *half, int halves, enum kn_dir dir,
                               const struct kn_shape *s, const struct kn_tile *tile, struct kn_work *work)
{
    kn_work_init(work, KN_SEPARABLE, dir, s);
    work->executed_flop = 0;
    for (int i = 0; i < halves; i++) {
        const struct kn_shape shape = half_shape(half[i], s);
        const struct kn_tile its = half_tile(half[i], s, tile);
        struct kn_work one;
        half[i]->work(&shape, &its, &one);
        work->executed_flop += s->n * one.executed_flop;
        work->load_bytes += s->n * one.load_bytes;
        work->store_bytes += s->n * one.store_bytes;
    }
}

#endif
