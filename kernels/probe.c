#include "kernels/probe.h"
#include "harness/base/cpu.h"

static const struct kn_probe_ops *ops(void)
{
    static const struct kn_probe_ops *const table[JRX_ISA_LEVELS] = {&kn_probe_baseline, &kn_probe_avx2,
                                                                     &kn_probe_avx512};
    return table[jrx_cpu_isa()];
}

float kn_probe_fma(long steps)
{
    return ops()->fma(steps, 1e-3f, 0.5f, 1e-3f);
}

float kn_probe_fma_data(long steps, int zero)
{
    return zero ? ops()->fma(steps, 0, 0, 0) : ops()->fma(steps, 0.7236067977f, -1, 0.3819660113f);
}

void kn_probe_spin(long steps)
{
    for (long i = 0; i < steps; i++)
        __asm__ volatile("" : "+r"(i));
}

double kn_probe_step_flop(const struct kn_probe_ops *probe)
{
    return 2.0 * KN_PROBE_CHAINS * probe->lanes;
}

double kn_probe_fma_flop(void)
{
    return kn_probe_step_flop(ops());
}

float kn_probe_read(const float *floats, size_t count)
{
    return ops()->read(floats, count);
}

void kn_probe_copy(const float *from, float *to, size_t count)
{
    ops()->copy(from, to, count);
}
