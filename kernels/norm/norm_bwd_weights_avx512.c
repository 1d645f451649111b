#include "kernels/norm/norm_bwd_weights.h"

const struct kn_kernel norm_bwd_weights_avx512 = {
    .name = "norm_bwd_weights_avx512", .isa = KN_ISA_AVX512, NORM_BWD_WEIGHTS};
