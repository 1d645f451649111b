#include "kernels/relu/relu_bwd_data.h"

const struct kn_kernel relu_bwd_data_avx512 = {.name = "relu_bwd_data_avx512", .isa = KN_ISA_AVX512, RELU_BWD_DATA};
