/* 14 pixels by 2 vectors of 16: 28 accumulators of 32 registers. */
#define KN_PX 14
#define KN_VC 2
#include "kernels/separable/separable_fwd.h"

const struct kn_kernel separable_fwd_avx512 = {.name = "separable_fwd_avx512", .isa = KN_ISA_AVX512, SEPARABLE_FWD};
