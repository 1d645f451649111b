/* One register shown twice: see the header. */
#include "harness/meters/twins.h"
#include "harness/clock.h"

/* Both at one instant: the first must stand still around the read of the second. */
static bool read_pair(struct jrx_meter *meter, size_t a, size_t b, uint64_t *first, uint64_t *second)
{
    for (int tries = 0; tries < 16; tries++) {
        struct jrx_reading before, other, after;
        if (jrx_meter_read(meter, a, &before) || jrx_meter_read(meter, b, &other) || jrx_meter_read(meter, a, &after))
            return false;
        *first = before.count, *second = other.count;
        if (before.count == after.count)
            return true;
    }
    return false;
}

enum jrx_twins jrx_twins(struct jrx_meter *meter, size_t a, size_t b)
{
    uint64_t first, second, start_a, start_b;
    bool equal = true, steps = true;
    if (!read_pair(meter, a, b, &start_a, &start_b))
        return JRX_TWINS_NO;
    equal = start_a == start_b;
    first = start_a;
    for (int look = 0; look < 2; look++) {
        jrx_clock_sleep_until(jrx_clock_ns() + 3500000);
        if (!read_pair(meter, a, b, &first, &second))
            return JRX_TWINS_NO;
        equal = equal && first == second;
        steps = steps && first - start_a == second - start_b;
    }
    if (equal)
        return JRX_TWINS_EQUAL;
    return steps && first != start_a ? JRX_TWINS_STEPS : JRX_TWINS_NO;
}
