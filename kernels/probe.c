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
    return ops()->fma(steps);
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
