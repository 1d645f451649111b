/* The list of warnings, and what the state of the machine gives reason to warn of. */
#include "harness/quality.h"
#include "harness/base/error.h"
#include "harness/machine.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void jrx_warn(struct jrx_warnings *list, const char *code, double value, double threshold, const char *remedy,
              const char *format, ...)
{
    struct jrx_warning warning = {.value = value, .threshold = threshold};
    va_list args;
    va_start(args, format);
    vsnprintf(warning.text, sizeof warning.text, format, args);
    va_end(args);
    snprintf(warning.code, sizeof warning.code, "%s", code);
    snprintf(warning.remedy, sizeof warning.remedy, "%s", remedy);
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->item[i].code, warning.code) && !strcmp(list->item[i].text, warning.text))
            return;
    if (list->count == JRX_WARNINGS)
        list->dropped++;
    else
        list->item[list->count++] = warning;
}

void jrx_warnings_add(struct jrx_warnings *list, const struct jrx_warnings *more)
{
    for (size_t i = 0; i < more->count; i++) {
        const struct jrx_warning *w = &more->item[i];
        jrx_warn(list, w->code, w->value, w->threshold, w->remedy, "%s", w->text);
    }
    list->dropped += more->dropped;
}

const struct jrx_warning *jrx_warning_find(const struct jrx_warnings *list, const char *code)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strcmp(list->item[i].code, code))
            return &list->item[i];
    return NULL;
}

/* What is either so or not: field, the answer that disturbs, and what to say. */
static const struct {
    size_t offset;
    enum jrx_yesno disturbs;
    const char *code, *text, *remedy;
} flags[] = {
    {offsetof(struct jrx_machine_state, turbo), JRX_YES, "turbo",
     "turbo is on: frequency, and with it energy per operation, follows temperature and load",
     "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > /sys/devices/system/cpu/cpufreq/boost"},
    {offsetof(struct jrx_machine_state, smt), JRX_YES, "smt",
     "SMT is on: a sibling thread shares the core that is measured",
     "echo off > /sys/devices/system/cpu/smt/control, or pin to one thread a core with taskset"},
    {offsetof(struct jrx_machine_state, nmi_watchdog), JRX_YES, "nmi_watchdog",
     "the NMI watchdog holds one hardware counter", "sysctl kernel.nmi_watchdog=0"},
    {offsetof(struct jrx_machine_state, energy_filtering), JRX_YES, "energy_filtering",
     "RAPL readings are noised on purpose (SGX, or bit 0 of MSR 0xBC): up to 50 % off in a sample",
     "switch SGX and energy filtering off in the firmware"},
    {offsetof(struct jrx_machine_state, hypervisor), JRX_YES, "hypervisor",
     "this is a virtual machine: energy and hardware counters are mostly not passed through, and neighbours disturb",
     "measure on bare metal"},
    {offsetof(struct jrx_machine_state, powercap_masked), JRX_YES, "powercap_masked",
     "the zones of powercap lead to nothing: this container hides them",
     "start it with --security-opt systempaths=unconfined (Docker), or unmask=/sys/devices/virtual/powercap (Podman)"},
};

void jrx_quality_state(struct jrx_warnings *list, const struct jrx_machine_state *state)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        enum jrx_yesno answer;
        memcpy(&answer, (const char *)state + flags[i].offset, sizeof answer);
        if (answer == flags[i].disturbs)
            jrx_warn(list, flags[i].code, NAN, NAN, flags[i].remedy, "%s", flags[i].text);
    }
    if (*state->governor && strcmp(state->governor, "performance"))
        jrx_warn(list, "governor", NAN, NAN, "cpupower frequency-set -g performance",
                 "frequency governor is %s: energy per operation drifts with load", state->governor);
    if (state->load_ratio > 0.1)
        jrx_warn(list, "other_load", state->load_ratio, 0.1, "stop other programs, or wait until they are done",
                 "load of the last minute is %.2f of the machine; RAPL counts everything that runs", state->load_ratio);
    if (state->power_cap_w < 0.999 * state->power_cap_max_w)
        jrx_warn(list, "power_cap", state->power_cap_w, state->power_cap_max_w,
                 "raise constraint_0_power_limit_uw in /sys/class/powercap, or report the cap with the result",
                 "package power is capped at %.0f W of %.0f W", state->power_cap_w, state->power_cap_max_w);
    if (state->temperature_c > 85)
        jrx_warn(list, "hot", state->temperature_c, 85, "let it cool, and improve cooling: it is about to throttle",
                 "the CPU is at %.0f C: leakage grows with temperature, and with it every energy",
                 state->temperature_c);
    if (state->throttled > 0)
        jrx_warn(list, "throttled", state->throttled, 0, "improve cooling, and compare the count before and after",
                 "the CPU throttled for heat %.0f times since boot", state->throttled);
}

static const char *const refused[] = {"governor",         "turbo",           "smt",        "other_load",
                                      "nmi_watchdog",     "power_cap",       "hypervisor", "powercap_masked",
                                      "energy_filtering", "meters_disagree", "hot",        "throttled",
                                      "crosscheck",       "counter_truth"};

static int is_refused(const char *code)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!strcmp(code, refused[i]))
            return 1;
    return 0;
}

int jrx_quality_strict(const struct jrx_warnings *warnings)
{
    const struct jrx_warning *first = NULL;
    size_t count = 0;
    for (size_t i = 0; i < warnings->count; i++)
        if (is_refused(warnings->item[i].code)) {
            first = first ? first : &warnings->item[i];
            count++;
        }
    return first ? jrx_fail(JRX_EQUALITY, "--strict: %s; %s (%zu such; joulerx doctor lists them)", first->text,
                            first->remedy, count)
                 : 0;
}
