/* What the machine can do: multiply-adds in registers, and copies. */
#include "harness/base/cpu.h"
#include "kernels/probe.h"
#include "tests/bench/peer.h"
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the peak -------------------------------------------------------------------------------------- */

enum { STEPS = 100000 };

/* The probe of a role; NULL where there are no such vectors. */
static const struct kn_probe_ops *probe_of(enum bench_role role)
{
    static const struct kn_probe_ops *const fused[JRX_ISA_LEVELS] = {
        [JRX_ISA_AVX2] = &kn_probe_avx2, [JRX_ISA_AVX512] = &kn_probe_avx512};
    const struct kn_probe_ops *widest = fused[jrx_cpu_isa()];
    return role == BENCH_PEAK ? widest : widest == &kn_probe_avx512 ? &kn_probe_avx2 : NULL;
}

double bench_peak_flop(enum bench_role role, int threads)
{
    const struct kn_probe_ops *probe = probe_of(role);
    return probe ? kn_probe_step_flop(probe) * STEPS * threads : 0;
}

struct peak {
    const struct kn_probe_ops *probe;
    int threads;
};

static void peak_call(void *p)
{
    const struct peak *peak = p;
    float total = 0;
#pragma omp parallel num_threads(peak->threads) reduction(+ : total)
    total += peak->probe->fma(STEPS, 1e-3f, 0.5f, 1e-3f);
    volatile float kept = total;
    (void)kept;
}

struct bench_peer bench_peak(enum bench_role role, int threads)
{
    struct bench_peer peer = {.role = role, .call = peak_call, .release = free};
    const struct kn_probe_ops *probe = probe_of(role);
    struct peak *state = probe ? malloc(sizeof *state) : NULL;
    snprintf(peer.name, sizeof peer.name, "peak %s", probe == &kn_probe_avx512 ? "avx512" : "avx2");
    if (state)
        *state = (struct peak){probe, threads};
    peer.state = state;
    return peer;
}

/* ---- copies ---------------------------------------------------------------------------------------- */

struct copy {
    int stream, threads;
    size_t floats; /* a multiple of 16 */
    float *from, *to;
};

static void copy_plain(const float *from, float *to, size_t floats)
{
    for (size_t i = 0; i < floats; i += 16)
        for (size_t k = 0; k < 16; k += 4)
            _mm_store_ps(to + i + k, _mm_load_ps(from + i + k));
}

static void copy_stream(const float *from, float *to, size_t floats)
{
    for (size_t i = 0; i < floats; i += 16)
        for (size_t k = 0; k < 16; k += 4)
            _mm_stream_ps(to + i + k, _mm_load_ps(from + i + k));
    _mm_sfence();
}

__attribute__((target("avx512f"))) static void copy_plain_avx512(const float *from, float *to, size_t floats)
{
    for (size_t i = 0; i < floats; i += 16)
        _mm512_store_ps(to + i, _mm512_load_ps(from + i));
}

static void copy_call(void *p)
{
    const struct copy *c = p;
    void (*const copy)(const float *, float *, size_t) = c->stream                         ? copy_stream
                                                         : jrx_cpu_isa() >= JRX_ISA_AVX512 ? copy_plain_avx512
                                                                                           : copy_plain;
    int threads = c->threads;
#pragma omp parallel for num_threads(threads)
    for (int i = 0; i < threads; i++) {
        size_t first = c->floats / 16 * (size_t)i / (size_t)threads * 16;
        size_t end = c->floats / 16 * (size_t)(i + 1) / (size_t)threads * 16;
        copy(c->from + first, c->to + first, end - first);
    }
}

float *bench_ones(struct jrx_arena *memory, size_t floats)
{
    jrx_arena_get(memory, JRX_ALIGN);
    float *p = jrx_arena_get(memory, floats * sizeof *p);
    for (size_t i = 0; i < floats; i++)
        p[i] = 1;
    return p;
}

struct bench_peer bench_copy(enum bench_role role, const struct kn_shape *shape, int threads, struct jrx_arena *memory)
{
    struct bench_peer peer = {.role = role, .call = copy_call, .release = free};
    struct copy *c = calloc(1, sizeof *c);
    snprintf(peer.name, sizeof peer.name, role == BENCH_STREAM ? "copy, non-temporal" : "copy");
    if (!c)
        return peer;
    size_t floats = kn_x_floats(shape);
    *c = (struct copy){role == BENCH_STREAM, threads, floats, bench_ones(memory, floats), bench_ones(memory, floats)};
    peer.state = c;
    return peer;
}
