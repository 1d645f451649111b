/* Values of small kernel files: a number is taken only if its digits are all there is. */
#include "harness/sysfs.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[32], text[64], digits[32];
    uint64_t value;
    int fd = fuzz_file(data, size, path), rc = jrx_sysfs_text(text, sizeof text, "", "%s", path);
    if (rc) {
        fuzz_refused(rc);
        if (*text)
            abort();
    }
    if (lseek(fd, 0, SEEK_SET))
        abort();
    rc = jrx_sysfs_u64(&value, "", "%s", path);
    close(fd);
    if (rc) {
        fuzz_refused(rc);
        return 0;
    }
    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    size_t zeros = strspn(text, "0"); /* leading zeros are the only freedom */
    zeros -= zeros > 0 && !text[zeros];
    if (strcmp(text + zeros, digits))
        abort();
    return 0;
}
