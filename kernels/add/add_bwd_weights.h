/* dw += dy: the gradient of the other part, added to what is there. */
#ifndef KERNELS_ADD_BWD_WEIGHTS_H
#define KERNELS_ADD_BWD_WEIGHTS_H
#include "kernels/add/add.h"

KN_INLINE void step_more(struct kn_pass *pass, size_t at, int j)
{
    (void)j;
    kn_vec before = kn_ld(pass->trace, KN_WEIGHT, pass->w + at), dy = kn_ld(pass->trace, KN_OUT, pass->x + at);
    kn_st(pass->trace, KN_WEIGHT, pass->out + at, kn_add(before, dy));
}

static void run(const struct kn_args *a)
{
    add_run(a, a->dy, a->dw, a->dw, step_more);
}

KN_STREAM(KN_ADD, KN_BWD_WEIGHTS, 2, 1, 0, 0, 1)

#define ADD_BWD_WEIGHTS KN_STREAM_KERNEL(KN_ADD, KN_BWD_WEIGHTS)

#endif
