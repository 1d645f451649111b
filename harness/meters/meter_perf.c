/*
 * RAPL through the kernel's `power` PMU and perf_event_open(). Type, event, scale, unit and the CPUs to open it on come
 * from sysfs. Counts are 64 bits of 2^-32 J.
 * Source: Linux arch/x86/events/rapl.c; Documentation/ABI/testing/sysfs-bus-event_source-devices-events.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/meters/twins.h"
#include "harness/sysfs.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The driver adds up a signed 32-bit difference of the register and looks by itself only as often as 200 W need, so a
 * run at more power that nobody reads turns negative after 2^31 units. Of the smallest unit, 2^-16 J, that is:
 */
static const double provable_j = 32768;

static const struct {
    const char *event;
    enum jrx_domain_kind kind;
} events[] = {{"energy-pkg", JRX_PACKAGE},
              {"energy-ram", JRX_DRAM},
              {"energy-cores", JRX_CORE},
              {"energy-gpu", JRX_UNCORE},
              {"energy-psys", JRX_PSYS}};

static const char pmu[] = "bus/event_source/devices/power";

struct perf {
    int fd[JRX_DOMAINS];
};

static int perf_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    const struct perf *state = meter->state;
    reading->before_ns = jrx_clock_ns();
    ssize_t got = read(state->fd[domain], &reading->count, sizeof reading->count);
    int error = errno;
    reading->after_ns = jrx_clock_ns();
    if (got != (ssize_t)sizeof reading->count)
        return jrx_fail(JRX_EIO, "perf: %s: %s; its CPU %d may have gone offline", meter->domain[domain].name,
                        got < 0 ? strerror(error) : "no value", meter->domain[domain].cpu);
    return 0;
}

static void perf_close(struct jrx_meter *meter)
{
    struct perf *state = meter->state;
    for (size_t d = 0; state && d < meter->domains; d++)
        close(state->fd[d]);
    free(state);
    meter->state = NULL;
}

/* "event=0x02": the only form this PMU uses. */
static int parse_event(const char *text, uint64_t *config)
{
    char *end;
    if (strncmp(text, "event=", 6))
        return jrx_fail(JRX_EFORMAT, "perf: event '%.60s' of the power PMU is not event=N", text);
    *config = strtoull(text + 6, &end, 0);
    return end == text + 6 || *end ? jrx_fail(JRX_EFORMAT, "perf: event '%.60s' of the power PMU is not event=N", text)
                                   : 0;
}

struct event {
    uint64_t config;
    double j_per_count;
};

/* One event's files. 0, JRX_EUNAVAILABLE if this PMU does not have it, or what is wrong with them. */
static int read_event(const char *sysfs, const char *name, struct event *event)
{
    char text[128], *end;
    int status = jrx_sysfs_text(text, sizeof text, sysfs, "%s/events/%s", pmu, name);
    if (status || (status = parse_event(text, &event->config)) ||
        (status = jrx_sysfs_text(text, sizeof text, sysfs, "%s/events/%s.unit", pmu, name)))
        return status;
    if (strcmp(text, "Joules"))
        return jrx_fail(JRX_EFORMAT, "perf: %s is in '%.40s', not in Joules", name, text);
    if ((status = jrx_sysfs_text(text, sizeof text, sysfs, "%s/events/%s.scale", pmu, name)))
        return status;
    event->j_per_count = strtod(text, &end);
    if (end == text || *end || !(event->j_per_count > 0) || isinf(event->j_per_count))
        return jrx_fail(JRX_EFORMAT, "perf: scale of %s is '%.40s'", name, text);
    return 0;
}

static int open_event(uint64_t type, const struct event *event, int cpu, const char *name)
{
    struct perf_event_attr attr = {.type = (uint32_t)type, .size = sizeof attr, .config = event->config};
    int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno == EACCES || errno == EPERM)
        return jrx_fail(JRX_EPERMISSION,
                        "perf: %s: %s; as root: sysctl kernel.perf_event_paranoid=0, or setcap cap_perfmon+ep on the "
                        "program, or run as root",
                        name, strerror(errno));
    return jrx_fail(JRX_EUNAVAILABLE, "perf: %s on CPU %d: %s; the power PMU is listed and cannot be used", name, cpu,
                    strerror(errno));
}

static void describe(struct jrx_domain *domain, enum jrx_domain_kind kind, int cpu, const char *sysfs,
                     const struct jrx_meter_config *config, double j_per_count)
{
    uint64_t socket = 0;
    /* A machine whose topology cannot be read has one socket, as far as anybody knows. */
    if (jrx_sysfs_u64(&socket, sysfs, "devices/system/cpu/cpu%d/topology/physical_package_id", cpu))
        socket = 0;
    *domain = (struct jrx_domain){.kind = kind,
                                  .socket = kind == JRX_PSYS ? -1 : (int)socket,
                                  .cpu = cpu,
                                  .in_total = kind == JRX_PACKAGE || kind == JRX_DRAM,
                                  .counter = {.range = JRX_RANGE_NONE,
                                              .j_per_count = j_per_count,
                                              .provable_j = provable_j,
                                              .p_max_w = jrx_domain_p_max_w(config, kind)}};
    snprintf(domain->name, sizeof domain->name, kind == JRX_PSYS ? "%s" : "%s-%d", jrx_domain_kind_name(kind),
             domain->socket);
}

/* A second CPU of the same socket is another die, or the same register again: 0 or 1. The names tell dies apart. */
static bool is_twin(struct jrx_meter *meter, size_t d)
{
    struct jrx_domain *domain = &meter->domain[d];
    size_t dies = 0;
    for (size_t k = 0; k < d; k++) {
        if (meter->domain[k].kind != domain->kind || meter->domain[k].socket != domain->socket)
            continue;
        if (jrx_twins(meter, k, d) != JRX_TWINS_NO) {
            jrx_warn(&meter->warnings, "identical_dies", NAN, NAN,
                     "nothing to do: it is counted once; Linux 6.12 opens one",
                     "%s: several CPUs of its mask tick identically, each is the whole package", meter->domain[k].name);
            return true;
        }
        dies++;
    }
    if (dies) {
        size_t used = strlen(domain->name);
        snprintf(domain->name + used, sizeof domain->name - used, "-die-%zu", dies);
    }
    return false;
}

/* Opens one event on each CPU of the mask; psys on the first, it is of the whole machine. */
static int open_on_cpus(struct jrx_meter *meter, uint64_t type, size_t e, const struct event *event, const char *mask,
                        const struct jrx_meter_config *config)
{
    struct perf *state = meter->state;
    const char *sysfs = config->sysfs ? config->sysfs : "/sys";
    for (const char *p = mask; *p;) {
        char *end;
        long first = strtol(p, &end, 10), last = first;
        if (end != p && *end == '-') {
            p = end + 1;
            last = strtol(p, &end, 10);
        }
        if (end == p || (*end && *end != ','))
            return jrx_fail(JRX_EFORMAT, "perf: cpumask '%.60s' of the power PMU is not a list of CPUs", mask);
        p = *end ? end + 1 : end;
        for (long cpu = first; cpu <= last; cpu++) {
            if (meter->domains == JRX_DOMAINS)
                return jrx_fail(JRX_EUNAVAILABLE, "perf: more than %d counters", JRX_DOMAINS);
            int fd = open_event(type, event, (int)cpu, events[e].event);
            if (fd < 0)
                return fd;
            size_t d = meter->domains;
            state->fd[d] = fd;
            describe(&meter->domain[d], events[e].kind, (int)cpu, sysfs, config, event->j_per_count);
            if (is_twin(meter, d))
                close(fd);
            else
                meter->domains++;
            if (events[e].kind == JRX_PSYS)
                return 0;
        }
    }
    return 0;
}

static int open_all(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    const char *sysfs = config->sysfs ? config->sysfs : "/sys";
    char mask[1024];
    uint64_t type;
    int status = jrx_sysfs_u64(&type, sysfs, "%s/type", pmu);
    if (status == JRX_EUNAVAILABLE)
        return jrx_fail(status,
                        "perf: the kernel has no power PMU (%s/%s); modprobe rapl (in linux-modules-extra on some "
                        "distributions); virtual machines mostly have none",
                        sysfs, pmu);
    if (status || (status = jrx_sysfs_text(mask, sizeof mask, sysfs, "%s/cpumask", pmu)))
        return jrx_fail(status, "perf: %s", jrx_last_error());
    for (size_t e = 0; e < sizeof events / sizeof *events; e++) {
        struct event event = {0};
        status = read_event(sysfs, events[e].event, &event);
        if (status == JRX_EUNAVAILABLE)
            continue;
        if (status || (status = open_on_cpus(meter, type, e, &event, mask, config)))
            return status;
    }
    for (size_t d = 0; d < meter->domains; d++)
        if (meter->domain[d].kind == JRX_PACKAGE)
            return 0;
    return jrx_fail(JRX_EUNAVAILABLE, "perf: the power PMU has no energy-pkg event; use another meter");
}

static int perf_open(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    meter->state = calloc(1, sizeof(struct perf));
    if (!meter->state)
        return jrx_fail(JRX_ENOMEM, "no memory for the perf meter");
    meter->source = JRX_MEASURED;
    meter->tick_ns = 1000000;
    int status = open_all(meter, config);
    if (status)
        perf_close(meter);
    return status;
}

const struct jrx_meter_ops meter_perf = {.name = "perf",
                                         .about = "RAPL counters through the kernel's power PMU",
                                         .order = 10,
                                         .open = perf_open,
                                         .read = perf_read,
                                         .close = perf_close};
