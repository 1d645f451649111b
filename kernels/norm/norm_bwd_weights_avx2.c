#include "kernels/norm/norm_bwd_weights.h"

const struct kn_kernel norm_bwd_weights_avx2 = {.name = "norm_bwd_weights_avx2", .isa = KN_ISA_AVX2, NORM_BWD_WEIGHTS};
