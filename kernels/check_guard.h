/*
 * Memory for checking: floats that end or begin exactly at an inaccessible page, with poison on the other side.
 */
#ifndef KERNELS_CHECK_GUARD_H
#define KERNELS_CHECK_GUARD_H
#include <stddef.h>

struct kn_guarded {
    float *data; /* 64-byte aligned; NULL if floats is 0 */
    size_t floats;
    char *map; /* the whole mapping, its first and last page inaccessible */
    size_t map_bytes;
};

/**
 * floats   a multiple of 16; 0 makes an empty buffer
 * content  copied into it; NULL fills it with poison, a signalling NaN
 * at_end   1: the last float touches the inaccessible page after it; 0: the first the one before it
 * Returns 0 or JRX_ENOMEM.
 */
int kn_guarded_init(struct kn_guarded *buffer, size_t floats, const float *content, int at_end);
void kn_guarded_fini(struct kn_guarded *buffer);
/** Whether the poison around the data is as it was. */
int kn_guarded_intact(const struct kn_guarded *buffer);

#endif
