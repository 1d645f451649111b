/* What could be measured, and which of it is: see the header. */
#include "experiments/calibration.h"
#include "experiments/net_calls.h"
#include "harness/base/error.h"
#include "kernels/probe.h"
#include "models/energy/design.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 512 /* floats: halves are whole steps of the probes */ };
static const double call_bytes = 4e6;   /* a call of a small array goes over it until so much was read */
static const double most_bytes = 1.5e9; /* of arrays of one cell */

/* ---- the candidates --------------------------------------------------------------------------------------------- */

static double level_bytes(const struct jrx_cache_geometry *g, int level)
{
    return level < (int)g->levels ? (double)g->level[level].bytes : 0;
}

/* Bytes of one thread's arrays: half or a third of the level, well above the one before; 0: there is no such place.
 * The last level is shared by all threads, memory is twice as much as all of it. */
static double place_bytes(const struct jrx_cache_geometry *g, int level, int size, int threads)
{
    int last = (int)g->levels - 1;
    double below = level ? level_bytes(g, level < last ? level - 1 : last - 1) : 0, bytes;
    if (level == EM_DRAM) {
        bytes = level_bytes(g, last) * (size ? 3 : 2) / threads;
        below = level_bytes(g, last - 1);
    } else if (level > last || last < 1) {
        return 0;
    } else {
        bytes = level_bytes(g, level) / (size ? 3 : 2) / (level == last ? threads : 1);
    }
    return bytes >= 2 * below && bytes * threads <= most_bytes ? bytes : 0;
}

static int add_arrays(const struct jrx_cache_geometry *g, int threads, struct ex_candidate *list, int count)
{
    for (int kind = EX_READ; kind <= EX_COPY; kind++)
        for (int level = EM_L1; level <= EM_DRAM; level++)
            for (int size = 0; size < 2 && count < EX_CANDIDATES; size++) {
                size_t floats = (size_t)(place_bytes(g, level, size, threads) / sizeof(float)) / UNIT * UNIT;
                if (floats)
                    list[count++] = (struct ex_candidate){
                        .kind = (enum ex_kind)kind, .threads = threads, .level = level, .size = size, .floats = floats};
            }
    return count;
}

/* The distinct convolutions of DeepRx, each by its default tiling and two others. */
static int add_layers(int grid_f, int threads, struct ex_candidate *list, int count)
{
    static const struct kn_tile tiles[] = {{0}, {.f = 1}, {.oc = 32, .f = 4}};
    struct ex_net_layer layer[EX_NET_LAYERS];
    const int layers = ex_net_layers(rx_bodies(), grid_f, layer);
    for (int i = 0; i < layers; i++) {
        struct ex_candidate c = {.kind = EX_LAYER, .threads = threads, .op = layer[i].op, .shape = layer[i].shape};
        for (; layer[i].conv && c.tiling < (int)(sizeof tiles / sizeof *tiles) && count < EX_CANDIDATES; c.tiling++) {
            c.tile = tiles[c.tiling];
            if (!kn_best(c.op, KN_FWD)->supports(&c.shape, &c.tile))
                list[count++] = c;
        }
    }
    return layers < 0 ? layers : count;
}

int ex_candidates(const struct jrx_cache_geometry *geometry, int grid_f, int threads, struct ex_candidate *list)
{
    int count = 0;
    for (int size = 0; size < 2; size++)
        list[count++] = (struct ex_candidate){.kind = EX_IDLE, .size = size};
    for (int t = 1; count >= 0 && t <= threads; t = t == threads ? t + 1 : threads) {
        list[count++] = (struct ex_candidate){.kind = EX_SPIN, .threads = t};
        list[count++] = (struct ex_candidate){.kind = EX_FMA, .threads = t};
        count = add_layers(grid_f, t, list, add_arrays(geometry, t, list, count));
    }
    return count;
}

/* ---- what they do ----------------------------------------------------------------------------------------------- */

int ex_idle_ms(const struct ex_candidate *c)
{
    return c->size ? 4 : 1;
}

long ex_candidate_turns(const struct ex_candidate *c)
{
    return c->floats ? (long)fmax(1, floor(call_bytes / ((double)c->floats * sizeof(float)))) : 0;
}

void ex_probe_work(const struct ex_candidate *c, const struct jrx_cache_geometry *g, struct jrx_work *work)
{
    double *const bytes[] = {&work->l1_bytes, &work->l2_bytes, &work->l3_bytes, &work->dram_bytes};
    *work = (struct jrx_work){.flop = c->kind == EX_FMA ? kn_probe_fma_flop() * EX_STEPS * c->threads : 0};
    if (c->kind != EX_READ && c->kind != EX_COPY)
        return;
    double array = (double)c->floats * sizeof(float), once = array * (double)ex_candidate_turns(c) * c->threads;
    int last = (int)g->levels - 1;
    *bytes[EM_L1] = once;
    for (int level = 0; level <= last; level++) {
        double room = level_bytes(g, level) / (level == last ? c->threads : 1);
        /* half of a copy is written: fetched and written back */
        *bytes[level < last ? level + 1 : EM_DRAM] = array <= room ? 0 : once * (c->kind == EX_COPY ? 1.5 : 1);
    }
    if (c->kind == EX_READ)
        work->flop = once / sizeof(float); /* it adds them up */
}

static int candidate_work(const struct ex_candidate *c, const struct jrx_cache_geometry *g, struct jrx_work *work)
{
    if (c->kind != EX_LAYER) {
        ex_probe_work(c, g, work);
        return 0;
    }
    const struct em_layer layer = {.op = c->op, .dir = KN_FWD, .shape = c->shape, .tile = c->tile};
    const struct em_caches caches = {
        .l1_bytes = level_bytes(g, 0), .l2_bytes = level_bytes(g, 1), .l3_bytes = level_bytes(g, 2), .warm = 1};
    struct em_count count;
    int status = em_count_layer(&layer, &caches, &count);
    *work = (struct jrx_work){.flop = count.flop,
                              .l1_bytes = count.bytes[EM_L1],
                              .l2_bytes = count.bytes[EM_L2],
                              .l3_bytes = count.bytes[EM_L3],
                              .dram_bytes = count.bytes[EM_DRAM]};
    return status;
}

/* Orders of magnitude of a server, enough to choose by: what a second, a FLOP and a byte cost, and how many a thread
 * does in a second. */
static const double nominal_j[EM_TERMS] = {20, 20, 3, 30e-12, 2e-12, 10e-12, 60e-12, 200e-12};
static const double nominal_per_s[EM_TERMS] = {0, 0, 0, 50e9, 200e9, 100e9, 20e9, 8e9};

int ex_candidate_row(const struct ex_candidate *c, const struct jrx_cache_geometry *g, double row[EM_TERMS])
{
    struct jrx_work work;
    int status = candidate_work(c, g, &work);
    const double amount[EM_TERMS] = {0, 0, 0, work.flop, work.l1_bytes, work.l2_bytes, work.l3_bytes, work.dram_bytes};
    double time_s = 0, sum = 0;
    for (int k = EM_TERM_FLOP; k < EM_TERMS; k++) {
        row[k] = isnan(amount[k]) ? 0 : nominal_j[k] * amount[k];
        time_s = fmax(time_s, isnan(amount[k]) ? 0 : amount[k] / nominal_per_s[k] / c->threads);
    }
    time_s = time_s > 0 ? time_s : 1;
    row[EM_TERM_TIME] = nominal_j[EM_TERM_TIME] * time_s;
    row[EM_TERM_AWAKE] = c->kind == EX_IDLE ? 0 : nominal_j[EM_TERM_AWAKE] * time_s;
    row[EM_TERM_CPU] = nominal_j[EM_TERM_CPU] * c->threads * time_s;
    for (int k = 0; k < EM_TERMS; k++)
        sum += row[k];
    for (int k = 0; k < EM_TERMS; k++)
        row[k] /= sum;
    return status;
}

/* ---- the choice ------------------------------------------------------------------------------------------------- */

const char *ex_candidate_group(const struct ex_candidate *c, char text[EX_GROUP_TEXT])
{
    static const char *const kinds[] = {"", "spin", "fma", "read", "copy"};
    if (c->kind == EX_LAYER)
        return kn_layer_format(c->op, &c->shape, text, EX_GROUP_TEXT);
    if (c->kind == EX_IDLE) {
        snprintf(text, EX_GROUP_TEXT, "idle_%dms", ex_idle_ms(c));
        return text;
    }
    snprintf(text, EX_GROUP_TEXT, c->floats ? "%s_%s" : "%s", kinds[c->kind], em_level_name((enum em_level)c->level));
    return text;
}

void ex_candidate_label(const struct ex_candidate *c, char *text, size_t size)
{
    char group[EX_GROUP_TEXT];
    snprintf(text, size, "%s t%d v%d %s", ex_candidate_group(c, group), c->threads,
             c->kind == EX_LAYER ? c->tiling : c->size, c->zero ? "zero" : "random");
}

/* A group that has as many cells as it may have is taken whole. */
static void close_group(const struct ex_candidate *list, int count, int chosen, unsigned char *taken)
{
    char group[EX_GROUP_TEXT], other[EX_GROUP_TEXT];
    int mates = 0;
    ex_candidate_group(&list[chosen], group);
    for (int i = 0; i < count; i++)
        mates += taken[i] == 1 && !strcmp(group, ex_candidate_group(&list[i], other));
    for (int i = 0; i < count && mates >= EX_PER_GROUP; i++)
        if (!taken[i] && !strcmp(group, ex_candidate_group(&list[i], other)))
            taken[i] = 2;
}

static int choose(const struct ex_candidate *list, const double *rows, int count, struct ex_candidate *cells)
{
    unsigned char taken[EX_CANDIDATES] = {0};
    struct em_design design;
    int chosen = 0;
    em_design_init(&design, EM_TERMS, 1e-6);
    while (chosen < EX_DESIGNED) {
        int next = em_design_next(&design, rows, taken, count);
        if (next < 0)
            break;
        em_design_add(&design, rows + (size_t)next * EM_TERMS);
        cells[chosen++] = list[next];
        taken[next] = 1;
        close_group(list, count, next, taken);
    }
    return chosen;
}

/* Of the first chosen of four sorts, the same with zeros. */
static int add_twins(struct ex_candidate *cells, int count)
{
    static const struct {
        enum ex_kind kind;
        int level;
    } sorts[EX_TWINS] = {{EX_FMA, 0}, {EX_READ, EM_L1}, {EX_READ, EM_DRAM}, {EX_LAYER, 0}};
    int chosen = count;
    for (int s = 0; s < EX_TWINS; s++)
        for (int i = 0; i < chosen; i++)
            if (cells[i].kind == sorts[s].kind && cells[i].level == sorts[s].level) {
                cells[count] = cells[i];
                cells[count++].zero = 1;
                break;
            }
    return count;
}

int ex_calibration_cells(const struct ex_settings *settings, struct ex_candidate *cells)
{
    struct jrx_cache_geometry geometry;
    struct ex_candidate *list = calloc(EX_CANDIDATES, sizeof *list);
    double *rows = calloc(EX_CANDIDATES * EM_TERMS, sizeof *rows);
    int count = list && rows ? ex_geometry(settings, &geometry) : jrx_fail(JRX_ENOMEM, "calibrate: no memory");
    if (!count)
        count = ex_candidates(&geometry, settings->preset->grid_f, settings->threads, list);
    for (int i = 0; i < count; i++) {
        int status = ex_candidate_row(&list[i], &geometry, rows + (size_t)i * EM_TERMS);
        count = status ? status : count;
    }
    if (count >= 0)
        count = add_twins(cells, choose(list, rows, count, cells));
    free(list);
    free(rows);
    return count;
}
