#include "kernels/relu/relu_fwd.h"

const struct kn_kernel relu_fwd_avx512 = {.name = "relu_fwd_avx512", .isa = KN_ISA_AVX512, RELU_FWD};
