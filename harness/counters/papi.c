/*
 * PAPI 7.0 says "available" of events that cannot be added (facts seen: 141 of 160 native events of a virtual Zen 4),
 * gives NULL for some error texts, and 0 for the name of a preset that cannot be counted. So everything is tried.
 */
#include "harness/counters/papi.h"
#include "harness/base/error.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <papi.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *jrx_papi_error(int code)
{
    /* 7.0.0 reads past its table for codes it does not know, and knows none before it is started */
    const char *text = code <= 0 && code > -PAPI_NUM_ERRORS ? PAPI_strerror(code) : NULL;
    return text ? text : "unknown error";
}

int jrx_papi_init(void)
{
    if (PAPI_is_initialized() != PAPI_NOT_INITED)
        return 0;
    int rc = PAPI_library_init(PAPI_VER_CURRENT);
    if (rc != PAPI_VER_CURRENT)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "counters papi: the library does not start (%d); install the libpapi this program was "
                        "built with",
                        rc);
    rc = PAPI_thread_init(pthread_self);
    return rc == PAPI_OK ? 0 : jrx_fail(JRX_EUNAVAILABLE, "counters papi: no threads (%d %s)", rc, jrx_papi_error(rc));
}

static int paranoid(void)
{
    int value = -100;
    FILE *from = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
    if (from) {
        if (fscanf(from, "%d", &value) != 1)
            value = -100;
        fclose(from);
    }
    return value;
}

/* The kernel is asked first: PAPI's own reasons do not tell a missing PMU from a missing permission. */
void jrx_papi_hardware_note(char *note, size_t size)
{
    struct perf_event_attr cycles = {.type = PERF_TYPE_HARDWARE,
                                     .size = sizeof cycles,
                                     .config = PERF_COUNT_HW_CPU_CYCLES,
                                     .disabled = 1,
                                     .exclude_kernel = 1,
                                     .exclude_hv = 1};
    int fd = (int)syscall(SYS_perf_event_open, &cycles, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    note[0] = 0;
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        snprintf(note, size, "no hardware events: perf_event_paranoid is %d; run: sysctl kernel.perf_event_paranoid=2",
                 paranoid());
    else if (fd < 0)
        snprintf(note, size,
                 "no hardware events: the kernel has no PMU to offer (%s), as in most virtual machines; measure "
                 "on the host, or use the cache simulator",
                 strerror(errno));
    else
        close(fd);
    if (fd < 0 || jrx_papi_init())
        return;
    for (int i = 0; i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *info = PAPI_get_component_info(i);
        if (info && !strcmp(info->name, "perf_event") && info->disabled)
            snprintf(note, size,
                     "no hardware events: PAPI does not know this CPU (%.80s); use a newer libpapi and libpfm4",
                     info->disabled_reason);
    }
}

/* The sde component makes an event of any name that is asked for, and counts 0: only those published exist. */
static int is_listed(const char *name, int component)
{
    int code = PAPI_NATIVE_MASK;
    PAPI_event_info_t info;
    for (int rc = PAPI_enum_cmp_event(&code, PAPI_ENUM_FIRST, component); rc == PAPI_OK;
         rc = PAPI_enum_cmp_event(&code, PAPI_ENUM_EVENTS, component))
        if (PAPI_get_event_info(code, &info) == PAPI_OK && !strcmp(info.symbol, name))
            return 1;
    return 0;
}

/* Whether a name is of the sde component and not published. Asked before PAPI_event_name_to_code(), which makes it. */
static int is_unpublished(const char *name)
{
    for (int i = 0; !strncmp(name, "sde:::", 6) && i < PAPI_num_components(); i++) {
        const PAPI_component_info_t *info = PAPI_get_component_info(i);
        if (info && !strcmp(info->name, "sde"))
            return !is_listed(name, i);
    }
    return 0;
}

int jrx_papi_find(const char *name, struct jrx_papi_event *out)
{
    char copy[PAPI_MAX_STR_LEN], note[256];
    *out = (struct jrx_papi_event){0};
    int rc = jrx_papi_init();
    if (rc)
        return rc;
    snprintf(copy, sizeof copy, "%s", name);
    rc = is_unpublished(copy) ? PAPI_ENOEVNT : PAPI_event_name_to_code(copy, &out->code);
    if (rc != PAPI_OK) {
        jrx_papi_hardware_note(note, sizeof note);
        return jrx_fail(JRX_EINVAL,
                        "counters papi: no event \"%s\" (%d %s)%s%s; `joulerx list events` shows what can be counted",
                        name, rc, jrx_papi_error(rc), *note ? "; " : "", note);
    }
    out->component = PAPI_get_event_component(out->code);
    const PAPI_component_info_t *info = PAPI_get_component_info(out->component);
    if (!info || info->disabled)
        return jrx_fail(JRX_EUNAVAILABLE,
                        "counters papi: %s is of a component that is off (%.100s); use the cache simulator", name,
                        info ? info->disabled_reason : "unknown");
    out->per_thread = !strcmp(info->name, "perf_event");
    out->source = strcmp(info->name, "sde") ? JRX_MEASURED : strstr(name, "simulated") ? JRX_SIMULATED : JRX_ESTIMATED;
    return 0;
}

int jrx_papi_try(const struct jrx_papi_event *event)
{
    int set = PAPI_NULL;
    long long value = -1;
    volatile double work = 1;
    int rc = PAPI_create_eventset(&set);
    if (rc != PAPI_OK)
        return rc;
    rc = PAPI_add_event(set, event->code);
    if (rc == PAPI_OK && (rc = PAPI_start(set)) == PAPI_OK) {
        for (int i = 0; i < 1000; i++)
            work = work * 1.000001;
        rc = PAPI_stop(set, &value);
    }
    PAPI_cleanup_eventset(set);
    PAPI_destroy_eventset(&set);
    if (rc == PAPI_OK &&
        (value < 0 || value > 1LL << 48)) /* a thousand multiplications are not that many of anything */
        rc = PAPI_ECNFLCT;
    return rc;
}
