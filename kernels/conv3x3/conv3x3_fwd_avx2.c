/* 6 pixels by 2 vectors of 8: 12 accumulators of 16 registers. */
#define KN_PX 6
#define KN_VC 1
#include "kernels/conv3x3/conv3x3_fwd.h"

const struct kn_kernel conv3x3_fwd_avx2 = {.name = "conv3x3_fwd_avx2",
                                           .op = KN_CONV3X3,
                                           .dir = KN_FWD,
                                           .isa = KN_ISA_AVX2,
                                           .tile_fields = KN_CONV3X3_FIELDS,
                                           .max_px = KN_PX,
                                           .max_vc = KN_VC,
                                           .supports = conv3x3_supports,
                                           .workspace_bytes = workspace_bytes,
                                           .run = run,
                                           .resolve = resolve,
                                           .work = work};
