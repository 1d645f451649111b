#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "kernels/kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define X(symbol) extern const struct kn_kernel symbol;
#include "kernels.inc"
#undef X
#define X(symbol) extern const struct kn_kernel symbol##_traced;
#include "traced.inc"
#undef X

/* make lists the files sorted by path, and a folder's name is the prefix of its files': sorted by name as well */
static const struct kn_kernel *const kernels[] = {
#define X(symbol) &symbol,
#include "kernels.inc"
#undef X
    NULL};

static const struct {
    const struct kn_kernel *plain, *traced;
} twins[] = {
#define X(symbol) {&symbol, &symbol##_traced},
#include "traced.inc"
#undef X
    {NULL, NULL}};

static const char *const isa_names[KN_ISAS] = {"ref", "baseline", "avx2", "avx512", "blas", "avx512bf16"};

const char *kn_isa_name(enum kn_isa isa)
{
    return isa_names[isa];
}

const struct kn_kernel *const *kn_kernels(size_t *count)
{
    *count = sizeof kernels / sizeof *kernels - 1;
    return kernels;
}

const struct kn_kernel *kn_traced(const struct kn_kernel *kernel)
{
    for (size_t i = 0; twins[i].plain; i++)
        if (twins[i].plain == kernel)
            return twins[i].traced;
    return NULL;
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

enum { MOST_NEAR = 6 };

const struct kn_kernel *kn_find(const char *name)
{
    size_t longest = 0;
    for (size_t i = 0; kernels[i]; i++) {
        size_t n = common_prefix(name, kernels[i]->name);
        if (!strcmp(name, kernels[i]->name))
            return kernels[i];
        longest = n > longest ? n : longest;
    }
    char near[256] = "";
    for (size_t i = 0, at = 0, shown = 0; longest && kernels[i]; i++) {
        if (common_prefix(name, kernels[i]->name) != longest)
            continue;
        if (++shown > MOST_NEAR) { /* whole names only */
            snprintf(near + at, sizeof near - at, ", ...");
            break;
        }
        at += (size_t)snprintf(near + at, sizeof near - at, "%s%s", at ? ", " : "", kernels[i]->name);
    }
    jrx_fail(JRX_EINVAL, "kernel %s: there is none of that name; %s%s", name,
             *near ? "near it: " : "see the list of kernels", near);
    return NULL;
}

int kn_runnable(const struct kn_kernel *kernel)
{
    static const enum jrx_isa needs[KN_ISAS] = {[KN_ISA_AVX2] = JRX_ISA_AVX2, [KN_ISA_AVX512] = JRX_ISA_AVX512};
    return kernel->isa == KN_ISA_AVX512BF16 ? jrx_cpu_bf16() : needs[kernel->isa] <= jrx_cpu_isa();
}

const struct kn_kernel *kn_best(enum kn_op op, enum kn_dir dir)
{
    const struct kn_kernel *best = NULL;
    for (size_t i = 0; kernels[i]; i++) {
        const struct kn_kernel *k = kernels[i];
        if (k->op == op && k->dir == dir && k->isa < KN_ISA_BLAS && kn_runnable(k) && (!best || k->isa > best->isa))
            best = k;
    }
    if (!best)
        abort(); /* the build left out a reference kernel */
    return best;
}

const struct kn_kernel *kn_best_bf16(enum kn_op op, enum kn_dir dir)
{
    for (size_t i = 0; kernels[i]; i++) {
        const struct kn_kernel *k = kernels[i];
        if (k->op == op && k->dir == dir && k->isa == KN_ISA_AVX512BF16)
            return kn_runnable(k) ? k : NULL;
    }
    return NULL;
}
