/*
 * libsde keeps pointers to the numbers, which PAPI reads whenever a tool asks: they stay where they are until close.
 */
#include "harness/counters/sde.h"
#include "harness/base/error.h"
#include "harness/base/mem.h"
#include "harness/sysfs.h"
#include <errno.h>
#include <fcntl.h>
#include <sde_lib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIBRARY "joulerx"
#define PREFIX "sde:::" LIBRARY "::"

static const char *const names[JRX_SDE_EVENTS] = {
    [JRX_SDE_FLOP] = PREFIX "flop_declared",          [JRX_SDE_REGIONS] = PREFIX "regions_done",
    [JRX_SDE_L1_BYTES] = PREFIX "l1_bytes_simulated", [JRX_SDE_L2_BYTES] = PREFIX "l2_bytes_simulated",
    [JRX_SDE_L3_BYTES] = PREFIX "l3_bytes_simulated", [JRX_SDE_DRAM_BYTES] = PREFIX "dram_bytes_simulated",
    [JRX_SDE_CPU_NS] = PREFIX "cpu_ns_measured",
};

struct jrx_sde {
    papi_handle_t library;
    long long *value; /* [JRX_SDE_EVENTS], in memory of their own */
};

enum { BYTES = JRX_SDE_EVENTS * sizeof(long long) };

/* Zeroes: shared through the file, if there is one. */
static int map_values(struct jrx_sde *sde, const char *path)
{
    int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    int bad = path && (fd < 0 || ftruncate(fd, BYTES));
    void *memory =
        bad ? MAP_FAILED
            : mmap(NULL, BYTES, PROT_READ | PROT_WRITE, path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
    int status = memory != MAP_FAILED ? 0
                 : path ? jrx_fail(jrx_errno_code(errno), "JOULERX_SDE=%s: %s; give a file that can be written", path,
                                   strerror(errno))
                        : jrx_fail(JRX_ENOMEM, "no memory for software-defined events");
    if (fd >= 0)
        close(fd);
    sde->value = status ? NULL : memory;
    return status;
}

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
    int status = map_values(sde, getenv("JOULERX_SDE"));
    if (status) {
        free(sde);
        return status;
    }
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
    munmap(sde->value, BYTES);
    free(sde);
}
