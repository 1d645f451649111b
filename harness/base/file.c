/*
 * Whole writes and syncs; see the header.
 */
#include "harness/base/file.h"
#include "harness/base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int jrx_file_write(int fd, const void *data, size_t bytes)
{
    const char *at = data;
    while (bytes > 0) {
        ssize_t n = write(fd, at, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return -1;
        at += n;
        bytes -= (size_t)n;
    }
    return 0;
}

int jrx_file_sync(int fd)
{
    return fsync(fd) && errno != EINVAL && errno != ENOTSUP ? -1 : 0;
}

int jrx_file_sync_folder(const char *path)
{
    char *copy = strdup(path); /* dirname() writes into it */
    int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    int bad = fd < 0 || jrx_file_sync(fd), why = errno;
    if (fd >= 0)
        close(fd);
    free(copy);
    errno = why;
    return bad ? -1 : 0;
}

int jrx_file_error(const char *path, const char *what, const char *remedy)
{
    return jrx_fail(errno == EACCES || errno == EPERM ? JRX_EPERMISSION : JRX_EIO, "%s: %s (%s); %s", path, what,
                    strerror(errno), remedy);
}

int jrx_file_replaceable(const char *path)
{
    struct stat found;
    return stat(path, &found) || S_ISREG(found.st_mode);
}

static int write_pieces(int fd, const struct jrx_piece *piece, int pieces)
{
    for (int i = 0; i < pieces; i++)
        if (jrx_file_write(fd, piece[i].data, piece[i].bytes))
            return -1;
    return jrx_file_sync(fd);
}

int jrx_file_replace_pieces(const char *path, const struct jrx_piece *piece, int pieces, const char *remedy)
{
    char *work;
    if (!jrx_file_replaceable(path))
        return jrx_fail(JRX_EIO, "%s: there is something that is not a file; give another name", path);
    if (asprintf(&work, "%s.tmp", path) < 0)
        return jrx_fail(JRX_ENOMEM, "%s: no memory to write it", path);
    int fd = open(work, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int bad = fd < 0 || write_pieces(fd, piece, pieces), why = errno;
    if (fd >= 0 && close(fd) && !bad)
        bad = 1, why = errno;
    if (!bad && (rename(work, path) || jrx_file_sync_folder(path)))
        bad = 1, why = errno;
    if (bad && fd >= 0)
        unlink(work);
    free(work);
    errno = why;
    return bad ? jrx_file_error(path, "could not be written", remedy) : 0;
}

int jrx_file_replace(const char *path, const char *text, const char *remedy)
{
    return jrx_file_replace_pieces(path, &(struct jrx_piece){text, strlen(text)}, 1, remedy);
}
