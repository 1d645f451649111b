#include "kernels/norm/norm_fwd.h"

const struct kn_kernel norm_fwd_baseline = {.name = "norm_fwd_baseline", .isa = KN_ISA_BASELINE, NORM_FWD};
