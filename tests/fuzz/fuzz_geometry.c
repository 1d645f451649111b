/* Cache geometries from the command line: what is taken makes a simulator. */
#include "harness/cachesim.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    struct jrx_cache_geometry g;
    if (size >= sizeof text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    int rc = jrx_cache_geometry_parse(text, &g);
    if (rc)
        fuzz_refused(rc);
    else if (g.levels < 1 || g.levels > JRX_CACHE_LEVELS)
        abort();
    return 0;
}
