#include "kernels/add/add_bwd_data.h"

const struct kn_kernel add_bwd_data_avx512 = {.name = "add_bwd_data_avx512", .isa = KN_ISA_AVX512, ADD_BWD_DATA};
