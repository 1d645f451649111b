/*
 * dx = w' * dy, depthwise: the turned stencil over dy (depthwise_stencil.h). Every depthwise_bwd_data_<isa>.c is this,
 * built for its instruction set.
 */
#ifndef KERNELS_DEPTHWISE_BWD_DATA_H
#define KERNELS_DEPTHWISE_BWD_DATA_H
#include "kernels/depthwise/depthwise_stencil.h"

DW_ROWS(rows_once, KN_BWD_DATA, 1)
DW_ROWS(rows_twice, KN_BWD_DATA, 2)

static void run(const struct kn_args *args)
{
    static dw_rows_fn *const rows[] = {rows_once, rows_twice};
    dw_run(args, KN_BWD_DATA, rows);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    dw_work(KN_BWD_DATA, shape, tile, w);
}

#define DEPTHWISE_BWD_DATA                                                                                             \
    .op = KN_DEPTHWISE, .dir = KN_BWD_DATA, .tile_fields = DW_FIELDS, .supports = dw_supports,                         \
    .workspace_bytes = dw_no_workspace, .run = run, .resolve = dw_resolve, .work = work

#endif
