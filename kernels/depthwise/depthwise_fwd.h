/*
 * y = bias + w * x, depthwise: the stencil over x (depthwise_stencil.h). Every depthwise_fwd_<isa>.c is this, built for
 * its instruction set.
 */
#ifndef KERNELS_DEPTHWISE_FWD_H
#define KERNELS_DEPTHWISE_FWD_H
#include "kernels/depthwise/depthwise_stencil.h"

DW_ROWS(rows_once, KN_FWD, 1)
DW_ROWS(rows_twice, KN_FWD, 2)

static void run(const struct kn_args *args)
{
    static dw_rows_fn *const rows[] = {rows_once, rows_twice};
    dw_run(args, KN_FWD, rows);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    dw_work(KN_FWD, shape, tile, w);
}

#define DEPTHWISE_FWD                                                                                                  \
    .op = KN_DEPTHWISE, .dir = KN_FWD, .tile_fields = DW_FIELDS, .supports = dw_supports,                              \
    .workspace_bytes = dw_no_workspace, .run = run, .resolve = dw_resolve, .work = work

#endif
