#include "kernels/add/add_bwd_data.h"

const struct kn_kernel add_bwd_data_baseline = {.name = "add_bwd_data_baseline", .isa = KN_ISA_BASELINE, ADD_BWD_DATA};
