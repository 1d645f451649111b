/* joulerx list WHAT: what there is, one a line, for people and grep. */
#include "experiments/command.h"
#include "experiments/family.h"
#include "experiments/runner.h"
#include "experiments/stat.h"
#include "experiments/tiles.h"
#include "harness/base/error.h"
#include "harness/counters.h"
#include "harness/machine.h"
#include "harness/meter.h"
#include "kernels/kernel.h"
#include <argp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct what {
    int list;
    const char *argument[2];  /* of `tiles`: kernel and layer */
    enum ex_family_form form; /* of `networks`, as the next */
    const char *profile;
};

static int list_kernels(const struct what *what)
{
    (void)what;
    size_t count;
    const struct kn_kernel *const *kernels = kn_kernels(&count);
    for (size_t i = 0; i < count; i++)
        printf("%-30s %-10s %-12s %-9s %s\n", kernels[i]->name, kn_op_name(kernels[i]->op),
               kn_dir_name(kernels[i]->dir), kn_isa_name(kernels[i]->isa),
               kn_runnable(kernels[i]) ? "" : "not on this CPU");
    return 0;
}

static int list_experiments(const struct what *what)
{
    (void)what;
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    for (size_t i = 0; i < count; i++)
        printf("%-14s %s%s%s\n", all[i]->name, all[i]->title, *all[i]->needs ? "; needs " : "", all[i]->needs);
    return 0;
}

static int list_meters(const struct what *what)
{
    (void)what;
    enum { MAX = 16 };
    static struct jrx_meter_info info[MAX];
    const struct jrx_meter_config config = {0};
    size_t count = jrx_meter_list(&config, info, MAX);
    for (size_t i = 0; i < count && i < MAX; i++)
        printf("%-10s %-12s %s\n", info[i].ops->name, info[i].status ? "unavailable" : jrx_source_name(info[i].source),
               info[i].status ? info[i].reason : info[i].ops->about);
    return 0;
}

static int list_counters(const struct what *what)
{
    (void)what;
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

/* What each source can count here, tried; our own software-defined events are published meanwhile. */
static int list_countable(void)
{
    struct jrx_sde *sde = NULL;
    int status = 0;
    jrx_sde_open(&sde); /* where PAPI has no SDE there is nothing of it to list */
    for (const struct jrx_counter_ops *const *source = jrx_counter_sources(); *source && !status; source++) {
        char note[512], name[32];
        if ((*source)->probe(note, sizeof note))
            continue;
        snprintf(name, sizeof name, "%s", (*source)->name);
        status = (*source)->list(print_event, name);
    }
    jrx_sde_close(sde);
    return status;
}

static int list_events(const struct what *what)
{
    struct jrx_machine machine;
    struct jrx_event_set set;
    (void)what;
    puts("events that can be counted here, for --counters=EVENT,...");
    int status = list_countable();
    if (!status)
        status = jrx_machine_read(&machine, NULL, NULL);
    for (const char *const *name = jrx_event_set_names(); *name && !status; name++) {
        status = jrx_event_set_read(&set, *name);
        if (status)
            break;
        printf("\nevent set %s, %s, %u counters a thread%s\n", set.name, set.about, set.slots,
               jrx_event_set_fits(&set, &machine) ? "; this machine's" : "");
        status = jrx_event_set_print(&set, stdout);
    }
    return status;
}

/* Columns that a machine adds to rows of measured regions are those of the meter that works here. */
static int list_samples(const struct ex_experiment *experiment, const struct ex_observer *observer)
{
    struct jrx_column column[EX_COLUMNS];
    const struct jrx_schema schema = {experiment->name, column,
                                      ex_columns(observer, experiment->column, experiment->columns, column)};
    int status = 0;
    if (experiment->cell) {
        printf("%s/samples.csv\n", experiment->name);
        status = jrx_schema_print(&schema, stdout);
    }
    printf("%s/summary.csv\n", experiment->name);
    if (!status)
        status = jrx_schema_print(experiment->summary, stdout);
    if (status || !experiment->also)
        return status;
    printf("%s/%s\n", experiment->name, experiment->also);
    return jrx_schema_print(experiment->also_schema, stdout);
}

static int list_columns(const struct what *what)
{
    static struct jrx_meter meter;
    static struct ex_observer observer;
    struct jrx_warnings ignored = {0};
    const struct jrx_meter_config config = {0};
    const struct ex_observer_options options = {.counters = "none"};
    size_t count;
    const struct ex_experiment *const *all = ex_experiments(&count);
    (void)what;
    int status = jrx_meter_open(&meter, NULL, &config);
    if (!status)
        status = ex_observer_open(&observer, &meter, &options, &ignored);
    for (size_t i = 0; i < count && !status; i++)
        status = list_samples(all[i], &observer);
    ex_observer_close(&observer);
    jrx_meter_close(&meter);
    if (status)
        return status;
    puts("claims.csv of every experiment");
    if ((status = jrx_schema_print(&ex_claims_schema, stdout)))
        return status;
    puts("joulerx stat --csv");
    return jrx_schema_print(&ex_stat_schema, stdout);
}

/* Smallest and largest value that a kernel makes of a block size, and what it takes by itself. */
static void print_size(const struct kn_kernel *kernel, const struct kn_shape *shape, const char *name,
                       const char *about, size_t offset)
{
    struct kn_tile least = {0}, most = {0}, usual = {0};
    *(int *)((char *)&least + offset) = 1;
    *(int *)((char *)&most + offset) = INT_MAX;
    least = kernel->resolve(shape, &least);
    most = kernel->resolve(shape, &most);
    usual = kernel->resolve(shape, &usual);
    int from = *(int *)((char *)&least + offset);
    printf("%-6s %-44s %d to %d in steps of %d; default %d\n", name, about, from, *(int *)((char *)&most + offset),
           from, *(int *)((char *)&usual + offset));
}

static void print_choices(const struct kn_kernel *kernel, const struct kn_tile *usual)
{
    if (kernel->tile_fields & KN_TILE_REG) {
        printf("%-6s %-44s 1x1 to %dx%d, pixels %d", "reg", "sums in registers, pixels x blocks of 16", kernel->max_px,
               kernel->max_vc, kernel->max_px);
        for (int px = 8; px > 0; px /= 2)
            if (px < kernel->max_px)
                printf(" %d", px);
        printf("; default %dx%d\n", usual->px, usual->vc);
    }
    if (kernel->tile_fields & KN_TILE_ORDER) {
        printf("%-6s %-44s", "order", "loops: g grid, o output, i input channels");
        for (int o = 1; o < KN_ORDERS; o++)
            if (kernel->orders >> o & 1)
                printf(" %s", kn_order_name((enum kn_order)o));
        printf("; default %s\n", kn_order_name(usual->order));
    }
    if (kernel->tile_fields & KN_TILE_KEEP)
        printf("%-6s %-44s yes, no; default %s\n", "keep", "the depthwise result stays in the cache",
               usual->keep == KN_KEEP_NO ? "no" : "yes");
}

/* What a call gets when nobody asks for a tiling, and why. */
static void print_picked(const struct ex_tiles *tiles, const struct kn_kernel *kernel, const struct kn_shape *shape)
{
    enum ex_tile_from from;
    char text[PATH_MAX + 128];
    const struct kn_tile asked = ex_tiles_get(tiles, kernel, shape, 1, &from), picked = kernel->resolve(shape, &asked);
    printf("%s\n", ex_tiles_say(tiles, text, sizeof text));
    printf("here: %s (%s)\n", kn_tile_format(&picked, KN_TILE_ALL, text, sizeof text), ex_tile_from_name(from));
}

/* Limits and defaults depend on the layer: the one given, or one of the kernel's operator. */
static int list_tiles(const struct what *what)
{
    static const char *const layers[KN_OPS] = {"pw:c256:k256", "dw:c256:d2x3", "conv:c64:k64", "sep:c256:k256:d2x3",
                                               "norm:c256",    "relu:c256",    "add:c256"};
    static const struct {
        const char *name, *about;
        unsigned field;
        size_t offset;
    } sizes[] = {{"oc", "block of output channels", KN_TILE_OC, offsetof(struct kn_tile, oc)},
                 {"ic", "block of input channels", KN_TILE_IC, offsetof(struct kn_tile, ic)},
                 {"f", "block of subcarriers", KN_TILE_F, offsetof(struct kn_tile, f)},
                 {"t", "block of symbols", KN_TILE_T, offsetof(struct kn_tile, t)}};
    const struct kn_kernel *kernel = what->argument[0] ? kn_find(what->argument[0]) : NULL;
    if (!kernel)
        return what->argument[0] ? JRX_EINVAL
                                 : jrx_fail(JRX_EINVAL, "list tiles KERNEL [LAYER]: `joulerx list kernels` names them");
    const char *layer = what->argument[1] ? what->argument[1] : layers[kernel->op];
    struct kn_shape shape = {.n = 1, .f = 312, .t = 14};
    const struct kn_tile none = {0};
    struct ex_tiles tiles;
    enum kn_op op;
    int status = kn_layer_parse(layer, &op, &shape);
    if (!status && op != kernel->op)
        status = jrx_fail(JRX_EINVAL, "layer %s: %s computes %s; e.g. %s", layer, kernel->name, kn_op_name(kernel->op),
                          layers[kernel->op]);
    if (!status && !kn_runnable(kernel))
        status = jrx_fail(JRX_EUNAVAILABLE, "%s: not on this CPU; its limits cannot be asked", kernel->name);
    if (!status)
        status = kernel->supports(&shape, &none);
    if (!status)
        status = ex_tiles_read(&tiles);
    if (status)
        return status;
    const struct kn_tile usual = kernel->resolve(&shape, &none);
    printf("%s on %s, grid 312x14:%s\n", kernel->name, layer, kernel->tile_fields ? "" : " no tiling to choose");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (kernel->tile_fields & sizes[i].field)
            print_size(kernel, &shape, sizes[i].name, sizes[i].about, sizes[i].offset);
    print_choices(kernel, &usual);
    print_picked(&tiles, kernel, &shape);
    ex_tiles_fini(&tiles);
    return 0;
}

static int list_networks(const struct what *what)
{
    return ex_family_print(what->form, what->profile);
}

static const struct {
    const char *name;
    int (*run)(const struct what *what);
} lists[] = {{"kernels", list_kernels},   {"experiments", list_experiments}, {"meters", list_meters},
             {"counters", list_counters}, {"events", list_events},           {"columns", list_columns},
             {"tiles", list_tiles},       {"networks", list_networks}};
enum { LISTS = sizeof lists / sizeof *lists };
#define NAMES "kernels, tiles, networks, experiments, meters, counters, events"

enum { KEY_CSV = 256, KEY_PROFILE };

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "Of networks:", 1},
    {"csv", KEY_CSV, NULL, 0, "as CSV", 0},
    {"json", 'j', NULL, 0, "as JSON", 0},
    {"profile", KEY_PROFILE, "NAME", 0, "energy profile of the estimate: a name or a path", 0},
    {0}};

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct what *what = state->input;
    switch (key) {
    case KEY_CSV: what->form = EX_FAMILY_CSV; return 0;
    case 'j': what->form = EX_FAMILY_JSON; return 0;
    case KEY_PROFILE: what->profile = argument; return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "list what? " NAMES " or columns"); return 0;
    case ARGP_KEY_END:
        if ((what->form || what->profile) && lists[what->list].run != list_networks)
            argp_error(state, "--csv, --json and --profile are of `list networks`");
        return 0;
    case ARGP_KEY_ARG: break;
    default: return ARGP_ERR_UNKNOWN;
    }
    if (state->arg_num > 0) {
        if (state->arg_num > 2 || strcmp(lists[what->list].name, "tiles") != 0)
            argp_error(state, "'%s': one word too many", argument);
        what->argument[state->arg_num - 1] = argument;
        return 0;
    }
    for (what->list = 0; what->list < LISTS && strcmp(argument, lists[what->list].name); what->list++)
        ;
    if (what->list == LISTS)
        argp_error(state, "'%s': there are " NAMES " and columns", argument);
    return 0;
}

static int run(int argc, char **argv)
{
    struct what what = {0};
    const struct argp argp = {.options = options,
                              .parser = parse,
                              .args_doc =
                                  "kernels|tiles KERNEL [LAYER]|networks|experiments|meters|counters|events|columns",
                              .doc = "Lists what there is, one a line."};
    argp_parse(&argp, argc, argv, 0, NULL, &what);
    return lists[what.list].run(&what);
}

const struct ex_command cmd_list = {
    .name = "list",
    .summary = "kernels, their tiles, networks, experiments, meters, counters, events, columns",
    .order = 30,
    .run = run};
