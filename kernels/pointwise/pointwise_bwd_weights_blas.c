/* pointwise backward-weights by OpenBLAS: sgemm between unpacking and packing. */
#include "kernels/blas.h"

static int supports(const struct kn_shape *shape, const struct kn_tile *tile)
{
    return kn_tile_check(KN_POINTWISE, 0, shape, tile);
}

static size_t workspace_bytes(const struct kn_shape *shape, const struct kn_tile *tile, int threads)
{
    (void)tile, (void)threads;
    return kn_blas_bytes(shape, 1);
}

static void run(const struct kn_args *a)
{
    kn_blas_bwd_weights(a, 1);
}

static void work(const struct kn_shape *shape, const struct kn_tile *tile, struct kn_work *w)
{
    (void)tile;
    kn_blas_work(KN_POINTWISE, KN_BWD_WEIGHTS, shape, w);
}

const struct kn_kernel pointwise_bwd_weights_blas = {.name = "pointwise_bwd_weights_blas",
                                                     .op = KN_POINTWISE,
                                                     .dir = KN_BWD_WEIGHTS,
                                                     .isa = KN_ISA_BLAS,
                                                     .supports = supports,
                                                     .workspace_bytes = workspace_bytes,
                                                     .run = run,
                                                     .resolve = kn_blas_resolve,
                                                     .work = work};
