/*
 * Tilings as data: kernels/tiles/<machine>.csv, written by `joulerx tune`. A machine is its CPU's vendor, family and
 * model, as in AuthenticAMD-25-17. Where its file has no row for a call, the tiling is the kernel's own default, with
 * fewer rows of the grid where this machine's second-level cache is too small for that.
 */
#ifndef EXPERIMENTS_TILES_H
#define EXPERIMENTS_TILES_H
#include "harness/table.h"
#include "models/nn/run.h"
#include <jansson.h>
#include <limits.h>

/* A row: the tiling of one call, and where it is from. */
struct ex_tile_row {
    char kernel[64], layer[64], objective[16]; /* time, energy, edp, bytes */
    int f, t, n, threads;
    struct kn_tile tile;
    double gain_ratio, gain_ci_lo_ratio, gain_ci_hi_ratio; /* of the objective, over the default's, measured anew */
    char energy_source[32], date[24], commit[48], machine[64];
};

struct ex_tiles {
    char machine[64], path[PATH_MAX];
    struct ex_tile_row *row;
    int rows, found; /* found: there is a file */
    double l2_bytes; /* of this machine; NAN: not known */
};

extern const struct jrx_schema ex_tiles_schema;

/**
 * Reads this machine's file, or $JOULERX_TILES (set and empty: none). No file is no error: rows 0.
 * 0; JRX_EFORMAT with file, row and what is wrong; JRX_EIO, JRX_EPERMISSION, JRX_ENOMEM.
 */
int ex_tiles_read(struct ex_tiles *tiles);
/** The same for the machine that /proc below `procfs` describes (NULL: this one); its caches are those of hwloc. */
int ex_tiles_read_for(struct ex_tiles *tiles, const char *procfs);
/** The same from a file by name, which may be missing. */
int ex_tiles_read_file(struct ex_tiles *tiles, const char *path);
void ex_tiles_fini(struct ex_tiles *tiles); /* also on a zeroed struct */

/** Puts the row in the place of that of the same call and objective, or adds it. 0 or JRX_ENOMEM. */
int ex_tiles_put(struct ex_tiles *tiles, const struct ex_tile_row *row);
/** Takes that row away, if there is one. 1 if there was. */
int ex_tiles_drop(struct ex_tiles *tiles, const struct ex_tile_row *same);
/** Writes all rows to tiles->path, whole or not at all. 0, JRX_EIO, JRX_EPERMISSION. */
int ex_tiles_write(const struct ex_tiles *tiles);

enum ex_tile_from { EX_TILE_KERNEL, EX_TILE_FILE, EX_TILE_CACHES };
/** "kernel's default", "tile file", "cache sizes". */
const char *ex_tile_from_name(enum ex_tile_from from);

/**
 * The tiling to ask for where nobody asked for one: of the file's row for time, if the kernel takes it; else what the
 * cache sizes leave of the default. Fields of 0 are left to the kernel. from: may be NULL. Pure.
 */
struct kn_tile ex_tiles_get(const struct ex_tiles *tiles, const struct kn_kernel *kernel, const struct kn_shape *shape,
                            int threads, enum ex_tile_from *from);

/** The same as the table that a network asks (nn/net.h); `tiles` must outlive it and stay where it is. */
struct nn_tilings ex_tilings(struct ex_tiles *tiles);

/**
 * Rows of the grid in a tile: those of the default, or as many as fit half of an l2_bytes cache with the inputs they
 * are computed from and the weights of a block of results; at least 1. Field f alone is set, or nothing. Pure.
 */
struct kn_tile ex_tile_for_cache(const struct kn_kernel *kernel, const struct kn_shape *shape, double l2_bytes);

/** The same for meta.json: machine, file (null: none), rows, and what else is used. New reference; NULL: no memory. */
json_t *ex_tiles_json(const struct ex_tiles *tiles);
/** One line for people: file, rows, or what is used without. Into text[size], returned. */
char *ex_tiles_say(const struct ex_tiles *tiles, char *text, size_t size);

#endif
