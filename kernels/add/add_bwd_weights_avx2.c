#include "kernels/add/add_bwd_weights.h"

const struct kn_kernel add_bwd_weights_avx2 = {.name = "add_bwd_weights_avx2", .isa = KN_ISA_AVX2, ADD_BWD_WEIGHTS};
