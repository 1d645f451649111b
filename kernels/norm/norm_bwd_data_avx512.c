#include "kernels/norm/norm_bwd_data.h"

const struct kn_kernel norm_bwd_data_avx512 = {.name = "norm_bwd_data_avx512", .isa = KN_ISA_AVX512, NORM_BWD_DATA};
