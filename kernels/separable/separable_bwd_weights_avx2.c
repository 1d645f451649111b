#define SEPARABLE_ISA avx2
#include "kernels/separable/separable_bwd_weights.h"

const struct kn_kernel separable_bwd_weights_avx2 = {
    .name = "separable_bwd_weights_avx2", .isa = KN_ISA_AVX2, .tile_fields = HALVES_FIELDS, SEPARABLE_BWD_WEIGHTS};
