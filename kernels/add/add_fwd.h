/* y = x + w. Every add_fwd_<isa>.c but the reference is this. */
#ifndef KERNELS_ADD_FWD_H
#define KERNELS_ADD_FWD_H
#include "kernels/add/add.h"

KN_INLINE void step_add(struct kn_pass *pass, size_t at, int j)
{
    (void)j;
    kn_vec x = kn_ld(pass->trace, KN_IN, pass->x + at), w = kn_ld(pass->trace, KN_WEIGHT, pass->w + at);
    kn_st(pass->trace, KN_OUT, pass->out + at, kn_add(x, w));
}

static void run(const struct kn_args *a)
{
    add_run(a, a->x, a->w, a->y, step_add);
}

KN_STREAM(KN_ADD, KN_FWD, 2, 1, 0, 0, 1)

#define ADD_FWD KN_STREAM_KERNEL(KN_ADD, KN_FWD)

#endif
