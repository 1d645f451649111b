/* joulerx doctor: what can be measured here, why the rest cannot, and what to change. Changes nothing itself. */
#include "experiments/command.h"
#include "harness/base/cpu.h"
#include "harness/base/error.h"
#include "harness/counters.h"
#include "harness/crosscheck.h"
#include "harness/machine.h"
#include "harness/meter.h"
#include <argp.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_METERS = 16 };

struct arguments {
    int json;
    const char *sysfs;
};

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "machine-readable", 0}, {"sysfs", 256, "DIR", 0, "look below DIR instead of /sys", 0}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case 'j': to->json = 1; break;
    case 256: to->sysfs = argument; break;
    case ARGP_KEY_ARG: argp_error(state, "'%s': takes options only", argument); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static json_t *number(double v)
{
    return isnan(v) ? json_null() : json_real(v);
}

static json_t *meters(const struct arguments *arguments)
{
    static struct jrx_meter_info info[MAX_METERS];
    const struct jrx_meter_config config = {.sysfs = arguments->sysfs};
    size_t count = jrx_meter_list(&config, info, MAX_METERS);
    json_t *list = json_array();
    for (size_t i = 0; i < count && i < MAX_METERS; i++) {
        int ok = !info[i].status;
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:s, s:s}", "meter", info[i].ops->name, "about",
                                              info[i].ops->about, "available", ok, "source",
                                              ok ? jrx_source_name(info[i].source) : "", "domains",
                                              ok ? info[i].domains : "", "reason", ok ? "" : info[i].reason));
    }
    return list;
}

static json_t *counters(void)
{
    json_t *list = json_array();
    for (const struct jrx_counter_ops *const *source = jrx_counter_sources(); *source; source++) {
        char note[512] = "";
        int status = (*source)->probe(note, sizeof note);
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:s, s:s}", "counters", (*source)->name, "about",
                                              (*source)->about, "available", !status, "source",
                                              jrx_source_name((*source)->source), "domains", note, "reason",
                                              status ? jrx_last_error() : ""));
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

static void print_sources(const json_t *list, const char *kind)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        int ok = json_is_true(json_object_get(item, "available"));
        printf("%-8s %-10s %-12s ", kind, text(item, strcmp(kind, "meter") ? "counters" : "meter"),
               ok ? "available" : "unavailable");
        if (ok)
            printf("%s; %s%s%s\n", text(item, "source"), text(item, "about"), *text(item, "domains") ? ": " : "",
                   text(item, "domains"));
        else
            printf("%s\n", text(item, "reason"));
    }
}

static void print_text(const struct jrx_machine *machine, const json_t *report)
{
    size_t i;
    json_t *item;
    printf("machine  %s, %.0f package(s), %.0f cores, %.0f threads, kernels up to %s\n",
           *machine->cpu ? machine->cpu : "unknown CPU", machine->packages, machine->cores, machine->units,
           jrx_isa_name(jrx_cpu_isa()));
    if (*machine->hypervisor)
        printf("machine  a virtual machine: energy and hardware counters belong to the host\n");
    print_sources(json_object_get(report, "meters"), "meter");
    print_sources(json_object_get(report, "counters"), "counters");
    json_array_foreach(json_object_get(report, "warnings"), i, item) printf(
        "state    %-10s %-12s %s; %s\n", text(item, "code"), "warning", text(item, "text"), text(item, "remedy"));
    if (!json_array_size(json_object_get(report, "warnings")))
        printf("state    nothing to change\n");
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Says what can be measured on this machine, why the rest cannot, and what would change that."};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    struct jrx_machine machine;
    struct jrx_machine_state state;
    struct jrx_warnings found = {0};
    int status = jrx_machine_read(&machine, arguments.sysfs, NULL);
    if (status)
        return status;
    jrx_machine_state_read(&state, arguments.sysfs, NULL);
    jrx_quality_state(&found, &state);
    const struct jrx_meter_config config = {.sysfs = arguments.sysfs};
    if (jrx_crosscheck_kernel(&found, &config) < 0)
        jrx_warn(&found, "crosscheck", NAN, NAN, "see the meters above", "%s", jrx_last_error());
    json_t *report = json_pack("{s:{s:s, s:s, s:o, s:o, s:o}, s:o, s:o, s:o}", "machine", "cpu", machine.cpu,
                               "hypervisor", machine.hypervisor, "packages", number(machine.packages), "cores",
                               number(machine.cores), "threads", number(machine.units), "meters", meters(&arguments),
                               "counters", counters(), "warnings", warnings(&found));
    if (!report)
        return jrx_fail(JRX_ENOMEM, "no memory for the report");
    if (arguments.json) {
        json_dumpf(report, stdout, JSON_INDENT(2));
        putchar('\n');
    } else
        print_text(&machine, report);
    json_decref(report);
    return 0;
}

const struct ex_command cmd_doctor = {
    .name = "doctor", .summary = "what can be measured here, and what to change", .order = 20, .run = run};
