/* 14 pixels by 2 vectors of 16: 28 accumulators of 32 registers. */
#define KN_PX 14
#define KN_VC 2
#include "kernels/pointwise/pointwise_fwd.h"

const struct kn_kernel pointwise_fwd_avx512 = {.name = "pointwise_fwd_avx512",
                                               .op = KN_POINTWISE,
                                               .dir = KN_FWD,
                                               .isa = KN_ISA_AVX512,
                                               .tile_fields = KN_POINTWISE_FIELDS,
                                               .max_px = KN_PX,
                                               .max_vc = KN_VC,
                                               .orders = KN_POINTWISE_ORDERS,
                                               .supports = supports,
                                               .workspace_bytes = workspace_bytes,
                                               .run = run,
                                               .resolve = resolve,
                                               .work = work};
