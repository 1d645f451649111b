/* The lists that kernels are checked on. */
#include "kernels/check.h"

static const int channel_pairs[][2] = {{1, 1},  {2, 15}, {15, 2},  {16, 16}, {17, 31}, {31, 17},
                                       {1, 64}, {64, 1}, {64, 64}, {10, 48}, {33, 8}};
static const int grids[][2] = {{1, 1}, {1, 14}, {5, 3}, {13, 7}, {72, 14}, {312, 14}};
static const int dilations[][2] = {{1, 1}, {2, 3}, {3, 6}};
enum {
    PAIRS = sizeof channel_pairs / sizeof *channel_pairs,
    GRIDS = sizeof grids / sizeof *grids,
    QUICK_GRIDS = GRIDS - 1,
    DILATIONS = sizeof dilations / sizeof *dilations,
    BATCHES = 3,
    MULTIPLIERS = 2,
    QUICK_FLOP = 4000000 /* a case of the quick list costs at most this */
};

static struct kn_shape shape_of(enum kn_op op, size_t pair, size_t grid, size_t dilation, size_t batch,
                                size_t multiplier)
{
    struct kn_shape s = {.n = (int)batch + 1,
                         .ic = channel_pairs[pair][0],
                         .oc = channel_pairs[pair][1],
                         .f = grids[grid][0],
                         .t = grids[grid][1],
                         .dil_f = dilations[dilation][0],
                         .dil_t = dilations[dilation][1]};
    if (op == KN_POINTWISE || kn_elementwise(op))
        s.dil_f = s.dil_t = 1;
    if (kn_elementwise(op))
        s.oc = s.ic;
    if (op == KN_DEPTHWISE)
        s.oc = s.ic * ((int)multiplier + 1);
    if (op == KN_SEPARABLE)
        s.mid = s.ic * ((int)multiplier + 1);
    return s;
}

size_t kn_case_shapes(enum kn_op op, int full, struct kn_shape *shapes, size_t max)
{
    size_t count = 0;
    for (size_t grid = 0; grid < (full ? GRIDS : QUICK_GRIDS); grid++)
        for (size_t pair = 0; pair < PAIRS; pair++) {
            size_t dilation_count = op == KN_POINTWISE || kn_elementwise(op) ? 1 : DILATIONS;
            size_t multiplier_count = op == KN_DEPTHWISE || op == KN_SEPARABLE ? MULTIPLIERS : 1;
            for (size_t rest = 0; rest < (full ? dilation_count * multiplier_count * BATCHES : 1); rest++) {
                size_t i = full ? rest : grid + pair;
                size_t batch = full ? rest / dilation_count / multiplier_count : (grid + 2 * pair) % BATCHES;
                struct kn_shape s = shape_of(op, pair, grid, i % dilation_count, batch,
                                             full ? rest / dilation_count % multiplier_count : pair % 2);
                while (!full && kn_flop(op, KN_FWD, &s) > QUICK_FLOP)
                    s.f = (s.f + 1) / 2, s.n = 1;
                if (count++ < max)
                    shapes[count - 1] = s;
            }
        }
    return count;
}

static void add_tile(const struct kn_kernel *kernel, const struct kn_shape *shape, struct kn_tile tile,
                     struct kn_tile *tiles, size_t *count)
{
    if (*count < KN_CASE_TILES && !kernel->supports(shape, &tile))
        tiles[(*count)++] = tile;
}

size_t kn_case_tiles(const struct kn_kernel *kernel, const struct kn_shape *shape, struct kn_tile tiles[KN_CASE_TILES])
{
    static const struct kn_tile none;
    struct kn_tile usual = kernel->resolve(shape, &none);
    const struct {
        unsigned field;
        int value, axis;
        size_t offset;
    } fields[] = {{KN_TILE_OC, usual.oc, shape->oc, offsetof(struct kn_tile, oc)},
                  {KN_TILE_IC, usual.ic, shape->ic, offsetof(struct kn_tile, ic)},
                  {KN_TILE_F, usual.f, shape->f, offsetof(struct kn_tile, f)},
                  {KN_TILE_T, usual.t, shape->t, offsetof(struct kn_tile, t)}};
    size_t count = 0;
    add_tile(kernel, shape, none, tiles, &count);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const int values[] = {1, fields[i].value - 1, fields[i].value + 1, 5, fields[i].axis + 100};
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            struct kn_tile tile = none;
            *(int *)((char *)&tile + fields[i].offset) = values[v];
            if ((kernel->tile_fields & fields[i].field) && values[v] > 0)
                add_tile(kernel, shape, tile, tiles, &count);
        }
    }
    const struct kn_tile choices[] = {{.order = KN_ORDER_GOI, .oc = 16, .ic = 5},
                                      {.order = KN_ORDER_GIO, .oc = 16, .ic = 5},
                                      {.order = KN_ORDER_OGI, .oc = 16, .f = 3},
                                      {.order = KN_ORDER_IGO, .ic = 16, .f = 3},
                                      {.px = 1, .vc = 1},
                                      {.px = 5, .vc = 1},
                                      {.px = 13, .vc = 2, .f = 3},
                                      {.px = usual.px - 1, .vc = usual.vc},
                                      {.px = usual.px + 1, .vc = usual.vc},
                                      {.px = 1000, .vc = 1000},
                                      {.keep = KN_KEEP_YES, .f = 3},
                                      {.keep = KN_KEEP_NO, .f = 3},
                                      {.keep = KN_KEEP_NO}};
    for (size_t v = 0; v < sizeof choices / sizeof *choices; v++)
        add_tile(kernel, shape, choices[v], tiles, &count);
    static const int all[] = {1, 3, 17};
    for (size_t v = 0; v < sizeof all / sizeof *all && kernel->tile_fields; v++) {
        struct kn_tile tile = none;
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            if (kernel->tile_fields & fields[i].field)
                *(int *)((char *)&tile + fields[i].offset) = all[v];
        add_tile(kernel, shape, tile, tiles, &count);
    }
    return count;
}
