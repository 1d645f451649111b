/* Loading liblikwid, and trying it: see the header. */
#include "harness/likwid.h"
#include "harness/base/error.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int jrx_likwid_load(void **library, const char *who, const struct jrx_likwid_symbol *wanted, size_t count, void *table)
{
    static const char *const usual[] = {"liblikwid.so.5.2", "liblikwid.so.5.3", "liblikwid.so.5.4", "liblikwid.so.5",
                                        "liblikwid.so"};
    const char *own = getenv("JOULERX_LIKWID");
    void *loaded = own ? dlopen(own, RTLD_NOW | RTLD_LOCAL) : NULL;
    *library = NULL;
    for (size_t i = 0; !own && !loaded && i < sizeof usual / sizeof *usual; i++)
        loaded = dlopen(usual[i], RTLD_NOW | RTLD_LOCAL);
    if (!loaded)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "%s: %.200s: the library is not installed; apt install likwid, or name it in JOULERX_LIKWID",
                        who, own ? own : usual[3]);
    for (size_t i = 0; i < count; i++) {
        void *symbol = dlsym(loaded, wanted[i].name);
        if (!symbol) {
            dlclose(loaded);
            return jrx_fail(JRX_EUNAVAILABLE, "%s: the library has no %s; version 5 is needed", who, wanted[i].name);
        }
        /* ISO C has no cast from object to function pointer */
        memcpy((char *)table + wanted[i].offset, &symbol, sizeof symbol);
    }
    *library = loaded;
    return 0;
}

void jrx_likwid_unload(void *library)
{
    if (library)
        dlclose(library);
}

/* What the child found, as its parent is told. */
struct verdict {
    int status;
    char reason[512];
};

static void in_child(int (*start)(void *context), void *context, int out)
{
    struct verdict verdict = {0};
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    verdict.status = start(context);
    snprintf(verdict.reason, sizeof verdict.reason, "%s", verdict.status ? jrx_last_error() : "");
    _exit(write(out, &verdict, sizeof verdict) != (ssize_t)sizeof verdict);
}

int jrx_likwid_rehearse(const char *who, int (*start)(void *context), void *context)
{
    enum { PATIENCE_MS = 3000 };
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return jrx_fail(JRX_EIO, "%s: no pipe: %s", who, strerror(errno));
    fflush(NULL); /* an exit() of the library would write our buffers a second time */
    pid_t child = fork();
    if (!child)
        in_child(start, context, ends[1]);
    close(ends[1]);
    struct pollfd told = {.fd = ends[0], .events = POLLIN};
    struct verdict verdict;
    ssize_t got = child > 0 && poll(&told, 1, PATIENCE_MS) > 0 ? read(ends[0], &verdict, sizeof verdict) : 0;
    close(ends[0]);
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    if (got != (ssize_t)sizeof verdict)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "%s: it ended itself or hung when it was tried, as it does where likwid-accessD cannot start; "
                        "set that up, or run as root",
                        who);
    return verdict.status ? jrx_fail(verdict.status, "%s", verdict.reason) : 0;
}
