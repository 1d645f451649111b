/* 2 input channels by 4 vectors of 4: 8 accumulators of 16 registers. */
#define KN_MI 2
#define KN_MI_ONE 2
#define KN_VC 1
#include "kernels/pointwise/pointwise_bwd_weights.h"

const struct kn_kernel pointwise_bwd_weights_baseline = {.name = "pointwise_bwd_weights_baseline",
                                                         .op = KN_POINTWISE,
                                                         .dir = KN_BWD_WEIGHTS,
                                                         .isa = KN_ISA_BASELINE,
                                                         .tile_fields = KN_GRADIENT_FIELDS,
                                                         .supports = supports,
                                                         .workspace_bytes = workspace_bytes,
                                                         .run = run,
                                                         .resolve = kn_gradient_resolve,
                                                         .work = work};
