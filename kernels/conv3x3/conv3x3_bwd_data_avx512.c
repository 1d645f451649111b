/* 14 pixels by 2 vectors of 16: 28 accumulators of 32 registers. */
#define KN_PX 14
#define KN_VC 2
#include "kernels/conv3x3/conv3x3_bwd_data.h"

const struct kn_kernel conv3x3_bwd_data_avx512 = {.name = "conv3x3_bwd_data_avx512",
                                                  .op = KN_CONV3X3,
                                                  .dir = KN_BWD_DATA,
                                                  .isa = KN_ISA_AVX512,
                                                  .tile_fields = KN_CONV3X3_FIELDS,
                                                  .max_px = KN_PX,
                                                  .max_vc = KN_VC,
                                                  .supports = conv3x3_supports,
                                                  .workspace_bytes = workspace_bytes,
                                                  .run = run,
                                                  .resolve = resolve,
                                                  .work = work};
