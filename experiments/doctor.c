#include "experiments/doctor.h"
#include "experiments/fixes.h"
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/base/file.h"
#include "harness/counters.h"
#include "harness/crosscheck.h"
#include "harness/machine.h"
#include "harness/meter.h"
#include "harness/provenance.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_METERS = 16 };

static json_t *number(double v)
{
    return isnan(v) ? json_null() : json_real(v);
}

/* The exact commands that would make a source available. */
static json_t *fixes(const char *source, int status, const struct jrx_machine_state *state)
{
    enum { MOST = 8 };
    struct ex_fix fix[MOST];
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    size_t count = ex_fixes(source, status, state, program, fix, MOST);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "what", fix[i].what, "command", fix[i].command));
    return list;
}

static json_t *meters(const char *sysfs, const struct jrx_machine_state *state, struct jrx_warnings *found)
{
    static struct jrx_meter_info info[MAX_METERS];
    const struct jrx_meter_config config = {.sysfs = sysfs};
    size_t count = jrx_meter_list(&config, info, MAX_METERS);
    json_t *list = json_array();
    for (size_t i = 0; i < count && i < MAX_METERS; i++) {
        int ok = !info[i].status;
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:o}", "meter", info[i].ops->name,
                                              "about", info[i].ops->about, "available", ok, "source",
                                              ok ? jrx_source_name(info[i].source) : "", "domains",
                                              ok ? info[i].domains : "", "reason", ok ? "" : info[i].reason, "fix",
                                              fixes(info[i].ops->name, info[i].status, state)));
        if (ok && info[i].source == JRX_MEASURED) /* duplicates, dies that tick identically, zones left out */
            jrx_warnings_add(found, &info[i].warnings);
    }
    return list;
}

static json_t *counters(const struct jrx_machine_state *state)
{
    json_t *list = json_array();
    for (const struct jrx_counter_ops *const *source = jrx_counter_sources(); *source; source++) {
        char note[512] = "";
        int status = (*source)->probe(note, sizeof note);
        /* papi works without hardware events; why there are none is its note */
        int why = strstr(note, "perf_event_paranoid") ? JRX_EPERMISSION : status;
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:b, s:s, s:s, s:s, s:o}", "counters", (*source)->name, "about",
                                        (*source)->about, "available", !status, "source",
                                        jrx_source_name((*source)->source), "domains", note, "reason",
                                        status ? jrx_last_error() : "", "fix", fixes((*source)->name, why, state)));
    }
    return list;
}

static json_t *warnings(const struct jrx_warnings *found)
{
    json_t *list = json_array();
    for (size_t i = 0; i < found->count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o, s:s, s:s}", "code", found->item[i].code, "value",
                                        number(found->item[i].value), "threshold", number(found->item[i].threshold),
                                        "text", found->item[i].text, "remedy", found->item[i].remedy));
    return list;
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

/* NAN: unknown. */
static double count_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void print_sources(const json_t *list, const char *kind, FILE *to)
{
    size_t i, k;
    json_t *item, *fix;
    json_array_foreach(list, i, item)
    {
        int ok = json_is_true(json_object_get(item, "available"));
        fprintf(to, "%-8s %-10s %-12s ", kind, text(item, strcmp(kind, "meter") ? "counters" : "meter"),
                ok ? "available" : "unavailable");
        if (ok)
            fprintf(to, "%s; %s%s%s\n", text(item, "source"), text(item, "about"), *text(item, "domains") ? ": " : "",
                    text(item, "domains"));
        else
            fprintf(to, "%s\n", text(item, "reason"));
        json_array_foreach(json_object_get(item, "fix"), k, fix)
            fprintf(to, "%-8s %-10s %-12s %s:\n%33s%s\n", "", "", "fix", text(fix, "what"), "", text(fix, "command"));
    }
}

/* What is looked at of the machine's state: key of the JSON, unit, code of the warning it may give, and why it may be
 * unknown. */
static const struct {
    const char *key, *unit, *code, *unknown;
} states[] = {
    {"governor", "", "governor", "no cpufreq driver"},
    {"turbo", "", "turbo", "no cpufreq driver"},
    {"frequency_max_hz", "Hz", "", "no cpufreq driver"},
    {"smt", "", "smt", "this kernel does not say"},
    {"nmi_watchdog", "", "nmi_watchdog", "this kernel does not say"},
    {"perf_event_paranoid", "", "", "this kernel has no perf events"},
    {"power_cap_w", "W", "power_cap", "no powercap zone says so"},
    {"energy_filtering", "", "energy_filtering", "read from MSR 0xBC: as root, after modprobe msr; Intel only"},
    {"powercap_masked", "", "powercap_masked", "no powercap zones"},
    {"temperature_c", "C", "hot", "no coretemp, k10temp or zenpower sensor"},
    {"throttled", "", "throttled", "this kernel does not count"},
    {"load_ratio", "of the machine", "other_load", "/proc/loadavg cannot be read"},
};

static const json_t *find_warning(const json_t *report, const char *code)
{
    size_t i;
    const json_t *item, *list = json_object_get(report, "warnings");
    json_array_foreach(list, i, item) if (!strcmp(text(item, "code"), code)) return item;
    return NULL;
}

static void print_state(const json_t *report, FILE *to)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        const json_t *value = json_object_get(json_object_get(report, "state"), states[i].key);
        const json_t *warning = *states[i].code ? find_warning(report, states[i].code) : NULL;
        char shown[64];
        if (json_is_string(value))
            snprintf(shown, sizeof shown, "%s", json_string_value(value));
        else if (json_is_boolean(value))
            snprintf(shown, sizeof shown, "%s", json_is_true(value) ? "yes" : "no");
        else
            snprintf(shown, sizeof shown, "%.4g %s", json_number_value(value), states[i].unit);
        if (json_is_null(value))
            fprintf(to, "state    %-20s unknown: %s\n", states[i].key, states[i].unknown);
        else if (warning)
            fprintf(to, "state    %-20s %-16s warning: %s; %s\n", states[i].key, shown, text(warning, "text"),
                    text(warning, "remedy"));
        else
            fprintf(to, "state    %-20s %-16s ok\n", states[i].key, shown);
    }
}

/* What is not about the state: the meters' own findings. */
static void print_findings(const json_t *report, FILE *to)
{
    size_t w;
    const json_t *item, *list = json_object_get(report, "warnings");
    json_array_foreach(list, w, item)
    {
        int shown = 0;
        for (size_t i = 0; i < sizeof states / sizeof *states; i++)
            shown |= !strcmp(text(item, "code"), states[i].code);
        if (!shown)
            fprintf(to, "warning  %-20s %s; %s\n", text(item, "code"), text(item, "text"), text(item, "remedy"));
    }
}

void ex_doctor_print(const json_t *report, FILE *to)
{
    const json_t *machine = json_object_get(report, "machine");
    fprintf(to, "machine  %s, %.0f package(s), %.0f cores, %.0f threads, kernels up to %s\n",
            *text(machine, "cpu") ? text(machine, "cpu") : "unknown CPU", count_of(machine, "packages"),
            count_of(machine, "cores"), count_of(machine, "threads"), text(machine, "kernels"));
    if (*text(machine, "hypervisor"))
        fprintf(to, "machine  a virtual machine: energy and hardware counters belong to the host\n");
    print_sources(json_object_get(report, "meters"), "meter", to);
    print_sources(json_object_get(report, "counters"), "counters", to);
    print_state(report, to);
    print_findings(report, to);
}

int ex_doctor(const char *sysfs, json_t **report)
{
    struct jrx_machine machine;
    struct jrx_machine_state state;
    struct jrx_warnings found = {0};
    const struct jrx_meter_config config = {.sysfs = sysfs};
    int status = jrx_machine_read(&machine, sysfs, NULL);
    *report = NULL;
    if (status)
        return status;
    jrx_machine_state_read(&state, sysfs, NULL);
    jrx_quality_state(&found, &state);
    if (jrx_crosscheck_kernel(&found, &config) < 0)
        jrx_warn(&found, "crosscheck", NAN, NAN, "see the meters above", "%s", jrx_last_error());
    json_t *tried = meters(sysfs, &state, &found); /* adds to what is found */
    *report =
        json_pack("{s:{s:s, s:s, s:o, s:o, s:o, s:s}, s:o, s:o, s:o, s:o}", "machine", "cpu", machine.cpu, "hypervisor",
                  machine.hypervisor, "packages", number(machine.packages), "cores", number(machine.cores), "threads",
                  number(machine.units), "kernels", jrx_isa_name(jrx_cpu_isa()), "meters", tried, "counters",
                  counters(&state), "state", jrx_machine_state_json(&state), "warnings", warnings(&found));
    return *report ? 0 : jrx_fail(JRX_ENOMEM, "no memory for the report");
}

/* They name the program by its path, and change with versions. */
static void drop_remedies(json_t *report)
{
    static const char *const lists[] = {"meters", "counters"};
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        size_t i;
        json_t *item;
        json_array_foreach(json_object_get(report, lists[l]), i, item) json_object_del(item, "fix");
    }
}

int ex_doctor_keep(const char *sysfs, const char *dir)
{
    char path[PATH_MAX + 16];
    json_t *report;
    snprintf(path, sizeof path, "%s/doctor.json", dir);
    if (!access(path, F_OK))
        return 0;
    int status = ex_doctor(sysfs, &report);
    if (status)
        return status;
    drop_remedies(report);
    char *text = json_dumps(report, JSON_INDENT(2));
    status = text ? jrx_file_replace(path, text, "make room or give another folder with --out")
                  : jrx_fail(JRX_ENOMEM, "%s: no memory", path);
    free(text);
    json_decref(report);
    return status;
}
