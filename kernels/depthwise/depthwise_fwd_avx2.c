#include "kernels/depthwise/depthwise_fwd.h"

const struct kn_kernel depthwise_fwd_avx2 = {.name = "depthwise_fwd_avx2", .isa = KN_ISA_AVX2, DEPTHWISE_FWD};
