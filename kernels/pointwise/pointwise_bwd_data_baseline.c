/* 2 pixels by 4 vectors of 4: 8 accumulators of 16 registers. */
#define KN_PX 2
#define KN_VC 1
#include "kernels/pointwise/pointwise_bwd_data.h"

const struct kn_kernel pointwise_bwd_data_baseline = {.name = "pointwise_bwd_data_baseline",
                                                      .op = KN_POINTWISE,
                                                      .dir = KN_BWD_DATA,
                                                      .isa = KN_ISA_BASELINE,
                                                      .tile_fields = KN_POINTWISE_FIELDS,
                                                      .max_px = KN_PX,
                                                      .max_vc = KN_VC,
                                                      .orders = KN_POINTWISE_SWAPPED_ORDERS,
                                                      .supports = supports,
                                                      .workspace_bytes = workspace_bytes,
                                                      .run = run,
                                                      .resolve = resolve,
                                                      .work = work};
