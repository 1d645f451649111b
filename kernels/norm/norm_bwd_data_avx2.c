#include "kernels/norm/norm_bwd_data.h"

const struct kn_kernel norm_bwd_data_avx2 = {.name = "norm_bwd_data_avx2", .isa = KN_ISA_AVX2, NORM_BWD_DATA};
