#include "kernels/add/add_fwd.h"

const struct kn_kernel add_fwd_avx512 = {.name = "add_fwd_avx512", .isa = KN_ISA_AVX512, ADD_FWD};
