#include "kernels/relu/relu_bwd_weights.h"

const struct kn_kernel relu_bwd_weights_baseline = {
    .name = "relu_bwd_weights_baseline", .isa = KN_ISA_BASELINE, RELU_BWD_WEIGHTS};
