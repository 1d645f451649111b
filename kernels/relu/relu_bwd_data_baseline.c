#include "kernels/relu/relu_bwd_data.h"

const struct kn_kernel relu_bwd_data_baseline = {
    .name = "relu_bwd_data_baseline", .isa = KN_ISA_BASELINE, RELU_BWD_DATA};
