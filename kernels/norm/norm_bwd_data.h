/* Backward-data: x and dy for the sums, then again for dx; 6 and 7 FLOP a lane. */
#ifndef KERNELS_NORM_BWD_DATA_H
#define KERNELS_NORM_BWD_DATA_H
#include "kernels/norm/norm_bwd.h"

KN_STREAM(KN_BATCH_NORM, KN_BWD_DATA, 4, 1, 4, 0, 13)

#define NORM_BWD_DATA KN_STREAM_KERNEL(KN_BATCH_NORM, KN_BWD_DATA)

#endif
