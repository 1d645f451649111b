#include "kernels/add/add_fwd.h"

const struct kn_kernel add_fwd_avx2 = {.name = "add_fwd_avx2", .isa = KN_ISA_AVX2, ADD_FWD};
