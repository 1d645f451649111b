#include "models/nn/place.h"
#include "harness/base/mem.h"
#include <stdint.h>

static const size_t NOWHERE = SIZE_MAX;

static size_t round_up(size_t bytes)
{
    return (bytes + JRX_ALIGN - 1) / JRX_ALIGN * JRX_ALIGN;
}

static int share_a_step(const struct nn_buffer *a, const struct nn_buffer *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset where `b` meets no placed buffer of its steps: 0, or the end of one of them. */
static size_t lowest(const struct nn_buffer *buffer, int count, const struct nn_buffer *b)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        const struct nn_buffer *o = &buffer[i];
        size_t end = o->offset + round_up(o->bytes);
        if (o->bytes && o->offset != NOWHERE && share_a_step(o, b) && o->offset < at + round_up(b->bytes) && at < end) {
            at = end;
            i = -1; /* from the start: the new place may meet one that the old did not */
        }
    }
    return at;
}

size_t nn_place(struct nn_buffer *buffer, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        buffer[i].offset = buffer[i].bytes ? NOWHERE : 0;
    for (;;) {
        struct nn_buffer *next = NULL;
        for (int i = 0; i < count; i++)
            if (buffer[i].offset == NOWHERE && (!next || buffer[i].bytes > next->bytes))
                next = &buffer[i];
        if (!next)
            return total;
        size_t at = lowest(buffer, count, next);
        next->offset = at;
        total = at + round_up(next->bytes) > total ? at + round_up(next->bytes) : total;
    }
}
