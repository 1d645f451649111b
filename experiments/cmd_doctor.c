/* joulerx doctor: what can be measured here, why the rest cannot, and what to change. Changes nothing itself. */
#include "experiments/command.h"
#include "experiments/doctor.h"
#include <argp.h>

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

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    json_t *report;
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Says what can be measured on this machine, why the rest cannot, and what would change that."};
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    int status = ex_doctor(arguments.sysfs, &report);
    if (status)
        return status;
    if (arguments.json) {
        json_dumpf(report, stdout, JSON_INDENT(2));
        putchar('\n');
    } else
        ex_doctor_print(report, stdout);
    json_decref(report);
    return 0;
}

const struct ex_command cmd_doctor = {
    .name = "doctor", .summary = "what can be measured here, and what to change", .order = 20, .run = run};
