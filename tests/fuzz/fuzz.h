/* What the fuzz targets share. Each is given bytes that stand for a file, and must either take them or say why not. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H
#include "harness/base/error.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a file in memory; its path goes to path[32]. close() it. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[32])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
        abort();
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* A refusal is a negative code with one line that says why. */
static inline void fuzz_refused(int rc)
{
    if (rc >= 0 || !*jrx_last_error() || strchr(jrx_last_error(), '\n'))
        abort();
}

#endif
