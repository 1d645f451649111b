/* Small text files of the kernel. */
#include "harness/sysfs.h"
#include "harness/base/error.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int jrx_errno_code(int error)
{
    switch (error) {
    case EACCES:
    case EPERM: return JRX_EPERMISSION;
    case ENOENT:
    case ENODEV:
    case ENXIO:
    case ENOTDIR: return JRX_EUNAVAILABLE;
    default: return JRX_EIO;
    }
}

static int read_text(char *text, size_t size, const char *path)
{
    text[0] = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return jrx_fail(jrx_errno_code(errno), "%s: %s", path, strerror(errno));
    ssize_t got = read(fd, text, size);
    int error = errno;
    close(fd);
    if (got < 0)
        got = 0;
    else
        error = 0;
    if ((size_t)got == size) {
        text[0] = 0;
        return jrx_fail(JRX_EFORMAT, "%s: longer than %zu bytes", path, size - 1);
    }
    text[got] = 0;
    if (error)
        return jrx_fail(jrx_errno_code(error), "%s: %s", path, strerror(error));
    while (got && isspace((unsigned char)text[got - 1]))
        text[--got] = 0;
    return 0;
}

static void join(char path[PATH_MAX], const char *root, const char *format, va_list args)
{
    int used = snprintf(path, PATH_MAX, "%s/", root);
    if (used < PATH_MAX)
        vsnprintf(path + used, (size_t)(PATH_MAX - used), format, args);
}

int jrx_sysfs_text(char *text, size_t size, const char *root, const char *format, ...)
{
    char path[PATH_MAX];
    va_list args;
    va_start(args, format);
    join(path, root, format, args);
    va_end(args);
    return read_text(text, size, path);
}

int jrx_parse_u64(const char *text, const char *what, uint64_t *value)
{
    uint64_t v = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++)
        if (__builtin_mul_overflow(v, 10u, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
            return jrx_fail(JRX_EFORMAT, "%s: '%.40s' does not fit 64 bits", what, text);
    if (p == text || *p)
        return jrx_fail(JRX_EFORMAT, "%s: '%.40s' is not a whole number", what, text);
    *value = v;
    return 0;
}

int jrx_sysfs_u64(uint64_t *value, const char *root, const char *format, ...)
{
    char path[PATH_MAX], text[64];
    va_list args;
    va_start(args, format);
    join(path, root, format, args);
    va_end(args);
    int status = read_text(text, sizeof text, path);
    return status ? status : jrx_parse_u64(text, path, value);
}
