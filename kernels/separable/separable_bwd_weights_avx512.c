#define SEPARABLE_ISA avx512
#include "kernels/separable/separable_bwd_weights.h"

const struct kn_kernel separable_bwd_weights_avx512 = {
    .name = "separable_bwd_weights_avx512", .isa = KN_ISA_AVX512, .tile_fields = HALVES_FIELDS, SEPARABLE_BWD_WEIGHTS};
