#include "models/link/draw.h"
#include "harness/base/cpu.h"

const struct lk_draw_ops *lk_draw(void)
{
    static const struct lk_draw_ops *const table[JRX_ISA_LEVELS] = {&lk_draw_baseline, &lk_draw_avx2, &lk_draw_avx512};
    return table[jrx_cpu_isa()];
}
