/* joulerx estimate WHAT: what a layer, a network or a training step would cost, by every estimator. Runs nothing. */
#include "experiments/command.h"
#include "experiments/estimates.h"
#include "experiments/sheet.h"
#include "experiments/tiles.h"
#include "harness/base/error.h"
#include "harness/machine.h"
#include "models/receiver/deeprx.h"
#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct arguments {
    const char *what[32];
    int whats;
    const char *kernel, *prices, *fitted, *caches, *cpu;
    struct kn_tile tile;
    int f, t, batch, threads, training, csv, tiled;
    double utilisation_ratio, time_s; /* time_s 0: from FLOPs/clock */
    struct ex_tiles *tiles;           /* this machine's; NULL: another machine is meant */
};

enum {
    OPT_KERNEL = 256,
    OPT_TILE,
    OPT_GRID,
    OPT_BATCH,
    OPT_THREADS,
    OPT_TRAINING,
    OPT_PROFILE,
    OPT_PRICES,
    OPT_CACHES,
    OPT_CPU,
    OPT_UTILISATION,
    OPT_TIME,
    OPT_CSV
};

static const struct argp_option options[] = {
    {"kernel", OPT_KERNEL, "NAME", 0, "of a layer (default: the best forward kernel)", 0},
    {"tile", OPT_TILE, "TILE", 0, "of a layer, e.g. oc=32,f=4 (joulerx list tiles KERNEL)", 0},
    {"grid", OPT_GRID, "FxT", 0, "subcarriers x symbols (312x14)", 0},
    {"batch", OPT_BATCH, "N", 0, "slots (1)", 0},
    {"threads", OPT_THREADS, "N", 0, "threads (1)", 0},
    {"training", OPT_TRAINING, NULL, 0, "a training step of a network: forward, backward, optimiser", 0},
    {"profile", OPT_PROFILE, "FILE", 0, "this machine's profile.ini, of joulerx run calibrate or joulerx fit", 0},
    {"prices", OPT_PRICES, "NAME", 0, "cited energy per operation and byte (generic-x86-server)", 0},
    {"caches", OPT_CACHES, "32K/8,1M/16,...", 0, "caches that the bytes are modelled for (default: this machine's)", 0},
    {"cpu", OPT_CPU, "MODEL", 0, "whose datasheet, as in /proc/cpuinfo (default: this machine's)", 0},
    {"utilisation", OPT_UTILISATION, "RATIO", 0, "share of the datasheet's peak that the code reaches (1)", 0},
    {"time", OPT_TIME, "SECONDS", 0, "that constant power flows for (default: FLOPs/clock at that share)", 0},
    {"csv", OPT_CSV, NULL, 0, "comma-separated, a row an estimator", 0},
    {0}};

static int whole(const char *text, const char *option, struct argp_state *state)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end || value < 1 || value > 1000000)
        argp_error(state, "--%s=%s: give a whole number from 1 to 1000000", option, text);
    return (int)value;
}

static double above_zero(const char *text, double most, const char *option, struct argp_state *state)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value > 0 && value <= most))
        argp_error(state, "--%s=%s: give a number above 0 and up to %g", option, text, most);
    return value;
}

static void grid(struct arguments *to, const char *text, struct argp_state *state)
{
    char after;
    if (sscanf(text, "%dx%d%c", &to->f, &to->t, &after) != 2 || to->f < 1 || to->t < 1)
        argp_error(state, "--grid=%s: not subcarriers x symbols, e.g. 312x14", text);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *to = state->input;
    switch (key) {
    case OPT_KERNEL: to->kernel = argument; break;
    case OPT_TILE:
        if (kn_tile_parse(argument, &to->tile))
            argp_error(state, "%s", jrx_last_error());
        to->tiled = 1;
        break;
    case OPT_GRID: grid(to, argument, state); break;
    case OPT_BATCH: to->batch = whole(argument, "batch", state); break;
    case OPT_THREADS: to->threads = whole(argument, "threads", state); break;
    case OPT_TRAINING: to->training = 1; break;
    case OPT_PROFILE: to->fitted = argument; break;
    case OPT_PRICES: to->prices = argument; break;
    case OPT_CACHES: to->caches = argument; break;
    case OPT_CPU: to->cpu = argument; break;
    case OPT_UTILISATION: to->utilisation_ratio = above_zero(argument, 1, "utilisation", state); break;
    case OPT_TIME: to->time_s = above_zero(argument, 1e9, "time", state); break;
    case OPT_CSV: to->csv = 1; break;
    case ARGP_KEY_ARG:
        if (to->whats == (int)(sizeof to->what / sizeof *to->what))
            argp_error(state, "'%s': too many", argument);
        to->what[to->whats++] = argument;
        break;
    case ARGP_KEY_END:
        if (!to->whats)
            argp_error(state, "give a layer (pw:c256:k256) or a network (deeprx)");
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* ---- counting --------------------------------------------------------------------------------------------------- */

static int count_network(const struct arguments *a, const struct rx_body *body, const struct em_caches *caches,
                         struct em_count *count)
{
    const struct rx_shape shape = {.body = body, .width = 1, .rx = 2, .logits = RX_LOGITS};
    const struct nn_tilings tilings = ex_tilings(a->tiles);
    struct nn_net *net = malloc(sizeof *net);
    if (!net)
        return jrx_fail(JRX_ENOMEM, "%s: no memory", body->name);
    int status = rx_net_init(net, &shape);
    net->tilings = a->tiles ? &tilings : NULL;
    if (!status)
        status = ex_count_network(net, a->batch, a->f, a->t, a->training, caches, count);
    nn_net_fini(net);
    free(net);
    return status;
}

static int count_layer(const struct arguments *a, const char *what, const struct em_caches *caches,
                       struct em_count *count)
{
    struct em_layer layer = {.dir = KN_FWD, .tile = a->tile};
    int status = kn_layer_parse(what, &layer.op, &layer.shape);
    if (!status && a->training)
        status = jrx_fail(JRX_EINVAL, "%s: --training is of networks; give --kernel for a direction of a layer", what);
    if (!status && a->kernel && !(layer.kernel = kn_find(a->kernel)))
        status = JRX_EINVAL;
    if (layer.kernel)
        layer.dir = layer.kernel->dir;
    layer.shape.n = a->batch;
    layer.shape.f = a->f;
    layer.shape.t = a->t;
    const struct kn_kernel *kernel = layer.kernel ? layer.kernel : kn_best(layer.op, layer.dir);
    if (!status && a->tiles && !a->tiled && kn_runnable(kernel) && kernel->op == layer.op)
        layer.tile = ex_tiles_get(a->tiles, kernel, &layer.shape, a->threads, NULL);
    return status ? status : em_count_layer(&layer, caches, count);
}

static int count_what(const struct arguments *a, const char *what, const struct em_caches *caches,
                      struct em_count *count)
{
    for (const struct rx_body *body = rx_bodies(); body->name; body++)
        if (!strcmp(what, body->name))
            return a->kernel || a->tiled
                       ? jrx_fail(JRX_EINVAL, "%s: --kernel and --tile are of layers, not of a whole network", what)
                       : count_network(a, body, caches, count);
    return count_layer(a, what, caches, count);
}

/* ---- telling ---------------------------------------------------------------------------------------------------- */

static void put_row(struct ex_sheet *sheet, const struct arguments *a, const char *what,
                    const struct ex_figures *figures, const struct em_count *count, const struct em_use *use,
                    enum ex_estimator e, const struct em_energy *energy)
{
    char name[32];
    ex_sheet_text(sheet, "what", what);
    ex_sheet_text(sheet, "step", a->training ? "training" : "call");
    ex_sheet_text(sheet, "estimator", ex_estimator_name(e));
    ex_sheet_text(sheet, "source", "estimated");
    ex_sheet_text(sheet, "figures", ex_estimator_figures(figures, e));
    ex_sheet_real(sheet, "energy_j", energy->total_j);
    ex_sheet_real(sheet, "energy_ci_lo_j", energy->interval.low);
    ex_sheet_real(sheet, "energy_ci_hi_j", energy->interval.high);
    for (int part = 0; part < EM_PARTS; part++) {
        snprintf(name, sizeof name, "%s_j", em_part_name((enum em_part)part));
        ex_sheet_real(sheet, name, energy->part_j[part]);
    }
    ex_sheet_real(sheet, "time_s", use->time_s);
    ex_sheet_real(sheet, "flop", count->flop);
    for (int level = 0; level < EM_LEVELS; level++) {
        snprintf(name, sizeof name, "%s_bytes", em_level_name((enum em_level)level));
        ex_sheet_real(sheet, name, count->bytes[level]);
    }
    ex_sheet_end_row(sheet);
}

static void put_csv(struct ex_sheet *sheet, const struct arguments *a, const char *what,
                    const struct ex_figures *figures, const struct em_count *count, const struct em_use *use,
                    const struct em_energy *energy)
{
    if (sheet->header)
        put_row(sheet, a, what, figures, count, use, EX_DATASHEET, energy);
    for (int e = 0; e < EX_ESTIMATORS; e++)
        if (e != EX_FITTED || figures->fitted)
            put_row(sheet, a, what, figures, count, use, (enum ex_estimator)e, &energy[e]);
}

static void print_j(double energy_j)
{
    if (isnan(energy_j))
        printf(" %11s", "-");
    else
        printf(" %11.4g", energy_j);
}

static void print(const struct arguments *a, const char *what, const struct ex_figures *figures,
                  const struct em_count *count, const struct em_use *use, const struct em_energy *energy)
{
    static const char *const level[EM_LEVELS] = {"L1", "L2", "L3", "DRAM"};
    printf("%s%s, %dx%d, %d slot%s, %d thread%s: %.4g FLOP; modelled bytes", a->training ? "a training step of " : "",
           what, a->f, a->t, a->batch, a->batch > 1 ? "s" : "", a->threads, a->threads > 1 ? "s" : "", count->flop);
    for (int i = 0; i < EM_LEVELS; i++)
        if (isnan(count->bytes[i]))
            printf("%s %s -", i ? "," : "", level[i]);
        else
            printf("%s %s %.4g", i ? "," : "", level[i], count->bytes[i]);
    printf("; %s %.4g s\n", a->time_s > 0 ? "given" : "from FLOPs/clock", use->time_s);
    printf("%-10s %-9s %11s %11s %11s", "estimator", "source", "energy [J]", "low", "high");
    for (int part = 0; part < EM_PARTS; part++)
        printf(" %11s", em_part_name((enum em_part)part));
    printf("  figures\n");
    for (int e = 0; e < EX_ESTIMATORS; e++) {
        if (e == EX_FITTED && !figures->fitted)
            continue;
        printf("%-10s %-9s", ex_estimator_name((enum ex_estimator)e), "estimated");
        print_j(energy[e].total_j);
        print_j(energy[e].interval.low);
        print_j(energy[e].interval.high);
        for (int part = 0; part < EM_PARTS; part++)
            print_j(energy[e].part_j[part]);
        printf("  %s\n", ex_estimator_figures(figures, (enum ex_estimator)e));
    }
    if (!figures->fitted)
        printf("fitted: none; give --profile=FILE, which joulerx run calibrate writes on a machine with a meter\n");
    printf("\n");
}

static int read_figures(const struct arguments *a, struct ex_figures *figures)
{
    struct jrx_machine machine;
    struct jrx_cache_geometry geometry;
    int status = a->caches ? jrx_cache_geometry_parse(a->caches, &geometry) : jrx_cache_geometry_read(&geometry);
    if (!status && !a->cpu)
        status = jrx_machine_read(&machine, NULL, NULL);
    if (!status)
        status = ex_figures_read(figures, a->cpu ? a->cpu : machine.cpu, a->prices, a->fitted, &geometry);
    if (!status && figures->sheet.fallback)
        fprintf(stderr, "no datasheet entry for '%s': the figures of '%s' are used\n", a->cpu ? a->cpu : machine.cpu,
                figures->sheet.name);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments a = {.f = 312, .t = 14, .batch = 1, .threads = 1, .utilisation_ratio = 1};
    const struct argp argp = {
        .options = options,
        .parser = parse,
        .args_doc = "LAYER|NETWORK...",
        .doc = "Estimates energy from FLOPs and FLOPs/Watt or FLOPs/clock (datasheet), from FLOPs and memory accesses "
               "at cited prices (access), and at this machine's own (fitted). Runs and measures nothing.\v"
               "Layers are pw:c256:k256, dw:c64:m2:d2x3, conv:c10:k64, sep:c64:k128:d2x3; networks are deeprx and its "
               "students. Norms and sums count as passes over whole tensors, which is the most they cost."};
    struct ex_figures figures;
    struct ex_sheet sheet = {0};
    struct ex_tiles tiles = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &a);
    int status = read_figures(&a, &figures);
    if (!status && !a.caches && !a.cpu) {
        status = ex_tiles_read(&tiles);
        a.tiles = &tiles;
    }
    if (a.csv)
        ex_sheet_stdout(&sheet);
    for (int i = 0; i < a.whats && !status; i++) {
        struct em_count count;
        struct em_energy energy[EX_ESTIMATORS];
        if ((status = count_what(&a, a.what[i], &figures.caches, &count)))
            break;
        double time_s =
            a.time_s > 0 ? a.time_s : em_estimate_time_s(&figures.sheet, &count, a.threads, a.utilisation_ratio);
        const struct em_use use = {time_s, a.threads};
        ex_estimate(&figures, &count, &use, a.utilisation_ratio, energy);
        if (a.csv)
            put_csv(&sheet, &a, a.what[i], &figures, &count, &use, energy);
        else
            print(&a, a.what[i], &figures, &count, &use, energy);
    }
    if (a.csv && !status)
        status = ex_sheet_close(&sheet);
    ex_sheet_drop(&sheet);
    ex_tiles_fini(&tiles);
    return status;
}

const struct ex_command cmd_estimate = {.name = "estimate",
                                        .summary = "energy of a layer, a network or a training step, estimated",
                                        .order = 62,
                                        .run = run};
