#include "kernels/relu/relu_bwd_weights.h"

const struct kn_kernel relu_bwd_weights_avx2 = {.name = "relu_bwd_weights_avx2", .isa = KN_ISA_AVX2, RELU_BWD_WEIGHTS};
