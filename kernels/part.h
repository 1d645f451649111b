/*
 * The grid cut into tiles: the units that threads share out, slots outermost, symbols innermost.
 */
#ifndef KERNELS_PART_H
#define KERNELS_PART_H
#include "kernels/shape.h"

/* Subcarriers [f0, f0 + rows) by symbols [t0, t0 + run) of slot n. */
struct kn_part {
    int n, f0, t0, rows, run;
};

static inline int kn_tiles_of(int axis, int tile)
{
    return (axis - 1) / tile + 1;
}

/** Tiles of one slot; `tile` is resolved. */
static inline int kn_parts(const struct kn_shape *s, const struct kn_tile *tile)
{
    return kn_tiles_of(s->f, tile->f) * kn_tiles_of(s->t, tile->t);
}

/** Tile `index` of all slots' kn_parts(). */
static inline struct kn_part kn_part(const struct kn_shape *s, const struct kn_tile *tile, int index)
{
    int t_tiles = kn_tiles_of(s->t, tile->t), parts = kn_parts(s, tile);
    struct kn_part part = {
        .n = index / parts, .f0 = index % parts / t_tiles * tile->f, .t0 = index % t_tiles * tile->t};
    part.rows = s->f - part.f0 < tile->f ? s->f - part.f0 : tile->f;
    part.run = s->t - part.t0 < tile->t ? s->t - part.t0 : tile->t;
    return part;
}

/** Floats before a part's first pixel, in a plane of 16 channels. */
static inline ptrdiff_t kn_part_offset(const struct kn_shape *s, const struct kn_part *part)
{
    return ((ptrdiff_t)part->f0 * s->t + part->t0) * KN_LANES;
}

/**
 * Bytes from one thread's part of a workspace to the next one's, for parts of `bytes`: they never lie in the same page.
 * A core fetches lines ahead up to the end of a page, and would take from the other what that is about to write (seen:
 * a third of the speed of two threads). Pure.
 */
static inline size_t kn_apart(size_t bytes)
{
    enum { PAGE = 4096 };
    return bytes ? (bytes + PAGE - 1) / PAGE * PAGE + PAGE : 0;
}

/** Floats of one block of 16 channels in one slot. */
static inline ptrdiff_t kn_plane(const struct kn_shape *s)
{
    return (ptrdiff_t)s->f * s->t * KN_LANES;
}

#endif
