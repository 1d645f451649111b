#include "kernels/depthwise/depthwise_bwd_data.h"

const struct kn_kernel depthwise_bwd_data_baseline = {
    .name = "depthwise_bwd_data_baseline", .isa = KN_ISA_BASELINE, DEPTHWISE_BWD_DATA};
