#include "kernels/depthwise/depthwise_fwd.h"

const struct kn_kernel depthwise_fwd_baseline = {
    .name = "depthwise_fwd_baseline", .isa = KN_ISA_BASELINE, DEPTHWISE_FWD};
