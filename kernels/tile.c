#include "kernels/tile.h"
#include "harness/base/error.h"

int kn_tile_check(enum kn_op op, unsigned fields, const struct kn_shape *shape, const struct kn_tile *tile)
{
    const struct {
        const char *name;
        int value;
        unsigned field;
    } all[] = {{"oc", tile->oc, KN_TILE_OC},
               {"ic", tile->ic, KN_TILE_IC},
               {"f", tile->f, KN_TILE_F},
               {"t", tile->t, KN_TILE_T}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i].value < 0)
            return jrx_fail(JRX_EINVAL, "tile: %s=%d; a block has at least 1 element", all[i].name, all[i].value);
        if (all[i].value && !(fields & all[i].field))
            return jrx_fail(JRX_EINVAL, "tile: %s=%d, but this kernel does not block that axis; leave it out",
                            all[i].name, all[i].value);
    }
    return kn_shape_check(op, shape);
}

int kn_tile_round(int asked, int usual, int step, int axis)
{
    int size = asked ? asked : usual, whole = (axis - 1) / step + 1;
    int steps = (size - 1) / step + 1;
    return (steps < whole ? steps : whole) * step;
}

int kn_tile_even(int axis, int limit)
{
    int most = limit < 1 ? 1 : limit, blocks = (axis - 1) / most + 1;
    return (axis - 1) / blocks + 1;
}

void kn_work_init(struct kn_work *work, enum kn_op op, enum kn_dir dir, const struct kn_shape *shape)
{
    double x = (double)kn_x_floats(shape), y = (double)kn_y_floats(shape);
    double w = (double)kn_w_floats(op, shape), bias = (double)kn_blocks(shape->oc) * KN_LANES;
    double floats[KN_DIRS] = {
        [KN_FWD] = x + w + bias + y, [KN_BWD_DATA] = y + w + x, [KN_BWD_WEIGHTS] = x + y + 2 * (w + bias)};
    double flop = kn_flop(op, shape);
    *work = (struct kn_work){.flop = flop, .executed_flop = flop, .compulsory_bytes = floats[dir] * sizeof(float)};
}
