/* The table of fixes: see the header. */
#include "experiments/fixes.h"
#include "harness/base/error.h"
#include <stdio.h>
#include <string.h>

/* Whether a fix is for a machine where the container hides powercap, for one where it does not, or for both. */
enum where { ANYWHERE, UNMASKED, MASKED };

/* %s is the program. The udev rule: Debian's udev 252, `udevadm test`; %p is the device's path below /sys. */
static const struct {
    const char *source;
    int status;
    enum where where;
    const char *what, *command;
} table[] = {
    {"powercap", JRX_EPERMISSION, ANYWHERE, "until the next boot", "chmod a+r /sys/class/powercap/*/energy_uj"},
    {"powercap", JRX_EPERMISSION, ANYWHERE, "at every boot, a udev rule",
     "echo 'ACTION==\"add\", SUBSYSTEM==\"powercap\", TEST==\"energy_uj\", "
     "RUN+=\"/bin/chmod a+r /sys%%p/energy_uj\"' > /etc/udev/rules.d/70-joulerx.rules; udevadm control --reload; "
     "udevadm trigger --action=add --subsystem-match=powercap"},
    {"powercap", JRX_EPERMISSION, ANYWHERE, "for this program alone", "setcap cap_dac_read_search+ep %s"},
    {"powercap", JRX_EUNAVAILABLE, UNMASKED, "load the driver (Intel, and AMD since Linux 5.8)",
     "modprobe intel_rapl_msr"},
    {"powercap", JRX_EUNAVAILABLE, UNMASKED, "at every boot", "echo intel_rapl_msr > /etc/modules-load.d/joulerx.conf"},
    {"powercap", JRX_EUNAVAILABLE, MASKED, "start the container with powercap unmasked (Docker)",
     "docker run --security-opt systempaths=unconfined ..."},
    {"powercap", JRX_EUNAVAILABLE, MASKED, "start the container with powercap unmasked (Podman)",
     "podman run --security-opt unmask=/sys/devices/virtual/powercap ..."},
    {"perf", JRX_EPERMISSION, ANYWHERE, "until the next boot", "sysctl -w kernel.perf_event_paranoid=0"},
    {"perf", JRX_EPERMISSION, ANYWHERE, "at every boot",
     "echo kernel.perf_event_paranoid=0 > /etc/sysctl.d/90-joulerx.conf"},
    {"perf", JRX_EPERMISSION, ANYWHERE, "for this program alone", "setcap cap_perfmon+ep %s"},
    {"perf", JRX_EUNAVAILABLE, ANYWHERE, "load the driver (linux-modules-extra on some distributions)",
     "modprobe rapl"},
    {"likwid", JRX_EUNAVAILABLE, ANYWHERE, "install it, and let it reach the registers",
     "apt install likwid; modprobe msr"},
    {"likwid", JRX_EPERMISSION, ANYWHERE, "let its daemon reach the registers",
     "modprobe msr; chmod u+s $(command -v likwid-accessD)"},
    {"papi", JRX_EPERMISSION, ANYWHERE, "until the next boot", "sysctl -w kernel.perf_event_paranoid=2"},
    {"papi", JRX_EPERMISSION, ANYWHERE, "at every boot",
     "echo kernel.perf_event_paranoid=2 > /etc/sysctl.d/90-joulerx.conf"},
    {"papi", JRX_EPERMISSION, ANYWHERE, "for this program alone", "setcap cap_perfmon+ep %s"},
};

size_t ex_fixes(const char *source, int status, const struct jrx_machine_state *state, const char *program,
                struct ex_fix *out, size_t max)
{
    size_t count = 0;
    enum where here = state->powercap_masked == JRX_YES ? MASKED : UNMASKED;
    for (size_t i = 0; i < sizeof table / sizeof *table && count < max; i++) {
        if (strcmp(table[i].source, source) || table[i].status != status ||
            (table[i].where != ANYWHERE && table[i].where != here))
            continue;
        out[count].what = table[i].what;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the table above is the only source of formats */
        snprintf(out[count].command, sizeof out[count].command, table[i].command, program);
#pragma GCC diagnostic pop
        count++;
    }
    return count;
}
