#include "kernels/depthwise/depthwise_bwd_weights.h"

const struct kn_kernel depthwise_bwd_weights_avx512 = {
    .name = "depthwise_bwd_weights_avx512", .isa = KN_ISA_AVX512, DEPTHWISE_BWD_WEIGHTS};
