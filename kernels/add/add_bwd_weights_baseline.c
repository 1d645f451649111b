#include "kernels/add/add_bwd_weights.h"

const struct kn_kernel add_bwd_weights_baseline = {
    .name = "add_bwd_weights_baseline", .isa = KN_ISA_BASELINE, ADD_BWD_WEIGHTS};
