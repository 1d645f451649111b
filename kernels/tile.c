#include "kernels/tile.h"
#include "harness/base/error.h"
#include "kernels/operand.h"
#include <stdio.h>
#include <string.h>

int kn_tile_check(enum kn_op op, unsigned fields, const struct kn_shape *shape, const struct kn_tile *tile)
{
    const struct {
        const char *name;
        int value;
    } sizes[] = {{"oc", tile->oc}, {"ic", tile->ic},          {"f", tile->f},
                 {"t", tile->t},   {"reg, pixels", tile->px}, {"reg, blocks", tile->vc}};
    char text[KN_TILE_TEXT];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].value < 0)
            return jrx_fail(JRX_EINVAL, "tile: %s=%d; a block has at least 1 element", sizes[i].name, sizes[i].value);
    if (!tile->px != !tile->vc)
        return jrx_fail(JRX_EINVAL, "tile: register block of %dx%d; give pixels and blocks, reg=14x2", tile->px,
                        tile->vc);
    if (strcmp(kn_tile_format(tile, KN_TILE_ALL & ~fields, text, sizeof text), "default") != 0)
        return jrx_fail(JRX_EINVAL, "tile: %s, but this kernel has no such choice; leave it out", text);
    return kn_shape_check(op, shape);
}

int kn_tile_order_check(const struct kn_tile *tile, unsigned orders)
{
    char names[32] = "";
    if (!tile->order || orders >> tile->order & 1)
        return 0;
    for (int i = 1, at = 0; i < KN_ORDERS; i++)
        if (orders >> i & 1)
            at += snprintf(names + at, sizeof names - (size_t)at, "%s%s", at ? ", " : "", kn_order_name(i));
    return jrx_fail(JRX_EINVAL, "tile: order=%s would share a sum between threads; use one of %s",
                    kn_order_name(tile->order), names);
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
    double flop = kn_flop(op, dir, shape), floats = 0;
    for (int i = 0; i < KN_OPERANDS; i++) {
        const int reads = kn_reads(op, dir) >> i & 1, writes = kn_writes(op, dir) >> i & 1;
        const int added_to = writes && (i == KN_WEIGHT || i == KN_BIAS);
        floats += (reads + writes + added_to) * (double)kn_operand_floats(op, shape, (enum kn_operand)i);
    }
    *work = (struct kn_work){.flop = flop, .executed_flop = flop, .compulsory_bytes = floats * sizeof(float)};
}
