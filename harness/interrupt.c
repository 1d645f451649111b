/*
 * The only state of the harness that is global: a signal handler has no other place to write to.
 */
#include "harness/interrupt.h"
#include "harness/base/error.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

enum { SIGNALS = 2 };
static const int signals[SIGNALS] = {SIGINT, SIGTERM};
static struct sigaction found[SIGNALS]; /* handlers of before */
static int caught;                      /* found[] holds them */
static volatile sig_atomic_t came;      /* the signal, 0 if none */

static void on_signal(int number)
{
    came = number;
    for (int i = 0; i < SIGNALS; i++)
        if (found[i].sa_handler != SIG_IGN)
            signal(signals[i], SIG_DFL); /* the second one ends the program */
}

int jrx_interrupt_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal}; /* no SA_RESTART: sleeps and reads shall wake */
    if (caught)
        return 0;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&action.sa_mask, signals[i]);
    for (int i = 0; i < SIGNALS; i++) {
        if (sigaction(signals[i], NULL, &found[i]))
            return jrx_fail(JRX_EIO, "signals: handler %d could not be read (%s)", signals[i], strerror(errno));
        if (found[i].sa_handler != SIG_IGN && sigaction(signals[i], &action, NULL))
            return jrx_fail(JRX_EIO, "signals: handler %d could not be set (%s)", signals[i], strerror(errno));
    }
    caught = 1;
    return 0;
}

int jrx_interrupted(void)
{
    return came != 0;
}

int jrx_interrupt_check(void)
{
    if (!came)
        return 0;
    return jrx_fail(JRX_EINTERRUPTED, "interrupted by %s; what was done is kept, --resume goes on",
                    came == SIGINT ? "Ctrl-C" : "SIGTERM");
}

void jrx_interrupt_release(void)
{
    for (int i = 0; caught && i < SIGNALS; i++)
        sigaction(signals[i], &found[i], NULL);
    caught = 0;
    came = 0;
}
