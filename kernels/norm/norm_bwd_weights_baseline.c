#include "kernels/norm/norm_bwd_weights.h"

const struct kn_kernel norm_bwd_weights_baseline = {
    .name = "norm_bwd_weights_baseline", .isa = KN_ISA_BASELINE, NORM_BWD_WEIGHTS};
