#include "kernels/norm/norm_bwd_data.h"

const struct kn_kernel norm_bwd_data_baseline = {
    .name = "norm_bwd_data_baseline", .isa = KN_ISA_BASELINE, NORM_BWD_DATA};
