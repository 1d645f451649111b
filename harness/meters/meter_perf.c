/*
 * RAPL through the kernel's `power` PMU and perf_event_open(), and through `power_core`, which has one event a core on
 * AMD (since Linux 6.14): those of a socket are added up in the read. Type, event, scale, unit and the CPUs to open it
 * on come from sysfs. Counts are 64 bits of 2^-32 J.
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

static const char package_pmu[] = "bus/event_source/devices/power", core_pmu[] = "bus/event_source/devices/power_core";

static const struct {
    const char *pmu, *event;
    enum jrx_domain_kind kind;
} events[] = {{package_pmu, "energy-pkg", JRX_PACKAGE}, {package_pmu, "energy-ram", JRX_DRAM},
              {package_pmu, "energy-cores", JRX_CORE},  {package_pmu, "energy-gpu", JRX_UNCORE},
              {package_pmu, "energy-psys", JRX_PSYS},   {core_pmu, "energy-core", JRX_CORE}};

enum { FDS = 4096 }; /* as many as there may be cores */

struct perf {
    size_t used;
    size_t first[JRX_DOMAINS]; /* of the counters that a domain is the sum of */
    struct {
        int fd;
        size_t next; /* FDS ends the chain */
    } counter[FDS];
};

static int perf_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    const struct perf *state = meter->state;
    *reading = (struct jrx_reading){.before_ns = jrx_clock_ns()};
    for (size_t i = state->first[domain]; i < FDS; i = state->counter[i].next) {
        uint64_t count;
        ssize_t got = read(state->counter[i].fd, &count, sizeof count);
        if (got != (ssize_t)sizeof count)
            return jrx_fail(JRX_EIO, "perf: %s: %s; its CPU %d may have gone offline", meter->domain[domain].name,
                            got < 0 ? strerror(errno) : "no value", meter->domain[domain].cpu);
        reading->count += count;
    }
    reading->after_ns = jrx_clock_ns();
    return 0;
}

static void perf_close(struct jrx_meter *meter)
{
    struct perf *state = meter->state;
    for (size_t i = 0; state && i < state->used; i++)
        close(state->counter[i].fd);
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
static int read_event(const char *sysfs, const char *pmu, const char *name, struct event *event)
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

/* Opens an event on one CPU: as a domain of its own, or, of a core, as one more term of its socket's. */
static int open_on_cpu(struct jrx_meter *meter, uint64_t type, size_t e, const struct event *event, int cpu,
                       const struct jrx_meter_config *config)
{
    struct perf *state = meter->state;
    const char *sysfs = config->sysfs ? config->sysfs : "/sys";
    if (meter->domains == JRX_DOMAINS || state->used == FDS)
        return jrx_fail(JRX_EUNAVAILABLE, "perf: more than %d counters", JRX_DOMAINS);
    int fd = open_event(type, event, cpu, events[e].event);
    if (fd < 0)
        return fd;
    size_t d = meter->domains, at = state->used;
    struct jrx_domain *domain = &meter->domain[d];
    describe(domain, events[e].kind, cpu, sysfs, config, event->j_per_count);
    state->counter[at].fd = fd;
    state->counter[at].next = FDS;
    for (size_t k = 0; k < d && events[e].pmu == core_pmu; k++)
        if (meter->domain[k].kind == JRX_CORE && meter->domain[k].socket == domain->socket) {
            state->counter[at].next = state->first[k];
            state->first[k] = at;
            state->used++;
            return 0;
        }
    state->first[d] = at;
    if (is_twin(meter, d)) {
        close(fd);
        return 0;
    }
    state->used++;
    meter->domains++;
    return 0;
}

/* Opens one event on each CPU of the mask; psys on the first, it is of the whole machine. */
static int open_on_cpus(struct jrx_meter *meter, uint64_t type, size_t e, const struct event *event, const char *mask,
                        const struct jrx_meter_config *config)
{
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
            int status = open_on_cpu(meter, type, e, event, (int)cpu, config);
            if (status || events[e].kind == JRX_PSYS)
                return status;
        }
    }
    return 0;
}

/* One event of its PMU, if that has it. 0 or what is wrong. */
static int open_if_there(struct jrx_meter *meter, size_t e, const struct jrx_meter_config *config)
{
    const char *sysfs = config->sysfs ? config->sysfs : "/sys", *pmu = events[e].pmu;
    struct event event = {0};
    char mask[1024];
    uint64_t type;
    int status = jrx_sysfs_u64(&type, sysfs, "%s/type", pmu);
    if (!status)
        status = read_event(sysfs, pmu, events[e].event, &event);
    if (status == JRX_EUNAVAILABLE)
        return 0;
    if (!status && (status = jrx_sysfs_text(mask, sizeof mask, sysfs, "%s/cpumask", pmu)))
        status = jrx_fail(status, "perf: %s", jrx_last_error());
    return status ? status : open_on_cpus(meter, type, e, &event, mask, config);
}

static int open_all(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    const char *sysfs = config->sysfs ? config->sysfs : "/sys";
    uint64_t type;
    int status = jrx_sysfs_u64(&type, sysfs, "%s/type", package_pmu);
    if (status == JRX_EUNAVAILABLE)
        return jrx_fail(status,
                        "perf: the kernel has no power PMU (%s/%s); modprobe rapl (in linux-modules-extra on some "
                        "distributions); virtual machines mostly have none",
                        sysfs, package_pmu);
    for (size_t e = 0; e < sizeof events / sizeof *events && !status; e++)
        status = open_if_there(meter, e, config);
    for (size_t d = 0; d < meter->domains && !status; d++)
        if (meter->domain[d].kind == JRX_PACKAGE)
            return 0;
    return status ? status
                  : jrx_fail(JRX_EUNAVAILABLE, "perf: the power PMU has no energy-pkg event; use another meter");
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
