/*
 * Which tensors a call reads and writes, and how large they are: for whoever makes them, checks them or counts them.
 */
#ifndef KERNELS_OPERAND_H
#define KERNELS_OPERAND_H
#include "kernels/shape.h"
#include "kernels/trace.h"

/**
 * Bit o is set for each enum kn_operand o that a call reads, or writes; forward, data and weights as in struct kn_args,
 * bias and db included. KN_WEIGHT and KN_BIAS written are dw and db, which are added to. Optional operands of
 * kernels/kernel.h (moments alone, the gradients of norm backward-data) are left out, and the workspace. Pure.
 */
unsigned kn_reads(enum kn_op op, enum kn_dir dir);
unsigned kn_writes(enum kn_op op, enum kn_dir dir);

/** Floats of an operand, padding included; 0 for KN_WORKSPACE, which is the kernel's to say. Pure. */
size_t kn_operand_floats(enum kn_op op, const struct kn_shape *shape, enum kn_operand operand);

#endif
