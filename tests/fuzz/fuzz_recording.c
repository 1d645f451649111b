/* Recordings: what is taken can be computed again, gives no negative energy, and is never called measured. */
#include "harness/recording.h"
#include "tests/fuzz/fuzz.h"
#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jrx_window_result result;
    struct jrx_recording recording = {0};
    char path[32];
    int fd = fuzz_file(data, size, path), rc = jrx_recording_read(&recording, path);
    close(fd);
    if (rc)
        fuzz_refused(rc);
    else {
        if (jrx_recording_source(&recording) == JRX_MEASURED || recording.count == 0)
            abort();
        const struct jrx_reading *first = &recording.item[0].reading,
                                 *last = &recording.item[recording.count - 1].reading;
        jrx_recording_energy(&recording, first->before_ns, last->after_ns, &result);
        if (result.status == 0 && !(result.total_j >= 0))
            abort();
    }
    jrx_recording_fini(&recording);
    return 0;
}
