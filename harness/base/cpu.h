/*
 * What the processor can run. Levels are ordered: a machine that has one has those before it.
 */
#ifndef HARNESS_BASE_CPU_H
#define HARNESS_BASE_CPU_H

enum jrx_isa { JRX_ISA_BASELINE, JRX_ISA_AVX2, JRX_ISA_AVX512, JRX_ISA_LEVELS };

/**
 * The highest level that processor and operating system offer, lowered by the environment variable JOULERX_ISA
 * (baseline, avx2, avx512) so that every level can be tested on one machine. AVX2 includes FMA; AVX512 is F+VL+DQ+BW.
 * A name that is not a level is an error of jrx_cpu_check(), and is ignored here.
 */
enum jrx_isa jrx_cpu_isa(void);

/**
 * Whether there is AVX512_BF16 beside AVX512. No level of its own, as nothing uses it unasked: any JOULERX_ISA masks
 * it, so that its absence can be tested too.
 */
int jrx_cpu_bf16(void);

/** 0, or JRX_EINVAL if JOULERX_ISA names no level. Called once by the program. */
int jrx_cpu_check(void);

/** "baseline", "avx2", "avx512". */
const char *jrx_isa_name(enum jrx_isa isa);

#endif
