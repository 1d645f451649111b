/*
 * RAPL registers through LIKWID, loaded at run time if it is installed (it is under the GPL and never linked). Its
 * success codes are not believed: HPMaddThread() returns 0 where nothing can be read. Only a reading that moves is. And
 * it ends the process where its access daemon does not start, so all of it is rehearsed in a child first.
 * Source: likwid.h 5.2; Intel SDM vol. 4 and AMD PPR family 17h for the register numbers.
 */
#include "harness/base/error.h"
#include "harness/clock.h"
#include "harness/likwid.h"
#include "harness/meter.h"
#include "harness/sysfs.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The domains in the order of likwid's PowerType, which power_getEnergyUnit() takes. 0: not on this vendor. */
static const struct {
    enum jrx_domain_kind kind;
    uint32_t intel, amd;
} registers[] = {{JRX_PACKAGE, 0x611, 0xC001029B},
                 {JRX_CORE, 0x639, 0},
                 {JRX_UNCORE, 0x641, 0},
                 {JRX_DRAM, 0x619, 0},
                 {JRX_PSYS, 0x64D, 0}};

struct likwid {
    void *library;
    bool started;
    uint32_t reg[JRX_DOMAINS];
    int (*topology_init)(void);
    void (*topology_finalize)(void);
    void (*hpm_mode)(int mode);
    int (*hpm_init)(void);
    int (*hpm_add_thread)(int cpu);
    void (*hpm_finalize)(void);
    int (*power_init)(int cpu);
    int (*power_read)(int cpu, uint64_t reg, uint32_t *data);
    double (*power_unit_j)(int domain);
    void (*power_finalize)(void);
};

static int likwid_read(struct jrx_meter *meter, size_t domain, struct jrx_reading *reading)
{
    const struct likwid *state = meter->state;
    uint32_t data = 0;
    reading->before_ns = jrx_clock_ns();
    int status = state->power_read(meter->domain[domain].cpu, state->reg[domain], &data);
    reading->after_ns = jrx_clock_ns();
    reading->count = data;
    if (status)
        return jrx_fail(JRX_EIO, "likwid: register %#x of CPU %d cannot be read (%d)", state->reg[domain],
                        meter->domain[domain].cpu, status);
    return 0;
}

static void likwid_close(struct jrx_meter *meter)
{
    struct likwid *state = meter->state;
    if (!state)
        return;
    if (state->started) {
        state->power_finalize();
        state->hpm_finalize();
        state->topology_finalize();
    }
    jrx_likwid_unload(state->library);
    free(state);
    meter->state = NULL;
}

static const struct jrx_likwid_symbol wanted[] = {
    {"topology_init", offsetof(struct likwid, topology_init)},
    {"topology_finalize", offsetof(struct likwid, topology_finalize)},
    {"HPMmode", offsetof(struct likwid, hpm_mode)},
    {"HPMinit", offsetof(struct likwid, hpm_init)},
    {"HPMaddThread", offsetof(struct likwid, hpm_add_thread)},
    {"HPMfinalize", offsetof(struct likwid, hpm_finalize)},
    {"power_init", offsetof(struct likwid, power_init)},
    {"power_read", offsetof(struct likwid, power_read)},
    {"power_getEnergyUnit", offsetof(struct likwid, power_unit_j)},
    {"power_finalize", offsetof(struct likwid, power_finalize)},
};

static bool is_amd(void)
{
    char alias[4096];
    return !jrx_sysfs_text(alias, sizeof alias, "/sys", "devices/system/cpu/modalias") &&
           (strstr(alias, "ven0002") || strstr(alias, "ven0009"));
}

static void add_domain(struct jrx_meter *meter, size_t r, uint32_t reg, int cpu, int socket,
                       const struct jrx_meter_config *config)
{
    struct likwid *state = meter->state;
    enum jrx_domain_kind kind = registers[r].kind;
    double unit_j = state->power_unit_j((int)r);
    if (!reg || !(unit_j > 0) || isinf(unit_j) || meter->domains == JRX_DOMAINS)
        return;
    struct jrx_domain *domain = &meter->domain[meter->domains];
    *domain = (struct jrx_domain){.kind = kind,
                                  .socket = kind == JRX_PSYS ? -1 : socket,
                                  .cpu = cpu,
                                  .in_total = kind == JRX_PACKAGE || kind == JRX_DRAM,
                                  .counter = {.range = 4294967296,
                                              .j_per_count = unit_j,
                                              .provable_j = 4294967296 * unit_j,
                                              .p_max_w = jrx_domain_p_max_w(config, kind)}};
    snprintf(domain->name, sizeof domain->name, kind == JRX_PSYS ? "%s" : "%s-%d", jrx_domain_kind_name(kind), socket);
    state->reg[meter->domains++] = reg;
}

/* Every register that its vendor has, on the first CPU of each socket. */
static void add_sockets(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    struct likwid *state = meter->state;
    bool amd = is_amd(), seen[256] = {false};
    uint64_t socket;
    for (int cpu = 0; !jrx_sysfs_u64(&socket, "/sys", "devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
         cpu++) {
        if (socket > 255 || seen[socket])
            continue;
        bool first = meter->domains == 0;
        seen[socket] = true;
        if (state->hpm_add_thread(cpu) || state->power_init(cpu) < 0)
            continue;
        for (size_t r = 0; r < sizeof registers / sizeof *registers; r++)
            if (registers[r].kind != JRX_PSYS || first) /* of the whole machine: once */
                add_domain(meter, r, amd ? registers[r].amd : registers[r].intel, cpu, (int)socket, config);
    }
}

/* Keeps the domains whose register moves within some updates. */
static int keep_those_that_move(struct jrx_meter *meter)
{
    struct likwid *state = meter->state;
    struct jrx_reading before[JRX_DOMAINS], now;
    bool readable[JRX_DOMAINS];
    size_t kept = 0, packages = 0;
    for (size_t d = 0; d < meter->domains; d++)
        readable[d] = !jrx_meter_read(meter, d, &before[d]);
    jrx_clock_sleep_until(jrx_clock_ns() + 20000000);
    for (size_t d = 0; d < meter->domains; d++) {
        if (!readable[d] || jrx_meter_read(meter, d, &now) || now.count == before[d].count)
            continue;
        packages += meter->domain[d].kind == JRX_PACKAGE;
        meter->domain[kept] = meter->domain[d];
        state->reg[kept++] = state->reg[d];
    }
    meter->domains = kept;
    if (!packages)
        return jrx_fail(
            JRX_EUNAVAILABLE,
            "likwid: it loads, but no package register moves: the CPU is unknown to this version, or MSRs are "
            "not accessible; modprobe msr and set up likwid-accessD, or run as root");
    return 0;
}

static int start(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    struct likwid *state = meter->state;
    if (config->sysfs)
        return jrx_fail(JRX_EUNAVAILABLE, "likwid: reads the registers of this CPU, not of the tree %s", config->sysfs);
    /* Without the msr module likwid can read nothing, and says so on stderr by itself. */
    if (!getenv("JOULERX_LIKWID") && access("/dev/cpu/0/msr", F_OK))
        return jrx_fail(JRX_EUNAVAILABLE,
                        "likwid: no /dev/cpu/0/msr; modprobe msr (virtual machines mostly have none)");
    int status = jrx_likwid_load(&state->library, "likwid", wanted, sizeof wanted / sizeof *wanted, state);
    if (status)
        return status;
    if (state->topology_init())
        return jrx_fail(JRX_EUNAVAILABLE, "likwid: it does not know this machine's topology; a newer version may");
    state->started = true;
    if (!geteuid())
        state->hpm_mode(0); /* direct: root needs no daemon */
    if (state->hpm_init())
        return jrx_fail(JRX_EPERMISSION, "likwid: no access to MSRs; set up likwid-accessD, or run as root");
    add_sockets(meter, config);
    return keep_those_that_move(meter);
}

struct rehearsal {
    struct jrx_meter *meter;
    const struct jrx_meter_config *config;
};

static int start_there(void *context)
{
    const struct rehearsal *rehearsal = context;
    return start(rehearsal->meter, rehearsal->config);
}

static int likwid_open(struct jrx_meter *meter, const struct jrx_meter_config *config)
{
    meter->state = calloc(1, sizeof(struct likwid));
    if (!meter->state)
        return jrx_fail(JRX_ENOMEM, "no memory for the likwid meter");
    meter->source = JRX_MEASURED;
    meter->tick_ns = 1000000;
    struct rehearsal rehearsal = {meter, config};
    int status = jrx_likwid_rehearse("likwid", start_there, &rehearsal);
    if (!status)
        status = start(meter, config);
    if (status)
        likwid_close(meter);
    return status;
}

const struct jrx_meter_ops meter_likwid = {.name = "likwid",
                                           .about = "RAPL registers through the LIKWID library, if it is installed",
                                           .order = 30,
                                           .open = likwid_open,
                                           .read = likwid_read,
                                           .close = likwid_close};
