/* 2 pixels by 4 vectors of 4: 8 accumulators of 16 registers. */
#define KN_PX 2
#define KN_VC 1
#include "kernels/separable/separable_fwd.h"

const struct kn_kernel separable_fwd_baseline = {
    .name = "separable_fwd_baseline", .isa = KN_ISA_BASELINE, SEPARABLE_FWD};
