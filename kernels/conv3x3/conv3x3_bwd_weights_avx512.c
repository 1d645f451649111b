/* 8 input channels by 2 vectors of 16, or 16 by 1: 16 accumulators of 32 registers. */
#define KN_MI 8
#define KN_MI_ONE 16
#define KN_VC 2
#include "kernels/conv3x3/conv3x3_bwd_weights.h"

const struct kn_kernel conv3x3_bwd_weights_avx512 = {.name = "conv3x3_bwd_weights_avx512",
                                                     .op = KN_CONV3X3,
                                                     .dir = KN_BWD_WEIGHTS,
                                                     .isa = KN_ISA_AVX512,
                                                     .tile_fields = KN_GRADIENT_FIELDS,
                                                     .supports = supports,
                                                     .workspace_bytes = workspace_bytes,
                                                     .run = run,
                                                     .resolve = kn_gradient_resolve,
                                                     .work = work};
