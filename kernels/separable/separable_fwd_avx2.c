/* 6 pixels by 2 vectors of 8: 12 accumulators of 16 registers. */
#define KN_PX 6
#define KN_VC 1
#include "kernels/separable/separable_fwd.h"

const struct kn_kernel separable_fwd_avx2 = {.name = "separable_fwd_avx2", .isa = KN_ISA_AVX2, SEPARABLE_FWD};
