#include "kernels/relu/relu_fwd.h"

const struct kn_kernel relu_fwd_baseline = {.name = "relu_fwd_baseline", .isa = KN_ISA_BASELINE, RELU_FWD};
