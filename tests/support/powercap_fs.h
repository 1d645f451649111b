/*
 * Starts the powercap stand-in (tests/fake/powercap_fs) for a test and talks to it.
 */
#ifndef TESTS_SUPPORT_POWERCAP_FS_H
#define TESTS_SUPPORT_POWERCAP_FS_H
#include "tests/support/tree.h"
#include <sys/types.h>

struct powercap_fs {
    char mount[TREE_PATH]; /* a sysfs root: class/powercap, devices/virtual/powercap */
    char why[160];         /* why it did not start */
    pid_t pid;             /* 0: not running */
};

/** Mounts it with the given options (up to 30, NULL at the end). 0, or -1 with the reason in fs->why: then skip. */
int powercap_fs_start(struct powercap_fs *fs, const char *const *options);
void powercap_fs_stop(struct powercap_fs *fs); /* also if it did not start */
/** One command, as listed in powercap_fs.c; the test fails if it is refused. */
void powercap_fs_tell(const struct powercap_fs *fs, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Exact energy of a zone now [J], and when that was. */
double powercap_fs_truth_j(const struct powercap_fs *fs, const char *zone, unsigned long long *time_ns);

#endif
