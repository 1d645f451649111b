#include "models/nn/replace.h"
#include "harness/base/error.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_all(FILE *file, const struct nn_piece *piece, int pieces)
{
    for (int i = 0; i < pieces; i++)
        if (fwrite(piece[i].data, 1, piece[i].bytes, file) != piece[i].bytes)
            return -1;
    return fflush(file) || fsync(fileno(file)) ? -1 : 0;
}

int nn_replace(const char *path, const struct nn_piece *piece, int pieces)
{
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.tmp", path) < 0)
        return jrx_fail(JRX_ENOMEM, "%s: no memory for the name of its temporary file", path);
    struct stat found;
    if (!stat(path, &found) && !S_ISREG(found.st_mode)) { /* /dev/null, say: a rename would take its place */
        free(temporary);
        return jrx_fail(JRX_EIO, "%s: there is something that is not a file; give another name", path);
    }
    FILE *file = fopen(temporary, "wb");
    int failed = !file || write_all(file, piece, pieces), why = errno, status = 0;
    if (file && fclose(file) && !failed) {
        failed = 1;
        why = errno;
    }
    if (!failed && rename(temporary, path)) {
        failed = 1;
        why = errno;
    }
    if (failed) {
        if (file)
            unlink(temporary);
        status = jrx_fail(why == EACCES ? JRX_EPERMISSION : JRX_EIO, "%s: could not be written (%s); %s", path,
                          strerror(why), "an older file of that name is left as it was");
    }
    free(temporary);
    return status;
}
