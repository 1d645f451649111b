/*
 * A whole file in place of another, or of none, by way of path.tmp, fsync and rename: a reader, or a crash, sees the
 * old file or the new one.
 */
#ifndef MODELS_NN_REPLACE_H
#define MODELS_NN_REPLACE_H
#include <stddef.h>

struct nn_piece {
    const void *data;
    size_t bytes;
};

/** Writes the pieces one after the other. 0, JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM; the old file is then untouched. */
int nn_replace(const char *path, const struct nn_piece *piece, int pieces);

#endif
