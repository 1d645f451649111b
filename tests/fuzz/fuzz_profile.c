/* Energy profiles: what is taken has every coefficient, finite and not negative. */
#include "harness/meters/profile.h"
#include "tests/fuzz/fuzz.h"
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jrx_profile profile;
    char path[32];
    int fd = fuzz_file(data, size, path), rc = jrx_profile_read(&profile, path);
    close(fd);
    if (rc)
        fuzz_refused(rc);
    for (int c = 0; !rc && c < JRX_COEFFICIENTS; c++)
        if (!isfinite(profile.value[c]) || profile.value[c] < 0 || !*profile.source[c])
            abort();
    return 0;
}
