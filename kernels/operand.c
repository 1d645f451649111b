#include "kernels/operand.h"

enum { IN = 1 << KN_IN, W = 1 << KN_WEIGHT, BIAS = 1 << KN_BIAS, OUT = 1 << KN_OUT, NORM = 1 << KN_NORM };

#define WEIGHTED                                                                                                       \
    {                                                                                                                  \
        {IN | W | BIAS, OUT}, {OUT | W, IN},                                                                           \
        {                                                                                                              \
            IN | OUT, W | BIAS                                                                                         \
        }                                                                                                              \
    }

static const struct {
    unsigned reads, writes;
} operands[KN_OPS][KN_DIRS] = {
    [KN_POINTWISE] = WEIGHTED,
    [KN_DEPTHWISE] = WEIGHTED,
    [KN_CONV3X3] = WEIGHTED,
    [KN_SEPARABLE] = {{IN | W | BIAS, OUT}, {OUT | W, IN}, {IN | OUT | W, W | BIAS}},
    [KN_BATCH_NORM] = {{IN | W | BIAS, OUT | NORM},
                       {IN | OUT | W | BIAS | NORM, IN},
                       {IN | OUT | W | BIAS | NORM, W | BIAS}},
    [KN_RELU] = {{IN | W | BIAS, OUT}, {IN | OUT | W | BIAS, IN}, {IN | OUT | W | BIAS, W | BIAS}},
    [KN_ADD] = {{IN | W, OUT}, {OUT, IN}, {OUT, W}},
};

unsigned kn_reads(enum kn_op op, enum kn_dir dir)
{
    return operands[op][dir].reads;
}

unsigned kn_writes(enum kn_op op, enum kn_dir dir)
{
    return operands[op][dir].writes;
}

size_t kn_operand_floats(enum kn_op op, const struct kn_shape *s, enum kn_operand operand)
{
    const size_t vector = (size_t)kn_blocks(s->oc) * KN_LANES;
    switch (operand) {
    case KN_IN: return kn_x_floats(s);
    case KN_OUT: return kn_y_floats(s);
    case KN_WEIGHT: return kn_w_floats(op, s);
    case KN_BIAS: return vector;
    case KN_NORM: return op == KN_BATCH_NORM ? 2 * vector : 0;
    default: return 0;
    }
}
