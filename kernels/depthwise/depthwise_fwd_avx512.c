#include "kernels/depthwise/depthwise_fwd.h"

const struct kn_kernel depthwise_fwd_avx512 = {.name = "depthwise_fwd_avx512", .isa = KN_ISA_AVX512, DEPTHWISE_FWD};
