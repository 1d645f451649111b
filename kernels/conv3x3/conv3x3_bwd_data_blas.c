/* conv3x3 backward-data by OpenBLAS: im2col and sgemm. */
#include "kernels/blas.h"

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_CONV3X3, 0, shape, tile);
}

static size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)tile, (void)threads;
    return kn_blas_bytes(shape, KN_TAPS);
}

static void run(const struct kn_args *a)
{
    kn_blas_bwd_data(a, KN_TAPS);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    (void)tile;
    kn_blas_work(KN_CONV3X3, KN_BWD_DATA, shape, w);
}

const struct kn_kernel conv3x3_bwd_data_blas = {.name = "conv3x3_bwd_data_blas",
                                                .op = KN_CONV3X3,
                                                .dir = KN_BWD_DATA,
                                                .isa = KN_ISA_BLAS,
                                                .supports = supports,
                                                .workspace_bytes = workspace_bytes,
                                                .run = run,
                                                .resolve = kn_blas_resolve,
                                                .work = work};
