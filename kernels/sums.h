/*
 * Tilings and the order in which results are added up.
 */
#ifndef KERNELS_SUMS_H
#define KERNELS_SUMS_H
#include "kernels/kernel.h"

/**
 * Fields (KN_TILE_*) that decide in which order the numbers of a result are added, and so its last bits; the others
 * move work in time and space and change no bit. Pure.
 */
unsigned kn_sum_fields(enum kn_op op, enum kn_dir dir);
/** Whether a call gives the same bits with either tiling, both of which the kernel takes. Pure. */
int kn_same_sums(const struct kn_kernel *kernel, const struct kn_shape *shape, const struct kn_tile *a,
                 const struct kn_tile *b);

#endif
