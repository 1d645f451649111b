/*
 * A kernel is written once and built twice. Loads and stores of its loop nest go through kn_ld*, kn_st* of
 * kernels/simd.h, which call kn_touch(). In the plain object that is nothing; in the object built with KN_TRACE it
 * reports the access to the sink, so the cache simulator sees exactly the loop nest that was timed.
 */
#ifndef KERNELS_TRACE_H
#define KERNELS_TRACE_H
#include "harness/base/access.h"
#include <stddef.h>
#include <stdint.h>

/* Which tensor of the layer an access belongs to, whatever the direction: x or dx, w or dw, bias or db, y or dy; norm:
 * moments, or scale and shift. The tag of struct jrx_access. */
enum kn_operand { KN_IN, KN_WEIGHT, KN_BIAS, KN_OUT, KN_WORKSPACE, KN_NORM, KN_OPERANDS };

/* A buffer of accesses, handed on whenever it is full. shift[] makes addresses independent of where memory was got. */
struct kn_trace {
    uint64_t shift[KN_OPERANDS]; /* added to a pointer of that operand */
    struct jrx_access *access;
    size_t count, capacity;
    void (*flush)(
        struct kn_trace *trace); /* consumes access[0..count) and sets count to 0; called once more at the end */
    void *context;
};

#ifdef KN_TRACE
static inline void kn_touch(struct kn_trace *trace, enum kn_operand operand, const void *p, unsigned bytes, int write)
{
    if (trace->count == trace->capacity)
        trace->flush(trace);
    trace->access[trace->count++] = (struct jrx_access){(uint64_t)(uintptr_t)p + trace->shift[operand], (uint16_t)bytes,
                                                        (uint8_t)operand, (uint8_t)write};
}
#else
static inline void kn_touch(struct kn_trace *trace, enum kn_operand operand, const void *p, unsigned bytes, int write)
{
    (void)trace, (void)operand, (void)p, (void)bytes, (void)write;
}
#endif

#endif
