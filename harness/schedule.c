/* The order of a run: see the header. */
#include "harness/schedule.h"
#include "harness/base/error.h"
#include "harness/base/rng.h"
#include <string.h>

static const char *const names[] = {"shuffled", "blocked", "sequential"};

const char *jrx_order_name(enum jrx_order order)
{
    return names[order];
}

int jrx_order_parse(const char *name, enum jrx_order *order)
{
    for (int i = 0; i < 3; i++)
        if (!strcmp(name, names[i])) {
            *order = (enum jrx_order)i;
            return 0;
        }
    return jrx_fail(JRX_EINVAL, "no order '%s'; there are shuffled, blocked, sequential", name);
}

/* Fisher-Yates on the steps of one block: its own stream, so that block b never depends on how many there are. */
static void shuffle_block(struct jrx_step *step, uint32_t cells, uint32_t block, uint64_t seed)
{
    struct jrx_rng rng;
    jrx_rng_init(&rng, seed, block);
    for (uint32_t i = cells; i > 1; i--) {
        uint32_t k = jrx_rng_below(&rng, i);
        struct jrx_step swap = step[i - 1];
        step[i - 1] = step[k];
        step[k] = swap;
    }
}

int jrx_schedule(struct jrx_step *steps, uint32_t cells, uint32_t reps, enum jrx_order order, uint64_t seed)
{
    if (!cells || !reps || (uint64_t)cells * reps > UINT32_MAX)
        return jrx_fail(JRX_EINVAL, "%u cells times %u repetitions is no plan", cells, reps);
    for (uint32_t outer = 0, i = 0; outer < (order == JRX_SEQUENTIAL ? cells : reps); outer++)
        for (uint32_t inner = 0; inner < (order == JRX_SEQUENTIAL ? reps : cells); inner++, i++)
            steps[i] = order == JRX_SEQUENTIAL ? (struct jrx_step){.cell = outer, .rep = inner}
                                               : (struct jrx_step){.cell = inner, .rep = outer};
    if (order == JRX_SHUFFLED)
        for (uint32_t block = 0; block < reps; block++)
            shuffle_block(steps + (size_t)block * cells, cells, block, seed);
    return 0;
}
