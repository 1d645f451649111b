#include "kernels/norm/norm_fwd.h"

const struct kn_kernel norm_fwd_avx2 = {.name = "norm_fwd_avx2", .isa = KN_ISA_AVX2, NORM_FWD};
