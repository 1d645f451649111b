#include "kernels/depthwise/depthwise_bwd_weights.h"

const struct kn_kernel depthwise_bwd_weights_avx2 = {
    .name = "depthwise_bwd_weights_avx2", .isa = KN_ISA_AVX2, DEPTHWISE_BWD_WEIGHTS};
