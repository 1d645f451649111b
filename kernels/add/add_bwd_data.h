/* dx = dy, or dx += dy: the gradient of a sum is that of each part. */
#ifndef KERNELS_ADD_BWD_DATA_H
#define KERNELS_ADD_BWD_DATA_H
#include "kernels/add/add.h"

KN_INLINE void step_copy(struct kn_pass *pass, size_t at, int j)
{
    (void)j;
    kn_st(pass->trace, KN_IN, pass->out + at, kn_ld(pass->trace, KN_OUT, pass->x + at));
}
KN_INLINE void step_more(struct kn_pass *pass, size_t at, int j)
{
    (void)j;
    kn_vec before = kn_ld(pass->trace, KN_IN, pass->w + at), dy = kn_ld(pass->trace, KN_OUT, pass->x + at);
    kn_st(pass->trace, KN_IN, pass->out + at, kn_add(before, dy));
}

static void run(const struct kn_args *a)
{
    if (a->accumulate)
        add_run(a, a->dy, a->dx, a->dx, step_more);
    else
        add_run(a, a->dy, a->dx, a->dx, step_copy);
}

KN_STREAM(KN_ADD, KN_BWD_DATA, 1, 1, 0, 0, 0)

#define ADD_BWD_DATA KN_STREAM_KERNEL(KN_ADD, KN_BWD_DATA)

#endif
