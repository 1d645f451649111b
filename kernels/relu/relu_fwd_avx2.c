#include "kernels/relu/relu_fwd.h"

const struct kn_kernel relu_fwd_avx2 = {.name = "relu_fwd_avx2", .isa = KN_ISA_AVX2, RELU_FWD};
