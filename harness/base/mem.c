#include "harness/base/mem.h"
#include "harness/base/error.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t round_up(size_t bytes)
{
    return (bytes + JRX_ALIGN - 1) / JRX_ALIGN * JRX_ALIGN;
}

void *jrx_alloc(size_t bytes)
{
    void *p = bytes < SIZE_MAX - JRX_ALIGN ? aligned_alloc(JRX_ALIGN, bytes ? round_up(bytes) : JRX_ALIGN) : NULL;
    if (!p) {
        jrx_fail(JRX_ENOMEM, "memory: %zu bytes could not be had; use a smaller batch, grid or network", bytes);
        return NULL;
    }
    return memset(p, 0, bytes);
}

int jrx_arena_init(struct jrx_arena *arena, size_t bytes)
{
    *arena = (struct jrx_arena){.base = jrx_alloc(bytes), .size = round_up(bytes)};
    return arena->base ? 0 : JRX_ENOMEM;
}

void jrx_arena_fini(struct jrx_arena *arena)
{
    free(arena->base);
    *arena = (struct jrx_arena){0};
}

void *jrx_arena_get(struct jrx_arena *arena, size_t bytes)
{
    size_t at = arena->used;
    arena->used += round_up(bytes);
    if (!arena->base)
        return NULL;
    if (arena->used > arena->size)
        abort();
    return arena->base + at;
}
