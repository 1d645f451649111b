/* 6 pixels by 2 vectors of 8: 12 accumulators of 16 registers. */
#define KN_PX 6
#define KN_VC 1
#include "kernels/pointwise/pointwise_bwd_data.h"

const struct kn_kernel pointwise_bwd_data_avx2 = {.name = "pointwise_bwd_data_avx2",
                                                  .op = KN_POINTWISE,
                                                  .dir = KN_BWD_DATA,
                                                  .isa = KN_ISA_AVX2,
                                                  .tile_fields = KN_POINTWISE_FIELDS,
                                                  .max_px = KN_PX,
                                                  .max_vc = KN_VC,
                                                  .orders = KN_POINTWISE_SWAPPED_ORDERS,
                                                  .supports = supports,
                                                  .workspace_bytes = workspace_bytes,
                                                  .run = run,
                                                  .resolve = resolve,
                                                  .work = work};
