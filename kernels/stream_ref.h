/*
 * For the references of norm, relu and add: one element or one sum of a channel at a time, in double.
 */
#ifndef KERNELS_STREAM_REF_H
#define KERNELS_STREAM_REF_H
#include "kernels/dense_ref.h"

/* Element `pixel` of channel c, counted through the slots. */
static inline size_t ref_at(const struct kn_shape *s, int c, size_t pixel)
{
    const size_t pixels = (size_t)s->f * (size_t)s->t;
    return (((pixel / pixels) * (size_t)kn_blocks(s->ic) + (size_t)(c / KN_LANES)) * pixels + pixel % pixels) *
               KN_LANES +
           (size_t)(c % KN_LANES);
}

static inline size_t ref_pixels(const struct kn_shape *s)
{
    return (size_t)s->n * (size_t)s->f * (size_t)s->t;
}

/* NAN stays NAN. */
static inline double ref_relu(double z)
{
    return z <= 0 ? 0 : z;
}

/* *p += v */
static inline void ref_more(struct kn_trace *trace, enum kn_operand operand, float *p, double v)
{
    kn_put(trace, operand, p, kn_get(trace, operand, p) + v);
}

/* Tensors and channel vectors loaded and stored: of the real channels, but
 * what is overwritten is stored with its padding. */
static inline void ref_stream_work(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, const double tensors[2],
                                   const double vectors[2], struct kn_work *work)
{
    const double stored = dir == KN_BWD_WEIGHTS ? s->ic : kn_lanes(s->ic);
    kn_work_init(work, op, dir, s);
    work->load_bytes = sizeof(float) * s->ic * (tensors[0] * (double)ref_pixels(s) + vectors[0]);
    work->store_bytes = sizeof(float) * stored * (tensors[1] * (double)ref_pixels(s) + vectors[1]);
}

#define REF_STREAM(OP, DIR, NAME, LOADED, STORED, VECTORS_LOADED, VECTORS_STORED)                                      \
    static int supports(const struct kn_shape *shape, const struct kn_tile *tile)                                      \
    {                                                                                                                  \
        return kn_tile_check(OP, 0, shape, tile);                                                                      \
    }                                                                                                                  \
    static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)                      \
    {                                                                                                                  \
        (void)tile;                                                                                                    \
        ref_stream_work(OP, DIR, shape, (const double[]){LOADED, STORED},                                              \
                        (const double[]){VECTORS_LOADED, VECTORS_STORED}, w);                                          \
    }                                                                                                                  \
    const struct kn_kernel NAME = {.name = #NAME,                                                                      \
                                   .op = OP,                                                                           \
                                   .dir = DIR,                                                                         \
                                   .isa = KN_ISA_REF,                                                                  \
                                   .supports = supports,                                                               \
                                   .workspace_bytes = ref_workspace_bytes,                                             \
                                   .run = run,                                                                         \
                                   .resolve = ref_resolve,                                                             \
                                   .work = work};

#endif
