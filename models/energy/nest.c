#include "models/energy/nest.h"

/* Bytes of the 16 channels of a pixel, or of a weight for 16 output channels: one line. */
enum { LINE = KN_LANES * 4, GRID_LOOPS = 3 /* n, f, t: what is within them works on one tile of the grid */ };

/* Held in registers: pixels by results of the product, input channels of the gradient (KN_PX, KN_VC, KN_MI there); and
 * the channels of one vector. */
static const struct {
    int pixels, results, channels, vector;
} registers[KN_ISAS] = {
    [KN_ISA_REF] = {1, 16, 1, 16},     [KN_ISA_BASELINE] = {2, 16, 2, 4}, [KN_ISA_AVX2] = {6, 16, 6, 8},
    [KN_ISA_AVX512] = {14, 32, 8, 16}, [KN_ISA_BLAS] = {14, 32, 8, 16},
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

static void add(struct em_nest *nest, enum em_axis axis, int step)
{
    nest->loop[nest->loops++] = (struct em_loop){axis, step};
}

void em_nest_init(struct em_nest *nest, enum kn_op op, enum kn_dir dir, enum kn_isa isa, const struct kn_shape *shape,
                  const struct kn_tile *tile)
{
    *nest = (struct em_nest){.op = op, .dir = dir, .shape = *shape};
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
    add(nest, EM_F, tile->f);
    add(nest, EM_T, tile->t);
    add(nest, results, swapped ? tile->ic : tile->oc);
    add(nest, summed, swapped ? tile->oc : tile->ic);
    if (dir == KN_BWD_WEIGHTS) {
        add(nest, EM_OC, registers[isa].results);
        add(nest, EM_TAP, 1);
        add(nest, EM_IC, KN_LANES);
        add(nest, EM_IC, registers[isa].channels);
        add(nest, EM_F, 1);
    } else {
        add(nest, EM_F, 1);
        add(nest, EM_T, registers[isa].pixels);
        add(nest, results, registers[isa].results);
        add(nest, EM_TAP, 1);
        add(nest, summed, KN_LANES);
    }
}

/* Elements of each axis within one turn of the loops before `loop`. */
static void extents(const struct em_nest *nest, int loop, int extent[EM_AXES])
{
    const struct kn_shape *s = &nest->shape;
    const int whole[EM_AXES] = {s->n, s->f, s->t, s->oc, s->ic, nest->op == KN_POINTWISE ? 1 : KN_TAPS};
    for (int axis = 0; axis < EM_AXES; axis++)
        extent[axis] = whole[axis];
    for (int k = 0; k < loop; k++)
        extent[nest->loop[k].axis] = least(extent[nest->loop[k].axis], nest->loop[k].step);
}

/* The side of a 3x3 layer that is read with its neighbours: x, but dy where dx is computed. */
static enum em_tensor stencilled(const struct em_nest *nest)
{
    return nest->dir == KN_BWD_DATA ? EM_Y : EM_X;
}

static double pixels(const struct em_nest *nest, enum em_tensor tensor, const int extent[EM_AXES])
{
    const struct kn_shape *s = &nest->shape;
    int halo = extent[EM_TAP] > 1 && tensor == stencilled(nest);
    int f = least(s->f, extent[EM_F] + 2 * halo * s->dil_f), t = least(s->t, extent[EM_T] + 2 * halo * s->dil_t);
    return (double)extent[EM_N] * f * t;
}

void em_nest_footprint(const struct em_nest *nest, int loop, double bytes[EM_TENSORS])
{
    int extent[EM_AXES], depthwise = nest->op == KN_DEPTHWISE;
    extents(nest, loop, extent);
    int multiplier = depthwise ? nest->shape.oc / nest->shape.ic : 1;
    int inputs = depthwise ? (extent[EM_OC] - 1) / multiplier + 1 : extent[EM_IC];
    bytes[EM_X] = LINE * kn_blocks(inputs) * pixels(nest, EM_X, extent);
    bytes[EM_W] = LINE * (double)kn_blocks(extent[EM_OC]) * extent[EM_TAP] * (depthwise ? 1 : inputs);
    bytes[EM_Y] = LINE * kn_blocks(extent[EM_OC]) * pixels(nest, EM_Y, extent);
}

static int turns(const struct em_nest *nest, int loop)
{
    int extent[EM_AXES], axis = nest->loop[loop].axis;
    extents(nest, loop, extent);
    return (extent[axis] - 1) / least(extent[axis], nest->loop[loop].step) + 1;
}

/* Dense 3x3 forward and backward-data copy each tile of the grid, with halo and a border of zeros; not where a tile has
 * all symbols and no dilation in time, when they read the grid itself (kernels/conv3x3/conv3x3_product.h). */
static double copy_bytes(const struct em_nest *nest)
{
    const struct kn_shape *s = &nest->shape;
    int extent[EM_AXES];
    if (nest->op != KN_CONV3X3 || nest->dir == KN_BWD_WEIGHTS)
        return 0;
    extents(nest, GRID_LOOPS, extent);
    if (extent[EM_T] == s->t && (s->dil_t == 1 || s->dil_t >= s->t))
        return 0;
    int channels = nest->dir == KN_BWD_DATA ? s->oc : s->ic;
    return LINE * (double)kn_blocks(channels) * (extent[EM_F] + 2 * s->dil_f) * (extent[EM_T] + 2 * s->dil_t);
}

/* A copy that stays in cache is fetched and written back once; one that does not, for each tile, and its source is read
 * beside it. Dense backward-data turns the weights once, and reads the turned ones. */
static void add_copies(const struct em_nest *nest, int stays, double bytes[EM_TENSORS])
{
    double part[EM_TENSORS], whole[EM_TENSORS], copy = copy_bytes(nest);
    em_nest_footprint(nest, GRID_LOOPS, part);
    em_nest_footprint(nest, 0, whole);
    if (copy > 0 && stays)
        bytes[stencilled(nest)] += 2 * copy;
    else if (copy > 0)
        bytes[stencilled(nest)] +=
            (2 * copy + part[stencilled(nest)]) * turns(nest, 0) * turns(nest, 1) * turns(nest, 2);
    if (nest->dir == KN_BWD_DATA && nest->op != KN_DEPTHWISE)
        bytes[EM_W] += 2 * whole[EM_W];
}

void em_nest_traffic(const struct em_nest *nest, double cache_bytes, double bytes[EM_TENSORS])
{
    static const enum em_tensor written[KN_DIRS] = {[KN_FWD] = EM_Y, [KN_BWD_DATA] = EM_X, [KN_BWD_WEIGHTS] = EM_W};
    double outer[EM_TENSORS], inner[EM_TENSORS];
    int fits = 0;
    for (; fits < nest->loops; fits++) {
        em_nest_footprint(nest, fits, inner);
        double copy = fits <= GRID_LOOPS ? copy_bytes(nest) : 0;
        if (inner[EM_X] + inner[EM_W] + inner[EM_Y] + copy <= cache_bytes)
            break;
    }
    for (int tensor = 0; tensor < EM_TENSORS; tensor++) {
        int around = fits, moved = 0;
        while (around > 0 && !moved) {
            em_nest_footprint(nest, around--, inner);
            em_nest_footprint(nest, around, outer);
            moved = outer[tensor] > inner[tensor];
        }
        em_nest_footprint(nest, around, outer);
        bytes[tensor] = outer[tensor] * (tensor == (int)written[nest->dir] ? 2 : 1);
        for (int k = 0; k < around; k++)
            bytes[tensor] *= turns(nest, k);
    }
    add_copies(nest, fits <= GRID_LOOPS, bytes);
}
