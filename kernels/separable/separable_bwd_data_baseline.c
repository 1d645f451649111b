#define SEPARABLE_ISA baseline
#include "kernels/separable/separable_bwd_data.h"

const struct kn_kernel separable_bwd_data_baseline = {
    .name = "separable_bwd_data_baseline", .isa = KN_ISA_BASELINE, .tile_fields = HALVES_FIELDS, SEPARABLE_BWD_DATA};
