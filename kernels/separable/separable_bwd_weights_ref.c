#define SEPARABLE_ISA ref
#include "kernels/separable/separable_bwd_weights.h"

const struct kn_kernel separable_bwd_weights_ref = {
    .name = "separable_bwd_weights_ref", .isa = KN_ISA_REF, SEPARABLE_BWD_WEIGHTS};
