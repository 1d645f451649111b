/*
 * Ctrl-C and SIGTERM become a flag that long loops poll, so that what was measured is kept.
 */
#ifndef HARNESS_INTERRUPT_H
#define HARNESS_INTERRUPT_H

/**
 * From now on the first SIGINT or SIGTERM sets the flag and wakes blocking calls (EINTR); the second ends the program
 * at once. A signal that was ignored (nohup) stays ignored. 0 or JRX_EIO.
 */
int jrx_interrupt_catch(void);

/** 1 once a signal came, else 0. Any thread. */
int jrx_interrupted(void);

/** 0, or JRX_EINTERRUPTED with its message once a signal came: for `if ((rc = jrx_interrupt_check()))`. */
int jrx_interrupt_check(void);

/** Puts the handlers back that jrx_interrupt_catch() found, and clears the flag. */
void jrx_interrupt_release(void);

#endif
