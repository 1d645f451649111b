#include "kernels/add/add_bwd_weights.h"

const struct kn_kernel add_bwd_weights_avx512 = {
    .name = "add_bwd_weights_avx512", .isa = KN_ISA_AVX512, ADD_BWD_WEIGHTS};
