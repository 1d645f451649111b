#define SEPARABLE_ISA ref
#include "kernels/separable/separable_bwd_data.h"

const struct kn_kernel separable_bwd_data_ref = {
    .name = "separable_bwd_data_ref", .isa = KN_ISA_REF, SEPARABLE_BWD_DATA};
