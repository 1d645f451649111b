/*
 * libsde keeps pointers to the numbers, which PAPI reads whenever a tool asks: they stay where they are until close.
 */
#include "harness/counters/sde.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include <sde_lib.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "joulerx"
#define PREFIX "sde:::" LIBRARY "::"

static const char *const names[JRX_SDE_EVENTS] = {
    [JRX_SDE_FLOP] = PREFIX "flop_declared",          [JRX_SDE_REGIONS] = PREFIX "regions_done",
    [JRX_SDE_L1_BYTES] = PREFIX "l1_bytes_simulated", [JRX_SDE_L2_BYTES] = PREFIX "l2_bytes_simulated",
    [JRX_SDE_L3_BYTES] = PREFIX "l3_bytes_simulated", [JRX_SDE_DRAM_BYTES] = PREFIX "dram_bytes_simulated",
};

struct jrx_sde {
    papi_handle_t library;
    long long value[JRX_SDE_EVENTS];
};

const char *jrx_sde_name(enum jrx_sde_event event)
{
    return names[event];
}

int jrx_sde_open(struct jrx_sde **out)
{
    *out = NULL;
    struct jrx_sde *sde = jrx_alloc(sizeof *sde);
    if (!sde)
        return JRX_ENOMEM;
    sde->library = papi_sde_init(LIBRARY);
    int bad = !sde->library;
    for (int i = 0; !bad && i < JRX_SDE_EVENTS; i++) /* no descriptions: libsde 7.0.0 leaks them */
        bad = papi_sde_register_counter(sde->library, names[i] + strlen(PREFIX), PAPI_SDE_RO | PAPI_SDE_DELTA,
                                        PAPI_SDE_long_long, &sde->value[i]);
    if (bad) {
        jrx_sde_close(sde);
        return jrx_fail(JRX_EUNAVAILABLE, "software-defined events: libsde does not take them; install libsde1");
    }
    *out = sde;
    return 0;
}

void jrx_sde_add(struct jrx_sde *sde, enum jrx_sde_event event, int64_t amount)
{
    if (sde && amount > 0)
        __atomic_fetch_add(&sde->value[event], amount, __ATOMIC_RELAXED);
}

void jrx_sde_close(struct jrx_sde *sde)
{
    if (!sde)
        return;
    if (sde->library)
        papi_sde_shutdown(sde->library);
    free(sde);
}
