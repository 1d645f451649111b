#include "kernels/norm/norm_fwd.h"

const struct kn_kernel norm_fwd_avx512 = {.name = "norm_fwd_avx512", .isa = KN_ISA_AVX512, NORM_FWD};
