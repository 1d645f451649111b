/* Built where oneDNN's headers are absent: the comparison is with OpenBLAS alone. */
#include "tests/bench/peer.h"

struct bench_peer bench_dnnl(enum kn_op op, enum kn_dir dir, const struct kn_shape *shape, int format,
                             enum bench_role role, struct jrx_arena *memory)
{
    (void)op, (void)dir, (void)shape, (void)format, (void)memory;
    return (struct bench_peer){.name = "oneDNN (not installed)", .role = role};
}

const char *bench_dnnl_version(char *text, size_t size)
{
    (void)text, (void)size;
    return NULL;
}
