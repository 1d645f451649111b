/*
 * Small text files of the kernel, under a root that tests can replace.
 */
#ifndef HARNESS_SYSFS_H
#define HARNESS_SYSFS_H
#include <stddef.h>
#include <stdint.h>

/**
 * Content of root/path without trailing white space, path made by `format`.
 * Returns 0; JRX_EUNAVAILABLE it is not there (or its device is gone); JRX_EPERMISSION; JRX_EIO; JRX_EFORMAT it does
 * not fit `size`. On failure text is "". The message names the file and the system's reason.
 */
int jrx_sysfs_text(char *text, size_t size, const char *root, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Likewise for a whole number in decimal; JRX_EFORMAT if it is not one and nothing else. */
int jrx_sysfs_u64(uint64_t *value, const char *root, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** A whole number, digits only, that fits 64 bits: 0 or JRX_EFORMAT (message: `what`, the text). Pure. */
int jrx_parse_u64(const char *text, const char *what, uint64_t *value);

/** The code for an errno: EACCES, EPERM -> JRX_EPERMISSION; ENOENT, ENODEV, ENXIO, ENOTDIR -> JRX_EUNAVAILABLE; else
 * JRX_EIO. */
int jrx_errno_code(int error);

#endif
