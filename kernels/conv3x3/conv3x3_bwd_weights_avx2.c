/* 6 input channels by 2 vectors of 8: 12 accumulators of 16 registers. */
#define KN_MI 6
#define KN_MI_ONE 6
#define KN_VC 1
#include "kernels/conv3x3/conv3x3_bwd_weights.h"

const struct kn_kernel conv3x3_bwd_weights_avx2 = {.name = "conv3x3_bwd_weights_avx2",
                                                   .op = KN_CONV3X3,
                                                   .dir = KN_BWD_WEIGHTS,
                                                   .isa = KN_ISA_AVX2,
                                                   .tile_fields = KN_GRADIENT_FIELDS,
                                                   .supports = supports,
                                                   .workspace_bytes = workspace_bytes,
                                                   .run = run,
                                                   .resolve = kn_gradient_resolve,
                                                   .work = work};
