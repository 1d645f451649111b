/*
 * What the references declare alike: no tiles, no workspace, and
 * work that follows from the number of in-grid taps.
 */
#ifndef KERNELS_DENSE_REF_H
#define KERNELS_DENSE_REF_H
#include "kernels/scalar.h"
#include "kernels/tile.h"

static inline size_t ref_workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)shape, (void)tile, (void)threads;
    return 0;
}

static inline struct kn_tile ref_resolve(const struct kn_shape *shape, const struct kn_tile *tile)
{
    (void)shape, (void)tile;
    return (struct kn_tile){0};
}

/*
 * Two loads a multiply-add; each result is stored once, padding lanes too; forward loads a bias for each result,
 * backward-weights each result itself, and dy once more for db.
 */
static inline void ref_work(enum kn_op op, enum kn_dir dir, const struct kn_shape *s, struct kn_work *work)
{
    kn_work_init(work, op, dir, s);
    double grid = (double)s->n * s->f * s->t, weights = (double)s->oc;
    weights *= (op == KN_DEPTHWISE ? 1 : s->ic) * (op == KN_POINTWISE ? 1 : KN_TAPS);
    double loads[KN_DIRS] = {[KN_FWD] = grid * s->oc, [KN_BWD_WEIGHTS] = weights + s->oc + grid * s->oc};
    double stores[KN_DIRS] = {
        [KN_FWD] = (double)kn_y_floats(s), [KN_BWD_DATA] = (double)kn_x_floats(s), [KN_BWD_WEIGHTS] = weights + s->oc};
    work->load_bytes = sizeof(float) * (work->flop + loads[dir]);
    work->store_bytes = sizeof(float) * stores[dir];
}

#endif
