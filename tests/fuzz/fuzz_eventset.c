/* Event sets: what is taken can be planned within its counters and printed. */
#include "harness/counters/eventset.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jrx_event_set set;
    struct jrx_passes plan;
    unsigned in_pass[JRX_SET_EVENTS] = {0};
    char path[32];
    int fd = fuzz_file(data, size, path), rc = jrx_event_set_read(&set, path);
    close(fd);
    if (rc) {
        fuzz_refused(rc);
        return 0;
    }
    if (jrx_passes_plan(&set, NULL, 0, 0, &plan) || plan.passes == 0)
        abort();
    for (unsigned e = 0; e < set.events; e++) /* an event of no finished metric has no pass */
        if (plan.of_event[e] < plan.passes && ++in_pass[plan.of_event[e]] > set.slots)
            abort();
    FILE *to = fopen("/dev/null", "w");
    if (!to || jrx_event_set_print(&set, to))
        abort();
    fclose(to);
    return 0;
}
