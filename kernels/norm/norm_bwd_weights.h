/* Backward-weights: the sums alone. mean, variance, w, bias, dw and db are loaded, the last two stored. */
#ifndef KERNELS_NORM_BWD_WEIGHTS_H
#define KERNELS_NORM_BWD_WEIGHTS_H
#include "kernels/norm/norm_bwd.h"

KN_STREAM(KN_BATCH_NORM, KN_BWD_WEIGHTS, 2, 0, 6, 2, 6)

#define NORM_BWD_WEIGHTS KN_STREAM_KERNEL(KN_BATCH_NORM, KN_BWD_WEIGHTS)

#endif
