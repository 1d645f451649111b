/*
 * RAPL through the kernel's powercap tree. File descriptors are held open and read with pread(); a count is in
 * microjoules. Which zones there are: harness/meters/zones.h.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/meters/twins.h"
#include "harness/meters/zones.h"
#include "harness/sysfs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 2^32 of the smallest energy unit in use, 2^-16 J: what a counter of unknown range holds at least [J]. */
static const double smallest_range_j = 65536;

struct powercap {
    int fd[JRX_DOMAINS];
};

static int explain(int error, const char *zone)
{
    switch (jrx_errno_code(error)) {
    case JRX_EPERMISSION:
        return jrx_fail(
            JRX_EPERMISSION,
            "powercap: energy_uj of %s: %s; as root: chmod a+r /sys/class/powercap/*/energy_uj (until reboot; `joulerx "
            "doctor` has the udev rule and setcap), or run as root",
            zone, strerror(error));
    case JRX_EUNAVAILABLE:
        return jrx_fail(JRX_EUNAVAILABLE,
                        "powercap: zone %s is gone (%s): its CPUs went offline or the module was removed; "
                        "bring them back and start again",
                        zone, strerror(error));
    }
    if (error == ENODATA)
        return jrx_fail(JRX_EIO,
                        "powercap: %s has no data (%s): the counter exists and is not served; use another meter", zone,
                        strerror(error));
    return jrx_fail(
        JRX_EIO,
        "powercap: energy_uj of %s: %s: the kernel could not read the register (EIO, EINVAL); see dmesg, use "
        "another meter",
        zone, strerror(error));
}

static int read_count(int fd, const char *zone, struct jrx_reading *reading)
{
    char text[32];
    reading->before_ns = jrx_clock_ns();
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    int error = errno;
    reading->after_ns = jrx_clock_ns();
    if (got < 0)
        return explain(error, zone);
    text[got] = 0;
    text[strcspn(text, "\n")] = 0;
    if (!*text)
        return jrx_fail(JRX_EFORMAT,
                        "powercap: energy_uj of %s is empty; is it a copy of the tree that is being written?", zone);
    return jrx_parse_u64(text, zone, &reading->count);
}

static int powercap_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    const struct powercap *state = meter->state;
    return read_count(state->fd[domain], meter->domain[domain].name, reading);
}

static void powercap_close(struct jrx_meter *meter)
{
    struct powercap *state = meter->state;
    for (size_t d = 0; state && d < JRX_DOMAINS; d++)
        if (state->fd[d] >= 0)
            close(state->fd[d]);
    free(state);
    meter->state = NULL;
}

/* First CPU of a package (and die): the kernel reads the register there, from elsewhere it must wake that CPU. */
static int lead_cpu(const char *sysfs, int package, int die)
{
    for (int cpu = 0; package >= 0; cpu++) {
        uint64_t p, d;
        if (jrx_sysfs_u64(&p, sysfs, "devices/system/cpu/cpu%d/topology/physical_package_id", cpu))
            return -1;
        if (p == (uint64_t)package &&
            (die < 0 ||
             (!jrx_sysfs_u64(&d, sysfs, "devices/system/cpu/cpu%d/topology/die_id", cpu) && d == (uint64_t)die)))
            return cpu;
    }
    return -1;
}

static bool counts_in_total(enum jrx_domain_kind kind)
{
    return kind == JRX_PACKAGE || kind == JRX_DRAM;
}

/* Opens and tries each zone. One that the total needs must work; another is left out with a warning. */
static int open_zones(const char *sysfs, struct jrx_zone *zones, int *fd, size_t *count, struct jrx_warnings *warnings)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        char path[PATH_MAX];
        struct jrx_reading reading;
        int length = snprintf(path, sizeof path, "%s/class/powercap/%s/energy_uj", sysfs, zones[i].dir);
        if (length < 0 || (size_t)length >= sizeof path)
            return jrx_fail(JRX_EINVAL, "%.60s...: path of the sysfs root is too long", sysfs);
        int opened = open(path, O_RDONLY | O_CLOEXEC);
        int status = opened < 0 ? explain(errno, zones[i].dir) : read_count(opened, zones[i].dir, &reading);
        if (!status) {
            zones[kept] = zones[i];
            fd[kept++] = opened;
            continue;
        }
        if (opened >= 0)
            close(opened);
        if (counts_in_total(zones[i].kind)) {
            *count = kept;
            return jrx_fail(status, "%s", jrx_last_error());
        }
        jrx_warn(warnings, "zone_left_out", NAN, NAN, "no total needs it", "%s", jrx_last_error());
    }
    *count = kept;
    return 0;
}

static void describe(struct jrx_domain *domain, const struct jrx_zone *zone, const struct jrx_meter_config *config,
                     const char *sysfs)
{
    jrx_zone_name(zone, domain->name);
    domain->kind = zone->kind;
    domain->socket = zone->package;
    domain->cpu = lead_cpu(sysfs, zone->package, zone->die);
    domain->in_total = counts_in_total(zone->kind);
    domain->counter = (struct jrx_counter){.range = zone->range,
                                           .j_per_count = 1e-6,
                                           .provable_j = zone->range == JRX_RANGE_UNKNOWN ? smallest_range_j
                                                                                          : (double)zone->range * 1e-6,
                                           .p_max_w = jrx_domain_p_max_w(config, zone->kind)};
}

/* On AMD the core zone reads MSR 0xC001029A of the lead CPU alone: one core, whatever its name suggests. */
static void note_one_core(struct jrx_meter *meter, const char *sysfs)
{
    char alias[4096];
    if (jrx_sysfs_text(alias, sizeof alias, sysfs, "devices/system/cpu/modalias") ||
        (!strstr(alias, "ven0002") && !strstr(alias, "ven0009"))) /* AMD, Hygon */
        return;
    for (size_t d = 0; d < meter->domains; d++)
        if (meter->domain[d].kind == JRX_CORE)
            jrx_warn(&meter->warnings, "one_core", NAN, NAN,
                     "do not read it as the sum of the cores; no total contains it",
                     "%s is one core, CPU %d, on this AMD processor", meter->domain[d].name, meter->domain[d].cpu);
}

/* Several zones of one package that show the same number are that package once. */
static void merge_twins(struct jrx_meter *meter)
{
    struct powercap *state = meter->state;
    size_t kept = 0;
    for (size_t d = 0; d < meter->domains; d++) {
        struct jrx_domain *domain = &meter->domain[d];
        size_t k = domain->kind == JRX_PACKAGE ? 0 : kept;
        while (k < kept && !(meter->domain[k].kind == JRX_PACKAGE && meter->domain[k].socket == domain->socket &&
                             jrx_twins(meter, k, d) == JRX_TWINS_EQUAL))
            k++;
        if (k < kept) {
            snprintf(meter->domain[k].name, JRX_DOMAIN_NAME, "package-%d", domain->socket);
            jrx_warn(&meter->warnings, "identical_dies", NAN, NAN,
                     "nothing to do: it is counted once; Linux 6.12 shows one zone",
                     "package-%d: several zones tick identically, each is the whole package", domain->socket);
            close(state->fd[d]);
            state->fd[d] = -1;
            continue;
        }
        if (kept != d) {
            meter->domain[kept] = *domain;
            state->fd[kept] = state->fd[d];
            state->fd[d] = -1;
        }
        kept++;
    }
    meter->domains = kept;
}

static int powercap_open(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    const char *sysfs = config->sysfs ? config->sysfs : "/sys";
    struct jrx_zone zones[JRX_DOMAINS];
    struct powercap *state = malloc(sizeof *state);
    size_t count = 0;
    if (!state)
        return jrx_fail(JRX_ENOMEM, "no memory for the powercap meter");
    for (size_t d = 0; d < JRX_DOMAINS; d++)
        state->fd[d] = -1;
    meter->state = state;
    int status = jrx_zones_find(sysfs, zones, JRX_DOMAINS, &count, &meter->warnings);
    if (!status)
        status = open_zones(sysfs, zones, state->fd, &count, &meter->warnings);
    if (status) {
        powercap_close(meter);
        return status;
    }
    for (size_t d = 0; d < count; d++)
        describe(&meter->domain[d], &zones[d], config, sysfs);
    meter->domains = count;
    meter->source = JRX_MEASURED;
    meter->tick_ns = 1000000;
    merge_twins(meter);
    note_one_core(meter, sysfs);
    return 0;
}

const struct jrx_meter_ops meter_powercap = {.name = "powercap",
                                             .about = "RAPL counters in /sys/class/powercap",
                                             .order = 20,
                                             .open = powercap_open,
                                             .read = powercap_read,
                                             .close = powercap_close};
