/*
 * Loops that show what the machine can do, to be timed and set beside the kernels: fused multiply-adds on registers
 * alone, reading an array, copying it. In the widest vectors that may be used here (harness/base/cpu.h). Pure compute;
 * one thread each.
 */
#ifndef KERNELS_PROBE_H
#define KERNELS_PROBE_H
#include <stddef.h>

/** `steps` turns of KN_PROBE_CHAINS independent chains of multiply-adds, two FLOP a lane; returns their sum. */
float kn_probe_fma(long steps);
/** The same of operands that go to and fro between two numbers of unlike bits (x = c - x), or that are all 0. */
float kn_probe_fma_data(long steps, int zero);
/** `steps` turns of a loop that only counts: a thread awake, without FLOP or memory. */
void kn_probe_spin(long steps);
/** FLOP of kn_probe_fma(1) [FLOP]; baseline has no fused instruction and multiplies, then adds: the same FLOP. */
double kn_probe_fma_flop(void);

/** The sum of floats[0..count), 64-byte aligned, `count` a multiple of 256: count * 4 bytes are read. */
float kn_probe_read(const float *floats, size_t count);
/** to[] = from[], likewise, with ordinary stores: count * 4 bytes read and as many written. */
void kn_probe_copy(const float *from, float *to, size_t count);

/* What each kernels/probe_<isa>.c defines. */
enum { KN_PROBE_CHAINS = 14 };
struct kn_probe_ops {
    int lanes;
    float (*fma)(long steps, float start, float factor, float addend); /* x = x * factor + addend */
    float (*read)(const float *floats, size_t count);
    void (*copy)(const float *from, float *to, size_t count);
};
/** FLOP of one step of its fma() [FLOP]. Pure. */
double kn_probe_step_flop(const struct kn_probe_ops *ops);
extern const struct kn_probe_ops kn_probe_baseline, kn_probe_avx2, kn_probe_avx512;

#endif
