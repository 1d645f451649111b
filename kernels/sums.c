#include "kernels/sums.h"
#include <string.h>

/*
 * Dense sums over a block of the summed channels are added to those of the blocks before. Gradients of weights and
 * biases are summed tile by tile. A stencil is nine numbers, always in one order.
 */
unsigned kn_sum_fields(enum kn_op op, enum kn_dir dir)
{
    static const unsigned summed[KN_DIRS] = {
        [KN_FWD] = KN_TILE_IC, [KN_BWD_DATA] = KN_TILE_OC, [KN_BWD_WEIGHTS] = KN_TILE_F | KN_TILE_T};
    if (op == KN_SEPARABLE && dir == KN_BWD_WEIGHTS) /* its depthwise half wants the data's gradient of the other */
        return summed[KN_BWD_DATA] | summed[KN_BWD_WEIGHTS];
    return op == KN_DEPTHWISE && dir != KN_BWD_WEIGHTS ? 0 : summed[dir];
}

int kn_same_sums(const struct kn_kernel *kernel, const struct kn_shape *shape, const struct kn_tile *a,
                 const struct kn_tile *b)
{
    const unsigned fields = kn_sum_fields(kernel->op, kernel->dir);
    const struct kn_tile one = kernel->resolve(shape, a), other = kernel->resolve(shape, b);
    char text[2][KN_TILE_TEXT];
    return !strcmp(kn_tile_format(&one, fields, text[0], sizeof text[0]),
                   kn_tile_format(&other, fields, text[1], sizeof text[1]));
}
