/*
 * Memory: 64-byte aligned blocks, and arenas (one block, pointers into it, freed at once).
 */
#ifndef HARNESS_BASE_MEM_H
#define HARNESS_BASE_MEM_H
#include <stddef.h>

enum { JRX_ALIGN = 64 };

/** `bytes` zeroed bytes, 64-byte aligned; NULL with a jrx_fail() message if there are none. Free with free(). */
void *jrx_alloc(size_t bytes) __attribute__((malloc, warn_unused_result));

struct jrx_arena {
    char *base;
    size_t size; /* bytes owned; 0 while measuring */
    size_t used; /* bytes handed out so far */
};

/**
 * Arenas are filled twice by the same code: once with base NULL, when jrx_arena_get() only adds up and returns NULL,
 * then after jrx_arena_init() with the size that the first pass found. So a plan and its allocation cannot disagree.
 */
int jrx_arena_init(struct jrx_arena *arena, size_t bytes); /* 0 or JRX_ENOMEM; zeroed */
void jrx_arena_fini(struct jrx_arena *arena);              /* also on a zeroed struct */
/** The next `bytes` bytes, rounded up to 64; NULL while measuring. Running past `size` aborts: it is a bug, not an
 * input. */
void *jrx_arena_get(struct jrx_arena *arena, size_t bytes);

#endif
