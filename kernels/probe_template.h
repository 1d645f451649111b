/* The loops of kernels/probe.h for one instruction set. */
#ifndef KERNELS_PROBE_TEMPLATE_H
#define KERNELS_PROBE_TEMPLATE_H
#include "kernels/probe.h"
#include "kernels/simd.h"

enum { PROBE_STREAMS = 8 };

static float lanes_sum(kn_vec v)
{
    float lane[KN_WIDTH], sum = 0;
    kn_store(lane, v);
    for (int i = 0; i < KN_WIDTH; i++)
        sum += lane[i];
    return sum;
}

static float fma_chains(long steps, float start, float factor, float addend)
{
    kn_vec sum[KN_PROBE_CHAINS], times = kn_set1(factor), plus = kn_set1(addend);
    KN_UNROLL(14)
    for (int i = 0; i < KN_PROBE_CHAINS; i++) {
        sum[i] = kn_set1(start);
        __asm__ volatile("" : "+x"(sum[i])); /* or the compiler sees that all chains are one */
    }
    for (long k = 0; k < steps; k++) {
        KN_UNROLL(14) for (int i = 0; i < KN_PROBE_CHAINS; i++) sum[i] = kn_fma(sum[i], times, plus);
        __asm__ volatile("" : "+x"(times));
    }
    KN_UNROLL(14) for (int i = 1; i < KN_PROBE_CHAINS; i++) sum[0] = kn_add(sum[0], sum[i]);
    return lanes_sum(sum[0]);
}

static float read_all(const float *floats, size_t count)
{
    kn_vec sum[PROBE_STREAMS];
    KN_UNROLL(8) for (int i = 0; i < PROBE_STREAMS; i++) sum[i] = kn_zero();
    for (size_t at = 0; at < count; at += PROBE_STREAMS * KN_WIDTH)
        KN_UNROLL(8)
    for (int i = 0; i < PROBE_STREAMS; i++)
        sum[i] = kn_add(sum[i], kn_load(floats + at + i * KN_WIDTH));
    KN_UNROLL(8) for (int i = 1; i < PROBE_STREAMS; i++) sum[0] = kn_add(sum[0], sum[i]);
    return lanes_sum(sum[0]);
}

static void copy_all(const float *from, float *to, size_t count)
{
    for (size_t at = 0; at < count; at += PROBE_STREAMS * KN_WIDTH) {
        kn_vec v[PROBE_STREAMS];
        KN_UNROLL(8) for (int i = 0; i < PROBE_STREAMS; i++) v[i] = kn_load(from + at + i * KN_WIDTH);
        KN_UNROLL(8) for (int i = 0; i < PROBE_STREAMS; i++) kn_store(to + at + i * KN_WIDTH, v[i]);
    }
}

#define PROBE_OPS                                                                                                      \
    {                                                                                                                  \
        .lanes = KN_WIDTH, .fma = fma_chains, .read = read_all, .copy = copy_all                                       \
    }

#endif
