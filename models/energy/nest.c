#include "models/energy/nest.h"
#include "models/energy/nest_cache.h"
#include <math.h>

enum { LINE = EM_LINE_BYTES };

/* Held in registers: pixels by results of the product, input channels of the gradient (KN_PX, KN_VC, KN_MI there); and
 * the channels of one vector. */
static const struct {
    int pixels, results, channels, vector;
} registers[KN_ISAS] = {
    [KN_ISA_REF] = {1, 16, 1, 16},     [KN_ISA_BASELINE] = {2, 16, 2, 4}, [KN_ISA_AVX2] = {6, 16, 6, 8},
    [KN_ISA_AVX512] = {14, 32, 8, 16}, [KN_ISA_BLAS] = {14, 32, 8, 16},   [KN_ISA_AVX512BF16] = {14, 32, 8, 16},
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

void em_nest_extents(const struct em_nest *nest, int loop, int extent[EM_AXES])
{
    const struct kn_shape *s = &nest->shape;
    const int whole[EM_AXES] = {s->n, s->f, s->t, s->oc, s->ic, nest->op == KN_POINTWISE ? 1 : KN_TAPS};
    for (int axis = 0; axis < EM_AXES; axis++)
        extent[axis] = whole[axis];
    for (int k = 0; k < loop; k++)
        extent[nest->loop[k].axis] = least(extent[nest->loop[k].axis], nest->loop[k].step);
}

/* Leaves out loops of one turn; of two loops of one axis in a row the inner one is the same walk. */
static void add(struct em_nest *nest, enum em_axis axis, int step)
{
    int extent[EM_AXES];
    em_nest_extents(nest, nest->loops, extent);
    if (step >= extent[axis])
        return;
    if (nest->loops && nest->loop[nest->loops - 1].axis == axis)
        nest->loops--;
    nest->loop[nest->loops++] = (struct em_loop){axis, step};
}

void em_nest_init(struct em_nest *nest, enum kn_op op, enum kn_dir dir, enum kn_isa isa, const struct kn_shape *shape,
                  const struct kn_tile *tile)
{
    *nest = (struct em_nest){.op = op, .dir = dir, .shape = *shape, .tile = *tile};
    add(nest, EM_N, 1);
    if (op == KN_DEPTHWISE) {
        add(nest, EM_OC, tile->oc);
        add(nest, EM_F, tile->f);
        add(nest, EM_T, tile->t);
        add(nest, EM_OC, KN_LANES);
        if (dir == KN_BWD_WEIGHTS)
            add(nest, EM_OC, registers[isa].vector);
        add(nest, EM_F, 1);
        return;
    }
    int swapped = dir == KN_BWD_DATA;
    enum em_axis results = swapped ? EM_IC : EM_OC, summed = swapped ? EM_OC : EM_IC;
    int results_step = swapped ? tile->ic : tile->oc, summed_step = swapped ? tile->oc : tile->ic;
    int pixels = tile->px ? tile->px : registers[isa].pixels;
    int register_results = tile->vc ? tile->vc * KN_LANES : registers[isa].results;
    if (tile->order == KN_ORDER_OGI || tile->order == KN_ORDER_IGO) {
        nest->loops = 0;
        add(nest, results, results_step);
        add(nest, EM_N, 1);
    }
    add(nest, EM_F, tile->f);
    add(nest, EM_T, tile->t);
    if (tile->order == (swapped ? KN_ORDER_GOI : KN_ORDER_GIO)) {
        add(nest, summed, summed_step);
        add(nest, results, results_step);
    } else {
        add(nest, results, results_step);
        add(nest, summed, summed_step);
    }
    if (dir == KN_BWD_WEIGHTS) {
        add(nest, EM_OC, registers[isa].results);
        add(nest, EM_TAP, 1);
        add(nest, EM_IC, KN_LANES);
        add(nest, EM_IC, registers[isa].channels);
        add(nest, EM_F, 1);
    } else {
        add(nest, EM_F, 1);
        add(nest, EM_T, pixels);
        add(nest, results, register_results);
        add(nest, EM_TAP, 1);
        add(nest, summed, KN_LANES);
    }
}

enum em_tensor em_nest_stencilled(const struct em_nest *nest)
{
    return nest->dir == KN_BWD_DATA ? EM_Y : EM_X;
}

double em_nest_pixels(const struct em_nest *nest, enum em_tensor tensor, const int extent[EM_AXES])
{
    const struct kn_shape *s = &nest->shape;
    int halo = extent[EM_TAP] > 1 && tensor == em_nest_stencilled(nest);
    int f = least(s->f, extent[EM_F] + 2 * halo * s->dil_f), t = least(s->t, extent[EM_T] + 2 * halo * s->dil_t);
    return (double)extent[EM_N] * f * t;
}

void em_nest_footprint(const struct em_nest *nest, int loop, double bytes[EM_TENSORS])
{
    int extent[EM_AXES], depthwise = nest->op == KN_DEPTHWISE;
    em_nest_extents(nest, loop, extent);
    int multiplier = depthwise ? nest->shape.oc / nest->shape.ic : 1;
    int inputs = depthwise ? (extent[EM_OC] - 1) / multiplier + 1 : extent[EM_IC];
    bytes[EM_X] = LINE * kn_blocks(inputs) * em_nest_pixels(nest, EM_X, extent);
    /* turned for backward-data, the input channels are the ones in blocks of 16 */
    int turned = nest->dir == KN_BWD_DATA && !depthwise;
    int blocks = kn_blocks(turned ? extent[EM_IC] : extent[EM_OC]), rows = turned ? extent[EM_OC] : inputs;
    bytes[EM_W] = LINE * (double)blocks * extent[EM_TAP] * (depthwise ? 1 : rows);
    bytes[EM_Y] = LINE * kn_blocks(extent[EM_OC]) * em_nest_pixels(nest, EM_Y, extent);
}

/* Turns of a loop: whole ones, and as a length, the last one counting by what it holds. */
static double turns(const struct em_nest *nest, int loop, double *length)
{
    int extent[EM_AXES], axis = nest->loop[loop].axis;
    em_nest_extents(nest, loop, extent);
    int step = least(extent[axis], nest->loop[loop].step);
    *length = (double)extent[axis] / step;
    return (extent[axis] - 1) / step + 1;
}

/* Dense 3x3 forward and backward-data copy each tile of the grid, with halo and a border of zeros; not where a tile has
 * all symbols and no dilation in time, when they read the grid itself (kernels/conv3x3/conv3x3_product.h). */
static double copy_bytes(const struct em_nest *nest, const struct kn_tile *tile)
{
    const struct kn_shape *s = &nest->shape;
    if (nest->op != KN_CONV3X3 || nest->dir == KN_BWD_WEIGHTS)
        return 0;
    int f = least(s->f, tile->f), t = least(s->t, tile->t);
    if (t == s->t && (s->dil_t == 1 || s->dil_t >= s->t))
        return 0;
    int channels = nest->dir == KN_BWD_DATA ? s->oc : s->ic;
    return LINE * (double)kn_blocks(channels) * (f + 2 * s->dil_f) * (t + 2 * s->dil_t);
}

static int moves(const struct em_nest *nest, int loop, enum em_tensor tensor)
{
    double inner[EM_TENSORS], outer[EM_TENSORS];
    em_nest_footprint(nest, loop + 1, inner);
    em_nest_footprint(nest, loop, outer);
    return outer[tensor] > inner[tensor];
}

/* Whether a turn of `loop` is a row of a stencil whose taps are walked within it. */
static int walks_rows(const struct em_nest *nest, int loop)
{
    int taps = 0;
    for (int k = loop + 1; k < nest->loops; k++)
        taps |= nest->loop[k].axis == EM_TAP;
    return taps && nest->loop[loop].axis == EM_F && nest->loop[loop].step == 1;
}

/* Whether a product's sums stay in registers from the first summed channel to the last, so that results are touched
 * once, when they are stored; else each block of summed channels loads them, too. */
static int stored_once(const struct em_nest *nest, enum em_tensor tensor)
{
    const struct kn_shape *s = &nest->shape;
    if (nest->op == KN_DEPTHWISE || nest->dir == KN_BWD_WEIGHTS)
        return 0;
    return nest->dir == KN_FWD ? tensor == EM_Y && nest->tile.ic >= s->ic : tensor == EM_X && nest->tile.oc >= s->oc;
}

/*
 * Share of a tensor that is gone from one turn of `loop` to the next, where it is the same or its neighbour. Loops
 * within that do not move it either touch all of it, so the time between is a turn of the innermost of those. Of what
 * moves, one turn's worth is touched meanwhile; of what the walk over the tensor sweeps again and again, the old and
 * the new.
 */
static double gone_between(const struct em_nest *nest, int loop, const struct em_cache *cache, double extra,
                           enum em_tensor tensor)
{
    struct em_span span = {.loop = loop + 1, .copies = {1, 1, 1}, .tap_rows = 3, .read_rows = 3, .extra = extra};
    int changed[EM_TENSORS] = {0}, rows = loop >= 0 && walks_rows(nest, loop);
    if (loop >= 0 && moves(nest, loop, tensor)) {
        /* a row is read by one row of taps, and in the next turn by the one before it */
        span.tap_rows = rows && tensor == em_nest_stencilled(nest) ? 1 : 3;
        return em_gone(nest, &span, cache, tensor);
    }
    for (int i = 0; i < EM_TENSORS; i++)
        changed[i] = loop >= 0 && moves(nest, loop, (enum em_tensor)i);
    while (span.loop < nest->loops && !moves(nest, span.loop, tensor)) {
        for (int i = 0; i < EM_TENSORS; i++)
            changed[i] |= moves(nest, span.loop, (enum em_tensor)i);
        span.loop++;
    }
    for (int i = 0; i < EM_TENSORS; i++)
        if (i != (int)tensor && changed[i] && span.loop < nest->loops && !moves(nest, span.loop, (enum em_tensor)i) &&
            !stored_once(nest, (enum em_tensor)i))
            span.copies[i] = 2;
    double all = em_gone(nest, &span, cache, tensor);
    if (!rows || tensor != EM_W)
        return all;
    /* between two uses of the middle taps two rows are read, of the outer ones three */
    span.read_rows = 2;
    return (2 * all + em_gone(nest, &span, cache, tensor)) / 3;
}

/* A copy that stays in cache costs nothing once it is there; one that does not is fetched and written back for each
 * tile, and its source is read beside it. */
static void add_copy(const struct em_nest *nest, const struct em_cache *cache, double bytes[EM_TENSORS])
{
    double whole[EM_TENSORS], copy = copy_bytes(nest, &nest->tile);
    const struct kn_shape *s = &nest->shape;
    em_nest_footprint(nest, 0, whole);
    if (copy > cache->bytes / 2)
        bytes[em_nest_stencilled(nest)] += whole[em_nest_stencilled(nest)] + 2 * copy * s->n *
                                                                                 ceil((double)s->f / nest->tile.f) *
                                                                                 ceil((double)s->t / nest->tile.t);
    else
        bytes[em_nest_stencilled(nest)] += cache->warm ? 0 : 2 * copy;
}

/*
 * Dense backward-data turns the weights first and reads the turned ones: w is read, its copy written. The copy is in
 * use all through a call, so the next call may find it where the other is gone. While w and copy do not fit together,
 * the part of the copy that is written too long before the product reads it has left by then.
 */
static void add_turning(const struct em_nest *nest, const struct em_cache *cache, double bytes[EM_TENSORS])
{
    double whole[EM_TENSORS], weights, all;
    em_nest_footprint(nest, 0, whole);
    weights = whole[EM_W];
    all = whole[EM_X] + 2 * weights + whole[EM_Y];
    double written = cache->warm ? gone_between(nest, 0, cache, weights, EM_W) : 1;
    double late = fmin(1, fmax(0, (2 * weights - cache->bytes) / weights));
    int fits = all <= cache->bytes;
    if (!fits || !cache->warm)
        bytes[EM_W] += weights + 2 * weights * (late > 0 ? fmin(written, late) : written);
    if (!(fits && cache->warm) && bytes[EM_W] >= weights)
        bytes[EM_W] -= (1 - late) * weights * (cache->warm ? written : 1);
}

/* Depthwise backward-weights writes the sums of each band of rows and adds them up at the end; what streams by in
 * between has pushed them out by then, unless everything fits. */
static double sums_bytes(const struct em_nest *nest, const struct em_cache *cache)
{
    const struct kn_shape *s = &nest->shape;
    double whole[EM_TENSORS], bands = (double)s->n * ((s->f - 1) / least(s->f, nest->tile.f) + 1);
    double sums = (double)LINE * (KN_TAPS + 1) * bands * kn_blocks(s->oc);
    em_nest_footprint(nest, 0, whole);
    return whole[EM_X] + whole[EM_Y] + whole[EM_W] + sums > cache->bytes ? 3 * sums : cache->warm ? 0 : 2 * sums;
}

void em_nest_traffic(const struct em_nest *nest, const struct em_cache *cache, double bytes[EM_TENSORS])
{
    static const enum em_tensor written[KN_DIRS] = {[KN_FWD] = EM_Y, [KN_BWD_DATA] = EM_X, [KN_BWD_WEIGHTS] = EM_W};
    double inner[EM_TENSORS], outer[EM_TENSORS];
    int turned = nest->dir == KN_BWD_DATA && nest->op != KN_DEPTHWISE;
    em_nest_footprint(nest, nest->loops, bytes);
    for (int loop = nest->loops - 1; loop >= 0; loop--) {
        double length, count = turns(nest, loop, &length);
        em_nest_footprint(nest, loop + 1, inner);
        em_nest_footprint(nest, loop, outer);
        for (int i = 0; i < EM_TENSORS; i++) {
            double kept = 1 - gone_between(nest, loop, cache, 0, (enum em_tensor)i);
            if (outer[i] > inner[i])
                bytes[i] = length * bytes[i] - fmax(0, length * inner[i] - outer[i]) * kept;
            else
                bytes[i] += (count - 1) * (bytes[i] - inner[i] * kept);
        }
    }
    em_nest_footprint(nest, 0, outer);
    for (int i = 0; i < EM_TENSORS; i++) {
        if (cache->warm)
            bytes[i] -= outer[i] * (1 - gone_between(nest, -1, cache, turned ? outer[EM_W] : 0, (enum em_tensor)i));
        bytes[i] *= i == (int)written[nest->dir] ? 2 : 1;
    }
    if (copy_bytes(nest, &nest->tile) > 0)
        add_copy(nest, cache, bytes);
    if (turned)
        add_turning(nest, cache, bytes);
    if (nest->op == KN_DEPTHWISE && nest->dir == KN_BWD_WEIGHTS)
        bytes[EM_W] += sums_bytes(nest, cache);
}
