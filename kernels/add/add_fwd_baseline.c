#include "kernels/add/add_fwd.h"

const struct kn_kernel add_fwd_baseline = {.name = "add_fwd_baseline", .isa = KN_ISA_BASELINE, ADD_FWD};
