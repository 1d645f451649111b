/* joulerx list WHAT: what there is, one a line, for people and grep. */
#include "experiments/command.h"
#include "experiments/experiment.h"
#include "harness/base/error.h"
#include "harness/counters.h"
#include "harness/meter.h"
#include "kernels/kernel.h"
#include <argp.h>
#include <stdio.h>
#include <string.h>

static int list_kernels(void)
{
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    for (size_t i = 0; i < count; i++)
        printf("%-30s %-10s %-12s %-9s %s\n", kernels[i]->name, kn_op_name(kernels[i]->op),
               kn_dir_name(kernels[i]->dir), kn_isa_name(kernels[i]->isa),
               kn_runnable(kernels[i]) ? "" : "not on this CPU");
    return 0;
}

static int list_experiments(void)
{
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    for (size_t i = 0; i < count; i++)
        printf("%-12s %s%s%s\n", all[i]->name, all[i]->title, *all[i]->needs ? "; needs " : "", all[i]->needs);
    return 0;
}

static int list_meters(void)
{
    enum { MAX = 16 };
    static struct jrx_meter_info info[MAX];
    const struct jrx_meter_config config = {0};
    size_t count = jrx_meter_list(&config, info, MAX);
    for (size_t i = 0; i < count && i < MAX; i++)
        printf("%-10s %-12s %s\n", info[i].ops->name, info[i].status ? "unavailable" : jrx_source_name(info[i].source),
               info[i].status ? info[i].reason : info[i].ops->about);
    return 0;
}

static int list_counters(void)
{
    for (const struct jrx_counter_ops *const *source = jrx_counter_sources(); *source; source++) {
        char note[512] = "";
        int status = (*source)->probe(note, sizeof note);
        printf("%-10s %-12s %s%s%s\n", (*source)->name, status ? "unavailable" : jrx_source_name((*source)->source),
               status ? jrx_last_error() : (*source)->about, *note ? "; " : "", note);
    }
    return 0;
}

static void print_event(void *source, const char *event, const char *about)
{
    printf("%-10s %-40s %s\n", (const char *)source, event, about);
}

static int list_events(void)
{
    for (const struct jrx_counter_ops *const *source = jrx_counter_sources(); *source; source++) {
        char note[512], name[32];
        if (!(*source)->probe(note, sizeof note)) {
            snprintf(name, sizeof name, "%s", (*source)->name);
            int status = (*source)->list(print_event, name);
            if (status)
                return status;
        }
    }
    return 0;
}

static int list_columns(void)
{
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    for (size_t i = 0; i < count; i++) {
        printf("%s/samples.csv\n", all[i]->name);
        const struct jrx_schema schema = {all[i]->name, all[i]->column, all[i]->columns};
        int status = jrx_schema_print(&schema, stdout);
        if (status)
            return status;
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} lists[] = {{"kernels", list_kernels},   {"experiments", list_experiments}, {"meters", list_meters},
             {"counters", list_counters}, {"events", list_events},           {"columns", list_columns}};
enum { LISTS = sizeof lists / sizeof *lists };

static error_t parse(int key, char *argument, struct argp_state *state)
{
    int *which = state->input;
    if (key == ARGP_KEY_NO_ARGS)
        argp_error(state, "list what? kernels, experiments, meters, counters, events or columns");
    if (key != ARGP_KEY_ARG)
        return ARGP_ERR_UNKNOWN;
    for (*which = 0; *which < LISTS && strcmp(argument, lists[*which].name); ++*which)
        ;
    if (*which == LISTS)
        argp_error(state, "'%s': there are kernels, experiments, meters, counters, events and columns", argument);
    return 0;
}

static int run(int argc, char **argv)
{
    int which = 0;
    const struct argp argp = {.parser = parse,
                              .args_doc = "kernels|experiments|meters|counters|events|columns",
                              .doc = "Lists what there is, one a line."};
    argp_parse(&argp, argc, argv, 0, NULL, &which);
    return lists[which].run();
}

const struct ex_command cmd_list = {
    .name = "list", .summary = "kernels, experiments, meters, counters, events, columns", .order = 30, .run = run};
