/*
 * Errors: every fallible function returns 0 or a negative JRX_E code, and keeps one sentence for people.
 * Only the program prints it and exits; libraries never do.
 */
#ifndef HARNESS_BASE_ERROR_H
#define HARNESS_BASE_ERROR_H

enum jrx_error {
    JRX_OK = 0,
    JRX_EINVAL = -1,       /* an argument, option or file content is wrong        -> exit 2 */
    JRX_ENOMEM = -2,       /* memory could not be had                             -> exit 1 */
    JRX_EIO = -3,          /* a file or device could not be read or written       -> exit 1 */
    JRX_EFORMAT = -4,      /* a file is not what it claims to be                  -> exit 1 */
    JRX_EUNAVAILABLE = -5, /* this machine or this build cannot do it             -> exit 3 */
    JRX_EPERMISSION = -6,  /* it exists, this user may not                        -> exit 3 */
    JRX_EMISSED = -7,      /* a counter may have wrapped unseen: no number exists -> exit 1 */
    JRX_EIMPLAUSIBLE = -8, /* a number exists and cannot be true                  -> exit 1 */
    JRX_EINTERRUPTED = -9, /* Ctrl-C or SIGTERM: what was done is kept            -> exit 130 */
    JRX_ECHECK = -10,      /* a check or a comparison failed                      -> exit 1 */
    JRX_EQUALITY = -11     /* quality warnings under --strict                     -> exit 4 */
};

/**
 * Keeps a message for jrx_last_error() and returns `code`, so that `return jrx_fail(JRX_EIO, ...)` is one statement.
 * Text: what failed, the value, the remedy. No newline, no full stop;
 * control characters, as a damaged file may bring, become '?'. Cut at 511 bytes. Thread-local.
 */
int jrx_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The calling thread's last message; "" if there was none. Valid until the thread's next jrx_fail(). */
const char *jrx_last_error(void);

/** Exit status of the program for a code, as listed above; 0 for JRX_OK. Pure. */
int jrx_exit_status(int code);

#endif
