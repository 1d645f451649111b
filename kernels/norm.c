#include "kernels/norm.h"
#include "harness/base/cpu.h"

static const struct kn_norm_ops *ops(void)
{
    static const struct kn_norm_ops *const table[JRX_ISA_LEVELS] = {&kn_norm_baseline, &kn_norm_avx2, &kn_norm_avx512};
    return table[jrx_cpu_isa()];
}

void kn_norm_stats(const struct kn_norm_part *part, const float *x, float *mean, float *var)
{
    ops()->stats(part, x, mean, var);
}

void kn_norm_fwd(const struct kn_norm_part *part, const float *x, const float *mean, const float *invstd,
                 const float *gamma, const float *beta, float *y)
{
    ops()->fwd(part, x, mean, invstd, gamma, beta, y);
}

void kn_norm_apply(const struct kn_norm_part *part, const float *x, const float *scale, const float *shift, float *y)
{
    ops()->apply(part, x, scale, shift, y);
}

void kn_norm_bwd(const struct kn_norm_part *part, const struct kn_norm_bwd_args *args)
{
    ops()->bwd(part, args);
}

void kn_tensor_add(size_t floats, const float *a, const float *b, float *y)
{
    ops()->add(floats, a, b, y);
}

void kn_tensor_accumulate(size_t floats, const float *a, float *y)
{
    ops()->add(floats, a, y, y);
}
