#include "models/energy/count.h"
#include "harness/base/error.h"
#include "models/energy/nest.h"
#include <math.h>

static const char *const level_names[EM_LEVELS] = {"l1", "l2", "l3", "dram"};

const char *em_level_name(enum em_level level)
{
    return level_names[level];
}

/* The axes that the kernel does not cut count as one block each. */
static struct kn_tile whole_tile(const struct em_layer *layer, const struct kn_kernel *kernel)
{
    const struct kn_shape *s = &layer->shape;
    struct kn_tile tile = kernel->resolve(s, &layer->tile);
    return (struct kn_tile){.oc = tile.oc > 0 ? tile.oc : s->oc,
                            .ic = tile.ic > 0 ? tile.ic : s->ic,
                            .f = tile.f > 0 ? tile.f : s->f,
                            .t = tile.t > 0 ? tile.t : s->t};
}

static void traffic(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile, double cache_bytes,
                    double part[EM_TENSORS])
{
    struct em_nest nest;
    em_nest_init(&nest, layer->op, layer->dir, isa, &layer->shape, tile);
    em_nest_traffic(&nest, cache_bytes, part);
}

/* Forward, a separable call reads what its depthwise half reads and moves what its pointwise half moves but for its
 * input, which stays where it is. */
static double fused_forward(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile,
                            double cache_bytes)
{
    double part[EM_TENSORS], half[EM_TENSORS];
    const struct em_layer first = {.op = KN_DEPTHWISE, .dir = KN_FWD, .shape = kn_depthwise_half(&layer->shape)};
    const struct em_layer second = {.op = KN_POINTWISE, .dir = KN_FWD, .shape = kn_pointwise_half(&layer->shape)};
    const struct kn_tile rows = {.oc = KN_LANES, .ic = KN_LANES, .f = tile->f, .t = tile->t};
    const struct kn_tile product = {.oc = tile->oc, .ic = second.shape.ic, .f = tile->f, .t = tile->t};
    traffic(&first, isa, &rows, cache_bytes, half);
    traffic(&second, isa, &product, cache_bytes, part);
    return half[EM_X] + half[EM_W] + part[EM_W] + part[EM_Y];
}

/* Backward, its halves run one after the other on each slot (kernels/separable/separable_halves.h). Where a slot of all
 * operands fits, x and y cross once a slot, w and what lies between the halves once, and what is written twice. */
static double fused_backward(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile,
                             double cache_bytes)
{
    static const struct {
        enum kn_op op;
        enum kn_dir dir;
        int of_data, of_weights; /* whether the direction runs it */
    } half[] = {{KN_DEPTHWISE, KN_FWD, 0, 1},
                {KN_POINTWISE, KN_BWD_WEIGHTS, 0, 1},
                {KN_POINTWISE, KN_BWD_DATA, 1, 1},
                {KN_DEPTHWISE, KN_BWD_WEIGHTS, 0, 1},
                {KN_DEPTHWISE, KN_BWD_DATA, 1, 0}};
    const int weights = layer->dir == KN_BWD_WEIGHTS;
    struct kn_shape slot = layer->shape;
    slot.n = 1;
    const struct kn_shape first = kn_depthwise_half(&slot), second = kn_pointwise_half(&slot);
    const double x = (double)kn_x_floats(&slot), y = (double)kn_y_floats(&slot), between = (double)kn_y_floats(&first);
    const double w = (double)kn_w_floats(KN_SEPARABLE, &slot);
    if (sizeof(float) * (x + y + between + (weights ? 2 : 1) * w) <= cache_bytes) {
        const double once = layer->shape.n * (x + y) + 2 * between;
        return sizeof(float) * (weights ? once + 3 * w : once + layer->shape.n * x + w);
    }
    double bytes = 0;
    for (size_t i = 0; i < sizeof half / sizeof *half; i++) {
        double part[EM_TENSORS];
        const int depthwise = half[i].op == KN_DEPTHWISE;
        const struct kn_tile its = {
            .oc = depthwise ? KN_LANES : tile->oc, .ic = depthwise ? slot.ic : second.ic, .f = tile->f, .t = tile->t};
        const struct em_layer one = {.op = half[i].op, .dir = half[i].dir, .shape = depthwise ? first : second};
        if (!(weights ? half[i].of_weights : half[i].of_data))
            continue;
        traffic(&one, isa, &its, cache_bytes, part);
        bytes += layer->shape.n * (part[EM_X] + part[EM_W] + part[EM_Y]);
    }
    return bytes;
}

static double between(const struct em_layer *layer, enum kn_isa isa, const struct kn_tile *tile, double cache_bytes)
{
    double part[EM_TENSORS];
    if (layer->op == KN_SEPARABLE)
        return (layer->dir == KN_FWD ? fused_forward : fused_backward)(layer, isa, tile, cache_bytes);
    traffic(layer, isa, tile, cache_bytes, part);
    return part[EM_X] + part[EM_W] + part[EM_Y];
}

int em_count_layer(const struct em_layer *layer, const struct em_caches *caches, struct em_count *count)
{
    const struct kn_kernel *kernel = layer->kernel;
    int status = kn_shape_check(layer->op, &layer->shape);
    if (status)
        return status;
    if (!kernel)
        kernel = kn_best(layer->op, layer->dir);
    if (kernel->op != layer->op || kernel->dir != layer->dir)
        return jrx_fail(JRX_EINVAL, "count: kernel %s for a layer of %s %s; give one of that operator and direction",
                        kernel->name, kn_op_name(layer->op), kn_dir_name(layer->dir));
    status = kernel->supports(&layer->shape, &layer->tile);
    if (status)
        return status;
    struct kn_work work;
    struct kn_tile tile = whole_tile(layer, kernel);
    kernel->work(&layer->shape, &layer->tile, &work);
    *count = (struct em_count){.flop = work.flop,
                               .executed_flop = work.executed_flop,
                               .load_bytes = work.load_bytes,
                               .store_bytes = work.store_bytes,
                               .compulsory_bytes = work.compulsory_bytes};
    count->bytes[EM_L1] = work.load_bytes + work.store_bytes;
    double l1 = caches->l1_bytes, l2 = fmax(l1, caches->l2_bytes), l3 = fmax(l2, caches->l3_bytes);
    count->bytes[EM_L2] = caches->l2_bytes > 0 ? between(layer, kernel->isa, &tile, l1) : (double)NAN;
    count->bytes[EM_L3] = caches->l3_bytes > 0 ? between(layer, kernel->isa, &tile, l2) : (double)NAN;
    count->bytes[EM_DRAM] = between(layer, kernel->isa, &tile, l3);
    return 0;
}

int em_count_layers(const struct em_layer *layer, size_t layers, const struct em_caches *caches, struct em_count *sum)
{
    *sum = (struct em_count){0};
    for (size_t i = 0; i < layers; i++) {
        struct em_count one;
        if (em_count_layer(&layer[i], caches, &one))
            return jrx_fail(JRX_EINVAL, "layer %zu of %zu: %s", i + 1, layers, jrx_last_error());
        sum->flop += one.flop;
        sum->executed_flop += one.executed_flop;
        sum->load_bytes += one.load_bytes;
        sum->store_bytes += one.store_bytes;
        sum->compulsory_bytes += one.compulsory_bytes;
        for (int level = 0; level < EM_LEVELS; level++)
            sum->bytes[level] += one.bytes[level];
    }
    return 0;
}

double em_energy_of_count_j(const struct em_count *count, const struct em_prices *prices, double time_s)
{
    double energy_j = prices->constant_w > 0 ? prices->constant_w * time_s : 0;
    if (prices->flop_j > 0)
        energy_j += prices->flop_j * count->flop;
    for (int level = 0; level < EM_LEVELS; level++) {
        if (prices->byte_j[level] > 0)
            energy_j += prices->byte_j[level] * count->bytes[level];
    }
    return energy_j;
}
