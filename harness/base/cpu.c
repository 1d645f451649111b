#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include <stdlib.h>
#include <string.h>

static const char *const names[JRX_ISA_LEVELS] = {"baseline", "avx2", "avx512"};

const char *jrx_isa_name(enum jrx_isa isa)
{
    return names[isa];
}

static enum jrx_isa detected(void)
{
    /* the compiler's own probe checks XCR0 too: the system must save the registers */
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return JRX_ISA_BASELINE;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw"))
        return JRX_ISA_AVX512;
    return JRX_ISA_AVX2;
}

/* The level that JOULERX_ISA names; JRX_ISA_LEVELS if it is unset or names none. */
static enum jrx_isa asked(void)
{
    const char *text = getenv("JOULERX_ISA");
    enum jrx_isa isa = JRX_ISA_BASELINE;
    while (isa < JRX_ISA_LEVELS && (!text || strcmp(text, names[isa])))
        isa++;
    return isa;
}

enum jrx_isa jrx_cpu_isa(void)
{
    enum jrx_isa has = detected(), cap = asked();
    return cap < has ? cap : has;
}

int jrx_cpu_bf16(void)
{
    const char *text = getenv("JOULERX_ISA");
    return (!text || !*text) && detected() == JRX_ISA_AVX512 && __builtin_cpu_supports("avx512bf16");
}

int jrx_cpu_check(void)
{
    const char *text = getenv("JOULERX_ISA");
    if (text && *text && asked() == JRX_ISA_LEVELS)
        return jrx_fail(JRX_EINVAL, "JOULERX_ISA=%s: not a level; use baseline, avx2 or avx512", text);
    return 0;
}
