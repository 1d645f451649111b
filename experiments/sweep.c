#include "experiments/sweep.h"
#include "experiments/net_calls.h"
#include "harness/base/error.h"
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the product ------------------------------------------------------------------------------------------------ */

enum { LAYERS = 128, KERNELS = 64, GRIDS = 32, NETWORKS = 16 };

struct lists {
    const struct kn_kernel *kernel[KERNELS];
    struct {
        enum kn_op op;
        struct kn_shape shape;
        int times;
    } layer[LAYERS];
    int grid[GRIDS][2], batch[EX_SWEEP_VALUES], threads[EX_SWEEP_VALUES];
    int kernels, layers, grids, batches, thread_counts, tiles;
    struct kn_tile tile[EX_SWEEP_CELLS];
    const struct ex_tiles *known;
    const struct rx_body *network[NETWORKS]; /* to be taken by their calls */
    int networks, training, named;           /* named: kernels were asked for */
};

/* Calls `take` for each word of a comma-separated list. */
static int each(const char *text, int (*take)(struct lists *lists, const char *word), struct lists *lists)
{
    int status = 0;
    char word[256];
    for (const char *at = text; !status; at++) {
        size_t length = strcspn(at, ",");
        if (snprintf(word, sizeof word, "%.*s", (int)length, at) >= (int)sizeof word)
            return jrx_fail(JRX_EINVAL, "list %.40s...: a word of %zu characters", text, length);
        status = take(lists, word);
        at += length;
        if (!*at)
            break;
    }
    return status;
}

static int take_kernel(struct lists *lists, const char *word)
{
    size_t count;
    const struct kn_kernel *const *all = kn_kernels(&count);
    int before = lists->kernels;
    if (!strpbrk(word, "*?[")) {
        const struct kn_kernel *kernel = kn_find(word);
        if (!kernel)
            return JRX_EINVAL;
        if (!kn_runnable(kernel))
            return jrx_fail(JRX_EUNAVAILABLE, "%s: this CPU has not its instructions; see joulerx list kernels", word);
    }
    for (size_t i = 0; i < count && lists->kernels < KERNELS; i++)
        if (kn_runnable(all[i]) && !fnmatch(word, all[i]->name, 0))
            lists->kernel[lists->kernels++] = all[i];
    return lists->kernels > before
               ? 0
               : jrx_fail(JRX_EINVAL, "--kernel=%s: names no kernel that runs here, or too many", word);
}

static int add_layer(struct lists *lists, enum kn_op op, const struct kn_shape *shape, int times)
{
    for (int i = 0; i < lists->layers; i++)
        if (lists->layer[i].op == op && !memcmp(&lists->layer[i].shape, shape, sizeof *shape)) {
            lists->layer[i].times += times;
            return 0;
        }
    if (lists->layers == LAYERS)
        return jrx_fail(JRX_EINVAL, "--layer: more than %d layers", LAYERS);
    lists->layer[lists->layers].op = op;
    lists->layer[lists->layers].shape = *shape;
    lists->layer[lists->layers++].times = times;
    return 0;
}

/* All layers of its inference, where norms are scale, shift and ReLU; or itself, for add_calls(). */
static int add_network(struct lists *lists, const struct rx_body *body)
{
    struct ex_net_layer layer[EX_NET_LAYERS];
    if (lists->training && lists->networks == NETWORKS)
        return jrx_fail(JRX_EINVAL, "more than %d networks", NETWORKS);
    if (lists->training) {
        lists->network[lists->networks++] = body;
        return 0;
    }
    const int layers = ex_net_layers(body, 1, layer);
    int status = layers < 0 ? layers : 0;
    for (int i = 0; i < layers && !status; i++) {
        struct kn_shape s = layer[i].shape;
        s.n = s.f = s.t = 0; /* the grid comes later */
        status = add_layer(lists, layer[i].op, &s, layer[i].times);
    }
    return status;
}

static int take_layer(struct lists *lists, const char *word)
{
    struct kn_shape shape = {0};
    enum kn_op op;
    for (const struct rx_body *body = rx_bodies(); body->name; body++)
        if (!strcmp(word, body->name))
            return add_network(lists, body);
    int status = kn_layer_parse(word, &op, &shape);
    if (status && !strchr(word, ':'))
        return jrx_fail(status, "%s; or a network of joulerx list networks", jrx_last_error());
    return status ? status : add_layer(lists, op, &shape, 1);
}

static int take_grid(struct lists *lists, const char *word)
{
    const char *at = word;
    int f = kn_tile_number(&at), t = *at == 'x' ? (at++, kn_tile_number(&at)) : 0;
    if (!f || !t || *at || lists->grids == GRIDS)
        return jrx_fail(JRX_EINVAL, "--grid=%s: not subcarriers x symbols, e.g. 312x14; at most %d of them", word,
                        GRIDS);
    lists->grid[lists->grids][0] = f;
    lists->grid[lists->grids++][1] = t;
    return 0;
}

static int read_lists(struct lists *lists, const struct ex_sweep_lists *text)
{
    lists->known = text->known;
    lists->training = text->training;
    lists->named = text->kernels != NULL;
    int status = text->layers ? each(text->layers, take_layer, lists)
                              : jrx_fail(JRX_EINVAL, "--layer is missing; e.g. --layer=pw:c256:k256");
    if (!status && text->kernels)
        status = each(text->kernels, take_kernel, lists);
    for (int i = 0; i < lists->layers && !status && !text->kernels; i++) {
        const struct kn_kernel *best = kn_best(lists->layer[i].op, KN_FWD);
        int known = 0;
        for (int k = 0; k < lists->kernels; k++)
            known |= lists->kernel[k] == best;
        if (!known)
            lists->kernel[lists->kernels++] = best;
    }
    if (!status)
        status = each(text->grids ? text->grids : "312x14", take_grid, lists);
    if (!status && (lists->batches = ex_list_parse(text->batches ? text->batches : "1", lists->batch)) < 0)
        status = lists->batches;
    if (!status && (lists->thread_counts = ex_list_parse(text->threads ? text->threads : "1", lists->threads)) < 0)
        status = lists->thread_counts;
    if (!status && (lists->tiles = ex_tiles_parse(text->tiles ? text->tiles : "", lists->tile, EX_SWEEP_CELLS)) < 0)
        status = lists->tiles;
    return status;
}

static int alike(const struct ex_cell *a, const struct ex_cell *b)
{
    return a->kernel == b->kernel && a->threads == b->threads && !memcmp(&a->shape, &b->shape, sizeof a->shape) &&
           !memcmp(&a->tile, &b->tile, sizeof a->tile);
}

static int add_cell(struct ex_sweep *sweep, const struct ex_cell *cell)
{
    for (int i = 0; i < sweep->cells; i++)
        if (alike(cell, &sweep->cell[i]))
            return 0;
    if (sweep->cells == EX_SWEEP_CELLS)
        return jrx_fail(JRX_EINVAL, "more than %d cells; shorten a list", EX_SWEEP_CELLS);
    sweep->cell[sweep->cells++] = *cell;
    return 0;
}

/* All cells of one kernel and one layer. */
static int add_pair(struct ex_sweep *sweep, const struct lists *lists, const struct kn_kernel *kernel, int layer)
{
    const struct kn_tile none = {0};
    int status = 0;
    for (int i = 0; i < lists->grids * lists->batches * lists->thread_counts * lists->tiles && !status; i++) {
        int at = i / lists->tiles;
        struct ex_cell cell = {.kernel = kernel,
                               .shape = lists->layer[layer].shape,
                               .times = lists->layer[layer].times,
                               .asked = lists->tile[i % lists->tiles]};
        cell.threads = lists->threads[at % lists->thread_counts];
        at /= lists->thread_counts;
        cell.shape.n = lists->batch[at % lists->batches];
        cell.shape.f = lists->grid[at / lists->batches][0];
        cell.shape.t = lists->grid[at / lists->batches][1];
        status = kernel->supports(&cell.shape, &cell.asked);
        if (status) {
            status = jrx_fail(status, "%s: %s", kernel->name, jrx_last_error());
        } else {
            cell.picked = !memcmp(&cell.asked, &none, sizeof none);
            if (lists->known && cell.picked)
                cell.asked = ex_tiles_get(lists->known, kernel, &cell.shape, cell.threads, &cell.from);
            cell.tile = kernel->resolve(&cell.shape, &cell.asked);
            status = add_cell(sweep, &cell);
        }
    }
    return status;
}

static int is_named(const struct lists *lists, const struct kn_kernel *kernel)
{
    int found = !lists->named;
    for (int k = 0; k < lists->kernels; k++)
        found |= lists->kernel[k] == kernel;
    return found;
}

/* The calls of a training step on one grid, with one batch and number of threads; of those kernels that are named. */
static int add_calls(struct ex_sweep *sweep, const struct lists *lists, const struct rx_body *body, int at)
{
    const int *grid = lists->grid[at / lists->thread_counts / lists->batches];
    const int batch = lists->batch[at / lists->thread_counts % lists->batches];
    const struct kn_tile none = {0};
    struct ex_net_call call[EX_NET_CALLS];
    struct nn_net *net;
    int status = ex_published_new(&net, body), calls = 0;
    if (!status)
        calls = ex_net_calls(net, NN_FUSED_TRAINING, batch, grid[0], grid[1], lists->threads[at % lists->thread_counts],
                             call);
    for (int i = 0; i < calls && !status; i++)
        if (is_named(lists, call[i].kernel))
            status = add_cell(sweep, &(struct ex_cell){.kernel = call[i].kernel,
                                                       .shape = call[i].shape,
                                                       .threads = call[i].threads,
                                                       .times = call[i].times,
                                                       .tile = call[i].kernel->resolve(&call[i].shape, &none),
                                                       .picked = 1,
                                                       .network = 1});
    ex_published_free(net);
    return calls < 0 ? calls : status;
}

static int add_networks(struct ex_sweep *sweep, const struct lists *lists)
{
    const int combinations = lists->grids * lists->batches * lists->thread_counts, before = sweep->cells;
    int status = 0;
    for (int i = 0; i < lists->networks * combinations && !status; i++)
        status = add_calls(sweep, lists, lists->network[i / combinations], i % combinations);
    if (!status && lists->networks && sweep->cells == before)
        status = jrx_fail(JRX_EINVAL, "the network makes no call of the kernels that were named");
    return status;
}

static int add_cells(struct ex_sweep *sweep, const struct lists *lists)
{
    int status = 0;
    for (int i = 0; i < lists->thread_counts && !status; i++)
        status = add_cell(sweep, &(struct ex_cell){.threads = lists->threads[i]});
    for (int l = 0; l < lists->layers && !status; l++) {
        int before = sweep->cells;
        for (int k = 0; k < lists->kernels && !status; k++)
            if (lists->kernel[k]->op == lists->layer[l].op)
                status = add_pair(sweep, lists, lists->kernel[k], l);
        if (!status && sweep->cells == before)
            status = jrx_fail(JRX_EINVAL, "none of the kernels computes %s; see joulerx list kernels",
                              kn_op_name(lists->layer[l].op));
    }
    return status ? status : add_networks(sweep, lists);
}

int ex_sweep_init(struct ex_sweep *sweep, const struct ex_sweep_lists *text)
{
    struct lists *lists = calloc(1, sizeof *lists);
    *sweep = (struct ex_sweep){.cell = calloc(EX_SWEEP_CELLS, sizeof *sweep->cell)};
    int status = lists && sweep->cell ? read_lists(lists, text) : jrx_fail(JRX_ENOMEM, "no memory for the cells");
    if (!status)
        status = add_cells(sweep, lists);
    free(lists);
    if (status)
        ex_sweep_fini(sweep);
    return status;
}

void ex_sweep_fini(struct ex_sweep *sweep)
{
    free(sweep->cell);
    *sweep = (struct ex_sweep){0};
}

char *ex_cell_label(const struct ex_cell *cell, char *text)
{
    char layer[64], tiling[KN_TILE_TEXT];
    if (!cell->kernel) {
        snprintf(text, EX_CELL_TEXT, "peak t%d", cell->threads);
        return text;
    }
    snprintf(text, EX_CELL_TEXT, "%s %s %dx%d n%d t%d %s", cell->kernel->name,
             kn_layer_format(cell->kernel->op, &cell->shape, layer, sizeof layer), cell->shape.f, cell->shape.t,
             cell->shape.n, cell->threads, kn_tile_format(&cell->tile, KN_TILE_ALL, tiling, sizeof tiling));
    return text;
}
