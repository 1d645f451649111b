#include "kernels/depthwise/depthwise_bwd_weights.h"

const struct kn_kernel depthwise_bwd_weights_baseline = {
    .name = "depthwise_bwd_weights_baseline", .isa = KN_ISA_BASELINE, DEPTHWISE_BWD_WEIGHTS};
