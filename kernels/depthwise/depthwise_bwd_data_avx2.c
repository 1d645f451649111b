#include "kernels/depthwise/depthwise_bwd_data.h"

const struct kn_kernel depthwise_bwd_data_avx2 = {
    .name = "depthwise_bwd_data_avx2", .isa = KN_ISA_AVX2, DEPTHWISE_BWD_DATA};
