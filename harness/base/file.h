/*
 * What writers of files share: whole writes, and what must reach the disk before a file may take its name.
 */
#ifndef HARNESS_BASE_FILE_H
#define HARNESS_BASE_FILE_H
#include <stddef.h>

/** Writes all bytes, however many calls that takes. 0, or -1 with errno; how much was written is then unknown. */
int jrx_file_write(int fd, const void *data, size_t bytes);

/** 0, or -1 with errno. Files that cannot be synced at all (pipes, devices) have nothing to lose: 0. */
int jrx_file_sync(int fd);

/** Puts the folder that `path` lies in on disk, so that a rename in it survives a power cut. 0, or -1 with errno. */
int jrx_file_sync_folder(const char *path);

/** 1 unless something that is no file is there already: a device, a pipe, a folder. A rename would take its place. */
int jrx_file_replaceable(const char *path);

struct jrx_piece {
    const void *data;
    size_t bytes;
};

/**
 * The file at `path` becomes the pieces one after the other, or stays as it was: a reader, or a crash, sees the old
 * file or the new one. Writes <path>.tmp. 0; jrx_file_error() with `remedy`; JRX_EIO where something that is no file is
 * there; JRX_ENOMEM.
 */
int jrx_file_replace_pieces(const char *path, const struct jrx_piece *piece, int pieces, const char *remedy);
/** The same of a text. */
int jrx_file_replace(const char *path, const char *text, const char *remedy);

/** "path: what (reason of errno); remedy" by jrx_fail(): JRX_EPERMISSION for EACCES and EPERM, else JRX_EIO. */
int jrx_file_error(const char *path, const char *what, const char *remedy);

#endif
